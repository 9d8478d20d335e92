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
  const { bits, groups, chunk, chunks, tokens, hidden, ffn, heads, depth, quantizedAttention } = sizes;
  const rounding: Rounding = sizes.mode === "static_rdn" ? "rdn" : "rup";
  if (file.get("scheme").text() !== rounding) file.get("scheme").fail(`is "${file.get("scheme").text()}" in a case of mode ${sizes.mode}`);
  const samples = file.get("samples").items();
  if (samples.length === 0) file.get("samples").fail("is empty");
  const runs = samples.map((sample) =>
    officialLayer(parameters, tensor([tokens, hidden], sample.floats([tokens, hidden])), { bits, groups, chunk, quantizedAttention }),
  );
  const bound = (magnitude: number, first: boolean) => (first ? magnitude * tolerance : tolerance === 0 ? 0 : (2 * magnitude) / (2 ** (bits - 1) - 1));

  const tensors: CalibratedTensor[] = activationNames.map((name) => ({
    name,
    channels: name === "fc2" ? ffn : hidden,
    heads: undefined,
    biased: name !== "fc2",
    samples: [runs.map((run) => run.linear[name])],
    first: name === "h",
  }));
  const byHead = (of: (run: LayerStatistics, head: number) => readonly ActivationChunk[]) =>
    Array.from({ length: heads }, (_, head) => runs.map((run) => of(run, head)));
  if (quantizedAttention) {
    tensors.push({ name: "q", channels: depth, heads, biased: true, samples: byHead((run, head) => run.queries[head]!), first: false });
    tensors.push({ name: "s", channels: tokens, heads, biased: false, samples: byHead((run, head) => run.scores[head]!), first: false });
  }

  const read = new Map<string, ChunkCalibration[][]>();
  for (const { name, channels, heads: count, biased, samples: perHead, first } of tensors) {
    const axes = count === undefined ? [chunks] : [count, chunks];
    const maximaFile = file.get("tmax_cmax");
    const computed = perHead.flatMap((runsOfHead) => calibrate(runsOfHead, groups, rounding));
    const magnitude = largest(computed.map(({ tmax, bias }) => tmax + largest(bias)));
    const tmax = maximaFile.get(`${name}_tmax`).floats(axes);
    const cmax = maximaFile.get(`${name}_cmax`).floats([...axes, channels]);
    comparison.near(
      maximaFile.get(`${name}_tmax`),
      axes,
      computed.map((entry) => entry.tmax),
      () => bound(magnitude, first),
    );
    comparison.near(
      maximaFile.get(`${name}_cmax`),
      [...axes, channels],
      computed.flatMap((entry) => [...entry.cmax]),
      () => bound(magnitude, first),
    );
    const bias = biased
      ? file
          .get("bias")
          .get(name)
          .floats([...axes, 1, channels])
      : new Float32Array(axes.reduce((product, axis) => product * axis, channels));
    if (biased)
      comparison.near(
        file.get("bias").get(name),
        [...axes, 1, channels],
        computed.flatMap((entry) => [...entry.bias]),
        () => bound(magnitude, first),
      );
    const tables = { rup: new Uint8Array(cmax.length), rdn: new Uint8Array(cmax.length) };
    for (const variant of ["rup", "rdn"] as const) {
      for (const [position, most] of tmax.entries())
        tables[variant].set(groupTable(most, cmax.subarray(position * channels, (position + 1) * channels), groups, variant), position * channels);
      comparison.exact(file.get(`group_index_${variant}`).get(`${name}_cmax`), [...axes, channels], tables[variant]);
    }
    const entries = [...tmax].map((most, at) => ({
      bias: bias.subarray(at * channels, (at + 1) * channels),
      tmax: most,
      groupOf: tables[rounding].subarray(at * channels, (at + 1) * channels),
    }));
    read.set(
      name,
      Array.from({ length: count ?? 1 }, (_, head) => entries.slice(head * chunks, (head + 1) * chunks)),
    );
  }
  const linear = (name: ActivationName) => read.get(name)![0]!;
  const attention = quantizedAttention ? checkAttentionCalibration(file, runs, sizes, comparison, bound) : { keys: [], valueScales: [] };
  return {
    linear: { h: linear("h"), o: linear("o"), fc1: linear("fc1"), fc2: linear("fc2") },
    queries: read.get("q") ?? [],
    scores: read.get("s") ?? [],
    ...attention,
  };
};

/** K's mean bias and the maxima of K's and V's scales. */
const checkAttentionCalibration = (
  file: JsonValue,
  runs: readonly LayerStatistics[],
  { heads, tokens, depth }: LayerSizes,
  comparison: Comparison,
  bound: (magnitude: number, first: boolean) => number,
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
