import { UserError } from "../../base/error.ts";
import { choice, integer, type ParameterValues } from "../../base/parameters.ts";

/** Parameters of one Tender cell. */
export const cellSchema = {
  kind: choice("elements: native INT8, native INT4, or INT4 cells of which 2x2 form one INT8", "int8", ["int8", "int4", "composable"]),
  accWidth: integer("bits of the accumulator, which wraps", 32, 24, 48),
  shiftBits: integer("bits of the shift code: 1 shifts by 0 or 1 between beats, 2 by 0 to 3", 2, 1, 2),
};

/** Parameters of the Tender array. */
export const arraySchema = {
  rows: integer("rows of cells: output rows of a tile", 16, 1, 64),
  cols: integer("columns of cells: output columns of a tile", 16, 1, 64),
  ...cellSchema,
};

export type CellParameters = ParameterValues<typeof cellSchema>;
export type ArrayParameters = ParameterValues<typeof arraySchema>;

/** Bits of the elements as they enter the array, and of the cell's operands, which are wider by a sign where they have to be. */
export interface Widths {
  readonly element: number;
  readonly x: number;
  readonly w: number;
}

/**
 * Activations may be unsigned, so that the cell's x has one bit more than an element. In the composable kind the low
 * nibbles of INT8 weights are unsigned too.
 */
export const widthsOf = (kind: CellParameters["kind"]): Widths => {
  if (kind === "int8") return { element: 8, x: 9, w: 8 };
  return { element: 4, x: 5, w: kind === "int4" ? 4 : 5 };
};

const kindCode = { int8: "i8", int4: "i4", composable: "ic" } as const;

/** Part of the module names that says the cell's parameters. */
export const cellSuffix = ({ kind, accWidth, shiftBits }: CellParameters): string => `${kindCode[kind]}_a${accWidth}_s${shiftBits}`;

/** @throws UserError for what the schema can't say: the composable kind needs whole 2x2 cells */
export const checkArray = ({ rows, cols, kind }: ArrayParameters): void => {
  if (kind === "composable" && (rows % 2 !== 0 || cols % 2 !== 0))
    throw new UserError("bad-parameter", `the composable kind needs even rows and cols, since 2x2 cells form one INT8, not ${rows}x${cols}`, {
      hint: "use an even number of both, or the kinds int8 or int4",
    });
};
