import { UserError } from "../../base/error.ts";
import type { ArrayParameters } from "../../designs/index.ts";
import { type Beat, tileSchedule } from "../../golden/tender/beats.ts";
import type { Product } from "../../golden/tender/matmul.ts";

/** A tile of a product on the array: its place in the product, its beats, and the cycle of its first beat. */
export interface Tile {
  readonly product: number;
  readonly row: number;
  readonly column: number;
  readonly beats: readonly Beat[];
  readonly start: number;
}

/** Rows and columns of results of one tile: half the cells each way where 2x2 cells form one INT8. */
export const tileSize = ({ rows, cols, kind }: ArrayParameters, bits: number): { readonly rows: number; readonly cols: number; readonly wide: boolean } => {
  const wide = kind === "composable" && bits > 4;
  return wide ? { rows: rows / 2, cols: cols / 2, wide } : { rows, cols, wide };
};

/** Width of the shift code, as the golden model names it. */
export const shiftWidthOf = ({ shiftBits }: Pick<ArrayParameters, "shiftBits">): 1 | 2 => (shiftBits === 1 ? 1 : 2);

/** @throws UserError for a product whose codes the array's elements can't hold */
const checkBits = ({ kind }: ArrayParameters, { bits }: Product): void => {
  const most = kind === "int4" ? 4 : 8;
  if (bits > most) throw new UserError("bad-product", `a product of ${bits}-bit codes doesn't fit an array of kind ${kind}, whose elements have ${most} bits`);
};

/**
 * Tiles of the products in the order in which they enter, column by column of tiles within a row of tiles, back to back:
 * a tile starts as soon as its last beat comes `rows` beats after the last beat of the tile before, which is when the array takes it.
 */
export const tilesOf = (parameters: ArrayParameters, products: readonly Product[]): Tile[] => {
  const tiles: Tile[] = [];
  let end = -1;
  products.forEach((product, index) => {
    checkBits(parameters, product);
    const size = tileSize(parameters, product.bits);
    const { beats } = tileSchedule(product.order, product.groupSizes, { shiftWidth: shiftWidthOf(parameters) });
    for (let row = 0; row < product.rows; row += size.rows) {
      for (let column = 0; column < product.columns; column += size.cols) {
        const start = tiles.length === 0 ? 0 : Math.max(end + 1, end + parameters.rows - beats.length + 1);
        tiles.push({ product: index, row, column, beats, start });
        end = start + beats.length - 1;
      }
    }
  });
  return tiles;
};

/** Multiplications that count: one for each result and channel, without padding and zero beats. */
export const usefulProducts = (products: readonly Product[]): number =>
  products.reduce((sum, { rows, columns, channels }) => sum + rows * columns * channels, 0);

/** Cells that can work at once on a product: a quarter of them where 2x2 form one INT8. */
export const cellsFor = (parameters: ArrayParameters, bits: number): number => {
  const size = tileSize(parameters, bits);
  return size.rows * size.cols;
};
