import { UserError } from "../../base/error.ts";
import type { Tensor } from "../../base/tensor.ts";
import { checkBits, codeRange, roundingConstant, smallestDivisor } from "./quantize.ts";

/** Group index of each channel, 0 = SMALLEST scale; the paper's g is `groups - index`. */
export type GroupTable = Uint8Array;

/** How a channel between two thresholds is placed: up to the scale that covers it, or down one, where it clips. */
export type Rounding = "rup" | "rdn";

/** What static calibration fixes for one chunk position. */
export interface ChunkCalibration {
  readonly bias?: Float32Array | undefined;
  readonly tmax: number;
  readonly groupOf: GroupTable;
}

export interface ActivationOptions {
  readonly bits: number;
  readonly groups: number;
  /** Rows of a chunk; the last chunk is padded with zero rows, which take part in the minima and maxima. */
  readonly chunk: number;
  /** Codes 0..2^b-1 (after ReLU, softmax). Default false. */
  readonly unsigned?: boolean | undefined;
  /** Remove the channel's midrange before quantising. Default: on for signed, off for unsigned. */
  readonly bias?: boolean | undefined;
  /** Static mode: entry c serves chunk position c. Absent: dynamic mode, from the chunk itself. */
  readonly calibration?: readonly ChunkCalibration[] | undefined;
  /**
   * What a chunk without a scale becomes: one that is constant once its bias is removed, or so small that a scale in use rounds to 0.
   * Default: refused, as the official assertion does; `"zeros"`: codes of 0, which with the bias are the chunk itself but for what rounds away.
   */
  readonly scaleless?: "refused" | "zeros" | undefined;
}

/** One row chunk of activations: its groups, scales and the statistics they came from. K = channels, G = groups. */
export interface ActivationChunk {
  /** Rows that are not padding. */
  readonly rows: number;
  /** [K], zeros where no bias is removed. */
  readonly bias: Float32Array;
  /** [K] */
  readonly groupOf: GroupTable;
  /** [G], smallest first: `fround(fround(tmax / 2^(G-1-i)) / codeMax)`. */
  readonly scales: Float32Array;
  /** The smallest scale, `scales[0]`. */
  readonly scale0: number;
  /** [K]: channels, largest scale first, ascending index inside a group. */
  readonly order: Uint32Array;
  /** [G], largest scale first; empty groups have size 0. */
  readonly groupSizes: readonly number[];
  readonly tmax: number;
  /** [K]: largest |X - bias| of each channel in this chunk, in static mode too. */
  readonly cmax: Float32Array;
}

export interface QuantizedActivations {
  readonly chunks: readonly ActivationChunk[];
  /** [chunks * chunk, K], padding included. */
  readonly codes: Int16Array;
  readonly rows: number;
  readonly paddedRows: number;
  readonly channels: number;
  readonly chunk: number;
  readonly bits: number;
  readonly groups: number;
  readonly unsigned: boolean;
}

/** Upper edge of each group, smallest first: `fround(tmax / 2^(G-1-i))` (`modeling_opt_tender.py:342-344`). */
export const thresholds = (tmax: number, groups: number): Float32Array => Float32Array.from({ length: groups }, (_, index) => tmax / 2 ** (groups - 1 - index));

/** Scale of each group, smallest first; each is twice the one before (`modeling_opt_tender.py:365`). */
export const groupScales = (tmax: number, groups: number, bits: number, unsigned: boolean): Float32Array =>
  thresholds(tmax, groups).map((threshold) => threshold / codeRange(bits, unsigned).high);

/**
 * Group of each channel: the smallest i with cmax[k] <= threshold i ("rup"), or one below it ("rdn", not below 0).
 * A channel above every threshold, possible only with calibrated maxima, goes to the largest.
 * Source: `modeling_opt_tender.py:346-356`, `calibration/opt/calibration.py:277-311`.
 */
