import fc from "fast-check";
import { type StallProfile, stallProfiles } from "../../src/agents/index.ts";
import { Random } from "../../src/base/random.ts";
import { type ArrayParameters, type ArrayPorts, arrayCycles, tenderArray } from "../../src/designs/index.ts";
import { type ArrayRun, runProducts } from "../../src/driver/tender/array-run.ts";
import { tileSize, tilesOf } from "../../src/driver/tender/tiles.ts";
import { channelOrder } from "../../src/golden/tender/groups.ts";
import type { Product } from "../../src/golden/tender/matmul.ts";
import { codeRange } from "../../src/golden/tender/quantize.ts";
import type { Module } from "../../src/hdl/index.ts";
import { simulate } from "../../src/sim/index.ts";
import { corners } from "../golden/arbitraries.ts";
import { runWithStalls, type StreamStalls } from "./array-bench.ts";
import { firstDifference } from "./expected.ts";

const styles = ["full", "extreme", "corner", "uniform"] as const;

/** One tile, small enough to read; its seed gives the operands. */
interface TileRecipe {
  readonly bits: 4 | 8;
  readonly unsigned: boolean;
  /** Channels, or how many more than the array has rows. */
  readonly channels: number | { readonly beyondRows: number };
  readonly groups: number;
  /** Rows and columns of the array that the tile leaves empty. */
  readonly emptyRows: number;
  readonly emptyColumns: number;
  readonly codes: (typeof styles)[number];
  readonly weights: (typeof styles)[number];
  readonly seed: number;
}

/** An array and a run on it. */
export interface Configuration {
  readonly parameters: ArrayParameters;
  readonly tiles: readonly TileRecipe[];
  /** `blocks`: everything enters in the cycle that the driver says; otherwise three tasks that know nothing of one another. */
  readonly pace: "blocks" | StreamStalls;
  /** Of the stalls and of the array's undefined state. */
  readonly seed: number;
}

/** One of the values; shrinks to any earlier one, where fast-check's `constantFrom` knows only the first. */
const ascending = (...values: readonly number[]): fc.Arbitrary<number> => fc.nat(values.length - 1).map((index) => values[index]!);

/** How often a size is drawn: small and odd ones and both sides of powers of two most often. */
const weightOf = (size: number): number => {
  if (size === 1) return 20;
  if ([2, 3, 5, 7, 8, 9, 15, 16, 17].includes(size)) return 12;
  return size <= 24 || [31, 32, 33, 63, 64].includes(size) ? 3 : 1;
};

/** Rows or columns. */
const sizes = ascending(...Array.from({ length: 64 }, (_, index) => index + 1).flatMap((size) => Array.from({ length: weightOf(size) }, () => size)));

const seeds = fc.noShrink(fc.nat());

const even = (size: number): number => size + (size % 2);

const arrays: fc.Arbitrary<ArrayParameters> = fc
  .record({
    rows: sizes,
    cols: sizes,
    kind: fc.constantFrom("int8" as const, "int4" as const, "composable" as const),
    accWidth: corners(24, 48),
    shiftBits: fc.constantFrom(1, 2),
  })
  .map((parameters) => (parameters.kind === "composable" ? { ...parameters, rows: even(parameters.rows), cols: even(parameters.cols) } : parameters));

const tiles: fc.Arbitrary<TileRecipe> = fc.record({
  bits: fc.constantFrom(4 as const, 8 as const, 8 as const),
  unsigned: fc.boolean(),
  channels: fc.oneof(
    { withCrossShrink: true },
    fc.integer({ min: 1, max: 12 }),
    fc.integer({ min: -1, max: 1 }).map((beyondRows) => ({ beyondRows })),
    fc.integer({ min: 1, max: 40 }),
  ),
  groups: ascending(1, 1, 2, 3, 5, 8, 16, 40),
  emptyRows: ascending(0, 0, 0, 1, 2, 60),
  emptyColumns: ascending(0, 0, 0, 1, 2, 60),
  codes: fc.constantFrom(...styles),
  weights: fc.constantFrom(...styles),
  seed: seeds,
});

const profile: fc.Arbitrary<StallProfile> = fc.constantFrom(...stallProfiles);

