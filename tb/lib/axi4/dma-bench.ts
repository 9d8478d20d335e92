import fc from "fast-check";
import { AxiMemory } from "../../../src/agents/axi-memory.ts";
import { type StallProfile, sink, source, stallProfiles, stalls } from "../../../src/agents/index.ts";
import { UserError } from "../../../src/base/error.ts";
import { Random } from "../../../src/base/random.ts";
import type { readDma } from "../../../src/lib/axi4/read-dma.ts";
import type { DmaParameters } from "../../../src/lib/axi4/splitter.ts";
import type { writeDma } from "../../../src/lib/axi4/write-dma.ts";
import type { Simulation, Task, TaskSpec } from "../../../src/sim/index.ts";

export type ReadSim = Simulation<ReturnType<typeof readDma>["ports"]>;
export type WriteSim = Simulation<ReturnType<typeof writeDma>["ports"]>;

export interface Command {
  readonly address: number;
  readonly bytes: number;
}

/** How each end holds back: the commands, the data, the report of a write. */
export interface Profiles {
  readonly command: StallProfile;
  readonly data: StallProfile;
  readonly done: StallProfile;
}

/** How a command ended, and the bytes that a read gave. */
export interface Outcome {
  readonly status: number;
  readonly bytes: number[];
}

/** Small ports with room for every corner. Memory is 16 KiB from 0x1000 on. */
export const memoryBase = 0x1000;
export const memoryBytes = 0x4000;
/** More than any job takes. */
export const maxCycles = 30_000;

export const smallDma = (change: Partial<DmaParameters> = {}): DmaParameters => ({
  addressWidth: 32,
  dataWidth: 64,
  idWidth: 2,
  lengthWidth: 12,
  burst: 4,
  outstanding: 4,
  ...change,
});

const profiles = fc.record({
  command: fc.constantFrom(...stallProfiles),
  data: fc.constantFrom(...stallProfiles),
  done: fc.constantFrom(...stallProfiles),
});

/** Profiles for each channel of the memory. */
const channelProfiles = fc.record({
  ar: fc.constantFrom(...stallProfiles),
  r: fc.constantFrom(...stallProfiles),
  aw: fc.constantFrom(...stallProfiles),
  w: fc.constantFrom(...stallProfiles),
  b: fc.constantFrom(...stallProfiles),
});

/** The stalls of a memory in profiles. */
const channelStalls = (given: Readonly<Record<"ar" | "r" | "aw" | "w" | "b", StallProfile>>, random: Random) => ({
  ar: stalls(given.ar, random),
  r: stalls(given.r, random),
  aw: stalls(given.aw, random),
  w: stalls(given.w, random),
  b: stalls(given.b, random),
});

/** Responses by address, the same whenever they are asked for: `percent` of the beats fail. */
const failures = (percent: number, random: Random) => {
  const known = new Map<number, number>();
  return (address: number): number => {
    const response = known.get(address) ?? (random.integer(1, 100) <= percent ? random.integer(2, 3) : 0);
    known.set(address, response);
    return response;
  };
};

/** How the memory and the ends of a job behave. */
export const conditions = fc.record({
  how: profiles,
  channels: channelProfiles,
  latency: fc.oneof(fc.constantFrom(1, 20), fc.constant([1, 15] as const)),
  outstanding: fc.constantFrom(1, 2, 100),
  beatsPerCycle: fc.constantFrom(1, 0.3),
  errors: fc.constantFrom(0, 0, 20),
  seed: fc.nat(),
});

export type Conditions = typeof conditions extends fc.Arbitrary<infer C> ? C : never;

/** The memory of these conditions, filled at random. */
export const memoryOf = ({ channels, latency, outstanding, beatsPerCycle, errors, seed }: Conditions) => {
  const random = new Random(seed);
  const respond = failures(errors, random);
  const stalls = channelStalls(channels, random);
  return {
    random,
    respond,
    memory: new AxiMemory({
      bytes: Uint8Array.from({ length: memoryBytes }, () => random.integer(0, 255)),
      base: memoryBase,
      latency,
      outstanding,
      beatsPerCycle,
      stalls,
      respond,
      random,
    }),
  };
};

const commandsTask = ({ command }: ReadSim["io"] | WriteSim["io"], commands: readonly Command[], stall: () => boolean) =>
  source(
    command,
    commands.length,
    (index) => {
      command.address.poke(commands[index]?.address ?? 0);
      command.bytes.poke(commands[index]?.bytes ?? 0);
    },
    stall,
  );

/** Bytes of a stream's beat that `keep` names, which must be those of the lowest lanes. */
const keptBytes = ({ mAxis }: ReadSim["io"]): number[] => {
  const keep = mAxis.tkeep.peekBig();
  const count = keep.toString(2).replaceAll("0", "").length;
  if (keep !== 2n ** BigInt(count) - 1n) throw new Error(`tkeep ${keep.toString(2)} has a gap`);
  const data = mAxis.tdata.peekBig();
  return Array.from({ length: count }, (_, lane) => Number((data >> BigInt(8 * lane)) & 0xffn));
};

/** A job of a DMA as tasks, and what they find. */
export interface Job<Found> {
  readonly tasks: readonly (() => Task)[];
  readonly found: Found;
}

