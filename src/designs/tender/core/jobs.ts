import { clog2 } from "../../../base/clog2.ts";
import { bool, output, uint } from "../../../hdl/index.ts";
import { type CoreParameters, geometryOf } from "./parameters.ts";
import { statusWidth } from "./status.ts";

/** Bits of a job's slot: the place of its errors while it is in the core, which holds at most four jobs. */
export const slotWidth = 2;

/** Bits of counts of tiles and of panels. */
export const tileWidth = 16;

/** Bits of a count of beats or channels of a tile. */
export const beatWidth = 15;

/** Bits that count rows of the scratchpads, the whole depth included. */
export const padCountWidth = (parameters: CoreParameters): { readonly activations: number; readonly weights: number } => {
  const { activations, weights } = geometryOf(parameters);
  return { activations: clog2(activations.depth) + 1, weights: clog2(weights.depth) + 1 };
};

/** Bits of rows of a scratchpad modulo its depth, for the larger one. */
export const padRowWidth = (parameters: CoreParameters): number => {
  const { activations, weights } = padCountWidth(parameters);
  return Math.max(activations, weights) - 1;
};

const walk = {
  lastRowTile: output(uint(tileWidth)),
  lastColumnTile: output(uint(tileWidth)),
  block: output(uint(tileWidth), "rows of tiles in a block, less 1"),
};

const panels = (parameters: CoreParameters) => {
  const { activations, weights } = padCountWidth(parameters);
  return { activationRows: output(uint(activations), "of the scratchpad, that a panel takes"), weightRows: output(uint(weights)) };
};

/** What the loader needs to know of a job. */
export const loadJob = (parameters: CoreParameters) => {
  const address = () => output(uint(parameters.addressWidth));
  return {
    slot: output(uint(slotWidth)),
    ...walk,
    ...panels(parameters),
    beats: output(uint(beatWidth)),
    compensated: output(bool),
    index: address(),
    activations: address(),
    weights: address(),
    constants: address(),
    compensations: address(),
  };
};

/** What the sequencer needs to know of a job. */
export const arrayJob = (parameters: CoreParameters) => ({
  slot: output(uint(slotWidth)),
  ...walk,
  ...panels(parameters),
  lastBeat: output(uint(beatWidth)),
  channels: output(uint(beatWidth)),
  unsigned: output(bool),
  wide: output(bool),
  compensated: output(bool),
  relu: output(bool),
  format: output(uint(3)),
});

/** What the write-back unit needs to know of a job. */
export const writeJob = (parameters: CoreParameters) => ({
  bad: output(bool, "nothing but a record"),
  status: output(uint(statusWidth), "errors found by now"),
  slot: output(uint(slotWidth)),
  tag: output(uint(32)),
  interrupt: output(bool),
  recordAddress: output(uint(parameters.addressWidth)),
  ...walk,
  lastRows: output(uint(clog2(parameters.rows)), "rows of the last row of tiles, less 1"),
  lastColumns: output(uint(clog2(parameters.cols)), "columns of the last column of tiles, less 1"),
  format: output(uint(3)),
  transpose: output(bool),
  wide: output(bool),
  results: output(uint(parameters.addressWidth)),
  rowStride: output(uint(32)),
  tileDown: output(uint(32)),
  tileRight: output(uint(32)),
});
