import { tensor } from "../../base/tensor.ts";
import type { KeyCalibration } from "../../golden/tender/attention.ts";
import { calibrate, maxima, meanBias } from "../../golden/tender/calibration.ts";
import type { ActivationChunk, ChunkCalibration, Rounding } from "../../golden/tender/groups.ts";
import { groupTable } from "../../golden/tender/groups.ts";
import type { ActivationName, DecoderLayerParameters, LayerStatistics } from "../../golden/tender/official-layer.ts";
import { activationNames, officialLayer } from "../../golden/tender/official-layer.ts";
import type { Comparison } from "./comparison.ts";
import type { JsonValue } from "./json-value.ts";
import type { LayerSizes } from "./layer-case.ts";

/** What the file's static calibration fixes for each tensor; lists are by head. */
export interface LayerCalibration {
  readonly linear: Readonly<Record<ActivationName, readonly ChunkCalibration[]>>;
  readonly queries: readonly (readonly ChunkCalibration[])[];
  readonly scores: readonly (readonly ChunkCalibration[])[];
  readonly keys: readonly KeyCalibration[];
  readonly valueScales: readonly Float32Array[];
}

/** One calibrated tensor of the file: `chunks` positions of `channels`, for each head where `heads` is given. */
interface CalibratedTensor {
  readonly name: string;
  readonly channels: number;
  readonly heads: number | undefined;
  readonly biased: boolean;
  /** By head (one entry without heads), then by sample. */
  readonly samples: readonly (readonly (readonly ActivationChunk[])[])[];
  /** Whether it precedes every quantised product, so that no code can fall the other way on another machine. */
  readonly first: boolean;
}

const largest = (values: ArrayLike<number>): number =>
  Array.prototype.reduce.call(values, (most: unknown, value) => Math.max(Number(most), Math.abs(Number(value))), 0) as number;

/** Difference allowed from a value whose tensor has the given largest magnitude; `first` as in CalibratedTensor. */
type Bound = (magnitude: number, first: boolean) => number;

/**
 * Reads the calibration of a static case and checks it: group tables from the recorded maxima, and maxima and mean bias from the samples.
 * The samples have no recorded intermediates, so a value near a rounding tie could take the other code under another order of float additions;
 * unless `tolerance` is 0, what follows the first quantised product is therefore compared within two code steps.
 */
export const checkCalibration = (
  file: JsonValue,
  parameters: DecoderLayerParameters,
  sizes: LayerSizes,
  comparison: Comparison,
  tolerance: number,
): LayerCalibration => {
  const { bits, groups, chunk, tokens, hidden, quantizedAttention } = sizes;
  const rounding: Rounding = sizes.mode === "static_rdn" ? "rdn" : "rup";
  if (file.get("scheme").text() !== rounding) file.get("scheme").fail(`is "${file.get("scheme").text()}" in a case of mode ${sizes.mode}`);
  const samples = file.get("samples").items();
  if (samples.length === 0) file.get("samples").fail("is empty");
  const runs = samples.map((sample) =>
    officialLayer(parameters, tensor([tokens, hidden], sample.floats([tokens, hidden])), { bits, groups, chunk, quantizedAttention }),
  );
  const bound: Bound = (magnitude, first) => (first ? magnitude * tolerance : tolerance === 0 ? 0 : (2 * magnitude) / (2 ** (bits - 1) - 1));
  const read = new Map(calibratedTensors(runs, sizes).map((entry) => [entry.name, checkTensor(file, entry, sizes, rounding, comparison, bound)]));
  const linear = (name: ActivationName): readonly ChunkCalibration[] => read.get(name)![0]!;
  return {
    linear: { h: linear("h"), o: linear("o"), fc1: linear("fc1"), fc2: linear("fc2") },
    queries: read.get("q") ?? [],
    scores: read.get("s") ?? [],
    ...(quantizedAttention ? checkAttentionCalibration(file, runs, sizes, comparison, bound) : { keys: [], valueScales: [] }),
  };
};

