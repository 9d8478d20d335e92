import { UserError } from "../../base/error.ts";
import type { ArrayParameters } from "../../designs/index.ts";
import type { Product } from "../../golden/tender/matmul.ts";
import { type Tile, tileSize } from "./tiles.ts";

/** What the array gave for one product. */
export interface ProductResult {
  /** [rows, columns]: accumulators as they left the array. */
  readonly values: Float64Array;
  /** [rows, columns]: overflow flag of the row of results that an element came with. */
  readonly overflow: Uint8Array;
  /** [rows, columns]: cycle in which an element left, counted from the first beat. */
  readonly cycle: Uint32Array;
}

/** Takes results apart as they leave: tiles in order, rows of each from the last to the first. */
export class Collector {
  readonly results: ProductResult[];
  lastCycle = -1;
  #tile = 0;
  #beat = 0;
  readonly #parameters: ArrayParameters;
  readonly #products: readonly Product[];
  readonly #tiles: readonly Tile[];

  constructor(parameters: ArrayParameters, products: readonly Product[], tiles: readonly Tile[]) {
    this.#parameters = parameters;
    this.#products = products;
    this.#tiles = tiles;
    this.results = products.map(({ rows, columns }) => ({
      values: new Float64Array(rows * columns),
      overflow: new Uint8Array(rows * columns),
      cycle: new Uint32Array(rows * columns),
    }));
  }

  get done(): boolean {
    return this.#tile === this.#tiles.length;
  }

  take(cycle: number, data: ArrayLike<number | bigint>, at: number, last: boolean, overflow: boolean): void {
    const tile = this.#tiles[this.#tile];
    const product = this.#products[tile?.product ?? -1];
    const result = this.results[tile?.product ?? -1];
    if (tile === undefined || product === undefined || result === undefined)
      throw new UserError("extra-result", `the array gave a result in cycle ${cycle} after all ${this.#tiles.length} tiles`, { exitCode: 1 });
    const size = tileSize(this.#parameters, product.bits);
    const row = tile.row + size.rows - 1 - this.#beat;
    this.lastCycle = cycle;
    this.#beat += 1;
    if (last !== (this.#beat === size.rows))
      throw new UserError("bad-result", `the array ${last ? "ended" : "did not end"} a tile of ${size.rows} rows after ${this.#beat} in cycle ${cycle}`, {
        exitCode: 1,
      });
    if (last) {
      this.#tile += 1;
      this.#beat = 0;
    }
    if (row >= product.rows) return;
    const stride = size.wide ? 2 : 1;
    for (let i = 0; i < Math.min(size.cols, product.columns - tile.column); i += 1) {
      const element = row * product.columns + tile.column + i;
      result.values[element] = Number(data[at + stride * i]);
      result.overflow[element] = overflow ? 1 : 0;
      result.cycle[element] = cycle;
    }
  }
}
