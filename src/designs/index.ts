import type { Design } from "./design.ts";
import { arrayCycles, tenderArray } from "./tender/array.ts";
import { tenderCell } from "./tender/cell.ts";
import { arraySchema, cellSchema } from "./tender/parameters.ts";

export { arrayCycles, arraySchema, cellSchema, tenderArray, tenderCell };
export type { Design } from "./design.ts";
export { type ArrayParameters, type CellParameters, widthsOf } from "./tender/parameters.ts";
export type { ArrayPorts } from "./tender/ports.ts";

/** A design without the types of its own parameters, as commands handle it. */
const registered = <D extends Pick<Design, "name">>(design: D): Design => design as unknown as Design;

/** Every design: the one list that `list`, `generate`, the tests and CI go through. */
export const designs: readonly Design[] = [
  registered({
    name: "tender-cell",
    doc: "Multi-scale cell: shift-accumulate between channel groups without a bubble",
    parameters: cellSchema,
    verified: [],
    build: tenderCell,
  }),
  registered({
    name: "tender-array",
    doc: "Systolic array of multi-scale cells, streams in and out",
    parameters: arraySchema,
    verified: [],
    build: tenderArray,
  }),
];
