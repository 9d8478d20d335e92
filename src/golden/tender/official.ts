import type { Tensor } from "../../base/tensor.ts";
import { tensor } from "../../base/tensor.ts";
import type { KeyCalibration } from "./attention.ts";
import { quantizeKeys, quantizeValues } from "./attention.ts";
import type { ActivationOptions, QuantizedActivations } from "./groups.ts";
import { quantizeActivations } from "./groups.ts";
import type { QuantizedWeights } from "./quantize.ts";
import { dequantize } from "./quantize.ts";

/*
 * The official emulation in binary32 ("fake quantisation"): dequantised codes multiplied as floats, every product and sum rounded, in ascending
 * channel order. That is the order in which PyTorch 1.13 produced the reference vectors, so on them this file is exact to the last bit; another
 * PyTorch may add in another order. Nothing here is what the hardware does; it serves calibration and the comparison with the official outputs.
 */

/** Dot product of row `aRow` of `a` with row `bRow` of `b`, products and sums rounded to binary32 one by one. */
const dot32 = (a: Float32Array, aRow: number, b: Float32Array, bRow: number, length: number): number => {
  let sum = 0;
  const aBase = aRow * length;
  const bBase = bRow * length;
  for (let at = 0; at < length; at++) sum = Math.fround(sum + Math.fround(a[aBase + at]! * b[bBase + at]!));
  return sum;
};

/** `a` [R, K] times `b` [N, K] transposed, in binary32. */
export const matmul32 = (a: Tensor<Float32Array>, b: Tensor<Float32Array>): Tensor<Float32Array> => {
  const [rows = 0, length = 0] = a.shape;
  const columns = b.shape[0] ?? 0;
  const out = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) out[row * columns + column] = dot32(a.data, row, b.data, column, length);
  return tensor([rows, columns], out);
};

/** Real values of activation codes, [T, K]: padding dropped. */
export const dequantizeActivations = ({ codes, chunks, rows, channels, chunk }: QuantizedActivations): Tensor<Float32Array> => {
  const out = new Float32Array(rows * channels);
  for (let row = 0; row < rows; row++) {
    const { scales, groupOf } = chunks[Math.floor(row / chunk)]!;
    for (let channel = 0; channel < channels; channel++)
      out[row * channels + channel] = dequantize(codes[row * channels + channel]!, scales[groupOf[channel]!]!);
  }
  return tensor([rows, channels], out);
};

/** Real values of weight codes, [N, K]. */
export const dequantizeWeights = ({ codes, scales }: QuantizedWeights): Tensor<Float32Array> => {
  const channels = codes.length / scales.length;
  return tensor(
    [scales.length, channels],
    Float32Array.from(codes, (code, at) => dequantize(code, scales[Math.floor(at / channels)]!)),
  );
};

/** `X̂ Ŵᵀ` in binary32. */
export const fakeQuantizedProduct = (activations: QuantizedActivations, weights: QuantizedWeights): Tensor<Float32Array> =>
  matmul32(dequantizeActivations(activations), dequantizeWeights(weights));

/** One product of the official model: the quantised operands it used and its binary32 output. */
export interface OfficialProduct {
  readonly activations: QuantizedActivations;
  readonly output: Tensor<Float32Array>;
}

/** `(X̂ Ŵᵀ + bias Wᵀ) + layer bias` with unquantised W in the bias term (`modeling_opt_tender.py:330-333,372-377`). */
export const officialLinear = (
  x: Tensor<Float32Array>,
  weight: Tensor<Float32Array>,
  layerBias: Float32Array | null,
  weights: QuantizedWeights,
  options: ActivationOptions,
): OfficialProduct => {
  const activations = quantizeActivations(x, options);
  const output = fakeQuantizedProduct(activations, weights);
  const [rows = 0, columns = 0] = output.shape;
  const channels = activations.channels;
  const biasTerms = activations.chunks.map(({ bias }) => matmul32(tensor([1, channels], bias), weight).data);
  for (let row = 0; row < rows; row++) {
    const terms = biasTerms[Math.floor(row / options.chunk)]!;
    for (let column = 0; column < columns; column++) {
      const at = row * columns + column;
      output.data[at] = Math.fround(output.data[at]! + terms[column]!) + (layerBias?.[column] ?? 0);
    }
  }
  return { activations, output };
};

/** Compensation of QK^T, [T, S] in binary32: `(qb·K + Q·kb) - qb·kb` (`modeling_opt_tender.py:449-451,497`). */
export const officialScoreCompensation = (
  queries: Tensor<Float32Array>,
  keys: Tensor<Float32Array>,
  activations: Pick<QuantizedActivations, "chunks" | "chunk">,
  keyBias: Float32Array,
): Float32Array => {
  const [rows = 0, depth = 0] = queries.shape;
  const tokens = keys.shape[0] ?? 0;
  const perChunk = activations.chunks.map(({ bias }) => ({
    column: Float32Array.from({ length: tokens }, (_, token) => dot32(bias, 0, keys.data, token, depth)),
    constant: dot32(bias, 0, keyBias, 0, depth),
  }));
  const out = new Float32Array(rows * tokens);
  for (let row = 0; row < rows; row++) {
    const { column, constant } = perChunk[Math.floor(row / activations.chunk)]!;
    const perRow = dot32(queries.data, row, keyBias, 0, depth);
    for (let token = 0; token < tokens; token++) out[row * tokens + token] = Math.fround(column[token]! + perRow) - constant;
  }
  return out;
};

/** QK^T of one head: Q [T, d] already times 1/sqrt(d), K [S, d]; output [T, S]. */
export const officialScores = (
  queries: Tensor<Float32Array>,
  keys: Tensor<Float32Array>,
  options: ActivationOptions,
  calibration?: KeyCalibration,
): OfficialProduct & { readonly keys: { readonly bias: Float32Array; readonly scales: Float32Array } } => {
  const activations = quantizeActivations(queries, options);
  const weights = quantizeKeys(keys, options.bits, calibration);
  const product = fakeQuantizedProduct(activations, weights);
  const compensation = officialScoreCompensation(queries, keys, activations, weights.bias);
  return {
    activations,
    output: tensor(
      product.shape,
      product.data.map((value, at) => value + compensation[at]!),
    ),
    keys: weights,
  };
};

/** S·V of one head: S [T, S] unsigned, V [S, d]; output [T, d]. */
export const officialValues = (
  scores: Tensor<Float32Array>,
  values: Tensor<Float32Array>,
  options: ActivationOptions,
  valueScales?: Float32Array,
): OfficialProduct & { readonly values: QuantizedWeights } => {
  const activations = quantizeActivations(scores, { ...options, unsigned: true, bias: false });
  const weights = quantizeValues(values, options.bits, valueScales);
  return { activations, output: fakeQuantizedProduct(activations, weights), values: weights };
};
