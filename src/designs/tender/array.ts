import {
  assert,
  type Bool,
  bool,
  cat,
  constant,
  delay,
  discard,
  grid,
  instance,
  type Module,
  module,
  named,
  reg,
  repeat,
  sint,
  sync,
  uint,
  vec,
  when,
  wire,
} from "../../hdl/index.ts";
import { describeParameters } from "../design.ts";
import { tenderCell } from "./cell.ts";
import { countdown } from "./countdown.ts";
import { type Bottom, drainMerged, drainRows } from "./drain.ts";
import { type Beat, enteringBeat, skew } from "./edges.ts";
import { type ArrayParameters, arraySchema, cellSuffix, checkArray, widthsOf } from "./parameters.ts";
import { type ArrayIo, type ArrayPorts, composablePorts, nativePorts } from "./ports.ts";

/** Cells in a grid, with the nets between them; returns what leaves at the bottom. */
const mesh = (parameters: ArrayParameters, beat: Beat, advance: Bool): Bottom => {
  const { rows, cols, kind, accWidth, shiftBits } = parameters;
  const { x: xWidth, w: wWidth } = widthsOf(kind);
  const x = wire("xNet", vec(rows, vec(cols + 1, sint(xWidth))));
  const shift = wire("shiftNet", vec(rows, vec(cols + 1, uint(shiftBits))));
  const first = wire("firstNet", vec(rows, vec(cols + 1, bool)));
  const last = wire("lastNet", vec(rows, vec(cols + 1, bool)));
  const w = wire("wNet", vec(rows + 1, vec(cols, sint(wWidth))));
  const result = wire("resultNet", vec(rows + 1, vec(cols, sint(accWidth))));
  const overflow = wire("overflowNet", vec(rows + 1, vec(cols, bool)));
  skew(beat, { x, shift, first, last }, w.at(0), advance);
  result.at(0).set(Array.from({ length: cols }, () => 0));
  overflow.at(0).set(Array.from({ length: cols }, () => 0 as const));
  const cell = tenderCell(parameters);
  grid("cell", rows, cols, (r, c) => {
    const [right, below] = [c.plus(1), r.plus(1)];
    instance("u_cell", cell, {
      enable: advance,
      x: x.at(r).at(c),
      w: w.at(r).at(c),
      shift: shift.at(r).at(c),
      first: first.at(r).at(c),
      last: last.at(r).at(c),
      complete: last.at(rows - 1).at(c),
      resultAbove: result.at(r).at(c),
      overflowAbove: overflow.at(r).at(c),
      xOut: x.at(r).at(right),
      wOut: w.at(below).at(c),
      shiftOut: shift.at(r).at(right),
      firstOut: first.at(r).at(right),
      lastOut: last.at(r).at(right),
      result: result.at(below).at(c),
      overflow: overflow.at(below).at(c),
    });
  });
  repeat("edge_row", rows, (r) => discard("edge", cat(x.at(r).at(cols), shift.at(r).at(cols), first.at(r).at(cols), last.at(r).at(cols))), "r");
  discard("edge_col", w.at(rows));
  // The tag at the bottom right corner says the same, but tools that see a net as one thing would find a loop through it.
  const start = delay("drainStart", beat.last, rows + cols - 1, { enable: advance, reset: true });
  return { result: result.at(rows), overflow: overflow.at(rows), start };
};

/** A tile's results need R beats to leave, so the next tile's last beat comes R beats after this one's at the earliest. */
const mayEnd = (rows: number, ends: Bool, advance: Bool): Bool =>
  rows === 1 ? constant(bool, 1) : countdown("drainWait", rows - 1, ends, advance, "beats until a tile may end").eq(0);

const checkProtocol = (io: ArrayIo, taken: Bool, ends: Bool): void => {
  const inTile = reg("inTile", bool, { reset: 0, doc: "for the assertions: a tile has begun and not ended" });
  sync(() => {
    when(taken, () => inTile.set(ends.not()));
  });
  assert("first_starts_tile", taken.not().or(io.x.first.xor(inTile)));
  assert("no_shift_on_first", taken.not().or(io.x.first.not()).or(io.x.shift.eq(0)));
};

const build = (io: ArrayIo, wide: Bool | undefined, parameters: ArrayParameters): void => {
  const { rows } = parameters;
  const advance = wire("advance", bool, "a result that nobody takes freezes everything");
  const taken = wire("taken", bool, "a beat of x and one of w enter");
  const ends = wire("ends", bool);
  ends.set(taken.and(io.x.last));
  const may = named("mayTake", advance.and(io.x.last.not().or(mayEnd(rows, ends, advance))));
  taken.set(may.and(io.x.valid).and(io.w.valid));
  io.x.ready.set(may.and(io.w.valid));
  io.w.ready.set(may.and(io.x.valid));

  const bottom = mesh(parameters, enteringBeat(io, wide ?? constant(bool, 0), taken, parameters), advance);
  advance.set(io.y.ready.or(io.y.valid.not()));
  if (wide === undefined) drainRows(io, bottom, parameters, advance);
  else drainMerged(io, bottom, parameters, advance, wide);
  checkProtocol(io, taken, ends);
};

/**
 * Cycles from the first beat taken to the last result taken, both included, for tiles back to back without stalls.
 * Each tile has `beats` beats: channels and the extra beats of empty groups. The composable kind has one register more at its output.
 */
export const arrayCycles = ({ rows, cols, kind }: Pick<ArrayParameters, "rows" | "cols" | "kind">, beats: number, tiles = 1): number =>
  (tiles - 1) * Math.max(beats, rows) + beats + 2 * rows + cols - 2 + (kind === "composable" ? 1 : 0);

/**
 * Output-stationary array of R x C multi-scale cells (Tender, ISCA 2024; contracts, Tender array). A tile is a run of beats from `first` to `last`,
 * one channel each; its R x C sums leave as R beats of C, last row first, while the next tile runs.
 * @throws UserError for rows or columns that the composable kind can't pair
 */
export const tenderArray = (parameters: ArrayParameters): Module<ArrayPorts> => {
  checkArray(parameters);
  const { rows, cols, kind } = parameters;
  const name = `tender_array_r${rows}_c${cols}_${cellSuffix(parameters)}`;
  const about = {
    doc: `Tender's multi-scale systolic array: ${rows} x ${cols} ${kind === "composable" ? "INT4" : kind.toUpperCase()} cells, output stationary, with zero-bubble shift-accumulate between channel groups.`,
    parameters: describeParameters(arraySchema, parameters),
    latency: `a tile of B beats alone takes B + 2 * rows + cols - 2${kind === "composable" ? " + 1" : ""} cycles from its first beat to its last result; tiles back to back start every max(B, rows) cycles.`,
    notes: [
      "A beat is taken when x and w are both valid. Where none is taken, zeros enter, which change no sum. A result that waits for y_ready freezes the whole array.",
      "y brings a tile's rows from the last to row 0; y_last is on row 0.",
    ],
  };
  if (kind === "composable") return module(name, composablePorts(parameters), (io) => build(io, io.x.wide, parameters), about);
  return module(name, nativePorts(parameters), (io) => build(io, undefined, parameters), about);
};
