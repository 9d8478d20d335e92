import { type Bool, cat, mux, named, type UInt, type UIntShape, type Vec } from "../../../hdl/index.ts";
import { widthsOf } from "../parameters.ts";
import { type CoreParameters, geometryOf } from "./parameters.ts";

const joined = (parts: readonly UInt[]): UInt => cat(...(parts.toReversed() as unknown as [UInt, ...UInt[]]));

/** Results of a row as they lie in memory, element 0 in the low bits; in an INT8 product on composable cells the even lanes hold them. */
export const rowLanes = (data: Vec<UIntShape>, wide: Bool, { cols, kind }: CoreParameters): UInt[] =>
  Array.from({ length: cols }, (_, lane) =>
    kind === "composable" && lane > 0 && lane < cols / 2 ? named(`lane${lane}`, mux(wide, data.at(2 * lane), data.at(lane))) : data.at(lane),
  );

/** Bits of a code, and of a code of an INT8 product. */
export const codeBits = ({ kind }: CoreParameters): { readonly narrow: number; readonly wide: number } => {
  const { element } = widthsOf(kind);
  return { narrow: element, wide: kind === "composable" ? 8 : element };
};

/** A row in the format of its job, `cols * 32` bits. */
export const packedRow = (lanes: readonly UInt[], format: { readonly half: Bool; readonly codes: Bool }, wide: Bool, parameters: CoreParameters): UInt => {
  const { cols, requantize, kind } = parameters;
  const whole = joined(lanes);
  const half = named("halfRow", joined(lanes.map((lane) => lane.wrap(16))).extend(cols * 32));
  const plain = named("plainRow", mux(format.half, half, whole));
  if (!requantize) return plain;
  const { narrow, wide: wideBits } = codeBits(parameters);
  const codes = (bits: number): UInt => joined(lanes.map((lane) => lane.wrap(bits))).extend(cols * 32);
  const row = kind === "composable" ? mux(wide, codes(wideBits), codes(narrow)) : codes(narrow);
  return named("packedRow", mux(format.codes, named("codeRow", row), plain));
};

/** Bytes of `columns` results of a row, or of as many words of a transposed tile. */
export const resultBytes = (columns: UInt, format: UInt, transpose: Bool, wide: Bool, parameters: CoreParameters): UInt => {
  const { kind, rows, requantize } = parameters;
  const width = columns.width + 7;
  const plain = mux(format.bit(0), columns.shl(1).extend(width), columns.shl(2).extend(width));
  if (!requantize) return plain;
  const nibbles = columns.add(1).shr(1).extend(width);
  const bytes = columns.extend(width);
  const row = kind === "int8" ? bytes : kind === "int4" ? nibbles : mux(wide, bytes, nibbles);
  const words = columns.shl(Math.log2((rows * geometryOf(parameters).element) / 8)).extend(width);
  return mux(format.bit(2), named("codeBytes", mux(transpose, words, row)), named("plainBytes", plain));
};
