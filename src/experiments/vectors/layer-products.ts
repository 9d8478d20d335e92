import type { Tensor } from "../../base/tensor.ts";
import { tensor } from "../../base/tensor.ts";
import { addedCompensation, quantizeValues, scoreCompensation } from "../../golden/tender/attention.ts";
import type { ActivationOptions, ChunkCalibration, QuantizedActivations } from "../../golden/tender/groups.ts";
import { channelBias, groupTable, quantizeActivations } from "../../golden/tender/groups.ts";
import { linearCompensation } from "../../golden/tender/matmul.ts";
import { officialScoreCompensation } from "../../golden/tender/official.ts";
import type { DecoderLayerParameters } from "../../golden/tender/official-layer.ts";
import { inputOf } from "../../golden/tender/official-layer.ts";
import type { LinearName } from "../../golden/tender/opt-layer.ts";
import { plainAttention } from "../../golden/tender/opt-layer.ts";
import { quantizeRows, quantizeWeights, rowScales } from "../../golden/tender/quantize.ts";
import type { LayerCalibration } from "./calibration-case.ts";
import type { Comparison } from "./comparison.ts";
import type { JsonValue } from "./json-value.ts";
import type { LayerSizes } from "./layer-case.ts";
import { roundingBound } from "./outputs.ts";
import { compareOperands, compareProductOutputs, linearTerms, scoreMagnitudes } from "./product-case.ts";
import type { RecordedInputs } from "./recorded-calls.ts";

/** What the checks of one layer's products share. */
export interface LayerContext {
  readonly gemm: JsonValue;
  readonly sizes: LayerSizes;
  readonly parameters: DecoderLayerParameters;
  readonly recorded: RecordedInputs;
  readonly calibration: LayerCalibration | undefined;
  readonly comparison: Comparison;
  /** Relative difference allowed between a recomputed and a recorded float intermediate. */
  readonly tolerance: number;
  /** Unsigned operands met so far, by head for S: compared with `calls[]` at the end. */
  readonly unsigned: { readonly scores: QuantizedActivations[]; readonly fc2: QuantizedActivations[] };
}

const largest = (values: ArrayLike<number>): number => {
  let most = 0;
  for (let at = 0; at < values.length; at++) most = Math.max(most, Math.abs(values[at]!));
  return most;
};

const none = (): number => 0;

/** The quantiser's options for one tensor of this layer. */
const optionsOf = ({ bits, groups, chunk }: LayerSizes, unsigned: boolean, calibration: readonly ChunkCalibration[] | undefined): ActivationOptions => ({
  bits,
  groups,
  chunk,
  unsigned,
  calibration,
});

/** Recorded input of a signed tensor: bias and centred values, [chunks, chunk, K]. */
interface SignedInput {
  readonly bias: JsonValue;
  readonly centred: Float32Array;
  readonly label: string;
}

/**
 * Quantises `values` [T, K] and compares bias and centred values with the recorded ones; returns the codes of the recorded values,
 * which are the same unless float additions went in another order.
 */
const quantizeSigned = (
  { comparison, tolerance, sizes }: LayerContext,
  values: Tensor<Float32Array>,
  calibration: readonly ChunkCalibration[] | undefined,
  recorded: SignedInput,
): QuantizedActivations => {
  const { chunks, chunk, tokens } = sizes;
  const options = optionsOf(sizes, false, calibration);
  const own = quantizeActivations(values, options);
  const { channels } = own;
  const magnitude = largest(values.data) * 2 * tolerance;
  const biasShape = [chunks, channels];
  // A static bias is read from the file, so there is nothing to allow for.
  comparison.near(
    recorded.bias,
    biasShape,
    own.chunks.flatMap(({ bias }) => [...bias]),
    () => (calibration === undefined ? magnitude : 0),
  );
  const centred = Float32Array.from(recorded.centred, (_, at) => {
    const row = Math.floor(at / channels);
    return (row < tokens ? values.data[at]! : 0) - own.chunks[Math.floor(row / chunk)]!.bias[at % channels]!;
  });
  comparison.assembled(recorded.label, recorded.centred, [chunks, chunk, channels], centred, () => magnitude);

  const bias = recorded.bias.floats(biasShape);
  const quantized = quantizeActivations(tensor([chunks * chunk, channels], recorded.centred), { ...options, bias: false });
  return {
    ...quantized,
    rows: tokens,
    chunks: quantized.chunks.map((entry, position) => ({
      ...entry,
      rows: own.chunks[position]!.rows,
      bias: bias.slice(position * channels, (position + 1) * channels),
    })),
  };
};

