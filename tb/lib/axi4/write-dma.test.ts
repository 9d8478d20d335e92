import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AxiMemory } from "../../../src/agents/axi-memory.ts";
import { Random } from "../../../src/base/random.ts";
import { status } from "../../../src/lib/axi4/bundle.ts";
import { writeCycles } from "../../../src/lib/axi4/cycles.ts";
import { type WriteDmaParameters, writeDma } from "../../../src/lib/axi4/write-dma.ts";
import { simulate } from "../../../src/sim/index.ts";
import { breakOff, type Command, conditions, cyclesOf, maxCycles, memoryBase, memoryBytes, memoryOf, smallDma, stopBetween, writeJob } from "./dma-bench.ts";

const configurations: readonly WriteDmaParameters[] = [
  smallDma(),
  smallDma({ dataWidth: 128, burst: 16, outstanding: 2, addressWidth: 40 }),
  smallDma({ burst: 1, outstanding: 8 }),
  smallDma({ dataWidth: 512, burst: 64, addressWidth: 64, lengthWidth: 32, idWidth: 4 }),
];

const commandsFor = ({ dataWidth }: WriteDmaParameters) => {
  const beat = dataWidth / 8;
  const bytes = fc.oneof(fc.constantFrom(0, 1, beat - 1, beat, beat + 1, 1024), fc.integer({ min: 0, max: 700 }));
  const corner = fc.constantFrom(memoryBase, memoryBase + 4096 - beat, memoryBase + memoryBytes - beat, 2 ** 32 - 2 * beat);
  const address = fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 0, max: (memoryBytes - 1024) / beat - 1 }).map((at) => memoryBase + at * beat) },
    { weight: 2, arbitrary: corner },
    { weight: 1, arbitrary: fc.integer({ min: memoryBase, max: memoryBase + memoryBytes }) },
  );
  return fc.array(fc.record({ address, bytes }), { minLength: 1, maxLength: 8 });
};

const dataFor = (commands: readonly Command[], random: Random): Uint8Array[] =>
  commands.map(({ bytes }) => Uint8Array.from({ length: bytes }, () => random.integer(0, 255)));

/** Status of a command; its bytes go to `memory` where their beat does not fail, and to `written`, which says what may be found at a place. */
const perform = (
  memory: Uint8Array,
  written: Map<number, Set<number>>,
  { address, bytes }: Command,
  data: Uint8Array,
  { addressWidth, dataWidth }: WriteDmaParameters,
  respond: (address: number) => number,
): number => {
  const beat = dataWidth / 8;
  if (bytes === 0) return status.okay;
  if (address % beat !== 0 || address + bytes > 2 ** addressWidth) return status.refused;
  let worst: number = status.okay;
  for (let at = 0; at < bytes; at += beat) {
    const inside = address + at >= memoryBase && address + at + beat <= memoryBase + memoryBytes;
    const response = respond(address + at) === 0 && !inside ? status.decodeError : respond(address + at);
    if (worst === status.okay) worst = response;
    if (response !== 0) continue;
    const part = data.subarray(at, at + beat);
    memory.set(part, address + at - memoryBase);
    part.forEach((byte, lane) => {
      const place = address + at + lane - memoryBase;
      written.set(place, (written.get(place) ?? new Set()).add(byte));
    });
  }
  return worst;
};

/** Where two memories differ. */
const differences = (a: Uint8Array, b: Uint8Array): number[] => {
  const found: number[] = [];
  for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at]) found.push(at);
  return found;
};

