import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stallProfiles } from "../../src/agents/index.ts";
import { Random } from "../../src/base/random.ts";
import { type ArrayParameters, type ArrayPorts, arrayCycles, tenderArray } from "../../src/designs/index.ts";
import { verifiedArrays } from "../../src/designs/tender/verified.ts";
import { runProducts } from "../../src/driver/tender/array-run.ts";
import type { ProductResult } from "../../src/driver/tender/collector.ts";
import { tilesOf } from "../../src/driver/tender/tiles.ts";
import { channelOrder } from "../../src/golden/tender/groups.ts";
import type { Product } from "../../src/golden/tender/matmul.ts";
import { type Simulation, simulate } from "../../src/sim/index.ts";
import { products } from "../golden/arbitraries.ts";
import { runWithStalls } from "./array-bench.ts";
import { firstDifference } from "./expected.ts";

const nameOf = ({ rows, cols, kind, accWidth, shiftBits }: ArrayParameters): string => `${rows}x${cols} ${kind}, ${accWidth}-bit sums, ${shiftBits}-bit shifts`;

/** One to three products of any shape, one after another: INT4 and INT8, signed and unsigned mixed. */
const workloads = ({ rows, cols, kind }: ArrayParameters): fc.Arbitrary<Product[]> =>
  fc.array(products({ bits: kind === "int4" ? [4] : [4, 8], rows: 2 * rows + 1, columns: Math.min(2 * cols + 1, 9), channels: 10 }), {
    minLength: 1,
    maxLength: 3,
  });

const expectGolden = (results: readonly ProductResult[], workload: readonly Product[], parameters: ArrayParameters): void =>
  expect(firstDifference(results, workload, parameters)).toBeUndefined();

/** A product of one tile with `channels` beats, all elements at full scale. */
const oneTile = ({ rows, cols, kind }: ArrayParameters, channels: number): Product => {
  const bits = kind === "int8" ? 8 : 4;
  const groupOf = new Uint8Array(channels);
  const full = -(2 ** (bits - 1));
  return {
    codes: new Int16Array(rows * channels).fill(full),
    weights: new Int16Array(cols * channels).fill(full),
    rows,
    columns: cols,
    channels,
    groupOf,
    bits,
    unsigned: false,
    ...channelOrder(groupOf, 1),
  };
};

/** All configurations run on WebAssembly, and the larger half, with every kind and shape in it, as the Verilog that ships. */
const benches = [
  ...verifiedArrays.map((parameters) => ({ engine: "wasm" as const, parameters })),
  ...verifiedArrays.filter(({ rows, cols }) => rows * cols >= 15).map((parameters) => ({ engine: "verilator" as const, parameters })),
].map((bench) => ({ name: nameOf(bench.parameters), ...bench }));

describe.each(benches)("Tender array $name on $engine", ({ engine, parameters }) => {
  const { rows } = parameters;
  const large = rows * parameters.cols > 64;
  let sim: Simulation<ArrayPorts>;

  beforeAll(async () => {
    sim = await simulate(tenderArray(parameters), { engine });
  });
  afterAll(() => sim.close());

  test("accumulators and overflow flags equal the golden model", () => {
    fc.assert(
      fc.property(workloads(parameters), (workload) => {
        expectGolden(runProducts(sim, parameters, workload).results, workload, parameters);
      }),
      { numRuns: large ? 25 : 60 },
    );
  });

  test("stalls on any stream change nothing but the time", () => {
    const profile = fc.constantFrom(...stallProfiles);
    fc.assert(
      fc.property(workloads(parameters), profile, profile, profile, fc.nat(), (workload, x, w, y, seed) => {
        sim.reset();
        expectGolden(runWithStalls(sim, parameters, workload, { x, w, y }, new Random(seed)).results, workload, parameters);
      }),
      { numRuns: large ? 8 : 20 },
    );
  });

  test.each([...new Set([1, Math.max(1, rows - 1), rows, rows + 1, 3 * rows])])(
    "%i beats take the cycles of the closed form, alone and back to back",
    (channels) => {
      const product = oneTile(parameters, channels);
      for (const tiles of [1, 2, 5]) {
        const workload = Array.from({ length: tiles }, () => product);
        const run = runProducts(sim, parameters, workload);
        expect(run.beats).toBe(channels * tiles);
        expect(run.cycles).toBe(arrayCycles(parameters, channels, tiles));
        expectGolden(run.results, workload, parameters);
      }
    },
  );

  test("a reset in the middle of a job loses the job and nothing after it", () => {
    fc.assert(
      fc.property(workloads(parameters), fc.integer({ min: 1, max: 40 }), (workload, cycles) => {
        sim.reset();
        sim.io.y.ready.poke(1);
        sim.io.w.valid.poke(1);
        sim.io.x.valid.poke(1);
        for (let cycle = 0; cycle < cycles; cycle += 1) {
          sim.io.x.first.poke(cycle % 3 === 0);
          sim.io.x.last.poke(cycle % 3 === 2);
          sim.io.x.shift.poke(0);
          sim.step();
          if (sim.io.x.ready.peek() !== 1) break;
        }
        expectGolden(runProducts(sim, parameters, workload).results, workload, parameters);
      }),
      { numRuns: 10 },
    );
  });
});

test("nothing observable depends on undefined state in the Verilog", async () => {
  const parameters: ArrayParameters = { rows: 3, cols: 7, kind: "int8", accWidth: 48, shiftBits: 2 };
  const [workload = []] = fc.sample(workloads(parameters), { numRuns: 1, seed: 7 });
  const runs = [];
  for (const seed of [1, 2, 3]) {
    const sim = await simulate(tenderArray(parameters), { engine: "verilator", seed });
    runs.push(runProducts(sim, parameters, workload));
    sim.close();
  }
  expect(runs[1]).toEqual(runs[0]);
  expect(runs[2]).toEqual(runs[0]);
});

test("tiles wait for the results before them when they are shorter than the array is tall", () => {
  const parameters: ArrayParameters = { rows: 8, cols: 2, kind: "int8", accWidth: 32, shiftBits: 2 };
  const starts = tilesOf(parameters, [oneTile(parameters, 3), oneTile(parameters, 3), oneTile(parameters, 20)]).map(({ start }) => start);
  expect(starts).toEqual([0, 8, 11]);
});

describe.each(["wasm", "verilator"] as const)("protocol assertions on %s", (engine) => {
  const parameters: ArrayParameters = { rows: 1, cols: 1, kind: "int8", accWidth: 24, shiftBits: 1 };

  test.each([
    { what: "first_starts_tile", first: 0, shift: 0 },
    { what: "no_shift_on_first", first: 1, shift: 1 },
  ])("$what is seen in simulation", async ({ what, first, shift }) => {
    const sim = await simulate(tenderArray(parameters), { engine });
    sim.reset();
    sim.io.x.valid.poke(1);
    sim.io.w.valid.poke(1);
    sim.io.y.ready.poke(1);
    sim.io.x.first.poke(first);
    sim.io.x.last.poke(1);
    sim.io.x.shift.poke(shift);
    expect(() => sim.step(2)).toThrow(what);
    sim.close();
  });
});