/** Dynamic cases hold the channel maxima of Q, K and V's shared input; static ones hold null, their maxima being the calibration's. */
const compareChannelMaxima = ({ comparison, calibration }: LayerContext, file: JsonValue, { chunks, channels }: QuantizedActivations): void => {
  const values = chunks.flatMap(({ cmax }) => [...cmax]);
  if (calibration === undefined) comparison.exact(file, [chunks.length, channels], values);
  else if (!file.isNull) file.fail("is given in a static case");
};

/** One linear layer on `input` [T, K]; returns the recorded official output [T, N]. */
export const checkLinear = (context: LayerContext, name: LinearName, input: Tensor<Float32Array>): Tensor<Float32Array> => {
  const { sizes, comparison, calibration, recorded } = context;
  const { bits, chunks } = sizes;
  const record = context.gemm.get(name);
  comparison.begin(`${sizes.name} ${name}`);
  const { weight, bias: layerBias } = context.parameters.linear[name];
  const stage = inputOf[name];
  const fixed = calibration?.linear[stage];
  const activations =
    stage === "fc2"
      ? quantizeActivations(input, optionsOf(sizes, true, fixed))
      : quantizeSigned(context, input, fixed, { bias: record.get("ch_bias"), centred: recorded[stage], label: `${context.gemm.path}.${name} input in calls` });
  if (stage === "fc2") context.unsigned.fc2.push(activations);
  comparison.assembled(`${context.gemm.path}.${name} weights in calls`, recorded.weights[name], weight.shape, weight.data, none);
  const weights = quantizeWeights(weight, bits);
  compareOperands(comparison, record, activations, weights, none);
  const [columns = 0, channels = 0] = weight.shape;
  if (record.has("cmax")) compareChannelMaxima(context, record.get("cmax"), activations);

  const terms = activations.chunks.map(({ bias }) => linearTerms(bias, weight, layerBias));
  const place = record.get("comp");
  const magnitude = terms.flatMap((chunk) => [...chunk.magnitude]);
  comparison.near(
    place,
    [chunks, 1, columns],
    terms.flatMap((chunk) => [...chunk.value]),
    (at) => roundingBound(channels, magnitude[at]!),
  );
  const recordedTerms = place.numbers([chunks, 1, columns]);
  const compensation = activations.chunks.map(({ bias }) => linearCompensation(bias, weight, layerBias));
  return compareProductOutputs(comparison, record, activations, weights, {
    recorded: (chunk, _, column) => recordedTerms[chunk * columns + column]!,
    computed: (chunk, _, column) => compensation[chunk]![column]!,
    magnitude: (chunk, _, column) => magnitude[chunk * columns + column]!,
  });
};

/** The record of one head, e.g. `gemm.qk[1]`. */
const ofHead = ({ gemm, sizes }: LayerContext, name: "qk" | "sv", head: number): JsonValue => {
  const records = gemm.get(name).items();
  if (records.length !== sizes.heads) gemm.get(name).fail(`holds ${records.length} heads, not ${sizes.heads}`);
  return records[head]!;
};

/** K of one head [S, d] as the weight side, from the recorded centred keys, with the recorded bias. */
const checkKeys = (context: LayerContext, head: number, keys: Tensor<Float32Array>, record: JsonValue) => {
  const { comparison, tolerance, sizes, calibration } = context;
  const { tokens, depth, bits } = sizes;
  const fixed = calibration?.keys[head];
  const magnitude = largest(keys.data) * 2 * tolerance;
  const own = fixed?.bias ?? channelBias(keys);
  comparison.near(record.get("k_ch_bias"), [depth], own, () => (fixed === undefined ? magnitude : 0));
  const recorded = context.recorded.attention!.keys.subarray(head * tokens * depth, (head + 1) * tokens * depth);
  comparison.assembled(
    `${record.path} keys in calls`,
    recorded,
    [tokens, depth],
    keys.data.map((value, at) => value - own[at % depth]!),
    () => magnitude,
  );
  const centred = tensor([tokens, depth], recorded);
  const scales = fixed?.scales ?? rowScales(centred, bits);
  return { codes: quantizeRows(centred, scales, bits), scales, bias: record.get("k_ch_bias").floats([depth]) };
};

