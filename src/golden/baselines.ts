import type { Tensor } from "../base/tensor.ts";
import { checkBits, codeRange, roundingConstant, smallestDivisor } from "./tender/quantize.ts";

/** Activations in codes with one scale a row: what Tender is compared with. */
export interface RowQuantized {
  /** [T, K], row-major. */
  readonly codes: Int16Array;
  /** [T]: scale of each row; all the same when one scale serves the tensor. */
  readonly scales: Float32Array;
}

const magnitudeOf = (values: Float32Array): number => values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);

/**
 * Round-to-nearest activations [T, K] without channel bias or groups, dynamic: one scale `max|x| / codeMax` for the whole tensor
 * (`"tensor"`) or for each row (`"token"`), codeMax = 2^(b-1)-1 signed or 2^b-1 unsigned (after ReLU). An all-zero row or tensor
 * has codes 0. These are the per-tensor and per-token columns of the paper's tables 1 and 2.
 * @throws UserError `bad-bits`.
 */
export const quantizeUngrouped = (x: Tensor, granularity: "tensor" | "token", options: { bits: number; unsigned?: boolean | undefined }): RowQuantized => {
  const { bits, unsigned = false } = options;
  checkBits(bits);
  const [rows = 0, channels = 0] = x.shape;
  const { low, high } = codeRange(bits, unsigned);
  const codes = new Int16Array(rows * channels);
  const row = (index: number): Float32Array => x.data.subarray(index * channels, (index + 1) * channels);
  const whole = granularity === "tensor" ? magnitudeOf(x.data) : 0;
  const scales = Float32Array.from({ length: rows }, (_, index) => (granularity === "tensor" ? whole : magnitudeOf(row(index))) / high);
  for (let index = 0; index < rows; index++) {
    const divisor = Math.max(scales[index]!, smallestDivisor);
    for (let at = index * channels; at < (index + 1) * channels; at++) {
      const quotient = Math.fround(x.data[at]! / divisor);
      codes[at] = (quotient < low ? low : quotient > high ? high : quotient) + roundingConstant - roundingConstant;
    }
  }
  return { codes, scales };
};
