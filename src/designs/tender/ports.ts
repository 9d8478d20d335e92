import { bool, type Inside, input, output, sint, uint, vec } from "../../hdl/index.ts";
import { type ArrayParameters, widthsOf } from "./parameters.ts";

const xPorts = ({ rows, kind, shiftBits }: ArrayParameters) => ({
  valid: input(bool),
  ready: output(bool),
  data: input(vec(rows, uint(widthsOf(kind).element)), "one channel of the activations, an element a row"),
  unsigned: input(bool, "the activations are unsigned; the same on all beats of a tile"),
  shift: input(uint(shiftBits), "places that the partial sums move up before this beat; 0 on first"),
  first: input(bool, "first beat of a tile"),
  last: input(bool, "last beat of a tile"),
});

const wideXPorts = (parameters: ArrayParameters) => ({
  ...xPorts(parameters),
  wide: input(bool, "INT8 tile: lanes 2i and 2i+1 hold an element's low and high nibble; the same on all beats of a tile"),
});

const weightAndResultPorts = ({ cols, kind, accWidth }: ArrayParameters) => ({
  w: {
    valid: input(bool),
    ready: output(bool),
    data: input(vec(cols, sint(widthsOf(kind).element)), "one channel of the weights, an element a column"),
  },
  y: {
    valid: output(bool),
    ready: input(bool),
    data: output(vec(cols, sint(accWidth)), "one row of results; the tile's last row comes first"),
    last: output(bool, "row 0, the tile's last beat"),
    overflow: output(bool, "a sum of this row left the accumulator's range"),
  },
});

/** Streams of the array with native cells. `x` and `w` are taken together, a beat of one with a beat of the other. */
export const nativePorts = (parameters: ArrayParameters) => ({ x: xPorts(parameters), ...weightAndResultPorts(parameters) });

/** Streams of the array with composable cells, where each tile says whether it is INT4 or INT8. */
export const composablePorts = (parameters: ArrayParameters) => ({ x: wideXPorts(parameters), ...weightAndResultPorts(parameters) });

export type ArrayPorts = ReturnType<typeof nativePorts> | ReturnType<typeof composablePorts>;

/** What the array's parts see of the ports, in either kind. */
export type ArrayIo = Inside<ReturnType<typeof nativePorts>>;
