import { UserError } from "../../base/error.ts";
import type { Tensor } from "../../base/tensor.ts";
import { tensor } from "../../base/tensor.ts";
import type { Beat } from "./beats.ts";
import { tileSchedule } from "./beats.ts";
import type { ActivationOptions, QuantizedActivations } from "./groups.ts";
import { quantizeActivations } from "./groups.ts";
import type { QuantizedWeights } from "./quantize.ts";
import { codeRange, quantizeWeights } from "./quantize.ts";

/** Integer operands of one tile of any size: activations [rows, K] times weights [columns, K] transposed. */
export interface Product {
  readonly codes: Int16Array;
  readonly rows: number;
  readonly weights: Int16Array;
  readonly columns: number;
  readonly channels: number;
  /** [K]: code group index, 0 = smallest scale. */
  readonly groupOf: Uint8Array;
  /** [K]: largest scale first. */
  readonly order: ArrayLike<number>;
  /** [G]: largest scale first. */
  readonly groupSizes: readonly number[];
  readonly bits: number;
  readonly unsigned: boolean;
}

/** Largest |activation code| that the static bound assumes: 2^(b-1) signed, 2^b-1 unsigned (contracts.md). */
export const largestCode = (bits: number, unsigned: boolean): number => {
  const { low, high } = codeRange(bits, unsigned);
  return Math.max(-low, high);
};

/**
 * Exact bound of |accumulator| per output column, over any activations and every beat: `sum_k 2^i(k) * largestCode * |W[n,k]|` (research 2.5).
 */
export const columnBound = (product: Pick<Product, "weights" | "columns" | "channels" | "groupOf" | "bits" | "unsigned">): bigint[] => {
  const { weights, columns, channels, groupOf } = product;
  const scale = BigInt(largestCode(product.bits, product.unsigned));
  const sums = new Float64Array(256);
  return Array.from({ length: columns }, (_, column) => {
    sums.fill(0);
    for (let channel = 0; channel < channels; channel++) sums[groupOf[channel]!]! += Math.abs(weights[column * channels + channel]!);
    return scale * sums.reduce((total, sum, index) => total + (BigInt(sum) << BigInt(index)), 0n);
  });
};

/** Signed accumulator width that can never overflow under `bound`. */
export const safeWidth = (bound: bigint): number => bound.toString(2).length + 1;

/** Accumulators [rows, columns]: doubles where the bound fits 2^53, else big integers. */
export type Accumulators = Float64Array | readonly bigint[];

export interface WrappedAccumulators {
  /** [rows, columns]: the register's value, signed, `accWidth` bits. */
  readonly values: Float64Array;
  /** [rows, columns]: 1 where some beat's exact `(acc << shift) + p` was not representable. */
  readonly overflow: Uint8Array;
}

const limit = 2n ** 53n;

const largest = (bounds: readonly bigint[]): bigint => bounds.reduce((most, bound) => (bound > most ? bound : most), 0n);

/** Dot products of prescaled activations with weights, all sums exact in double. Four columns at a time share each load of x. */
const exactDots = ({ codes, rows, weights, columns, channels, groupOf }: Product): Float64Array => {
  const scaled = new Float32Array(rows * channels);
  const powers = Float32Array.from(groupOf, (index) => 2 ** index);
  for (let at = 0, row = 0; row < rows; row++) for (let channel = 0; channel < channels; channel++, at++) scaled[at] = codes[at]! * powers[channel]!;
  const wide = new Float32Array(weights);
  const out = new Float64Array(rows * columns);
  for (let column = 0; column < columns; column += 4) {
    const w0 = column * channels;
    const w1 = Math.min(column + 1, columns - 1) * channels;
    const w2 = Math.min(column + 2, columns - 1) * channels;
    const w3 = Math.min(column + 3, columns - 1) * channels;
    for (let row = 0; row < rows; row++) {
      const base = row * channels;
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      for (let channel = 0; channel < channels; channel++) {
        const value = scaled[base + channel]!;
        s0 += value * wide[w0 + channel]!;
        s1 += value * wide[w1 + channel]!;
        s2 += value * wide[w2 + channel]!;
        s3 += value * wide[w3 + channel]!;
      }
      const at = row * columns + column;
      const left = columns - column;
      out[at] = s0;
      if (left > 1) out[at + 1] = s1;
      if (left > 2) out[at + 2] = s2;
      if (left > 3) out[at + 3] = s3;
    }
  }
  return out;
};

