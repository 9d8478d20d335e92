import type { ArrayParameters } from "../../designs/index.ts";
import type { Product } from "../../golden/tender/matmul.ts";
import { type Tile, tileSize } from "./tiles.ts";

/** Operands and tags of the array's input streams: one entry a cycle, or a beat, and lane. */
export class Stimulus {
  readonly valid: Uint8Array;
  readonly unsigned: Uint8Array;
  readonly wide: Uint8Array;
  readonly shift: Uint8Array;
  readonly first: Uint8Array;
  readonly last: Uint8Array;
  readonly x: Uint8Array;
  readonly w: Int8Array;
  readonly #parameters: ArrayParameters;

  constructor(parameters: ArrayParameters, cycles: number) {
    this.#parameters = parameters;
    this.valid = new Uint8Array(cycles);
    this.unsigned = new Uint8Array(cycles);
    this.wide = new Uint8Array(cycles);
    this.shift = new Uint8Array(cycles);
    this.first = new Uint8Array(cycles);
    this.last = new Uint8Array(cycles);
    this.x = new Uint8Array(cycles * parameters.rows);
    this.w = new Int8Array(cycles * parameters.cols);
  }

  /** Writes beat `index` of a tile into a cycle. */
  put(cycle: number, tile: Tile, index: number, product: Product): void {
    const beat = tile.beats[index];
    if (beat === undefined) return;
    const { wide } = tileSize(this.#parameters, product.bits);
    this.valid[cycle] = 1;
    this.unsigned[cycle] = product.unsigned ? 1 : 0;
    this.wide[cycle] = wide ? 1 : 0;
    this.shift[cycle] = beat.shift;
    this.first[cycle] = beat.first ? 1 : 0;
    this.last[cycle] = beat.last ? 1 : 0;
    if (beat.channel < 0) return;
    const { rows, cols, kind } = this.#parameters;
    const { codes, weights, channels } = product;
    fillLanes(
      this.x,
      cycle * rows,
      rows,
      { codes, first: tile.row, count: product.rows, channels, channel: beat.channel },
      { wide, mask: kind === "int8" ? 0xff : 0x0f },
    );
    fillLanes(
      this.w,
      cycle * cols,
      cols,
      { codes: weights, first: tile.column, count: product.columns, channels, channel: beat.channel },
      { wide, mask: undefined },
    );
  }
}

interface Elements {
  readonly codes: Int16Array;
  readonly first: number;
  readonly count: number;
  readonly channels: number;
  readonly channel: number;
}

/** One channel of a tile's elements into the lanes of a cycle; in a wide tile an element takes two lanes, low nibble first. */
const fillLanes = (
  lanes: Uint8Array | Int8Array,
  at: number,
  count: number,
  elements: Elements,
  form: { readonly wide: boolean; readonly mask: number | undefined },
): void => {
  const { codes, first, channels, channel } = elements;
  const nibble = (value: number): number => (form.mask === undefined ? (value << 28) >> 28 : value & 0x0f);
  const size = form.wide ? count / 2 : count;
  const present = Math.min(size, elements.count - first);
  for (let i = 0; i < present; i += 1) {
    const code = codes[(first + i) * channels + channel] ?? 0;
    if (form.wide) {
      lanes[at + 2 * i] = nibble(code);
      lanes[at + 2 * i + 1] = nibble(code >> 4);
    } else lanes[at + i] = form.mask === undefined ? code : code & form.mask;
  }
};
