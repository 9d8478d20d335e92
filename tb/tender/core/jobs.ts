import fc from "fast-check";
import { Random } from "../../../src/base/random.ts";
import { tileSchedule } from "../../../src/golden/tender/beats.ts";
import { activationLayout, type CoreConfiguration, tileShape, weightLayout } from "../../../src/golden/tender/core/configuration.ts";
import type { DescriptorFields } from "../../../src/golden/tender/core/descriptor.ts";
import { channelOrder } from "../../../src/golden/tender/groups.ts";
import type { Product } from "../../../src/golden/tender/matmul.ts";
import { codeRange } from "../../../src/golden/tender/quantize.ts";
import type { ColumnConstants } from "../../../src/golden/tender/vector-unit.ts";
import { corners as floatCorners, numberOf } from "../../golden/float-operands.ts";

const styles = ["full", "extreme", "corner", "uniform"] as const;

/** One way to break a descriptor: the fields to put in place of legal ones, or undefined where the configuration has no such fault. */
type Fault = (fields: DescriptorFields, configuration: CoreConfiguration) => Partial<DescriptorFields> | undefined;

const beyond =
  (name: "index" | "activations" | "weights" | "constants" | "results"): Fault =>
  (fields, { addressWidth }) =>
    addressWidth === 64 ? undefined : { [name]: fields[name] + (1n << BigInt(addressWidth)) };

const offBeat =
  (name: "rowStride" | "tileDown" | "tileRight"): Fault =>
  (fields, { dataWidth }) => ({ [name]: fields[name] + dataWidth / 16 });

const misaligned =
  (name: "index" | "activations" | "weights" | "constants" | "results"): Fault =>
  (fields) => ({ [name]: fields[name] + 1n });

/** A descriptor for each rule of `descriptorFault`. */
export const faults = {
  opcode: () => ({ opcode: 2 }),
  "high opcode": () => ({ opcode: 9 }),
  rows: () => ({ rows: 0 }),
  columns: () => ({ columns: 0 }),
  channels: () => ({ channels: 0 }),
  beats: () => ({ beats: 0 }),
  block: () => ({ block: 0 }),
  "too many beats": (_, { channels }) => ({ beats: channels + 1 }),
  "too many channels": () => ({ channels: 16385 }),
  "too many compensations": (fields) => ({ rowCompensation: 1, compensations: fields.index, block: 33 }),
  "misplaced index": misaligned("index"),
  "misplaced activations": misaligned("activations"),
  "misplaced weights": misaligned("weights"),
  "misplaced constants": misaligned("constants"),
  "misplaced results": misaligned("results"),
  "misplaced compensations": (fields, { dataWidth }) => ({ rowCompensation: 1, block: 1, compensations: fields.index + BigInt(dataWidth / 16) }),
  "index beyond": beyond("index"),
  "activations beyond": beyond("activations"),
  "weights beyond": beyond("weights"),
  "constants beyond": beyond("constants"),
  "results beyond": beyond("results"),
  "compensations beyond": (fields, { addressWidth }) =>
    addressWidth === 64 ? undefined : { rowCompensation: 1, block: 1, compensations: fields.index + (1n << BigInt(addressWidth)) },
  "odd row stride": offBeat("rowStride"),
  "odd tile down": offBeat("tileDown"),
  "odd tile right": offBeat("tileRight"),
  "format 2": () => ({ format: 2 }),
  "format 3": () => ({ format: 3, transpose: 0 }),
  "codes without requantisation": (_, { requantize }) => (requantize ? undefined : { format: 4 }),
  "codes of another width": ({ wide }, configuration) => ({ format: tileShape(configuration, wide === 1).bits === 8 ? 7 : 4, transpose: 1 }),
  "floats transposed": () => ({ format: 1, transpose: 1 }),
  "codes in part beats": ({ wide }, configuration) => {
    const { columns, bits } = tileShape(configuration, wide === 1);
    return (columns * bits) % configuration.dataWidth === 0 ? undefined : { format: bits === 8 ? 5 : 6, transpose: 0 };
  },
  "wide cells": (_, { kind }) => (kind === "composable" ? undefined : { wide: 1 }),
  "activations don't fit": ({ wide }, configuration) => {
    const { depth, wordsPerRow } = activationLayout(configuration);
    const { rows } = tileShape(configuration, wide === 1);
    // Two panels of a little more than half of the scratchpad.
    const channels = (depth / 2) * wordsPerRow + 1;
    return channels > 16384 ? undefined : { channels, rows: rows + 1, block: 65535, rowCompensation: 0 };
  },
  "weights don't fit": (_, configuration) => {
    const { depth, wordsPerRow } = weightLayout(configuration);
    return depth * wordsPerRow >= 16384 ? undefined : { channels: depth * wordsPerRow + 1, block: 1 };
  },
} as const satisfies Readonly<Record<string, Fault>>;