export const configurations: fc.Arbitrary<Configuration> = fc.record({
  parameters: arrays,
  tiles: fc.array(tiles, { minLength: 1, maxLength: 4 }),
  pace: fc.oneof(
    { withCrossShrink: true },
    { weight: 2, arbitrary: fc.constant("blocks" as const) },
    { weight: 1, arbitrary: fc.constant({ x: "none", w: "none", y: "none" } as const) },
    { weight: 3, arbitrary: fc.record({ x: profile, w: profile, y: profile }) },
  ),
  seed: seeds,
});

const operands = (length: number, range: { readonly low: number; readonly high: number }, style: TileRecipe["codes"], random: Random): Int16Array => {
  const { low, high } = range;
  const full = -low > high ? low : high;
  const corners = [low, low + 1, Math.max(low, -1), 0, 1, high - 1, high];
  const draw = {
    full: () => full,
    extreme: () => (random.chance(0.5) ? low : high),
    corner: () => corners[random.integer(0, corners.length - 1)]!,
    uniform: () => random.integer(low, high),
  }[style];
  return Int16Array.from({ length }, draw);
};

const productOf = (parameters: ArrayParameters, recipe: TileRecipe): Product => {
  const random = new Random(recipe.seed);
  const { unsigned, groups, codes, weights } = recipe;
  const bits = parameters.kind === "int4" ? 4 : recipe.bits;
  const size = tileSize(parameters, bits);
  const rows = Math.max(1, size.rows - recipe.emptyRows);
  const columns = Math.max(1, size.cols - recipe.emptyColumns);
  const channels = typeof recipe.channels === "number" ? recipe.channels : Math.max(1, parameters.rows + recipe.channels.beyondRows);
  // Half of the channels in the smallest and the largest group, so that there are long runs of empty ones, also first and last.
  const groupOf = Uint8Array.from({ length: channels }, () => (random.chance(0.5) ? random.integer(0, groups - 1) : random.chance(0.5) ? 0 : groups - 1));
  return {
    codes: operands(rows * channels, codeRange(bits, unsigned), codes, random),
    weights: operands(columns * channels, codeRange(bits, false), weights, random),
    rows,
    columns,
    channels,
    groupOf,
    bits,
    unsigned,
    ...channelOrder(groupOf, groups),
  };
};

/** Cycles of tiles back to back at full rate: the closed form of the first, and what each further one adds to it. */
const fullRate = (parameters: ArrayParameters, workload: readonly Product[]): number =>
  tilesOf(parameters, workload).reduce(
    (cycles, { beats }, index) => (index === 0 ? arrayCycles(parameters, beats.length) : cycles + Math.max(beats.length, parameters.rows)),
    0,
  );

const isFullRate = (pace: Configuration["pace"]): boolean => pace === "blocks" || (pace.x === "none" && pace.w === "none" && pace.y === "none");

const expectedCycles = (parameters: ArrayParameters, workload: readonly Product[], cycles: number): string | undefined => {
  const expected = fullRate(parameters, workload);
  return cycles === expected ? undefined : `the run took ${cycles} cycles, not the ${expected} of the closed form`;
};

interface Checked {
  readonly compared: number;
  readonly overflowed: number;
  readonly cycles: number;
  /** Where array and golden model differ. */
  readonly difference: string | undefined;
}

/**
 * Builds the array, runs the tiles on it, and compares every accumulator, every overflow flag and, where nothing stalls, the cycles.
 * @param build makes the array; to plant errors
 */
export const checkConfiguration = async (
  { parameters, tiles: recipes, pace, seed }: Configuration,
  build: (parameters: ArrayParameters) => Module<ArrayPorts> = tenderArray,
): Promise<Checked> => {
  const workload = recipes.map((recipe) => productOf(parameters, recipe));
  using sim = await simulate(build(parameters), { engine: "wasm", seed });
  let run: ArrayRun;
  if (pace === "blocks") run = runProducts(sim, parameters, workload);
  else {
    sim.reset();
    run = runWithStalls(sim, parameters, workload, pace, new Random(seed));
  }
  const { results, cycles } = run;
  return {
    compared: results.reduce((sum, { values }) => sum + values.length, 0),
    overflowed: results.reduce((sum, { overflow }) => sum + overflow.reduce((flags, flag) => flags + flag, 0), 0),
    cycles,
    difference: firstDifference(results, workload, parameters) ?? (isFullRate(pace) ? expectedCycles(parameters, workload, cycles) : undefined),
  };
};