const exactBig = ({ codes, rows, weights, columns, channels, groupOf }: Product): bigint[] => {
  const out: bigint[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let sum = 0n;
      for (let channel = 0; channel < channels; channel++)
        sum += BigInt(codes[row * channels + channel]! * weights[column * channels + channel]!) << BigInt(groupOf[channel]!);
      out.push(sum);
    }
  }
  return out;
};

/** Exact accumulators, `sum_k 2^i(k) x w` [rows, columns]: what an accumulator of any width holds if it never wraps. */
export const shiftAccumulate = (product: Product): Accumulators => (largest(columnBound(product)) <= limit ? exactDots(product) : exactBig(product));

/** `value` modulo 2^width as a signed number; exact for |value| up to 2^53. */
export const wrap = (value: number, width: number): number => {
  const modulus = 2 ** width;
  const rest = value - Math.floor(value / modulus) * modulus;
  return rest >= modulus / 2 ? rest - modulus : rest;
};

/** @throws UserError `bad-acc-width` unless the width is an integer from 24 to 48. */
export const checkAccWidth = (width: number): void => {
  if (!Number.isInteger(width) || width < 24 || width > 48) throw new UserError("bad-acc-width", `accumulator width ${width} is not an integer from 24 to 48`);
};

/** One accumulator stepped beat by beat: `acc <= first ? p : (acc << shift) + p`, wrapped, with the overflow rule of contracts.md. */
export const runBeats = (beats: readonly Beat[], productOf: (channel: number) => number, width: number): { value: number; overflow: boolean } => {
  let value = 0;
  let overflow = false;
  for (const { channel, shift, first } of beats) {
    const product = channel < 0 ? 0 : productOf(channel);
    // |acc| < 2^47 and shift <= 3: the sum stays below 2^53, so the double is the exact value.
    const exact = first ? product : value * 2 ** shift + product;
    value = wrap(exact, width);
    if (value !== exact) overflow = true;
  }
  return { value, overflow };
};

/**
 * The register's view: accumulators modulo 2^accWidth and overflow flags, beat by beat as the array takes them (trailing empties as beats).
 * Columns whose static bound fits are taken from the exact sums, which are then the same.
 * @throws UserError `bad-acc-width`.
 */
export const shiftAccumulateWrapped = (product: Product, accWidth: number, shiftWidth: 1 | 2 = 2): WrappedAccumulators => {
  checkAccWidth(accWidth);
  const { rows, columns, channels, codes, weights } = product;
  const representable = 2n ** BigInt(accWidth - 1) - 1n;
  const bounds = columnBound(product);
  const overflow = new Uint8Array(rows * columns);
  if (largest(bounds) <= representable) return { values: exactDots(product), overflow };
  const { beats } = tileSchedule(product.order, product.groupSizes, { shiftWidth });
  const values = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const cell = runBeats(beats, (channel) => codes[row * channels + channel]! * weights[column * channels + channel]!, accWidth);
      values[row * columns + column] = cell.value;
      overflow[row * columns + column] = cell.overflow ? 1 : 0;
    }
  }
  return { values, overflow };
};

/** Binary32 output of the vector unit: `fround(fround(f32(acc) * s) + c)` with `s = fround(scale0 * sw)` (contracts.md, Vector unit). */
export const vectorUnit = (accumulator: number, scale: number, compensation: number): number =>
  Math.fround(Math.fround(Math.fround(accumulator) * scale) + compensation);

/**
 * Compensation of one chunk, [N]: `bias @ W^T + layer bias` with the unquantised weights, summed in double in ascending channel order and
 * rounded once to binary32 by the host (`modeling_opt_tender.py:330-333,377`).
 */
