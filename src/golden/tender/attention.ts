import type { Tensor } from "../../base/tensor.ts";
import { tensor } from "../../base/tensor.ts";
import type { ActivationOptions, QuantizedActivations } from "./groups.ts";
import { channelBias, quantizeActivations } from "./groups.ts";
import type { Compensation, ProductResult } from "./matmul.ts";
import { runProduct } from "./matmul.ts";
import type { QuantizedWeights } from "./quantize.ts";
import { quantizeRows, rowScales } from "./quantize.ts";

export interface QuantizedKeys extends QuantizedWeights {
  /** [d]: removed from each channel before quantising. */
  readonly bias: Float32Array;
}

/** What static calibration fixes for K of one head: channel bias [d] and one scale a token [S]. */
export interface KeyCalibration {
  readonly bias: Float32Array;
  readonly scales: Float32Array;
}

/** [R, C] -> [C, R]. */
export const transpose = ({ shape: [rows = 0, columns = 0], data }: Tensor<Float32Array>): Tensor<Float32Array> => {
  const out = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) out[column * rows + row] = data[row * columns + column]!;
  return tensor([columns, rows], out);
};

/** `values` [T, K] without the channel bias. */
export const removeBias = (values: Tensor<Float32Array>, bias: Float32Array): Tensor<Float32Array> =>
  tensor(
    values.shape,
    values.data.map((value, at) => value - bias[at % bias.length]!),
  );

/** K of one head [S, d] as the weight side of QK^T: channel bias over tokens removed, then one scale a token (`modeling_opt_tender.py:394-440`). */
export const quantizeKeys = (keys: Tensor<Float32Array>, bits: number, calibration?: KeyCalibration): QuantizedKeys => {
  const bias = calibration?.bias ?? channelBias(keys);
  const centred = removeBias(keys, bias);
  const scales = calibration?.scales ?? rowScales(centred, bits);
  return { codes: quantizeRows(centred, scales, bits), scales, bias };
};

/** V of one head [S, d] as the weight side of S·V, transposed to [d, S]: one scale a column of V (`modeling_opt_tender.py:549-560`). */
export const quantizeValues = (values: Tensor<Float32Array>, bits: number, scales?: Float32Array): QuantizedWeights => {
  const columns = transpose(values);
  const used = scales ?? rowScales(columns, bits);
  return { codes: quantizeRows(columns, used, bits), scales: used };
};

/** Dot product in double of a row of `a` with a row of `b`. */
const dot = (a: Float32Array, aRow: number, b: Float32Array, bRow: number, length: number): number => {
  let sum = 0;
  for (let at = 0; at < length; at++) sum += a[aRow * length + at]! * b[bRow * length + at]!;
  return sum;
};

export interface AttentionOptions extends ActivationOptions {
  readonly accWidth?: number | undefined;
}

/** The two parts of QK^T's compensation, binary32. */
export interface ScoreCompensation {
  /** [chunks][S] */
  readonly columns: readonly Float32Array[];
  /** [T] */
  readonly rows: Float32Array;
}

/**
 * Compensation of QK^T: `fround(columns[chunk][n] + rows[r])` with `columns[chunk][n] = qb·K[n]` and `rows[r] = Q[r]·kb - qb·kb`,
 * each summed in double and rounded once to binary32 (contracts.md, Vector unit; the official o1, o2 and o3).
 */
export const scoreCompensation = (
  queries: Tensor<Float32Array>,
  keys: Tensor<Float32Array>,
  activations: Pick<QuantizedActivations, "chunks" | "chunk">,
  keyBias: Float32Array,
): ScoreCompensation => {
  const [rows = 0, depth = 0] = queries.shape;
  const tokens = keys.shape[0] ?? 0;
  const constants = activations.chunks.map(({ bias }) => dot(bias, 0, keyBias, 0, depth));
  return {
    columns: activations.chunks.map(({ bias }) => Float32Array.from({ length: tokens }, (_, token) => dot(bias, 0, keys.data, token, depth))),
    rows: Float32Array.from({ length: rows }, (_, row) => dot(queries.data, row, keyBias, 0, depth) - constants[Math.floor(row / activations.chunk)]!),
  };
};

/** Compensation of an element of QK^T. */
export const addedCompensation =
  ({ columns, rows }: ScoreCompensation): Compensation =>
  (position, row, column) =>
    Math.fround(columns[position]![column]! + rows[row]!);

/**
 * QK^T of one head, with Q [T, d] already times 1/sqrt(d) and K [S, d]: `(Q-qb)(K-kb)^T` in integers, then `scoreCompensation`.
 * @throws UserError `zero-scale` for an all-zero chunk of Q or token of K.
 */
export const tenderScores = (
  queries: Tensor<Float32Array>,
  keys: Tensor<Float32Array>,
  options: AttentionOptions & { readonly keys?: KeyCalibration | undefined },
): ProductResult => {
  const activations = quantizeActivations(queries, options);
  const weights = quantizeKeys(keys, options.bits, options.keys);
  return runProduct(activations, weights, addedCompensation(scoreCompensation(queries, keys, activations, weights.bias)), options.accWidth);
};

/**
 * S·V of one head: softmax scores [T, S] unsigned, grouped over the source-token axis, times V [S, d]; no bias, no compensation.
 * @throws UserError `zero-scale` for an all-zero chunk of S or column of V.
 */
export const tenderValues = (
  scores: Tensor<Float32Array>,
  values: Tensor<Float32Array>,
  options: AttentionOptions & { readonly valueScales?: Float32Array | undefined },
): ProductResult => {
  const activations = quantizeActivations(scores, { ...options, unsigned: true, bias: false });
  return runProduct(activations, quantizeValues(values, options.bits, options.valueScales), () => 0, options.accWidth);
};
