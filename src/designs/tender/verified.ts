import type { ArrayParameters } from "./parameters.ts";

/** Configurations that the tests run against the golden model: square, tall, wide, single rows, columns and cells, all kinds, accumulators and shift codes. */
export const verifiedArrays: readonly ArrayParameters[] = [
  { rows: 1, cols: 1, kind: "int8", accWidth: 24, shiftBits: 1 },
  { rows: 1, cols: 5, kind: "int8", accWidth: 32, shiftBits: 2 },
  { rows: 5, cols: 1, kind: "int8", accWidth: 33, shiftBits: 1 },
  { rows: 4, cols: 4, kind: "int8", accWidth: 32, shiftBits: 2 },
  { rows: 3, cols: 7, kind: "int8", accWidth: 48, shiftBits: 2 },
  { rows: 8, cols: 2, kind: "int8", accWidth: 24, shiftBits: 2 },
  { rows: 1, cols: 16, kind: "int4", accWidth: 25, shiftBits: 2 },
  { rows: 16, cols: 1, kind: "int4", accWidth: 24, shiftBits: 1 },
  { rows: 5, cols: 3, kind: "int4", accWidth: 40, shiftBits: 2 },
  { rows: 2, cols: 2, kind: "composable", accWidth: 24, shiftBits: 1 },
  { rows: 2, cols: 6, kind: "composable", accWidth: 32, shiftBits: 2 },
  { rows: 6, cols: 2, kind: "composable", accWidth: 48, shiftBits: 1 },
  { rows: 4, cols: 4, kind: "composable", accWidth: 33, shiftBits: 2 },
  { rows: 16, cols: 16, kind: "int8", accWidth: 32, shiftBits: 2 },
];