export const linearCompensation = (bias: Float32Array, weight: Tensor<Float32Array>, layerBias: Float32Array | null): Float32Array => {
  const [columns = 0, channels = 0] = weight.shape;
  const out = new Float32Array(columns);
  for (let column = 0; column < columns; column++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += bias[channel]! * weight.data[column * channels + channel]!;
    out[column] = sum + (layerBias?.[column] ?? 0);
  }
  return out;
};

/** The integer product of one chunk of quantised activations, padding rows included. */
export const chunkProduct = (activations: QuantizedActivations, position: number, weights: QuantizedWeights): Product => {
  const { codes, chunk, channels, bits, unsigned, chunks } = activations;
  const { groupOf, order, groupSizes } = chunks[position]!;
  const tile = codes.subarray(position * chunk * channels, (position + 1) * chunk * channels);
  return { codes: tile, rows: chunk, weights: weights.codes, columns: weights.scales.length, channels, groupOf, order, groupSizes, bits, unsigned };
};

export interface LinearOptions extends ActivationOptions {
  /** Default: `bits`. */
  readonly weightBits?: number | undefined;
  /** Weights quantised beforehand, so that several calls share them. */
  readonly weights?: QuantizedWeights | undefined;
  /** Accumulator width 24..48; absent: as wide as the values need. */
  readonly accWidth?: number | undefined;
}

export interface ProductResult {
  /** Per chunk, [chunk, N], padding rows included. */
  readonly acc: readonly Accumulators[];
  /** Per chunk, [chunk, N]; absent without `accWidth`. */
  readonly overflow: readonly Uint8Array[] | undefined;
  /** [T, N], binary32. */
  readonly y: Tensor<Float32Array>;
}

/** Compensation of one output element, binary32; `row` counts over all rows. */
export type Compensation = (chunk: number, row: number, column: number) => number;

/** Integer product of every chunk, then the vector unit: what array and vector unit do for any of the layer's products. */
export const runProduct = (activations: QuantizedActivations, weights: QuantizedWeights, compensation: Compensation, accWidth?: number): ProductResult => {
  const columns = weights.scales.length;
  const y = new Float32Array(activations.rows * columns);
  const acc: Accumulators[] = [];
  const overflow: Uint8Array[] = [];
  for (const [position, chunk] of activations.chunks.entries()) {
    const product = chunkProduct(activations, position, weights);
    const wrapped = accWidth === undefined ? undefined : shiftAccumulateWrapped(product, accWidth);
    const values = wrapped?.values ?? shiftAccumulate(product);
    acc.push(values);
    if (wrapped !== undefined) overflow.push(wrapped.overflow);
    const scales = weights.scales.map((scale) => chunk.scale0 * scale);
    for (let local = 0; local < chunk.rows; local++) {
      const row = position * activations.chunk + local;
      for (let column = 0; column < columns; column++)
        y[row * columns + column] = vectorUnit(Number(values[local * columns + column]!), scales[column]!, compensation(position, row, column));
    }
  }
  return { acc, overflow: accWidth === undefined ? undefined : overflow, y: tensor([activations.rows, columns], y) };
};

/**
 * A linear layer the way the hardware computes it: quantise, shift-accumulate in integers, scale and compensate in binary32.
 * `x` [T, K], `weight` [N, K], `layerBias` [N] or null.
 * @throws UserError as `quantizeActivations` and `quantizeWeights` do.
 */
export const tenderLinear = (x: Tensor<Float32Array>, weight: Tensor<Float32Array>, layerBias: Float32Array | null, options: LinearOptions): ProductResult => {
  const activations = quantizeActivations(x, options);
  if (weight.shape[1] !== activations.channels)
    throw new UserError("shape", `weights of ${weight.shape[1]} channels do not fit activations of ${activations.channels}`);
  const weights = options.weights ?? quantizeWeights(weight, options.weightBits ?? options.bits);
  const compensation = activations.chunks.map((chunk) => linearCompensation(chunk.bias, weight, layerBias));
  return runProduct(activations, weights, (position, _, column) => compensation[position]![column]!, options.accWidth);
};
