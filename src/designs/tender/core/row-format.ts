import { type Bool, mux, named, repeat, type UInt, type UIntShape, uint, type Vec, vec, wire } from "../../../hdl/index.ts";
import { widthsOf } from "../parameters.ts";
import { type CoreParameters, geometryOf } from "./parameters.ts";

/** Results of a row as they lie in memory, element 0 in the low bits; in an INT8 product on composable cells the even lanes hold them. */
export const rowLanes = (data: Vec<UIntShape>, wide: Bool, { cols, kind }: CoreParameters): Vec<UIntShape> => {
  if (kind !== "composable") return data;
  const lanes = wire("lanes", vec(cols, uint(32)));
  repeat("low_lane", cols / 2, (lane) => lanes.at(lane).set(mux(wide, data.at(lane.times(2)), data.at(lane))));
  repeat("high_lane", cols / 2, (lane) => lanes.at(lane.plus(cols / 2)).set(data.at(lane.plus(cols / 2))));
  return lanes;
};

/** The low bits of each lane, side by side. */
const cut = (name: string, lanes: Vec<UIntShape>, bits: number): UInt => {
  const parts = wire(name, vec(lanes.length, uint(bits)));
  repeat(`${name}_lane`, lanes.length, (lane) => parts.at(lane).set(lanes.at(lane).wrap(bits)));
  return parts.asUInt();
};

/** Bits of a code, and of a code of an INT8 product. */
export const codeBits = ({ kind }: CoreParameters): { readonly narrow: number; readonly wide: number } => {
  const { element } = widthsOf(kind);
  return { narrow: element, wide: kind === "composable" ? 8 : element };
};

/** A row in the format of its job, `cols * 32` bits. */
export const packedRow = (lanes: Vec<UIntShape>, format: { readonly half: Bool; readonly codes: Bool }, wide: Bool, parameters: CoreParameters): UInt => {
  const { cols, requantize, kind } = parameters;
  const width = cols * 32;
  const plain = named("plainRow", mux(format.half, cut("halves", lanes, 16).extend(width), lanes.asUInt()));
  if (!requantize) return plain;
  const bits = codeBits(parameters);
  const narrow = cut("codes", lanes, bits.narrow).extend(width);
  const codes = kind === "composable" ? mux(wide, cut("wideCodes", lanes, bits.wide).extend(width), narrow) : narrow;
  return named("packedRow", mux(format.codes, codes, plain));
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
