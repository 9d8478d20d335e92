import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AxiMemory } from "../../../src/agents/axi-memory.ts";
import { Random } from "../../../src/base/random.ts";
import { status } from "../../../src/lib/axi4/bundle.ts";
import { readCycles } from "../../../src/lib/axi4/cycles.ts";
import { type ReadDmaParameters, readDma } from "../../../src/lib/axi4/read-dma.ts";
import { simulate } from "../../../src/sim/index.ts";
import {
  breakOff,
  type Command,
  conditions,
  cyclesOf,
  maxCycles,
  memoryBase,
  memoryBytes,
  memoryOf,
  type Outcome,
  readJob,
  smallDma,
  stopBetween,
} from "./dma-bench.ts";

const configurations: readonly ReadDmaParameters[] = [
  { ...smallDma(), alignment: 1 },
  { ...smallDma({ dataWidth: 128, burst: 16, outstanding: 2, addressWidth: 40 }), alignment: 16 },
  { ...smallDma({ burst: 1, outstanding: 8 }), alignment: 4 },
  { ...smallDma({ dataWidth: 512, burst: 64, addressWidth: 64, lengthWidth: 32, idWidth: 4 }), alignment: 2 },
];

const commandsFor = ({ dataWidth, alignment }: ReadDmaParameters) => {
  const beat = dataWidth / 8;
  const bytes = fc.oneof(fc.constantFrom(0, 1, beat - 1, beat, beat + 1, 1024), fc.integer({ min: 0, max: 700 }));
  const corner = fc.constantFrom(memoryBase, memoryBase + 4096 - beat, memoryBase + 4096 - alignment, memoryBase + memoryBytes - beat, 2 ** 32 - 2 * beat);
  const address = fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 0, max: (memoryBytes - 1024) / alignment - 1 }).map((at) => memoryBase + at * alignment) },
    { weight: 2, arbitrary: corner },
    { weight: 1, arbitrary: fc.integer({ min: memoryBase, max: memoryBase + memoryBytes }) },
  );
  return fc.array(fc.record({ address, bytes }), { minLength: 1, maxLength: 8 });
};

/** What a command gives, by the pages of AXI and of this library. */
const expected = (
  memory: AxiMemory,
  { addressWidth, dataWidth, alignment }: ReadDmaParameters,
  { address, bytes }: Command,
  respond: (address: number) => number,
) => {
  const beat = dataWidth / 8;
  if (bytes === 0) return { status: status.okay, bytes: [] };
  if (address % alignment !== 0 || address + bytes > 2 ** addressWidth) return { status: status.refused, bytes: [] };
  const found: (number | undefined)[] = [];
  let worst = 0;
  for (let at = address - (address % beat); at < address + bytes; at += beat) {
    const inside = at >= memoryBase && at + beat <= memoryBase + memoryBytes;
    const response = respond(at) === 0 && !inside ? status.decodeError : respond(at);
    if (worst === 0) worst = response;
    for (let lane = 0; lane < beat; lane += 1)
      if (at + lane >= address && at + lane < address + bytes) found.push(response === 0 ? memory.bytes[at + lane - memoryBase] : undefined);
  }
  return { status: worst, bytes: found };
};

/** Beats that a command reads. */
const beatsOf = ({ address, bytes }: Command, { addressWidth, dataWidth, alignment }: ReadDmaParameters): number =>
  bytes === 0 || address % alignment !== 0 || address + bytes > 2 ** addressWidth ? 0 : Math.ceil(((address % (dataWidth / 8)) + bytes) / (dataWidth / 8));

const compare = (
  outcomes: readonly Outcome[],
  commands: readonly Command[],
  memory: AxiMemory,
  parameters: ReadDmaParameters,
  respond: (at: number) => number,
): void => {
  expect(outcomes.length).toBe(commands.length);
  outcomes.forEach((outcome, index) => {
    const wanted = expected(memory, parameters, commands[index]!, respond);
    expect(outcome.status).toBe(wanted.status);
    // Bytes of beats that failed mean nothing.
    expect(outcome.bytes.map((byte, at) => (wanted.bytes[at] === undefined ? undefined : byte))).toEqual(wanted.bytes);
  });
};

