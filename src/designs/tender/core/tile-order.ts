import { type Bool, bool, mux, named, reg, sync, type UInt, uint, when } from "../../../hdl/index.ts";
import { tileWidth } from "./jobs.ts";

/** What a job says of its tiles, all less 1: rows and columns of tiles, and rows of a block. */
interface JobTiles {
  readonly lastRowTile: UInt;
  readonly lastColumnTile: UInt;
  readonly block: UInt;
}

/** The place of a tile in its job. */
export interface TilePlace {
  /** Row of tiles within the block. */
  readonly inBlock: UInt;
  readonly column: UInt;
  readonly firstBlock: Bool;
  readonly lastRowTile: Bool;
  /** The last of its column in the block. */
  readonly lastOfColumn: Bool;
  readonly lastColumn: Bool;
  /** The last of the job. */
  readonly lastOfJob: Bool;
  /** A step, from the last of its column in the block. */
  readonly columnEnds: Bool;
}

/**
 * Walks through the tiles of jobs in their order (docs/tender-core.md): down the block's column, then to its right, then to the block below.
 * @param step to the next tile, from a job's last one to the first of the next job
 */
export const tileOrder = ({ lastRowTile: last, lastColumnTile, block }: JobTiles, step: Bool): TilePlace => {
  const inBlock = reg("inBlock", uint(tileWidth), { reset: 0, doc: "row of tiles within the block" });
  const column = reg("column", uint(tileWidth), { reset: 0, doc: "column of tiles" });
  const firstBlock = reg("firstBlock", bool, { reset: 1 });
  const below = reg("tilesBelow", uint(tileWidth), { doc: "rows of tiles from the block's first on, less 1; not in a job's first block" });
  const left = named("tilesLeft", mux(firstBlock, last, below));
  const lastRowTile = named("lastRowTile", inBlock.eq(left));
  const lastOfColumn = named("lastOfColumn", lastRowTile.or(inBlock.eq(block)));
  const lastColumn = named("lastColumn", column.eq(lastColumnTile));
  const lastBlock = named("lastBlock", left.le(block));
  const columnEnds = named("columnEnds", step.and(lastOfColumn));
  const blockEnds = named("blockEnds", columnEnds.and(lastColumn));
  sync(() => {
    when(step, () => inBlock.set(mux(lastOfColumn, 0, inBlock.addWrap(1))));
    when(columnEnds, () => column.set(mux(lastColumn, 0, column.addWrap(1))));
    when(blockEnds, () => firstBlock.set(lastBlock));
  });
  sync(() => when(blockEnds, () => below.set(left.subWrap(block).subWrap(1))));
  return {
    inBlock,
    column,
    firstBlock,
    lastRowTile,
    lastOfColumn,
    lastColumn,
    columnEnds,
    lastOfJob: named("lastOfJob", lastOfColumn.and(lastColumn).and(lastBlock)),
  };
};
