import type { Tensor } from "../../base/tensor.ts";
import type { QuantizedActivations } from "../../golden/tender/groups.ts";
import { dequantizeActivations, dequantizeWeights, matmul32 } from "../../golden/tender/official.ts";
import type { QuantizedWeights } from "../../golden/tender/quantize.ts";

/** Relative difference allowed between two computations of the same few operations in double. */
export const doubleTolerance = 2 ** -45;

const magnitudes = ({ shape, data }: Tensor<Float32Array>): Tensor<Float32Array> => ({ shape, data: data.map(Math.abs) });

/** `sum_k |x̂ ŵ|` of every output, [T, N]: what rounding errors of a sum are relative to. */
export const productMagnitudes = (activations: QuantizedActivations, weights: QuantizedWeights): Float32Array =>
  matmul32(magnitudes(dequantizeActivations(activations)), magnitudes(dequantizeWeights(weights))).data;

/**
 * Bound of the difference between two sums of the same `terms` products rounded to binary32 in different orders:
 * `(terms + 8) * 2^-23 * magnitude`, twice the standard bound of one, with room for the few operations around the sum.
 */
export const roundingBound = (terms: number, magnitude: number): number => (terms + 8) * 2 ** -23 * magnitude;
