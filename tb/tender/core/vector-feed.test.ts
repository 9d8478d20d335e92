import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseParameters } from "../../../src/base/parameters.ts";
import { Random } from "../../../src/base/random.ts";
import { type CoreParameters, checkCore, compensationSlots, coreSchema } from "../../../src/designs/tender/core/parameters.ts";
import { vectorFeed } from "../../../src/designs/tender/core/vector-feed.ts";
import { lint } from "../../../src/flow/lint.ts";
import { simulate } from "../../../src/sim/index.ts";
import { verilogFiles } from "../../../src/verilog/index.ts";
import { seedDependence } from "../../lib/seed-dependence.ts";
import { anyStalls, type Block, blocksOf, type FeedSim, noStalls, runFeed, workOf } from "./feed-bench.ts";

const core = (values: Partial<CoreParameters>): CoreParameters => {
  const parameters = parseParameters(coreSchema, values);
  checkCore(parameters);
  return parameters;
};

const small = core({ rows: 4, cols: 4, dataWidth: 64, requantize: true });
const configurations = [
  core({ rows: 2, cols: 4, dataWidth: 64, requantize: false }),
  small,
  core({ rows: 8, cols: 8, dataWidth: 64, kind: "composable" }),
  core({ rows: 4, cols: 16, dataWidth: 128, kind: "composable", requantize: false }),
  core({ rows: 8, cols: 8, dataWidth: 128, kind: "int4", accWidth: 24 }),
];

const nameOf = ({ rows, cols, kind, dataWidth, requantize }: CoreParameters): string =>
  `of ${rows}x${cols} ${kind}, ${dataWidth}-bit beats${requantize ? ", with codes" : ""}`;

const plain: Block = { rowTiles: 1, columnTiles: 1, compensated: false, wide: false, relu: false, format: 0 };

const benches = [
  ...configurations.map((parameters) => ({ engine: "wasm" as const, parameters })),
  ...configurations.slice(1, 3).map((parameters) => ({ engine: "verilator" as const, parameters })),
].map((bench) => ({ name: nameOf(bench.parameters), ...bench }));

describe.each(benches)("vector feed $name on $engine", ({ engine, parameters }) => {
  let sim: FeedSim;

  beforeAll(async () => {
    sim = await simulate(vectorFeed(parameters), { engine, maxCycles: 200_000 });
  });
  afterAll(() => sim.close());

  test("rows get their bank and compensation, banks their constants, whatever stalls and whichever commands fail", { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(blocksOf(parameters), anyStalls, fc.boolean(), fc.nat(), (blocks, profiles, mayFail, seed) => {
        const random = new Random(seed);
        sim.reset();
        runFeed(sim, parameters, workOf(parameters, blocks, random, { mayFail }), profiles, random);
      }),
      { numRuns: engine === "wasm" ? 60 : 15 },
    );
  });

  test("all slots of row compensations are in use at once, and again", () => {
    const block = { ...plain, rowTiles: compensationSlots, columnTiles: 2, compensated: true };
    sim.reset();
    runFeed(sim, parameters, workOf(parameters, [{ ...block, rowTiles: 3 }, block, block], new Random(3)), noStalls, new Random(1));
  });

  test("a row a cycle, from tile to tile and from column to column, where a column has as many rows as constants", () => {
    const { words } = workOf(parameters, [plain], new Random(1));
    // From the last row of a column to the first with the same bank: a cycle for the count, one for the first word's way, one for the bank's being full.
    const rowTiles = Math.ceil((words + 3) / parameters.rows);
    const work = workOf(parameters, [{ ...plain, rowTiles, columnTiles: 5 }], new Random(2));
    sim.reset();
    const cycles = runFeed(sim, parameters, work, noStalls, new Random(1));
    expect(cycles.at(-1)! - cycles[0]!).toBe(work.rows.length - 1);
  });

  test("columns of one short tile each go by in the cycles of their constants", () => {
    const work = workOf(
      parameters,
      Array.from({ length: 3 }, () => ({ ...plain, columnTiles: 4 })),
      new Random(2),
    );
    sim.reset();
    const cycles = runFeed(sim, parameters, work, noStalls, new Random(1));
    const firstOf = (column: number): number => cycles[work.rows.findIndex((row) => row.of.column === column)]!;
    // By then the slots are full ahead of the loads, unless their beats are what takes longest.
    const beats = (work.words * 32) / parameters.dataWidth;
    expect(beats).toBeLessThan(work.words);
    expect([5, 6, 7].map((column) => firstOf(column) - firstOf(column - 1))).toEqual([work.words, work.words, work.words]);
  });
});