export const groupTable = (tmax: number, cmax: Float32Array, groups: number, rounding: Rounding = "rup"): GroupTable => {
  const edges = thresholds(tmax, groups);
  const table = new Uint8Array(cmax.length);
  for (let channel = 0; channel < cmax.length; channel++) {
    let index = 0;
    while (index < groups - 1 && cmax[channel]! > edges[index]!) index++;
    table[channel] = rounding === "rdn" && index > 0 ? index - 1 : index;
  }
  return table;
};

/** Channels sorted by group, largest scale first and ascending inside, with the sizes in the same order. */
export const channelOrder = (groupOf: GroupTable, groups: number): { readonly order: Uint32Array; readonly groupSizes: readonly number[] } => {
  const groupSizes = Array.from({ length: groups }, () => 0);
  for (const index of groupOf) groupSizes[groups - 1 - index]! += 1;
  const next = new Uint32Array(groups);
  for (let position = 1; position < groups; position++) next[position] = next[position - 1]! + groupSizes[position - 1]!;
  const order = new Uint32Array(groupOf.length);
  for (let channel = 0; channel < groupOf.length; channel++) {
    const position = groups - 1 - groupOf[channel]!;
    order[next[position]!] = channel;
    next[position]! += 1;
  }
  return { order, groupSizes };
};

/** Smallest and largest value of each channel over rows [from, to) of `data` [T, K]; with `padded`, a zero row takes part. */
const channelRange = (data: Float32Array, channels: number, from: number, to: number, padded: boolean): { low: Float32Array; high: Float32Array } => {
  const low = new Float32Array(channels).fill(padded ? 0 : Number.POSITIVE_INFINITY);
  const high = new Float32Array(channels).fill(padded ? 0 : Number.NEGATIVE_INFINITY);
  for (let row = from; row < to; row++) {
    const base = row * channels;
    for (let channel = 0; channel < channels; channel++) {
      const value = data[base + channel]!;
      if (value < low[channel]!) low[channel] = value;
      if (value > high[channel]!) high[channel] = value;
    }
  }
  return { low, high };
};

/** Midrange of each channel, `fround(fround(max + min) / 2)` (`modeling_opt_tender.py:322-325`). */
const midrange = ({ low, high }: { low: Float32Array; high: Float32Array }): Float32Array =>
  low.map((smallest, channel) => Math.fround(high[channel]! + smallest) / 2);

/** Channel bias of `values` [T, K] taken as one chunk without padding: K's bias over tokens, or a whole tensor's. */
export const channelBias = (values: Tensor<Float32Array>): Float32Array => {
  const [rows = 0, channels = 0] = values.shape;
  return midrange(channelRange(values.data, channels, 0, rows, false));
};

/** Largest |x - bias| of each channel. Rounded subtraction is monotone, so the extremes give it. */
const channelMaxima = ({ low, high }: { low: Float32Array; high: Float32Array }, bias: Float32Array): Float32Array =>
  low.map((smallest, channel) => Math.max(Math.abs(Math.fround(smallest - bias[channel]!)), Math.abs(Math.fround(high[channel]! - bias[channel]!))));

interface ChunkPlace {
  readonly data: Float32Array;
  readonly channels: number;
  readonly from: number;
  readonly rows: number;
  readonly chunk: number;
}

/** Divides, rounds and clamps one chunk into `codes`; padding rows hold the code of `0 - bias`. */
const quantizeChunk = (
  codes: Int16Array,
  { data, channels, from, rows, chunk }: ChunkPlace,
  bias: Float32Array,
  divisors: Float32Array,
  bits: number,
  unsigned: boolean,
): void => {
  const { low, high } = codeRange(bits, unsigned);
  const padding = new Float32Array(rows < chunk ? channels : 0);
  for (let row = 0; row < chunk; row++) {
    const values = row < rows ? data.subarray((from + row) * channels, (from + row + 1) * channels) : padding;
    const out = codes.subarray((from + row) * channels, (from + row + 1) * channels);
    for (let channel = 0; channel < channels; channel++) {
      const quotient = Math.fround(Math.fround(values[channel]! - bias[channel]!) / divisors[channel]!);
      const clamped = quotient < low ? low : quotient > high ? high : quotient;
      out[channel] = clamped + roundingConstant - roundingConstant;
    }
  }
};

