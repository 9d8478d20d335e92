import type { Loop } from "../../../hdl/circuit.ts";
import type { Select } from "../../../hdl/node.ts";
import type { FlatSignal } from "../net.ts";

/** A vector around a grid as rows of elements; a vector of one dimension is one row. */
export interface ArrayShape {
  readonly rows: number;
  readonly columns: number;
  /** Bits of an element. */
  readonly width: number;
  readonly signed: boolean;
}

/**
 * Which element a cell has, in row r and column c of the grid: that in row `row + rowStep * r` and column `column + skew * r`, plus c where it
 * follows the columns.
 */
export interface Access {
  readonly signal: FlatSignal;
  readonly row: number;
  readonly rowStep: number;
  readonly column: number;
  /** 0 where the access follows the columns. */
  readonly skew: number;
  readonly followsColumn: boolean;
  /** First bit of the part of the element. */
  readonly low: number;
}

/** Rows and elements of a vector; undefined for a signal that is none, or is cut in another way. */
export const shapeOf = ({ signal, nets }: FlatSignal): ArrayShape | undefined => {
  const { shape } = signal;
  if (shape.kind !== "vec") return undefined;
  const { element } = shape;
  const flat =
    element.kind === "vec" ? { rows: shape.length, columns: element.length, leaf: element.element } : { rows: 1, columns: shape.length, leaf: element };
  const { rows, columns, leaf } = flat;
  if (leaf.kind === "vec" || leaf.width > 64 || nets.length !== rows * columns) return undefined;
  return { rows, columns, width: leaf.width, signed: leaf.kind === "sint" };
};

const strideOf = ({ loops }: Select, loop: Loop | undefined): number => loops.filter((term) => term.loop === loop).reduce((sum, { stride }) => sum + stride, 0);

/** The elements that a part of a vector is in the cells of a grid; undefined where a vector of lanes can't take them at once. */
export const accessOf = (signal: FlatSignal, select: Select, loops: readonly Loop[]): Access | undefined => {
  const shape = shapeOf(signal);
  if (shape === undefined) return undefined;
  const low = select.constant % shape.width;
  if (low + select.width > shape.width) return undefined;
  const element = (select.constant - low) / shape.width;
  const columnLoop = loops.at(-1)!;
  const rowLoop = loops.length > 1 ? loops[0] : undefined;
  const columnStride = strideOf(select, columnLoop) / shape.width;
  const rowStride = strideOf(select, rowLoop) / shape.width;
  const column = element % shape.columns;
  const row = (element - column) / shape.columns;
  const skew = rowStride % shape.columns;
  const followsColumn = columnStride === 1;
  const last = column + (followsColumn ? columnLoop.count - 1 : skew * ((rowLoop?.count ?? 1) - 1));
  if (last < 0 || last >= shape.columns || (followsColumn ? skew !== 0 : columnStride !== 0)) return undefined;
  return { signal, row, rowStep: Math.trunc(rowStride / shape.columns), column, skew, followsColumn, low };
};
