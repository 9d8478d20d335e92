import {
  type Bool,
  type BoolShape,
  bool,
  cat,
  constant,
  delay,
  type Index,
  mux,
  named,
  repeat,
  type SIntShape,
  sint,
  type UInt,
  type UIntShape,
  type VarOf,
  type Vec,
  type VecShape,
  vec,
  wire,
} from "../../hdl/index.ts";
import { type ArrayParameters, widthsOf } from "./parameters.ts";
import type { ArrayIo } from "./ports.ts";

/** Operands and tags of the beat that enters the mesh. */
export interface Beat {
  readonly x: Vec<SIntShape>;
  readonly w: Vec<SIntShape>;
  readonly shift: UInt;
  readonly first: Bool;
  readonly last: Bool;
}

/** Nets of a row of the mesh: element c is what reaches column c. */
export interface RowNets {
  readonly x: VarOf<VecShape<VecShape<SIntShape>>>;
  readonly shift: VarOf<VecShape<VecShape<UIntShape>>>;
  readonly first: VarOf<VecShape<VecShape<BoolShape>>>;
  readonly last: VarOf<VecShape<VecShape<BoolShape>>>;
}

const withSign = (element: UInt, signed: Bool): UInt => cat(element.bit(element.width - 1).and(signed), element);

/**
 * Activations as the cells' signed operands, zero where no beat is taken: a zero beat changes no sum, so that cells need no valid.
 * In a wide tile the low nibbles, on even lanes, have no sign.
 */
const activations = (io: ArrayIo, wide: Bool, taken: Bool, { rows, kind }: ArrayParameters): Vec<SIntShape> => {
  const x = wire("xIn", vec(rows, sint(widthsOf(kind).x)));
  const signed = io.x.unsigned.not();
  const set = (row: Index, hasSign: Bool): void => x.at(row).set(mux(taken, withSign(io.x.data.at(row), hasSign).asSInt(), 0));
  if (kind === "composable") {
    repeat("x_pair", rows / 2, (i) => {
      set(i.times(2), signed.and(wide.not()));
      set(i.times(2).plus(1), signed);
    });
  } else repeat("x_row", rows, (row) => set(row, signed), "r");
  return x;
};

/** Weights as the cells' operands: always signed, but for the low nibbles of a wide tile. */
const weights = (io: ArrayIo, wide: Bool, { cols, kind }: ArrayParameters): Vec<SIntShape> => {
  if (kind !== "composable") return io.w.data;
  const w = wire("wIn", vec(cols, sint(widthsOf(kind).w)));
  const set = (column: Index, hasSign: Bool): void => w.at(column).set(withSign(io.w.data.at(column).asUInt(), hasSign).asSInt());
  repeat("w_pair", cols / 2, (i) => {
    set(i.times(2), wide.not());
    set(i.times(2).plus(1), constant(bool, 1));
  });
  return w;
};

/** The beat at the edge of the mesh; nothing but zeros where none is taken. */
export const enteringBeat = (io: ArrayIo, wide: Bool, taken: Bool, parameters: ArrayParameters): Beat => ({
  x: activations(io, wide, taken, parameters),
  w: weights(io, wide, parameters),
  shift: named("shiftIn", mux(taken, io.x.shift, 0)),
  first: named("firstIn", taken.and(io.x.first)),
  last: named("lastIn", taken.and(io.x.last)),
});

/** Skews the beat: row r gets it r beats late, column c c beats late, so that operands meet in the cells. */
export const skew = (beat: Beat, rows: RowNets, w: VarOf<VecShape<SIntShape>>, advance: Bool): void => {
  rows.x.at(0).at(0).set(beat.x.at(0));
  rows.shift.at(0).at(0).set(beat.shift);
  rows.first.at(0).at(0).set(beat.first);
  rows.last.at(0).at(0).set(beat.last);
  w.at(0).set(beat.w.at(0));
  if (rows.x.length > 1)
    repeat("skew_row", rows.x.length - 1, (k) => {
      const row = k.plus(1);
      rows.x
        .at(row)
        .at(0)
        .set(delay("x", beat.x.at(row), row, { enable: advance }));
      rows.shift
        .at(row)
        .at(0)
        .set(delay("shift", beat.shift, row, { enable: advance }));
      rows.first
        .at(row)
        .at(0)
        .set(delay("first", beat.first, row, { enable: advance }));
      rows.last
        .at(row)
        .at(0)
        .set(delay("last", beat.last, row, { enable: advance, reset: true }));
    });
  if (w.length > 1) repeat("skew_col", w.length - 1, (k) => w.at(k.plus(1)).set(delay("w", beat.w.at(k.plus(1)), k.plus(1), { enable: advance })));
};
