import fc from "fast-check";
import { expect, test } from "vitest";
import { sink, stalls } from "../../../src/agents/index.ts";
import { parseParameters } from "../../../src/base/parameters.ts";
import { Random } from "../../../src/base/random.ts";
import { type CoreParameters, checkCore, coreSchema } from "../../../src/designs/tender/core/parameters.ts";
import { vectorFeed } from "../../../src/designs/tender/core/vector-feed.ts";
import { vectorFormats } from "../../../src/designs/tender/vector-parameters.ts";
import { vectorUnit } from "../../../src/designs/tender/vector-unit.ts";
import { type ResultFormat, vectorResult } from "../../../src/golden/tender/vector-unit.ts";
import { bool, instance, module, wire } from "../../../src/hdl/index.ts";
import { simulate } from "../../../src/sim/index.ts";
import { bitsOf, numberOf } from "../../golden/float-operands.ts";
import { rowText } from "../vector-jobs.ts";
import { anyStalls, blocksOf, feedTasks, newProgress, type Row, type Work, workOf } from "./feed-bench.ts";

const parameters: CoreParameters = parseParameters(coreSchema, { rows: 4, cols: 4, dataWidth: 64, bitsPerStage: 13 });
checkCore(parameters);
const { rows, cols, accWidth } = parameters;
const unit = vectorUnit({ lanes: cols, accWidth, requantize: true, bitsPerStage: 13 });
const feed = vectorFeed(parameters);
const { data, constants, compensations, tile, sums } = feed.ports;

const chain = module(
  "feed_and_vector_unit",
  { data, constants, compensations, tile, sums, y: unit.ports.y },
  ({ y, ...io }) => {
    const [loadReady, rowReady] = [wire("loadReady", bool), wire("rowReady", bool)];
    const { load, row } = instance("u_feed", feed, { ...io, load: { ready: loadReady }, row: { ready: rowReady }, empty: "unused" });
    instance("u_vector", unit, { load: { ...load, ready: loadReady }, x: { ...row, ready: rowReady }, y });
  },
  "Vector feed and vector unit.",
);

const formats: Readonly<Record<number, ResultFormat>> = {
  [vectorFormats.binary32]: "binary32",
  [vectorFormats.bfloat16]: "bfloat16",
  [vectorFormats.int8]: { bits: 8, unsigned: false },
  [vectorFormats.uint8]: { bits: 8, unsigned: true },
  [vectorFormats.int4]: { bits: 4, unsigned: false },
  [vectorFormats.uint4]: { bits: 4, unsigned: true },
};

const expectedRow = ({ of, number, sums, overflow }: Row, work: Work): string => {
  const words = work.constants[of.column]!.map((word) => numberOf(word!));
  const compensation = of.compensation === undefined ? undefined : numberOf(work.compensations[of.compensation]![number]!);
  const results = sums.map((sum, column) => {
    const [scale, ofColumn, bias, codeScale] = [0, 1, 2, 3].map((constant) => words[constant * cols + column]!) as [number, number, number, number];
    return vectorResult(sum, { scale, compensation: ofColumn, bias, codeScale }, compensation, of.block.relu, formats[of.block.format]!);
  });
  const nan = results.some((result) => result.nan);
  return rowText(
    results.map(({ bits }) => bits),
    number === 0,
    overflow,
    nan,
  );
};

/** Constants with which results and codes are of an ordinary size. */
const ordinary = (random: Random): number[] => {
  const each = (value: () => number): number[] => Array.from({ length: cols }, () => bitsOf(Math.fround(value())));
  const near = (): number => random.integer(-64, 64) / 4;
  return [...each(() => random.integer(1, 512) * 2 ** (1 - accWidth)), ...each(near), ...each(near), ...each(() => 2 ** random.integer(-2, 2))];
};

test("what the feed gives the vector unit becomes the golden model's results, whatever stalls", { timeout: 60_000 }, async () => {
  using sim = await simulate(chain, { engine: "wasm", maxCycles: 200_000 });
  const { y } = sim.io;
  fc.assert(
    fc.property(blocksOf(parameters), anyStalls, fc.nat(), (blocks, profiles, seed) => {
      const random = new Random(seed);
      const columns = Array.from({ length: 100 }, () => ordinary(random));
      const rowCompensations = Array.from({ length: 100 }, () => Array.from({ length: rows }, () => bitsOf(random.integer(-64, 64) / 4)));
      const work = workOf(parameters, blocks, random, { columns, rowCompensations });
      const seen: string[] = [];
      const take = (): void => void seen.push(rowText(y.data.peek().map(Number), y.last.peek() === 1, y.overflow.peek() === 1, y.nan.peek() === 1));
      sim.reset();
      sim.run(...feedTasks(sim.io, work, profiles, newProgress(), random), sink(y, work.rows.length, take, stalls(profiles.row, random)));
      expect(seen).toEqual(work.rows.map((row) => expectedRow(row, work)));
    }),
    { numRuns: 60 },
  );
});
