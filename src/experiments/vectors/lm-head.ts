import { tensor } from "../../base/tensor.ts";
import { quantizeActivations, thresholds } from "../../golden/tender/groups.ts";
import { chunkProduct, runProduct, shiftAccumulate } from "../../golden/tender/matmul.ts";
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
  const weight = tensor([columns, channels], file.get("W").floats([columns, channels]));
  const weights = quantizeWeights(weight, bits);
  comparison.exact(file.get("w_scale"), [columns], weights.scales);
  comparison.exact(file.get("w_q"), [columns, channels], weights.codes);

  const codes = file.get("x_q");
  // Read before quantising: a stated chunk size that the file does not hold must not take memory.
  codes.numbers([chunks, chunk, channels]);
  const activations = quantizeActivations(x, { bits, groups, chunk, bias: false });
  const perChunk = activations.chunks;
  /** [chunk][G] to the file's [G][chunk]. */
  const byGroup = (values: (position: number) => Float32Array): number[] =>
    Array.from({ length: groups * chunks }, (_, at) => values(at % chunks)[Math.floor(at / chunks)]!);
  comparison.exact(
    file.get("tmax"),
    [chunks],
    perChunk.map(({ tmax }) => tmax),
  );
  comparison.exact(
    file.get("cmax"),
    [chunks, channels],
    perChunk.flatMap(({ cmax }) => [...cmax]),
  );
  comparison.exact(
    file.get("thresholds_smallest_first"),
    [groups, chunks],
    byGroup((position) => thresholds(perChunk[position]!.tmax, groups)),
  );
  comparison.exact(
    file.get("scales_smallest_first"),
    [groups, chunks],
    byGroup((position) => perChunk[position]!.scales),
  );
  comparison.exact(
    file.get("group_index_code"),
    [chunks, channels],
    perChunk.flatMap(({ groupOf }) => [...groupOf]),
  );
  comparison.exact(codes, [chunks, chunk, channels], activations.codes);

  const { y } = runProduct(activations, weights, () => 0);
  const magnitude = productMagnitudes(activations, weights);
  comparison.output(file.get("official_y_fp32"), [tokens, columns], y.data, (at) => roundingBound(channels, magnitude[at]!));

  const official = file.get("official_y_fp32").floats([tokens, columns]);
  const hardware = file.get("hw").items();
  if (hardware.length !== chunks) file.get("hw").fail(`holds ${hardware.length} chunks, not ${chunks}`);
  for (const [position, record] of hardware.entries()) {
    const product = chunkProduct(activations, position, weights);
    const trace = traceAccumulators(product);
    const acc = Float64Array.from(shiftAccumulate(product), Number);
    const scale0 = perChunk[position]!.scale0;
    consistent(record.get("rows_valid"), perChunk[position]!.rows, "the chunk's rows without padding");
    comparison.exact(record.get("order"), [channels], product.order);
    comparison.exact(record.get("group_sizes_largest_first"), [groups], product.groupSizes);
    comparison.exact(record.get("acc_after_each_group"), [groups, chunk, columns], trace.afterGroup);
    comparison.exact(record.get("acc_final"), [chunk, columns], acc);
    comparison.exact(record.get("acc_peak_abs"), [], [trace.peak]);
    const y = acc.map((value, at) => value * (scale0 * weights.scales[at % columns]!));
    comparison.near(record.get("y"), [chunk, columns], y, (at) => Math.abs(y[at]!) * doubleTolerance);
    const valid = y.subarray(0, perChunk[position]!.rows * columns);
    const difference = valid.reduce((most, value, at) => Math.max(most, Math.abs(value - official[position * chunk * columns + at]!)), 0);
    comparison.near(
      record.get("max_abs_diff_vs_official_fp32"),
      [],
      [difference],
      () => valid.reduce((most, value) => Math.max(most, Math.abs(value)), 0) * doubleTolerance,
    );
  }
};
