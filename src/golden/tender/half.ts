import { roundHalfEven } from "./quantize.ts";

/** `x` rounded to binary16, ties to even, subnormals included; beyond 65519 infinite. */
export const roundToHalf = (x: number): number => {
  if (x === 0 || !Number.isFinite(x)) return x;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(x))), -14);
  const unit = 2 ** (exponent - 10);
  const rounded = roundHalfEven(x / unit) * unit;
  return Math.abs(rounded) > 65504 ? Math.sign(x) * Number.POSITIVE_INFINITY : rounded;
};

/**
 * Group scales as a binary16 run computes them, smallest first (research 1.7): once they are subnormal they are no longer powers of two apart.
 * `ratioError` is the largest |s[i+1] / (2 s[i]) - 1|.
 */
export const halfScales = (tmax: number, groups: number, bits: number): { readonly scales: Float64Array; readonly ratioError: number } => {
  const largestCode = 2 ** (bits - 1) - 1;
  const scales = Float64Array.from({ length: groups }, (_, index) => roundToHalf(roundToHalf(roundToHalf(tmax) / 2 ** (groups - 1 - index)) / largestCode));
  const ratioError = scales.reduce((most, scale, index) => (index === 0 ? 0 : Math.max(most, Math.abs(scale / scales[index - 1]! / 2 - 1))), 0);
  return { scales, ratioError };
};
