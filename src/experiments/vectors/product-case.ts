import type { Tensor } from "../../base/tensor.ts";
import { tensor } from "../../base/tensor.ts";
import type { QuantizedActivations } from "../../golden/tender/groups.ts";
import type { Compensation } from "../../golden/tender/matmul.ts";
import { chunkProduct, runProduct, shiftAccumulate } from "../../golden/tender/matmul.ts";
import type { QuantizedWeights } from "../../golden/tender/quantize.ts";
import { traceAccumulators } from "../../golden/tender/trace.ts";
import type { Comparison } from "./comparison.ts";
import type { JsonValue } from "./json-value.ts";
import { doubleTolerance, productMagnitudes, roundingBound } from "./outputs.ts";

/** `gemm` record: codes, scales and groups of both sides. Returns whether all agreed. `codeBound` allows ties of unrecorded inputs. */
export const compareOperands = (
  comparison: Comparison,
  record: JsonValue,
  { chunks, codes, chunk, channels, unsigned }: QuantizedActivations,
  weights: QuantizedWeights,
  codeBound: (at: number) => number,
): boolean => {
  const columns = weights.scales.length;
  const positions = [chunks.length];
  if (record.get("x_unsigned").flag() !== unsigned) record.get("x_unsigned").fail(`is ${!unsigned} for a tensor that is ${unsigned ? "unsigned" : "signed"}`);
  const results = [
    comparison.exact(record.get("w_codes"), [columns, channels], weights.codes),
    comparison.exact(record.get("w_scale"), [columns], weights.scales),
    comparison.exact(
      record.get("tmax"),
      positions,
      chunks.map(({ tmax }) => tmax),
    ),
    comparison.exact(
      record.get("group_index_code"),
      [chunks.length, channels],
      chunks.flatMap(({ groupOf }) => [...groupOf]),
    ),
    comparison.exact(
      record.get("scale_smallest"),
      positions,
      chunks.map(({ scale0 }) => scale0),
    ),
    comparison.near(record.get("x_codes"), [chunks.length, chunk, channels], codes, codeBound),
  ];
  return results.every(Boolean);
};

/** The float term added to a product: as recorded (double), as the hardware adds it (binary32), and what its rounding is relative to. */
export interface OutputTerms {
  readonly recorded: Compensation;
  readonly computed: Compensation;
  readonly magnitude: Compensation;
}

/** Accumulators, orders and peaks of `hw[]`, then the outputs. Returns the recorded official output [T, N]. */
export const compareProductOutputs = (
  comparison: Comparison,
  record: JsonValue,
  activations: QuantizedActivations,
  weights: QuantizedWeights,
  terms: OutputTerms,
): Tensor<Float32Array> => {
  const { chunks, chunk, channels, groups, rows } = activations;
  const columns = weights.scales.length;
  const hardware = record.get("hw").items();
  if (hardware.length !== chunks.length) record.get("hw").fail(`holds ${hardware.length} chunks, not ${chunks.length}`);
  const exact = new Float64Array(rows * columns);
  const allowed = new Float64Array(rows * columns);
  for (const [position, entry] of hardware.entries()) {
    const product = chunkProduct(activations, position, weights);
    const acc = Float64Array.from(shiftAccumulate(product), Number);
    comparison.exact(entry.get("order"), [channels], product.order);
    comparison.exact(entry.get("group_sizes_largest_first"), [groups], product.groupSizes);
    comparison.exact(entry.get("acc_final"), [chunk, columns], acc);
    comparison.exact(entry.get("acc_peak_abs"), [], [traceAccumulators(product).peak]);
    const { scale0, rows: valid } = chunks[position]!;
    for (let at = 0; at < valid * columns; at++) {
      const to = position * chunk * columns + at;
      const scaled = acc[at]! * (scale0 * weights.scales[at % columns]!);
      const term = terms.recorded(position, Math.floor(to / columns), at % columns);
      exact[to] = scaled + term;
      allowed[to] = (Math.abs(scaled) + Math.abs(term)) * doubleTolerance;
    }
  }
  comparison.near(record.get("hw_y"), [rows, columns], exact, (at) => allowed[at]!);

  const { y } = runProduct(activations, weights, terms.computed);
  const products = productMagnitudes(activations, weights);
  comparison.output(record.get("official_fp32"), [rows, columns], y.data, (at) => {
    const row = Math.floor(at / columns);
    return roundingBound(channels, products[at]! + terms.magnitude(Math.floor(row / chunk), row, at % columns));
  });
  const official = record.get("official_fp32").floats([rows, columns]);
  const difference = exact.reduce((most, value, at) => Math.max(most, Math.abs(value - official[at]!)), 0);
  const slack = allowed.reduce((most, value) => Math.max(most, value), 0);
  comparison.near(record.get("max_abs_diff_hw_vs_official"), [], [difference], () => slack);
  return tensor([rows, columns], official);
};

/** `bias @ W^T + layer bias` of one chunk in double, and the sum of the magnitudes of its terms; [N] each. */
export const linearTerms = (
  bias: Float32Array,
  { shape, data }: Tensor<Float32Array>,
  layerBias: Float32Array,
): { value: Float64Array; magnitude: Float64Array } => {
  const [columns = 0, channels = 0] = shape;
  const value = Float64Array.from(layerBias);
  const magnitude = value.map(Math.abs);
  for (let column = 0; column < columns; column++) {
    for (let channel = 0; channel < channels; channel++) {
      const term = bias[channel]! * data[column * channels + channel]!;
      value[column]! += term;
      magnitude[column]! += Math.abs(term);
    }
  }
  return { value, magnitude };
};

/** Sum of the magnitudes of the terms of QK^T's compensation, [rows, S]. */
export const scoreMagnitudes = (
  queries: Tensor<Float32Array>,
  keys: Tensor<Float32Array>,
  { chunks, chunk }: Pick<QuantizedActivations, "chunks" | "chunk">,
  keyBias: Float32Array,
): Float64Array => {
  const [rows = 0, depth = 0] = queries.shape;
  const tokens = keys.shape[0] ?? 0;
  const out = new Float64Array(rows * tokens);
  for (let row = 0; row < rows; row++) {
    const { bias } = chunks[Math.floor(row / chunk)]!;
    for (let token = 0; token < tokens; token++) {
      let sum = 0;
      for (let at = 0; at < depth; at++)
        sum +=
          Math.abs(bias[at]! * keys.data[token * depth + at]!) + Math.abs((Math.abs(queries.data[row * depth + at]!) + Math.abs(bias[at]!)) * keyBias[at]!);
      out[row * tokens + token] = sum;
    }
  }
  return out;
};