/** QK^T of one head; returns the recorded official output [T, S], or the plain product when attention is not quantised. */
export const checkScores = (context: LayerContext, head: number, queries: Tensor<Float32Array>, keys: Tensor<Float32Array>): Tensor<Float32Array> => {
  const { sizes, comparison, recorded } = context;
  const { chunks, chunk, tokens, depth } = sizes;
  if (recorded.attention === undefined) return plainAttention.scores(head, queries, keys);
  const record = ofHead(context, "qk", head);
  comparison.begin(`${sizes.name} qk[${head}]`);
  const block = chunks * chunk * depth;
  const activations = quantizeSigned(context, queries, context.calibration?.queries[head], {
    bias: record.get("q_ch_bias"),
    centred: recorded.attention.queries.subarray(head * block, (head + 1) * block),
    label: `${record.path} queries in calls`,
  });
  const weights = checkKeys(context, head, keys, record);
  compareOperands(comparison, record, activations, weights, none);

  const padded = tensor([chunks * chunk, depth], new Float32Array(block));
  padded.data.set(queries.data);
  const place = record.get("comp");
  const magnitude = scoreMagnitudes(padded, keys, activations, weights.bias);
  comparison.near(place, [chunks, chunk, tokens], officialScoreCompensation(padded, keys, activations, weights.bias), (at) =>
    roundingBound(depth, magnitude[at]!),
  );
  const recordedTerms = place.numbers([chunks, chunk, tokens]);
  return compareProductOutputs(comparison, record, activations, weights, {
    recorded: (_, row, column) => recordedTerms[row * tokens + column]!,
    computed: addedCompensation(scoreCompensation(queries, keys, activations, weights.bias)),
    magnitude: (_, row, column) => magnitude[row * tokens + column]!,
  });
};

/**
 * S·V of one head; returns the recorded official output [T, d], or the plain product when attention is not quantised.
 * The official code does not record S as a float, so a code whose quotient lies on a tie within the tolerance may be either neighbour.
 */
export const checkValues = (context: LayerContext, head: number, scores: Tensor<Float32Array>, values: Tensor<Float32Array>): Tensor<Float32Array> => {
  const { sizes, comparison, tolerance, recorded, calibration } = context;
  const { bits, chunk, chunks, tokens, depth } = sizes;
  if (recorded.attention === undefined) return plainAttention.values(head, scores, values);
  const record = ofHead(context, "sv", head);
  comparison.begin(`${sizes.name} sv[${head}]`);
  const fixed = calibration?.scores[head];
  const own = quantizeActivations(scores, optionsOf(sizes, true, fixed));
  const tmax = record.get("tmax").floats([chunks]);
  comparison.near(
    record.get("tmax"),
    [chunks],
    own.chunks.map((entry) => entry.tmax),
    () => (fixed === undefined ? tolerance : 0),
  );
  const given = fixed ?? own.chunks.map(({ cmax }, position) => ({ tmax: tmax[position]!, groupOf: groupTable(tmax[position]!, cmax, sizes.groups) }));
  const computed = quantizeActivations(scores, optionsOf(sizes, true, given));
  const tie = (at: number): number => {
    const { scales, groupOf } = computed.chunks[Math.floor(at / tokens / chunk)]!;
    const quotient = (scores.data[at] ?? 0) / scales[groupOf[at % tokens]!]!;
    return Math.abs(quotient - Math.floor(quotient) - 0.5) < quotient * tolerance * 2 ** -4 ? 1 : 0;
  };
  const recordedValues = recorded.attention.values.subarray(head * tokens * depth, (head + 1) * tokens * depth);
  comparison.assembled(`${record.path} values in calls`, recordedValues, [tokens, depth], values.data, none);
  const weights = quantizeValues(tensor([tokens, depth], recordedValues), bits, calibration?.valueScales[head]);
  const agreed = compareOperands(comparison, record, computed, weights, tie);
  // Where all codes agree, ties may have been decided the other way: the integer product is of the file's codes.
  const activations = agreed ? { ...computed, codes: record.get("x_codes").codes([chunks, chunk, tokens], 0, 2 ** bits - 1) } : computed;
  context.unsigned.scores.push(activations);
  if (!record.get("comp").isNull) record.get("comp").fail("is not null, but S·V has no compensation");
  return compareProductOutputs(comparison, record, activations, weights, { recorded: none, computed: none, magnitude: none });
};