test.each(["wasm", "reference"] as const)("on %s nothing observable depends on undefined state", { timeout: 60_000 }, async (engine) => {
  const parameters = core({ rows: 4, cols: 8, dataWidth: 64, kind: "composable" });
  const isLoad = ({ load }: FeedSim["io"]): boolean => load.valid.peek() === 1;
  const isRow = ({ row }: FeedSim["io"]): boolean => row.valid.peek() === 1;
  const words = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  await fc.assert(
    fc.asyncProperty(blocksOf(parameters), anyStalls, fc.tuple(words, words), fc.nat(), async (blocks, profiles, seeds, stimulus) => {
      const found = await seedDependence(
        {
          design: vectorFeed(parameters),
          payload: {
            "load.bank": isLoad,
            "load.constant": isLoad,
            "load.column": isLoad,
            "load.data": isLoad,
            "row.data": isRow,
            "row.last": isRow,
            "row.overflow": isRow,
            "row.bank": isRow,
            "row.compensation": isRow,
            "row.relu": isRow,
            "row.format": isRow,
          },
          drive: (sim, random, monitor) => {
            runFeed(sim, parameters, workOf(parameters, blocks.slice(0, engine === "wasm" ? 4 : 1), random), profiles, random, [monitor]);
          },
        },
        { engine },
        seeds,
        stimulus,
      );
      expect(found).toBeUndefined();
    }),
    { numRuns: engine === "wasm" ? 20 : 3 },
  );
});

describe("against the protocol", () => {
  const fill = async (kind: "constants" | "compensations", times: number): Promise<void> => {
    using sim = await simulate(vectorFeed(small), { engine: "wasm" });
    sim.reset();
    sim.io[kind].filled.poke(1);
    sim.step(times);
  };

  test("a slot of constants too many is refused", async () => {
    // The fifth and sixth go while two slots move into the banks: none is given back before its last word.
    await fill("constants", 4);
    await expect(fill("constants", 6)).rejects.toThrow("slots_in_range");
  });

  test("a slot of compensations too many is refused", async () => {
    await fill("compensations", compensationSlots);
    await expect(fill("compensations", compensationSlots + 2)).rejects.toThrow("compensations_full_in_range");
  });

  test("a row without a tile is refused", async () => {
    using sim = await simulate(vectorFeed(small), { engine: "wasm" });
    sim.reset();
    sim.io.sums.valid.poke(1);
    expect(() => sim.step(2)).toThrow("a_row_belongs_to_a_tile");
  });

  test("a row without its compensation is refused", async () => {
    using sim = await simulate(vectorFeed(small), { engine: "wasm" });
    const { tile, sums } = sim.io;
    sim.reset();
    tile.valid.poke(1);
    tile.compensated.poke(1);
    sim.step();
    tile.valid.poke(0);
    sums.valid.poke(1);
    expect(() => sim.step(3)).toThrow("compensations_are_there");
  });
});

test.each(
  [...configurations, core({}), core({ rows: 64, cols: 64, dataWidth: 512 }), core({ rows: 4, cols: 64 })].map((parameters) => ({
    name: nameOf(parameters),
    parameters,
  })),
)("the vector feed $name is silent in Verilator, Icarus and Yosys", { timeout: 60_000 }, async ({ parameters }) => {
  const { circuit, name } = vectorFeed(parameters);
  expect(await lint(verilogFiles(circuit), name)).toEqual([]);
});
