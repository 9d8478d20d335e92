import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type StallProfile, stallProfiles, stalls } from "../../src/agents/index.ts";
import { Random } from "../../src/base/random.ts";
import { lint } from "../../src/flow/lint.ts";
import { type ScratchpadParameters, scratchpad } from "../../src/lib/scratchpad.ts";
import { background, type Simulation, simulate, type Task } from "../../src/sim/index.ts";
import { verilogFiles } from "../../src/verilog/index.ts";

/** One fill of a half and one drain of it. */
interface Tile {
  readonly writes: readonly { readonly address: number; readonly data: bigint }[];
  readonly reads: readonly number[];
  /** The last access and `done` are one cycle, or `done` is a cycle of its own. */
  readonly doneWithWrite: boolean;
  readonly doneWithRead: boolean;
}

interface Access {
  readonly put: () => void;
  readonly done: boolean;
}

type Sim = Simulation<ReturnType<typeof scratchpad>["ports"]>;

/** The accesses of a tile with its `done`. */
const accesses = (puts: readonly (() => void)[], together: boolean): Access[] =>
  together && puts.length > 0
    ? puts.map((put, index) => ({ put, done: index === puts.length - 1 }))
    : [...puts.map((put) => ({ put, done: false })), { put: () => undefined, done: true }];

const fillTask = function* (sim: Sim, tiles: readonly Tile[], stall: () => boolean): Task {
  const { fill } = sim.io;
  for (const { writes, doneWithWrite } of tiles) {
    const puts = writes.map(({ address, data }) => () => {
      fill.write.poke(1);
      fill.address.poke(address);
      fill.data.poke(data);
    });
    for (const { put, done } of accesses(puts, doneWithWrite)) {
      while (stall()) yield;
      put();
      fill.done.poke(done);
      do yield;
      while (fill.ready.peek() !== 1);
      fill.write.poke(0);
      fill.done.poke(0);
    }
  }
};

const drainTask = function* (sim: Sim, tiles: readonly Tile[], stall: () => boolean): Task {
  const { drain } = sim.io;
  for (const { reads, doneWithRead } of tiles) {
    const puts = reads.map((address) => () => {
      drain.read.poke(1);
      drain.address.poke(address);
    });
    for (const { put, done } of accesses(puts, doneWithRead)) {
      while (stall()) yield;
      put();
      drain.done.poke(done);
      do yield;
      while (drain.ready.peek() !== 1);
      drain.read.poke(0);
      drain.done.poke(0);
    }
  }
};

/** Follows both halves: `filled` is as it must be, and each word that is read shows from the next cycle on until another is read. */
const model = (sim: Sim, depth: number, check: (word: bigint, expected: bigint) => void) =>
  background(function* model() {
    const { fill, drain, filled } = sim.io;
    const halves = [0, 1].map(() => new Map<number, bigint>());
    let fills = 0;
    let drains = 0;
    let shows: bigint | undefined;
    for (;;) {
      yield;
      expect([filled.peek(), fill.ready.peek(), drain.ready.peek()]).toEqual([fills - drains, Number(fills - drains < 2), Number(fills > drains)]);
      if (shows !== undefined) check(drain.data.peekBig(), shows);
      const reads = drain.read.peek() === 1 && fills > drains;
      if (reads) {
        expect(drain.address.peekNumber()).toBeLessThan(depth);
        shows = halves[drains % 2]!.get(drain.address.peekNumber());
      }
      const mayFill = fills - drains < 2;
      if (fill.write.peek() === 1 && mayFill) halves[fills % 2]!.set(fill.address.peekNumber(), fill.data.peekBig());
      if (drain.done.peek() === 1 && fills > drains) drains += 1;
      if (fill.done.peek() === 1 && mayFill) fills += 1;
    }
  });

/** Returns the cycles that the tiles take and the words compared. */
const pass = (sim: Sim, depth: number, tiles: readonly Tile[], before: () => boolean, after: () => boolean) => {
  let compared = 0;
  const { fill, drain } = sim.io;
  for (const signal of [fill.write, fill.done, drain.read, drain.done]) signal.poke(0);
  sim.reset();
  const start = sim.cycle;
  sim.run(
    fillTask(sim, tiles, before),
    drainTask(sim, tiles, after),
    model(sim, depth, (word, expected) => {
      expect(word).toBe(expected);
      compared += 1;
    }),
  );
  return { compared, cycles: sim.cycle - start };
};

