import { UserError } from "../../base/error.ts";
import type { ActivationChunk, ChunkCalibration, Rounding } from "./groups.ts";
import { groupTable } from "./groups.ts";

/** What one sample contributes for one chunk position. */
export type ChunkStatistics = Pick<ActivationChunk, "bias" | "tmax" | "cmax">;

export interface CalibratedChunk extends ChunkCalibration {
  readonly bias: Float32Array;
  readonly cmax: Float32Array;
}

/** Element-wise mean in binary32: samples added in order, then divided (`calibration/opt/calibration.py:315-390`). */
export const meanBias = (samples: readonly Float32Array[]): Float32Array => {
  const sum = new Float32Array(samples[0]?.length ?? 0);
  for (const sample of samples) for (let at = 0; at < sum.length; at++) sum[at] = sum[at]! + sample[at]!;
  return sum.map((total) => total / samples.length);
};

/** Element-wise maximum over samples (`calibration/opt/calibration.py:167-242`). */
export const maxima = (samples: readonly Float32Array[]): Float32Array =>
  Float32Array.from(samples[0] ?? [], (_, at) => samples.reduce((largest, sample) => Math.max(largest, sample[at]!), 0));

/**
 * Static calibration of one tensor from dynamic runs: bias is the mean over samples, tmax and cmax the maxima (each sample having removed its own bias),
 * and the group tables follow from the maxima, rounded up or down. One entry a chunk position.
 * @throws UserError `calibration-shape` when the samples differ in chunks or channels.
 */
export const calibrate = (samples: readonly (readonly ChunkStatistics[])[], groups: number, rounding: Rounding): CalibratedChunk[] => {
  const [reference] = samples;
  if (reference === undefined) throw new UserError("calibration-shape", "a calibration needs at least one sample");
  return reference.map(({ cmax: channels }, position) => {
    const here = samples.map((sample) => sample[position]);
    if (samples.some((sample) => sample.length !== reference.length) || here.some((chunk) => chunk?.cmax.length !== channels.length))
      throw new UserError("calibration-shape", "the calibration samples differ in rows or channels");
    const chunks = here.filter((chunk) => chunk !== undefined);
    const tmax = Math.max(...chunks.map((chunk) => chunk.tmax));
    const cmax = maxima(chunks.map((chunk) => chunk.cmax));
    return { bias: meanBias(chunks.map((chunk) => chunk.bias)), tmax, cmax, groupOf: groupTable(tmax, cmax, groups, rounding) };
  });
};