const checkOptions = (options: ActivationOptions, chunks: number, channels: number): void => {
  checkBits(options.bits);
  if (!Number.isInteger(options.groups) || options.groups < 1 || options.groups > 64)
    throw new UserError("bad-groups", `${options.groups} groups is not an integer from 1 to 64`);
  if (!Number.isInteger(options.chunk) || options.chunk < 1) throw new UserError("bad-chunk", `a chunk of ${options.chunk} rows is not a positive integer`);
  if (options.calibration === undefined) return;
  if (options.calibration.length < chunks)
    throw new UserError("calibration-short", `the calibration holds ${options.calibration.length} chunk positions and the activations need ${chunks}`);
  for (const [position, { groupOf, bias, tmax }] of options.calibration.entries()) {
    if (groupOf.length !== channels || (bias !== undefined && bias.length !== channels))
      throw new UserError("calibration-shape", `calibration of chunk ${position} is not for ${channels} channels`);
    if (groupOf.some((index) => index >= options.groups))
      throw new UserError("calibration-shape", `calibration of chunk ${position} names a group beyond ${options.groups}`);
    if (!(tmax > 0) || !Number.isFinite(tmax)) throw new UserError("zero-scale", `calibration of chunk ${position} has the maximum ${tmax}`);
  }
};

/**
 * Quantises activations [T, K] by row chunks: channel bias, power-of-two groups, codes. See `research/tender.md` 1.3 and 1.6;
 * `modeling_opt_tender.py:306-377` (signed) and `:928-990` (unsigned).
 * @throws UserError `zero-scale` for a chunk without a scale (unless they become zeros) or one that is not finite, `bad-*` and `calibration-*` for options out of range.
 */
export const quantizeActivations = (x: Tensor<Float32Array>, options: ActivationOptions): QuantizedActivations => {
  const [rows = 0, channels = 0] = x.shape;
  const { bits, groups, chunk, unsigned = false, calibration, scaleless = "refused" } = options;
  const count = Math.ceil(rows / chunk);
  checkOptions(options, count, channels);
  const removeBias = options.bias ?? !unsigned;
  const codes = new Int16Array(count * chunk * channels);
  const chunks: ActivationChunk[] = [];
  for (let position = 0; position < count; position++) {
    const from = position * chunk;
    const valid = Math.min(chunk, rows - from);
    const range = channelRange(x.data, channels, from, from + valid, valid < chunk);
    const fixed = calibration?.[position];
    const bias = !removeBias ? new Float32Array(channels) : fixed === undefined ? midrange(range) : (fixed.bias ?? new Float32Array(channels));
    const cmax = channelMaxima(range, bias);
    const tmax = fixed?.tmax ?? cmax.reduce((largest, value) => Math.max(largest, value), 0);
    if (!Number.isFinite(tmax) || (tmax === 0 && scaleless === "refused"))
      throw new UserError("zero-scale", `rows ${from}..${from + valid - 1} have the largest magnitude ${tmax}: no scale fits them`);
    const groupOf = fixed?.groupOf ?? groupTable(tmax, cmax, groups);
    const scales = groupScales(tmax, groups, bits, unsigned);
    // A scale that underflows to zero: the official assertion on the signed path, 0/0 on the unsigned one.
    const hasScale = groupOf.every((index) => scales[index] !== 0);
    if (!hasScale && scaleless === "refused")
      throw new UserError("zero-scale", `rows ${from}..${from + valid - 1}: ${groups} groups below ${tmax} reach a scale of 0`);
    const divisors = Float32Array.from(groupOf, (index) => (unsigned ? scales[index]! : Math.max(scales[index]!, smallestDivisor)));
    if (hasScale) quantizeChunk(codes, { data: x.data, channels, from, rows: valid, chunk }, bias, divisors, bits, unsigned);
    chunks.push({ rows: valid, bias, groupOf, scales, scale0: scales[0]!, ...channelOrder(groupOf, groups), tmax, cmax });
  }
  return { chunks, codes, rows, paddedRows: count * chunk, channels, chunk, bits, groups, unsigned };
};
