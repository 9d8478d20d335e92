import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random } from "../../../src/base/random.ts";
import { padMemory } from "../../../src/designs/tender/core/pad.ts";
import type { PadGeometry } from "../../../src/designs/tender/core/parameters.ts";
import { lint } from "../../../src/flow/lint.ts";
import { type Simulation, simulate } from "../../../src/sim/index.ts";
import { verilogFiles } from "../../../src/verilog/index.ts";
import { seedDependence } from "../../lib/seed-dependence.ts";

type Sim = Simulation<ReturnType<typeof padMemory>["ports"]>;

const geometry = (word: number, beat: number, depth: number): PadGeometry => {
  const row = Math.max(word, beat);
  return { word, row, wordsPerRow: row / word, beatsPerRow: row / beat, depth };
};

const geometries = [geometry(64, 64, 4), geometry(16, 128, 8), geometry(32, 64, 4), geometry(256, 64, 4), geometry(512, 256, 8)];

/** Random writes and reads; a row is not written while it is read. Yields what the model expects at the output, where it is known. */
const drive = function* (sim: Sim, { word, row, wordsPerRow, beatsPerRow, depth }: PadGeometry, random: Random, cycles: number) {
  const { fill, read } = sim.io;
  const beat = row / beatsPerRow;
  const rows: (bigint | undefined)[][] = Array.from({ length: depth }, () => Array.from({ length: beatsPerRow }, () => undefined));
  const wordAt = (address: number): bigint | undefined => {
    const beats = rows[Math.floor(address / wordsPerRow)]!;
    if (beats.includes(undefined)) return undefined;
    const whole = beats.reduce<bigint>((sum, value, lane) => sum | (value! << BigInt(lane * beat)), 0n);
    return BigInt.asUintN(word, whole >> BigInt((address % wordsPerRow) * word));
  };
  let shows: bigint | undefined;
  for (let cycle = 0; cycle < cycles; cycle += 1) {
    const [writes, reads] = [random.chance(0.7), random.chance(0.6)];
    const [at, lane, from] = [random.integer(0, depth - 1), random.integer(0, beatsPerRow - 1), random.integer(0, depth * wordsPerRow - 1)];
    const apart = Math.floor(from / wordsPerRow) !== at;
    const data = Array.from({ length: beat / 32 }).reduce<bigint>((sum) => (sum << 32n) | BigInt(random.next()), 0n);
    fill.write.poke(writes);
    fill.row.poke(at);
    fill.lane.poke(lane);
    fill.data.poke(data);
    const enabled = reads && (apart || !writes);
    read.enable.poke(enabled);
    read.word.poke(from);
    yield shows;
    if (enabled) shows = wordAt(from);
    if (writes) rows[at]![lane] = data;
  }
};

const bench = [
  ...geometries.map((shape) => ({ engine: "wasm" as const, shape })),
  ...geometries.slice(1, 4).map((shape) => ({ engine: "verilator" as const, shape })),
].map(({ engine, shape }) => ({ engine, shape, ...shape }));

describe.each(bench)("rows of $row bits, words of $word, $beatsPerRow beats a row on $engine", ({ engine, shape }) => {
  test("a word shows a cycle after it is read and stays until the next read, whatever is written meanwhile", async () => {
    using sim = await simulate(padMemory(shape), { engine });
    let compared = 0;
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        sim.reset();
        for (const shows of drive(sim, shape, new Random(seed), 200)) {
          if (shows !== undefined) {
            expect(sim.io.read.data.peekBig()).toBe(shows);
            compared += 1;
          }
          sim.step();
        }
      }),
      { numRuns: engine === "wasm" ? 40 : 8 },
    );
    expect(compared).toBeGreaterThan(500);
  });
});

test.each(geometries.slice(0, 4))("words of $word bits in rows of $row: nothing known depends on undefined state", async (shape) => {
  let known = false;
  const found = await seedDependence(
    {
      design: padMemory(shape),
      payload: { "read.data": () => known },
      drive: (sim, random, monitor) => {
        known = false;
        sim.run(function* driver() {
          for (const shows of drive(sim, shape, random, 200)) {
            yield;
            // The monitor comes next and sees the cycle that has just ended.
            known = shows !== undefined;
          }
        }, monitor);
      },
    },
    { engine: "wasm" },
    [1, 2, 3],
    7,
  );
  expect(found).toBeUndefined();
});

test.each([...geometries, geometry(16, 512, 1024)])("words of $word bits in $depth rows of $row are silent in Verilator, Icarus and Yosys", async (shape) => {
  const { circuit, name } = padMemory(shape);
  expect(await lint(verilogFiles(circuit), name)).toEqual([]);
});
