import { tensor } from "../../base/tensor.ts";
import type { ActivationChunk, QuantizedActivations } from "../../golden/tender/groups.ts";
import { quantizeActivations, thresholds } from "../../golden/tender/groups.ts";
import { chunkProduct, runProduct, shiftAccumulate } from "../../golden/tender/matmul.ts";
import type { QuantizedWeights } from "../../golden/tender/quantize.ts";
import { quantizeWeights } from "../../golden/tender/quantize.ts";
import { traceAccumulators } from "../../golden/tender/trace.ts";
import type { Comparison } from "./comparison.ts";
import type { JsonValue } from "./json-value.ts";
import { doubleTolerance, productMagnitudes, roundingBound } from "./outputs.ts";
import { consistent, extent, readSizes } from "./sizes.ts";

/** Recomputes a case of kind `lmhead_dynamic_nobias` (one product, dynamic, no channel bias) from X and W. */
export const checkLmHead = (file: JsonValue, comparison: Comparison): void => {
  const { name, bits, groups, chunk, chunks, tokens } = readSizes(file);
  const channels = extent(file.get("K"));
  const columns = extent(file.get("N"));
  comparison.begin(name);
  const x = tensor([tokens, channels], file.get("X").floats([tokens, channels]));
  const weights = quantizeWeights(tensor([columns, channels], file.get("W").floats([columns, channels])), bits);
  comparison.exact(file.get("w_scale"), [columns], weights.scales);
  comparison.exact(file.get("w_q"), [columns, channels], weights.codes);

  // Read before quantising: a stated chunk size that the file does not hold must not take memory.
  file.get("x_q").numbers([chunks, chunk, channels]);
  const activations = quantizeActivations(x, { bits, groups, chunk, bias: false });
  compareActivations(comparison, file, activations);
  const { y } = runProduct(activations, weights, () => 0);
  const magnitude = productMagnitudes(activations, weights);
  comparison.output(file.get("official_y_fp32"), [tokens, columns], y.data, (at) => roundingBound(channels, magnitude[at]!));
  const hardware = file.get("hw").items();
  if (hardware.length !== chunks) file.get("hw").fail(`holds ${hardware.length} chunks, not ${chunks}`);
  const official = file.get("official_y_fp32").floats([tokens, columns]);
  for (const [position, record] of hardware.entries())
    compareChunk(comparison, record, activations, position, weights, official.subarray(position * chunk * columns, (position + 1) * chunk * columns));
};

const compareActivations = (comparison: Comparison, file: JsonValue, { chunks, codes, chunk, channels, groups }: QuantizedActivations): void => {
  const count = chunks.length;
  /** [chunk][G] to the file's [G][chunk]. */
  const byGroup = (values: (entry: ActivationChunk) => Float32Array): number[] =>
    Array.from({ length: groups * count }, (_, at) => values(chunks[at % count]!)[Math.floor(at / count)]!);
  const each = (values: (entry: ActivationChunk) => ArrayLike<number>): number[] => chunks.flatMap((entry) => Array.from(values(entry)));
  const scalars = each(({ tmax }) => [tmax]);
  const largest = each(({ cmax }) => cmax);
  const edges = byGroup(({ tmax }) => thresholds(tmax, groups));
  const scales = byGroup((entry) => entry.scales);
  comparison.exact(file.get("tmax"), [count], scalars);
  comparison.exact(file.get("cmax"), [count, channels], largest);
  comparison.exact(file.get("thresholds_smallest_first"), [groups, count], edges);
  comparison.exact(file.get("scales_smallest_first"), [groups, count], scales);
  const table = each(({ groupOf }) => groupOf);
  comparison.exact(file.get("group_index_code"), [count, channels], table);
  comparison.exact(file.get("x_q"), [count, chunk, channels], codes);
};

/** One entry of `hw`: orders, accumulators group by group, peak, and the outputs in double. */
const compareChunk = (
  comparison: Comparison,
  record: JsonValue,
  activations: QuantizedActivations,
  position: number,
  weights: QuantizedWeights,
  official: Float32Array,
): void => {
  const product = chunkProduct(activations, position, weights);
  const { rows: chunk, columns, channels, groupSizes } = product;
  const { scale0, rows: valid } = activations.chunks[position]!;
  const trace = traceAccumulators(product);
  const acc = Float64Array.from(shiftAccumulate(product), Number);
  consistent(record.get("rows_valid"), valid, "the chunk's rows without padding");
  comparison.exact(record.get("order"), [channels], product.order);
  comparison.exact(record.get("group_sizes_largest_first"), [groupSizes.length], groupSizes);
  comparison.exact(record.get("acc_after_each_group"), [groupSizes.length, chunk, columns], trace.afterGroup);
  comparison.exact(record.get("acc_final"), [chunk, columns], acc);
  comparison.exact(record.get("acc_peak_abs"), [], [trace.peak]);
  const y = acc.map((value, at) => value * (scale0 * weights.scales[at % columns]!));
  comparison.near(record.get("y"), [chunk, columns], y, (at) => Math.abs(y[at]!) * doubleTolerance);
  const outputs = y.subarray(0, valid * columns);
  const difference = outputs.reduce((most, value, at) => Math.max(most, Math.abs(value - official[at]!)), 0);
  const slack = outputs.reduce((most, value) => Math.max(most, Math.abs(value)), 0) * doubleTolerance;
  comparison.near(record.get("max_abs_diff_vs_official_fp32"), [], [difference], () => slack);
};
