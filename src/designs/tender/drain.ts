import {
  type Bool,
  type BoolShape,
  bool,
  cat,
  delay,
  mux,
  named,
  reg,
  repeat,
  type SInt,
  type SIntShape,
  sint,
  sync,
  type VarOf,
  type VecShape,
  vec,
  when,
  wire,
} from "../../hdl/index.ts";
import { countdown } from "./countdown.ts";
import type { ArrayParameters } from "./parameters.ts";
import type { ArrayIo } from "./ports.ts";

/** Results as they leave the bottom of the mesh, one row a beat, column c c beats late. */
export interface Bottom {
  readonly result: VarOf<VecShape<SIntShape>>;
  readonly overflow: VarOf<VecShape<BoolShape>>;
  /** The tile's last row is at the aligned output in this beat, and the others follow. */
  readonly start: Bool;
}

interface Row {
  readonly data: VarOf<VecShape<SIntShape>>;
  readonly overflow: VarOf<VecShape<BoolShape>>;
}

/** Undoes the skew: all columns of a row at once. */
const align = ({ result, overflow }: Bottom, { cols, accWidth }: ArrayParameters, advance: Bool): Row => {
  const data = wire("rowData", vec(cols, sint(accWidth)));
  const flags = wire("rowOverflow", vec(cols, bool));
  data.at(cols - 1).set(result.at(cols - 1));
  flags.at(cols - 1).set(overflow.at(cols - 1));
  if (cols > 1)
    repeat("align_col", cols - 1, (k) => {
      // Named, since Verilator keeps a net in one piece where a clocked block reads it: a slow build and a slow model.
      const leaving = named("leaving", cat(overflow.at(k), result.at(k)));
      const lane = delay("lane", leaving, k.times(-1).plus(cols - 1), { enable: advance });
      data.at(k).set(lane.bits(accWidth - 1, 0).asSInt());
      flags.at(k).set(lane.bit(accWidth));
    });
  return { data, overflow: flags };
};

/** Counts the rows of a tile out: `sending` on each of its R beats, `final` on row 0, `odd` on rows of odd number. */
const countRows = (start: Bool, rows: number, advance: Bool): { readonly sending: Bool; readonly final: Bool; readonly odd: Bool } => {
  if (rows === 1) return { sending: start, final: start, odd: start.not() };
  const below = countdown("rowsLeft", rows - 1, start, advance, "rows of the tile still to come after the first beat");
  return { sending: named("sending", start.or(below.ne(0))), final: below.eq(1), odd: start.or(below.bit(0).not()) };
};

/** Native kinds: rows go straight out. */
export const drainRows = (io: ArrayIo, bottom: Bottom, parameters: ArrayParameters, advance: Bool): void => {
  const row = align(bottom, parameters, advance);
  const { sending, final } = countRows(bottom.start, parameters.rows, advance);
  io.y.valid.set(sending);
  io.y.data.set(row.data);
  io.y.last.set(final);
  io.y.overflow.set(row.overflow.asUInt().any());
};

/** INT8 result of a 2x2 cluster: `(hh << 8) + ((hl + lh) << 4) + ll`, each plane named by the nibble of x, then of w. */
const merge = (hh: SInt, hl: SInt, lh: SInt, ll: SInt): SInt => hh.shl(8).add(hl.add(lh).shl(4)).add(ll);

/**
 * Composable kind: rows of an INT4 tile go out as they are; of an INT8 tile the two rows of a pair become one, its results on the even lanes.
 * One register more than the native kinds.
 * @param wideTag the wide tag of the beat that is taken
 */
export const drainMerged = (io: ArrayIo, bottom: Bottom, parameters: ArrayParameters, advance: Bool, wideTag: Bool): void => {
  const { rows, cols, accWidth } = parameters;
  const row = align(bottom, parameters, advance);
  const { sending, final, odd: isOdd } = countRows(bottom.start, rows, advance);
  const odd = named("oddRow", isOdd);
  const arriving = delay("wideArriving", wideTag, rows + cols - 1, { enable: advance });
  const kept = reg("wideKept", bool, { doc: "wide tag of the tile that drains" });
  const wide = named("wideDrain", mux(bottom.start, arriving, kept));
  const high = reg("high", vec(cols, sint(accWidth)), { doc: "row of the high nibbles, which comes first" });
  const highOverflow = reg("highOverflow", bool);
  const valid = reg("outValid", bool, { reset: 0 });
  const data = reg("outData", vec(cols, sint(accWidth)));
  const last = reg("outLast", bool);
  const overflow = reg("outOverflow", bool);
  const lost = wire("mergeLost", vec(cols / 2, bool), "the merged sum is out of range");
  const rowOverflow = named("anyOverflow", row.overflow.asUInt().any());
  sync(() => {
    when(advance, () => {
      when(bottom.start, () => kept.set(arriving));
      when(odd, () => {
        high.set(row.data);
        highOverflow.set(rowOverflow);
      });
      valid.set(sending.and(wide.and(odd).not()));
      last.set(final);
      overflow.set(rowOverflow.or(wide.and(highOverflow.or(lost.asUInt().any()))));
    });
  });
  repeat("merge_pair", cols / 2, (i) => {
    const [low, up] = [i.times(2), i.times(2).plus(1)];
    const exact = named("merged", merge(high.at(up), high.at(low), row.data.at(up), row.data.at(low)));
    lost.at(i).set(exact.fits(accWidth).not());
    sync(() => {
      when(advance, () => {
        data.at(low).set(mux(wide, exact.wrap(accWidth), row.data.at(low)));
        data.at(up).set(mux(wide, 0, row.data.at(up)));
      });
    });
  });
  io.y.valid.set(valid);
  io.y.data.set(data);
  io.y.last.set(last);
  io.y.overflow.set(overflow);
};