export type FaultName = keyof typeof faults;

export const faultNames = Object.keys(faults) as FaultName[];

/** One job, small enough to read; its seed gives operands and constants. */
export interface JobRecipe {
  /** `nop`, `multiply`, or a multiplication with a fault. */
  readonly work: "multiply" | "nop" | FaultName;
  readonly wide: boolean;
  readonly unsigned: boolean;
  readonly rows: number;
  readonly columns: number;
  readonly channels: number;
  readonly groups: number;
  readonly codes: (typeof styles)[number];
  readonly weights: (typeof styles)[number];
  readonly constants: "realistic" | "any";
  readonly format: number;
  readonly relu: boolean;
  readonly rowCompensation: boolean;
  readonly transpose: boolean;
  readonly block: number;
  /** Results one tile after the other, or as rows of a matrix. */
  readonly layout: "tiles" | "matrix";
  /** Beats left free between rows or tiles of results. */
  readonly spare: number;
  /** Lanes, rows and words beyond the matrix hold garbage instead of zeros. */
  readonly untidy: boolean;
  /** One entry of the index names a channel that the panels lack. */
  readonly badIndex: boolean;
  readonly interrupt: boolean;
  readonly tag: number;
  readonly seed: number;
  /** Instead of those of the seed. */
  readonly operands?: { readonly product: Product; readonly constants: JobConstants };
}

/** One of the values; shrinks to any earlier one. */
const ascending = (...values: readonly number[]): fc.Arbitrary<number> => fc.nat(values.length - 1).map((index) => values[index]!);

/** Legal formats of a product, each with whether its results can stay untransposed and whether they can be transposed. */
const formatsOf = (configuration: CoreConfiguration, wide: boolean): { readonly format: number; readonly transpose: boolean }[] => {
  const plain = [0, 1].map((format) => ({ format, transpose: false }));
  if (!configuration.requantize) return plain;
  const { columns, bits } = tileShape(configuration, wide);
  const whole = (columns * bits) % configuration.dataWidth === 0;
  const codes = bits === 8 ? [4, 5] : [6, 7];
  return [...plain, ...codes.flatMap((format) => [...(whole ? [{ format, transpose: false }] : []), { format, transpose: true }])];
};

/** Channels that both scratchpads hold. */
const roomFor = (configuration: CoreConfiguration): number =>
  Math.min(16384, ...[activationLayout(configuration), weightLayout(configuration)].map(({ depth, wordsPerRow }) => depth * wordsPerRow));

const sizes = (tile: number): fc.Arbitrary<number> => ascending(1, tile, Math.max(tile - 1, 1), tile + 1, 2, 3, 2 * tile, 2 * tile + 1, 3 * tile - 1);

/**
 * Jobs of any kind that the configuration takes: remainders and whole tiles, one row or column, empty groups anywhere, blocks of any size.
 * @param kinds share of jobs of each kind among 100; default 80 well-formed multiplications, 10 nops, 10 faults
 */
export const jobArbitrary = (configuration: CoreConfiguration, kinds = { nops: 10, faults: 10, untidy: 15, badIndex: 5 }): fc.Arbitrary<JobRecipe> =>
  fc.boolean().chain((either) => {
    const wide = either && configuration.kind === "composable";
    const tile = tileShape(configuration, wide);
    const often = (percent: number): fc.Arbitrary<boolean> => fc.nat(99).map((value) => value >= 100 - percent);
    return fc
      .record({
        work: fc.oneof(
          { weight: 100 - kinds.nops - kinds.faults, arbitrary: fc.constant("multiply" as const) },
          { weight: kinds.nops, arbitrary: fc.constant("nop" as const) },
          { weight: kinds.faults, arbitrary: fc.constantFrom(...faultNames) },
        ),
        wide: fc.constant(wide),
        unsigned: fc.boolean(),
        rows: sizes(tile.rows),
        columns: sizes(tile.columns),
        channels: ascending(1, 2, 3, tile.rows, tile.rows + 1, 7, 8, 17, 31, 40).map((channels) => Math.min(channels, roomFor(configuration))),
        groups: ascending(1, 1, 2, 3, 5, 8, 16),
        codes: fc.constantFrom(...styles),
        weights: fc.constantFrom(...styles),
        constants: fc.constantFrom("realistic" as const, "realistic" as const, "realistic" as const, "any" as const),
        kind: fc.constantFrom(...formatsOf(configuration, wide)),
        relu: fc.boolean(),
        rowCompensation: fc.boolean(),
        block: ascending(1, 2, 3, 5, 32, 65535),
        layout: fc.constantFrom("tiles" as const, "matrix" as const),
        spare: ascending(0, 0, 1, 3),
        untidy: often(kinds.untidy),
        badIndex: often(kinds.badIndex),
        interrupt: fc.boolean(),
        tag: fc.oneof(fc.constantFrom(0, 1, 2 ** 32 - 1), fc.nat()),
        seed: fc.noShrink(fc.nat()),
      })
      .map(({ kind, ...rest }) => ({ ...rest, ...kind }));
  });