/** The tensors that the calibration covers, with what each sample's run saw. */
const calibratedTensors = (runs: readonly LayerStatistics[], { hidden, ffn, heads, depth, tokens, quantizedAttention }: LayerSizes): CalibratedTensor[] => {
  const linear = activationNames.map((name) => ({
    name,
    channels: name === "fc2" ? ffn : hidden,
    heads: undefined,
    biased: name !== "fc2",
    samples: [runs.map((run) => run.linear[name])],
    first: name === "h",
  }));
  if (!quantizedAttention) return linear;
  const byHead = (of: (run: LayerStatistics) => readonly (readonly ActivationChunk[])[]): CalibratedTensor["samples"] =>
    Array.from({ length: heads }, (_, head) => runs.map((run) => of(run)[head]!));
  return [
    ...linear,
    { name: "q", channels: depth, heads, biased: true, samples: byHead((run) => run.queries), first: false },
    { name: "s", channels: tokens, heads, biased: false, samples: byHead((run) => run.scores), first: false },
  ];
};

/** One tensor's calibration, by head (one entry without heads), then by chunk. */
const checkTensor = (
  file: JsonValue,
  { name, channels, heads, biased, samples, first }: CalibratedTensor,
  { groups, chunks }: LayerSizes,
  rounding: Rounding,
  comparison: Comparison,
  bound: Bound,
): ChunkCalibration[][] => {
  const axes = heads === undefined ? [chunks] : [heads, chunks];
  const computed = samples.flatMap((ofHead) => calibrate(ofHead, groups, rounding));
  const allowed = bound(largest(computed.map(({ tmax, bias }) => tmax + largest(bias))), first);
  const compare = (place: JsonValue, shape: readonly number[], values: number[]): Float32Array => {
    comparison.near(place, shape, values, () => allowed);
    return place.floats(shape);
  };
  const maximaFile = file.get("tmax_cmax");
  const peaks = computed.map((entry) => entry.tmax);
  const channelPeaks = computed.flatMap((entry) => [...entry.cmax]);
  const tmax = compare(maximaFile.get(`${name}_tmax`), axes, peaks);
  const cmax = compare(maximaFile.get(`${name}_cmax`), [...axes, channels], channelPeaks);
  const biases = computed.flatMap((entry) => [...entry.bias]);
  const bias = biased ? compare(file.get("bias").get(name), [...axes, 1, channels], biases) : new Float32Array(biases.length);
  const slice = <A extends Float32Array | Uint8Array>(values: A, at: number): A => values.subarray(at * channels, (at + 1) * channels) as A;
  const tables = { rup: new Uint8Array(cmax.length), rdn: new Uint8Array(cmax.length) };
  for (const variant of ["rup", "rdn"] as const) {
    for (const [at, most] of tmax.entries()) tables[variant].set(groupTable(most, slice(cmax, at), groups, variant), at * channels);
    comparison.exact(file.get(`group_index_${variant}`).get(`${name}_cmax`), [...axes, channels], tables[variant]);
  }
  const entries = Array.from(tmax, (most, at) => ({ bias: slice(bias, at), tmax: most, groupOf: slice(tables[rounding], at) }));
  return Array.from({ length: heads ?? 1 }, (_, head) => entries.slice(head * chunks, (head + 1) * chunks));
};

/** K's mean bias and the maxima of K's and V's scales. */
const checkAttentionCalibration = (
  file: JsonValue,
  runs: readonly LayerStatistics[],
  { heads, tokens, depth }: LayerSizes,
  comparison: Comparison,
  bound: Bound,
): Pick<LayerCalibration, "keys" | "valueScales"> => {
  const all = Array.from({ length: heads }, (_, head) => head);
  const compare = (place: JsonValue, shape: readonly number[], computed: number[]): Float32Array => {
    comparison.near(place, shape, computed, () => bound(largest(computed), false));
    return place.floats(shape);
  };
  const bias = compare(
    file.get("bias").get("k"),
    [heads, 1, depth],
    all.flatMap((head) => [...meanBias(runs.map((run) => run.keys[head]!.bias))]),
  );
  const keyScales = compare(
    file.get("tmax_cmax").get("k_scale"),
    [heads, tokens, 1],
    all.flatMap((head) => [...maxima(runs.map((run) => run.keys[head]!.scales))]),
  );
  const valueScales = compare(
    file.get("tmax_cmax").get("v_scale"),
    [heads, 1, depth],
    all.flatMap((head) => [...maxima(runs.map((run) => run.valueScales[head]!))]),
  );
  return {
    keys: all.map((head) => ({ bias: bias.slice(head * depth, (head + 1) * depth), scales: keyScales.slice(head * tokens, (head + 1) * tokens) })),
    valueScales: all.map((head) => valueScales.slice(head * depth, (head + 1) * depth)),
  };
};