const tilesOf = ({ width, depth }: ScratchpadParameters): fc.Arbitrary<Tile[]> => {
  const most = 2n ** BigInt(width) - 1n;
  const address = fc.oneof(fc.constantFrom(0, depth - 1), fc.nat(depth - 1));
  const data = fc.oneof(fc.constantFrom(0n, 1n, most), fc.bigInt(0n, most));
  return fc.array(
    fc.record({
      writes: fc.array(fc.record({ address, data }), { maxLength: 12 }),
      reads: fc.array(address, { maxLength: 12 }),
      doneWithWrite: fc.boolean(),
      doneWithRead: fc.boolean(),
    }),
    { maxLength: 10 },
  );
};

const stallsOf = (before: StallProfile, after: StallProfile, seed: number) => {
  const random = new Random(seed);
  return [stalls(before, random), stalls(after, random)] as const;
};

const never = () => false;
const profile = fc.constantFrom(...stallProfiles);
const all: readonly ScratchpadParameters[] = [
  { width: 1, depth: 2 },
  { width: 33, depth: 4 },
  { width: 128, depth: 64 },
];

describe.each([
  { engine: "wasm", shapes: all },
  { engine: "verilator", shapes: all.slice(1, 2) },
] as const)("on $engine", ({ engine, shapes }) => {
  describe.each(shapes)("halves of $depth words of $width bits", (parameters) => {
    const { depth } = parameters;

    test("the reader finds what was filled, whatever both do", async () => {
      using sim = await simulate(scratchpad(parameters), { engine });
      let compared = 0;
      fc.assert(
        fc.property(tilesOf(parameters), profile, profile, fc.nat(), (tiles, before, after, seed) => {
          compared += pass(sim, depth, tiles, ...stallsOf(before, after, seed)).compared;
        }),
      );
      expect(compared).toBeGreaterThan(100);
    });

    test("tiles of f writes and d reads take f + (tiles - 1) * max(f, d) + d cycles", async () => {
      using sim = await simulate(scratchpad(parameters), { engine });
      const length = fc.integer({ min: 1, max: 9 });
      fc.assert(
        fc.property(length, length, length, (tiles, f, d) => {
          const tile: Tile = {
            writes: Array.from({ length: f }, (_, index) => ({ address: index % depth, data: BigInt(index % 2) })),
            reads: Array.from({ length: d }, (_, index) => index % depth),
            doneWithWrite: true,
            doneWithRead: true,
          };
          const { cycles } = pass(
            sim,
            depth,
            Array.from({ length: tiles }, () => tile),
            never,
            never,
          );
          expect(cycles).toBe(f + (tiles - 1) * Math.max(f, d) + d);
        }),
        { numRuns: 30 },
      );
    });
  });
});

test("writes and done without ready do nothing", async () => {
  using sim = await simulate(scratchpad({ width: 8, depth: 2 }), { engine: "wasm" });
  const { fill, drain, filled } = sim.io;
  sim.reset();
  drain.done.poke(1);
  sim.step();
  expect(filled.peek()).toBe(0);
  drain.done.poke(0);
  fill.write.poke(1);
  fill.done.poke(1);
  for (const data of [1, 2, 3]) {
    fill.data.poke(data);
    sim.step();
  }
  expect(filled.peek()).toBe(2);
  fill.write.poke(0);
  fill.done.poke(0);
  drain.read.poke(1);
  drain.done.poke(1);
  const words = [1, 2].map(() => {
    sim.step();
    return drain.data.peek();
  });
  expect([...words, filled.peek()]).toEqual([1, 2, 0]);
});

test.each(all)("halves of $depth words of $width bits are silent in Verilator, Icarus and Yosys", async (parameters) => {
  const { circuit } = scratchpad(parameters);
  expect(await lint(verilogFiles(circuit), circuit.name)).toEqual([]);
});

test.each([0, 1, 3, 12, 131072])("a depth of %i is refused", (depth) => {
  expect(() => scratchpad({ width: 8, depth })).toThrow(`a power of two from 2 to 65536 words, not ${depth}`);
});