describe.each(["wasm", "verilator"] as const)("a read DMA on %s", (engine) => {
  const numRuns = engine === "wasm" ? 100 : 30;

  describe.each(engine === "wasm" ? configurations : configurations.slice(0, 2))(
    "of $dataWidth bits, bursts of $burst and elements of $alignment",
    (parameters) => {
      const commands = commandsFor(parameters);

      test("gives the bytes and the status of every command, and nothing of a job that a reset broke off", { timeout: 60_000 }, async () => {
        using sim = await simulate(readDma(parameters), { engine, maxCycles });
        fc.assert(
          fc.property(commands, commands, conditions, fc.nat(120), (before, given, condition, early) => {
            const { memory, random, respond } = memoryOf(condition);
            sim.reset();
            breakOff(sim, early, () => sim.run(memory.serve({ read: sim.io.mAxi }), ...readJob(sim, before, condition.how, random).tasks));
            sim.reset();
            const { tasks, found } = readJob(sim, given, condition.how, random);
            const earlier = memory.counts.readBeats;
            sim.run(memory.serve({ read: sim.io.mAxi }), ...tasks);
            compare(found.outcomes, given, memory, parameters, respond);
            expect(memory.counts.readBeats - earlier).toBe(given.reduce((total, command) => total + beatsOf(command, parameters), 0));
            expect(sim.io.idle.peek()).toBe(1);
          }),
          { numRuns },
        );
      });

      test("drains the bus after a stop, and the next job is right", { timeout: 60_000 }, async () => {
        using sim = await simulate(readDma(parameters), { engine, maxCycles });
        fc.assert(
          fc.property(commands, commands, conditions, fc.nat(120), fc.integer({ min: 1, max: 30 }), (before, given, condition, early, pulse) => {
            const { memory, random, respond } = memoryOf(condition);
            sim.reset();
            const { tasks, found } = readJob(sim, given, condition.how, random);
            stopBetween(sim, memory.serve({ read: sim.io.mAxi }), readJob(sim, before, condition.how, random).tasks, early, pulse, tasks);
            compare(found.outcomes, given, memory, parameters, respond);
          }),
          { numRuns },
        );
      });
    },
  );
});

const calm = { command: "none", data: "none", done: "none" } as const;

describe("the time of a read", () => {
  const read = async (parameters: ReadDmaParameters, latency: number, commands: readonly Command[]) => {
    using sim = await simulate(readDma(parameters), { engine: "wasm" });
    const memory = new AxiMemory({ bytes: 1 << 20, latency });
    sim.reset();
    const { tasks, found } = readJob(sim, commands, calm, new Random(1));
    sim.run(memory.serve({ read: sim.io.mAxi }), ...tasks);
    return { cycles: cyclesOf(found), counts: memory.counts };
  };

  test("from the start of a burst on is the closed form, for all latencies and bursts in flight", { timeout: 60_000 }, async () => {
    const shape = fc.record({
      burst: fc.constantFrom(1, 4, 16),
      outstanding: fc.constantFrom(2, 4, 8),
      latency: fc.oneof(fc.constantFrom(1, 2, 40), fc.integer({ min: 1, max: 80 })),
      beats: fc.oneof(fc.constantFrom(1, 2, 16, 17, 255), fc.integer({ min: 1, max: 300 })),
    });
    await fc.assert(
      fc.asyncProperty(shape, async ({ burst, outstanding, latency, beats }) => {
        const parameters = { ...smallDma({ burst, outstanding }), alignment: 8 };
        const { cycles } = await read(parameters, latency, [{ address: 4096, bytes: 8 * beats }]);
        expect(cycles).toBe(readCycles({ beats, burst, outstanding, latency }));
      }),
      { numRuns: 60 },
    );
  });

  test("is a beat a cycle across commands of any length, aligned or not", async () => {
    const parameters = { ...smallDma({ burst: 16, outstanding: 64 }), alignment: 1 };
    const rows = Array.from({ length: 40 }, (_, row) => ({ address: 0x4000 + row * 333, bytes: 1 + ((row * 37) % 200) }));
    const { cycles, counts } = await read(parameters, 40, rows);
    // The first beat after 42 cycles, and the last bytes at most one cycle after the last beat.
    expect(cycles - (counts.readBeats - 1) - 42).toBeOneOf([0, 1]);
  });
});

test.each([
  [{ dataWidth: 96 }, "64, 128, 256 or 512 bits of data, not 96"],
  [{ addressWidth: 31 }, "32 to 64 bits, not 31"],
  [{ idWidth: 0 }, "1 to 16 bits, not 0"],
  [{ lengthWidth: 33 }, "12 to 32 bits, not 33"],
  [{ burst: 3 }, "a power of two from 1 to 256, not 3"],
  [{ dataWidth: 512, burst: 128 }, "a power of two from 1 to 64, not 128"],
  [{ outstanding: 1 }, "a power of two from 2 to 256 bursts can be in flight, not 1"],
])("%o is refused", (change, message) => {
  expect(() => readDma({ ...smallDma(change), alignment: 8 })).toThrow(message);
});

test("elements larger than a beat are refused", () => {
  expect(() => readDma({ ...smallDma(), alignment: 16 })).toThrow("a power of two from 1 to 8 bytes, not 16");
});