const operands = (length: number, { low, high }: { readonly low: number; readonly high: number }, style: JobRecipe["codes"], random: Random): Int16Array => {
  const full = -low > high ? low : high;
  const some = [low, low + 1, Math.max(low, -1), 0, 1, high - 1, high];
  const draw = {
    full: () => full,
    extreme: () => (random.chance(0.5) ? low : high),
    corner: () => some[random.integer(0, some.length - 1)]!,
    uniform: () => random.integer(low, high),
  }[style];
  return Int16Array.from({ length }, draw);
};

/** The operands of a job. Groups are cut until the schedule has no more beats than the core takes. */
export const productOf = (configuration: CoreConfiguration, recipe: JobRecipe): Product => {
  if (recipe.operands !== undefined) return recipe.operands.product;
  const random = new Random(recipe.seed);
  const { rows, columns, channels, unsigned } = recipe;
  const { bits } = tileShape(configuration, recipe.wide);
  const codes = operands(rows * channels, codeRange(bits, unsigned), recipe.codes, random);
  const weights = operands(columns * channels, codeRange(bits, false), recipe.weights, random);
  for (let groups = recipe.groups; ; groups = Math.ceil(groups / 2)) {
    // Half of the channels in the smallest and the largest group, so that there are long runs of empty ones, also first and last.
    const groupOf = Uint8Array.from({ length: channels }, () => (random.chance(0.5) ? random.integer(0, groups - 1) : random.chance(0.5) ? 0 : groups - 1));
    const product = { codes, weights, rows, columns, channels, groupOf, bits, unsigned, ...channelOrder(groupOf, groups) };
    if (groups === 1 || beatsOf(configuration, product).length <= configuration.channels) return product;
  }
};

/** Beats of a product's tiles, trailing empty groups included. */
export const beatsOf = ({ shiftBits }: CoreConfiguration, { order, groupSizes }: Product) =>
  tileSchedule(order, groupSizes, { shiftWidth: shiftBits === 1 ? 1 : 2 }).beats;

const anyFloat = (random: Random): number => numberOf(random.chance(0.5) ? floatCorners[random.integer(0, floatCorners.length - 1)]! : random.next());

const between = (random: Random, low: number, high: number): number => Math.fround(low + (high - low) * random.float());

export interface JobConstants {
  /** Of each column of the matrix. */
  readonly columns: readonly ColumnConstants[];
  /** Of each row of the matrix. */
  readonly rows: readonly number[] | undefined;
}

/** Constants with which results are of ordinary size and codes within their range or a little beyond, or any at all. */
export const constantsOf = (recipe: JobRecipe): JobConstants => {
  if (recipe.operands !== undefined) return recipe.operands.constants;
  const random = new Random(recipe.seed + 1);
  const reach = 2 ** random.integer(-28, -6);
  const column = (): ColumnConstants =>
    recipe.constants === "any"
      ? { scale: anyFloat(random), compensation: anyFloat(random), bias: anyFloat(random), codeScale: anyFloat(random) }
      : {
          scale: random.chance(0.3) ? reach : between(random, reach / 2, reach * 4),
          compensation: random.chance(0.3) ? [0, -0, 0.5, -1.5, 8][random.integer(0, 4)]! : between(random, -16, 16),
          bias: random.chance(0.3) ? 0 : between(random, -16, 16),
          codeScale: [0.25, 0.5, 1, 2, between(random, 0.125, 4)][random.integer(0, 4)]!,
        };
  const row = (): number => (recipe.constants === "any" ? anyFloat(random) : between(random, -16, 16));
  return {
    columns: Array.from({ length: recipe.columns }, column),
    rows: recipe.rowCompensation ? Array.from({ length: recipe.rows }, row) : undefined,
  };
};
