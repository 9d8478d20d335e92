import type { ParameterSchema } from "../base/parameters.ts";
import type { Design } from "./design.ts";
import { arrayCycles, tenderArray } from "./tender/array.ts";
import { tenderCell } from "./tender/cell.ts";
import { arraySchema, type CellParameters, cellSchema } from "./tender/parameters.ts";
import { verifiedArrays } from "./tender/verified.ts";

export type { Design } from "./design.ts";
export { type ArrayParameters, type CellParameters } from "./tender/parameters.ts";
export type { ArrayPorts } from "./tender/ports.ts";
export { arrayCycles, arraySchema, cellSchema, tenderArray, tenderCell };

/** A design without the types of its own parameters, as commands handle it. */
const registered = <S extends ParameterSchema>(design: Design<S>): Design => design;

const uniqueCells = (cells: readonly CellParameters[]): CellParameters[] => {
  const byText = new Map(cells.map(({ kind, accWidth, shiftBits }) => [`${kind} ${accWidth} ${shiftBits}`, { kind, accWidth, shiftBits }]));
  return [...byText.values()];
};

/** Every design: the one list that `list`, `generate`, the tests and CI go through. */
export const designs: readonly Design[] = [
  registered({
    name: "tender-cell",
    doc: "Multi-scale cell: shift-accumulate between channel groups without a bubble",
    parameters: cellSchema,
    // Each array runs its cell.
    verified: uniqueCells(verifiedArrays),
    build: tenderCell,
  }),
  registered({
    name: "tender-array",
    doc: "Systolic array of multi-scale cells, streams in and out",
    parameters: arraySchema,
    verified: verifiedArrays,
    build: tenderArray,
  }),
];
