import { UserError } from "../../base/error.ts";
import type { Tensor } from "../../base/tensor.ts";

/** The official code clamps |scale| to this before dividing (`modeling_opt_tender.py:71-85`); it dequantises with the unclamped scale. */
export const smallestDivisor = Math.fround(1e-9);

/** Adding and subtracting 1.5 * 2^52 leaves a double of magnitude below 2^51 rounded to an integer, ties to even. */
export const roundingConstant = 1.5 * 2 ** 52;

/** Integer nearest to `x`, ties to even; never -0. NaN stays NaN. */
export const roundHalfEven = (x: number): number => (Math.abs(x) < 2 ** 51 ? x + roundingConstant - roundingConstant : x);

/** Smallest and largest code of a `bits`-wide element: [-2^(b-1), 2^(b-1)-1] signed, [0, 2^b-1] unsigned. */
export const codeRange = (bits: number, unsigned: boolean): { readonly low: number; readonly high: number } =>
  unsigned ? { low: 0, high: 2 ** bits - 1 } : { low: -(2 ** (bits - 1)), high: 2 ** (bits - 1) - 1 };

/** @throws UserError `bad-bits` unless `bits` is an integer from 2 to 15 (codes are 16-bit words). */
export const checkBits = (bits: number): void => {
  if (!Number.isInteger(bits) || bits < 2 || bits > 15) throw new UserError("bad-bits", `${bits} bits is not an integer from 2 to 15`);
};

const divisor = (scale: number): number => {
  if (scale === 0 || Number.isNaN(scale)) throw new UserError("zero-scale", `a quantisation scale is ${scale}: an all-zero or undefined tensor has no scale`);
  return Math.max(Math.abs(scale), smallestDivisor);
};

const clampedRound = (quotient: number, low: number, high: number): number =>
  Number.isNaN(quotient) ? 0 : roundHalfEven(Math.min(Math.max(quotient, low), high));

/**
 * Symmetric signed quantiser: `clamp(roundHalfEven(fround(value / max(|scale|, 1e-9))), -2^(b-1), 2^(b-1)-1)`; NaN gives 0.
 * Source: official `sym_quant`, `modeling_opt_tender.py:71-85`.
 * @throws UserError `zero-scale`.
 */
export const symQuant = (value: number, scale: number, bits: number): number => {
  const { low, high } = codeRange(bits, false);
  return clampedRound(Math.fround(value / divisor(scale)), low, high);
};

/**
 * Unsigned quantiser (after ReLU and softmax): `clamp(roundHalfEven(fround(value / scale)), 0, 2^b-1)`; NaN gives 0.
 * Source: `modeling_opt_tender.py:613-615,979`, which does not clamp the scale.
 * @throws UserError `zero-scale`.
 */
export const unsignedQuant = (value: number, scale: number, bits: number): number => {
  divisor(scale);
  const { low, high } = codeRange(bits, true);
  return clampedRound(Math.fround(value / scale), low, high);
};

/** Real value of a code, in binary32: official `sym_dequant` (`modeling_opt_tender.py:87-92`). */
export const dequantize = (code: number, scale: number): number => Math.fround(code * scale);

export interface QuantizedWeights {
  /** [N, K], row-major. */
  readonly codes: Int16Array;
  /** [N]: one scale an output channel, `fround(max|W[n,:]| / (2^(b-1)-1))`. */
  readonly scales: Float32Array;
}

/**
 * Quantises rows of `values` [N, K] with the given scale for each row, signed.
 * @throws UserError `zero-scale` when a scale is zero.
 */
export const quantizeRows = (values: Tensor<Float32Array>, scales: Float32Array, bits: number): Int16Array => {
  checkBits(bits);
  const [rows = 0, channels = 0] = values.shape;
  const { data } = values;
  const { low, high } = codeRange(bits, false);
  const codes = new Int16Array(rows * channels);
  for (let row = 0; row < rows; row++) {
    const scale = divisor(scales[row]!);
    for (let at = row * channels; at < (row + 1) * channels; at++) {
      const quotient = Math.fround(data[at]! / scale);
      const clamped = quotient < low ? low : quotient > high ? high : quotient;
      codes[at] = clamped + roundingConstant - roundingConstant;
    }
  }
  return codes;
};

/** One scale per row of [N, K]: `fround(max|row| / (2^(b-1)-1))`. */
export const rowScales = (values: Tensor<Float32Array>, bits: number): Float32Array => {
  checkBits(bits);
  const [rows = 0, channels = 0] = values.shape;
  const { data } = values;
  const { high } = codeRange(bits, false);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    let largest = 0;
    for (let at = row * channels; at < (row + 1) * channels; at++) {
      const magnitude = Math.abs(data[at]!);
      if (magnitude > largest) largest = magnitude;
    }
    scales[row] = largest / high;
  }
  return scales;
};

/** Scales with 1 in place of 0: a row of zeros has none, and codes of 0 at any scale are that row. */
export const usableScales = (scales: Float32Array): Float32Array => scales.map((scale) => (scale === 0 ? 1 : scale));

/**
 * Weights [N, K] rounded to nearest with one scale per output channel; no grouping, no bias (`modeling_opt_tender.py:273-290`).
 * @throws UserError `zero-scale` when a row is all zero, as the official assertion does.
 */
export const quantizeWeights = (weights: Tensor<Float32Array>, bits: number): QuantizedWeights => {
  const scales = rowScales(weights, bits);
  return { codes: quantizeRows(weights, scales, bits), scales };
};