/** When a job's first command was taken and its last result. */
interface Span {
  first: number | undefined;
  last: number;
}

/** Edges from the first command's to the last result's. */
export const cyclesOf = ({ first, last }: Span): number => last - (first ?? last);

const watchFirst = ({ io, cycle }: { io: ReadSim["io"] | WriteSim["io"]; cycle: () => number }, span: Span) =>
  function* watchFirst(): Task {
    while (span.first === undefined) {
      yield;
      if (io.command.valid.peek() === 1 && io.command.ready.peek() === 1) span.first = cycle();
    }
  };

/** Reads, from a design that is idle or reset. */
export const readJob = (sim: ReadSim, commands: readonly Command[], how: Profiles, random: Random): Job<Span & { readonly outcomes: Outcome[] }> => {
  const { io } = sim;
  const found = { outcomes: [] as Outcome[], first: undefined as number | undefined, last: 0 };
  const stall = stalls(how.data, random);
  function* takeData(): Task {
    let bytes: number[] = [];
    while (found.outcomes.length < commands.length) {
      const ready = !stall();
      io.mAxis.tready.poke(ready);
      yield;
      if (!ready || io.mAxis.tvalid.peek() !== 1) continue;
      const kept = keptBytes(io);
      const ends = io.mAxis.tlast.peek() === 1;
      if (!ends && kept.length !== io.mAxis.tdata.shape.width / 8) throw new Error("a beat in the middle of a command is not whole");
      bytes.push(...kept);
      found.last = sim.cycle;
      if (!ends) continue;
      found.outcomes.push({ status: io.mAxis.tuser.peekNumber(), bytes });
      bytes = [];
    }
    io.mAxis.tready.poke(0);
  }
  const give = () => commandsTask(io, commands, stalls(how.command, random));
  return { tasks: [give, takeData, watchFirst({ io, cycle: () => sim.cycle }, found)], found };
};

/** Writes, from a design that is idle or reset; `data` has the bytes of each command, also of those that are refused. */
export const writeJob = (
  sim: WriteSim,
  commands: readonly Command[],
  data: readonly Uint8Array[],
  how: Profiles,
  random: Random,
): Job<Span & { readonly statuses: number[] }> => {
  const { sAxis, done } = sim.io;
  const lanes = sAxis.tdata.shape.width / 8;
  const beats = data.flatMap((bytes) =>
    Array.from({ length: Math.ceil(bytes.length / lanes) }, (_, beat) => ({ bytes: bytes.subarray(beat * lanes), last: (beat + 1) * lanes >= bytes.length })),
  );
  const put = (index: number): void => {
    const { bytes, last } = beats[index] ?? { bytes: new Uint8Array(), last: false };
    let word = 0n;
    // Lanes beyond the command carry rubbish.
    for (let lane = lanes - 1; lane >= 0; lane -= 1) word = (word << 8n) | BigInt(bytes[lane] ?? random.integer(0, 255));
    sAxis.tdata.poke(word);
    sAxis.tlast.poke(last);
  };
  const found = { statuses: [] as number[], first: undefined as number | undefined, last: 0 };
  const take = (): void => {
    found.statuses.push(done.status.peekNumber());
    found.last = sim.cycle;
  };
  const give = () => commandsTask(sim.io, commands, stalls(how.command, random));
  const giveData = () => source({ valid: sAxis.tvalid, ready: sAxis.tready }, beats.length, put, stalls(how.data, random));
  const takeDone = () => sink(done, commands.length, take, stalls(how.done, random));
  return { tasks: [give, giveData, takeDone, watchFirst({ io: sim.io, cycle: () => sim.cycle }, found)], found };
};

/** Runs tasks side by side, for at most `cycles` edges. */
function* together(tasks: readonly (() => Task)[], cycles = Number.POSITIVE_INFINITY): Task {
  let running = tasks.map((task) => task());
  for (let cycle = 0; cycle < cycles; cycle += 1) {
    running = running.filter((task) => task.next().done !== true);
    if (running.length === 0) return;
    yield;
  }
}

/** A job that is stopped after some cycles, and another once the design is idle. The memory sees one run. */
export const stopBetween = (
  sim: ReadSim | WriteSim,
  serve: TaskSpec,
  first: readonly (() => Task)[],
  after: number,
  pulse: number,
  second: readonly (() => Task)[],
  atIdle: () => void = () => undefined,
): void => {
  const { command, stop, idle } = sim.io;
  sim.run(serve, function* both() {
    yield* together(first, after);
    command.valid.poke(0);
    stop.poke(1);
    for (let cycle = 0; cycle < pulse; cycle += 1) yield;
    stop.poke(0);
    do yield;
    while (idle.peek() !== 1);
    atIdle();
    yield* together(second);
  });
};

/** Runs a job, and gives it up after so many cycles where it takes more. */
export const breakOff = (sim: ReadSim | WriteSim, cycles: number, run: () => void): void => {
  const { maxCycles } = sim;
  sim.maxCycles = cycles;
  try {
    run();
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== "watchdog") throw error;
  } finally {
    sim.maxCycles = maxCycles;
  }
};