describe.each(["wasm", "verilator"] as const)("a write DMA on %s", (engine) => {
  const numRuns = engine === "wasm" ? 100 : 30;

  describe.each(engine === "wasm" ? configurations : configurations.slice(0, 2))("of $dataWidth bits and bursts of $burst", (parameters) => {
    const commands = commandsFor(parameters);

    /** Memory after a job that was broken off: each byte is as before or one that the job has for its place. */
    const checkBroken = (was: Uint8Array, is: Uint8Array, given: readonly Command[], data: readonly Uint8Array[], respond: (at: number) => number): void => {
      const written = new Map<number, Set<number>>();
      const scratch = was.slice();
      given.forEach((command, index) => perform(scratch, written, command, data[index]!, parameters, respond));
      expect(differences(is, was).filter((at) => !written.get(at)?.has(is[at]!))).toEqual([]);
    };

    test("writes the bytes of every command and no other, also after a job that a reset broke off", { timeout: 60_000 }, async () => {
      using sim = await simulate(writeDma(parameters), { engine, maxCycles });
      fc.assert(
        fc.property(commands, commands, conditions, fc.nat(120), (before, given, condition, early) => {
          const { memory, random, respond } = memoryOf(condition);
          const was = memory.bytes.slice();
          const [broken, data] = [dataFor(before, random), dataFor(given, random)];
          sim.reset();
          breakOff(sim, early, () => sim.run(memory.serve({ write: sim.io.mAxi }), ...writeJob(sim, before, broken, condition.how, random).tasks));
          checkBroken(was, memory.bytes, before, broken, respond);
          sim.reset();
          const model = memory.bytes.slice();
          const { tasks, found } = writeJob(sim, given, data, condition.how, random);
          sim.run(memory.serve({ write: sim.io.mAxi }), ...tasks);
          expect(found.statuses).toEqual(given.map((command, index) => perform(model, new Map(), command, data[index]!, parameters, respond)));
          expect(differences(memory.bytes, model)).toEqual([]);
          expect(sim.io.idle.peek()).toBe(1);
        }),
        { numRuns },
      );
    });

    test("drains the bus after a stop, and the next job is right", { timeout: 60_000 }, async () => {
      using sim = await simulate(writeDma(parameters), { engine, maxCycles });
      fc.assert(
        fc.property(commands, commands, conditions, fc.nat(120), fc.integer({ min: 1, max: 30 }), (before, given, condition, early, pulse) => {
          const { memory, random, respond } = memoryOf(condition);
          const was = memory.bytes.slice();
          const [broken, data] = [dataFor(before, random), dataFor(given, random)];
          let model = was;
          sim.reset();
          const { tasks, found } = writeJob(sim, given, data, condition.how, random);
          const first = writeJob(sim, before, broken, condition.how, random);
          stopBetween(sim, memory.serve({ write: sim.io.mAxi }), first.tasks, early, pulse, tasks, () => (model = memory.bytes.slice()));
          checkBroken(was, model, before, broken, respond);
          expect(found.statuses).toEqual(given.map((command, index) => perform(model, new Map(), command, data[index]!, parameters, respond)));
          expect(differences(memory.bytes, model)).toEqual([]);
        }),
        { numRuns },
      );
    });
  });
});

const calm = { command: "none", data: "none", done: "none" } as const;

describe("the time of a write", () => {
  const write = async (parameters: WriteDmaParameters, latency: number, commands: readonly Command[]) => {
    using sim = await simulate(writeDma(parameters), { engine: "wasm" });
    const memory = new AxiMemory({ bytes: 1 << 20, latency });
    sim.reset();
    const { tasks, found } = writeJob(sim, commands, dataFor(commands, new Random(1)), calm, new Random(1));
    sim.run(memory.serve({ write: sim.io.mAxi }), ...tasks);
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
        const { cycles } = await write(smallDma({ burst, outstanding }), latency, [{ address: 4096, bytes: 8 * beats }]);
        expect(cycles).toBe(writeCycles({ beats, burst, outstanding, latency }));
      }),
      { numRuns: 60 },
    );
  });

  test("is a beat a cycle across commands of any length", async () => {
    const rows = Array.from({ length: 40 }, (_, row) => ({ address: 0x4000 + row * 336, bytes: 1 + ((row * 37) % 200) }));
    const { cycles, counts } = await write(smallDma({ burst: 16, outstanding: 64 }), 40, rows);
    expect(cycles).toBe(counts.writeBeats + 40 + 3);
  });
});
