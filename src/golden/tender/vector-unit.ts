import { canonicalNan, toBfloat16 } from "../float/binary32.ts";
import { codeRange, roundHalfEven } from "./quantize.ts";

/** Constants of a column, binary32. */
export interface ColumnConstants {
  readonly scale: number;
  readonly compensation: number;
  /** Of the next layer's channel, subtracted before its code is made. */
  readonly bias: number;
  readonly codeScale: number;
}

/** How a result leaves: as a float, or as a code of the next layer. */
export type ResultFormat = "binary32" | "bfloat16" | { readonly bits: 4 | 8; readonly unsigned: boolean };

export interface VectorResult {
  /** The result's bits, in the low end; zeros above. */
  readonly bits: number;
  /** The result is NaN, or the code 0 stands for one. */
  readonly nan: boolean;
}

const view = new DataView(new ArrayBuffer(4));

const bitsOf = (value: number): number => {
  if (Number.isNaN(value)) return canonicalNan;
  view.setFloat32(0, value);
  return view.getUint32(0);
};

/**
 * What the vector unit makes of an accumulator (contracts, Vector unit and Requantisation), in doubles rounded to binary32 after each operation.
 * @param accumulator an integer of magnitude up to 2^53
 * @param rowCompensation of QK^T; undefined where the product has none
 */
export const vectorResult = (
  accumulator: number,
  { scale, compensation, bias, codeScale }: ColumnConstants,
  rowCompensation: number | undefined,
  relu: boolean,
  format: ResultFormat,
): VectorResult => {
  const c = rowCompensation === undefined ? compensation : Math.fround(compensation + rowCompensation);
  const sum = Math.fround(Math.fround(Math.fround(accumulator) * scale) + c);
  const y = relu && sum <= 0 ? 0 : sum;
  if (format === "binary32") return { bits: bitsOf(y), nan: Number.isNaN(y) };
  if (format === "bfloat16") return { bits: toBfloat16(bitsOf(y)), nan: Number.isNaN(y) };
  const quotient = Math.fround(Math.fround(y - bias) / codeScale);
  if (Number.isNaN(quotient)) return { bits: 0, nan: true };
  const { low, high } = codeRange(format.bits, format.unsigned);
  const code = Math.min(Math.max(roundHalfEven(quotient), low), high);
  return { bits: code < 0 ? code + 2 ** format.bits : code, nan: false };
};
