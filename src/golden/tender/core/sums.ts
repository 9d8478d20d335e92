import { mergePlanes, splitCode } from "../composable.ts";
import { wrap } from "../matmul.ts";

/** A beat of the index: the channel, or -1 for zero operands, and the shift before it. */
export interface IndexBeat {
  readonly channel: number;
  readonly shift: number;
}

/** Sums of one tile [rows, columns], and for each row whether one of its accumulators left its range. */
export interface TileSums {
  readonly values: Float64Array;
  readonly overflow: Uint8Array;
}

/** Elements of a panel in the order of the beats, [beats, lanes]: zeros where a beat has no channel. */
export const operandsOf = (panel: Uint8Array, beats: readonly IndexBeat[], lanes: number, bits: 4 | 8, unsigned: boolean): Int16Array => {
  const out = new Int16Array(beats.length * lanes);
  const wordBytes = (lanes * bits) / 8;
  for (const [position, { channel }] of beats.entries()) {
    if (channel < 0) continue;
    for (let lane = 0; lane < lanes; lane++) {
      const byte = panel[channel * wordBytes + (bits === 8 ? lane : lane >> 1)]!;
      const raw = bits === 8 ? byte : lane % 2 === 0 ? byte & 15 : byte >> 4;
      out[position * lanes + lane] = unsigned || raw < 2 ** (bits - 1) ? raw : raw - 2 ** bits;
    }
  }
  return out;
};

/**
 * Steps all accumulators of a tile beat by beat: `acc <= first ? p : (acc << shift) + p`, wrapped (contracts.md, Tender array).
 * |acc| < 2^47 and shift <= 3: the sums stay below 2^53, so the doubles are exact.
 */
const accumulate = (x: Int16Array, w: Int16Array, beats: readonly IndexBeat[], rows: number, columns: number, accWidth: number): TileSums => {
  const values = new Float64Array(rows * columns);
  const overflow = new Uint8Array(rows);
  const beyond = 2 ** (accWidth - 1);
  for (const [position, { shift }] of beats.entries()) {
    // The first beat's shift finds zeros.
    const factor = 2 ** shift;
    for (let row = 0, at = 0; row < rows; row++) {
      const activation = x[position * rows + row]!;
      for (let column = 0; column < columns; column++, at++) {
        const exact = values[at]! * factor + activation * w[position * columns + column]!;
        if (exact >= -beyond && exact < beyond) values[at] = exact;
        else {
          values[at] = wrap(exact, accWidth);
          overflow[row] = 1;
        }
      }
    }
  }
  return { values, overflow };
};

/** One kind of cell: native, or 2x2 INT4 cells for an INT8 product, each with an accumulator for a pair of nibbles, merged at the end. */
export const tileSums = (
  x: Int16Array,
  w: Int16Array,
  beats: readonly IndexBeat[],
  { rows, columns }: { readonly rows: number; readonly columns: number },
  accWidth: number,
  wide: boolean,
): TileSums => {
  if (!wide) return accumulate(x, w, beats, rows, columns, accWidth);
  const [xh, xl, wh, wl] = [
    x.map((code) => splitCode(code).high),
    x.map((code) => splitCode(code).low),
    w.map((code) => splitCode(code).high),
    w.map((code) => splitCode(code).low),
  ];
  const plane = (half: Int16Array, other: Int16Array): TileSums => accumulate(half, other, beats, rows, columns, accWidth);
  const [hh, hl, lh, ll] = [plane(xh, wh), plane(xh, wl), plane(xl, wh), plane(xl, wl)];
  const overflow = Uint8Array.from({ length: rows }, (_, row) => hh.overflow[row]! | hl.overflow[row]! | lh.overflow[row]! | ll.overflow[row]!);
  const values = new Float64Array(rows * columns);
  for (let at = 0; at < values.length; at++) {
    const merged = mergePlanes({ hh: hh.values[at]!, hl: hl.values[at]!, lh: lh.values[at]!, ll: ll.values[at]! }, accWidth);
    values[at] = merged.value;
    if (merged.overflow) overflow[Math.floor(at / columns)] = 1;
  }
  return { values, overflow };
};
