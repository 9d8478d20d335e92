import { bool, type Inside, input, type Module, module, mux, named, output, reg, sint, sync, uint, when } from "../../hdl/index.ts";
import { describeParameters } from "../design.ts";
import { type CellParameters, cellSchema, cellSuffix, widthsOf } from "./parameters.ts";

/** What travels through a row with the activations. */
const cellPorts = ({ kind, accWidth, shiftBits }: CellParameters) => {
  const { x, w } = widthsOf(kind);
  return {
    enable: input(bool, "0 freezes the cell"),
    x: input(sint(x), "activation, from the left"),
    w: input(sint(w), "weight, from above"),
    shift: input(uint(shiftBits), "places that the partial sum moves up before this beat's product"),
    first: input(bool, "this beat starts a tile: the partial sum is forgotten"),
    last: input(bool, "this beat ends a tile: the sum becomes its result"),
    complete: input(bool, "the column's last result is there: results move down from the next beat on"),
    resultAbove: input(sint(accWidth)),
    overflowAbove: input(bool),
    xOut: output(sint(x), "to the cell on the right"),
    wOut: output(sint(w), "to the cell below"),
    shiftOut: output(uint(shiftBits)),
    firstOut: output(bool),
    lastOut: output(bool),
    result: output(sint(accWidth), "result on its way down"),
    overflow: output(bool, "the exact sum of that result left the accumulator's range"),
  };
};

/** Registers and arithmetic of the cell. */
const build = (io: Inside<ReturnType<typeof cellPorts>>, { kind, accWidth, shiftBits }: CellParameters): void => {
  const { x, w } = widthsOf(kind);
  const xReg = reg("xReg", sint(x));
  const wReg = reg("wReg", sint(w));
  const shiftReg = reg("shiftReg", uint(shiftBits));
  const firstReg = reg("firstReg", bool);
  const lastReg = reg("lastReg", bool, { reset: 0 });
  const acc = reg("acc", sint(accWidth), { doc: "partial sum of the tile in progress" });
  const overflowed = reg("overflowed", bool, { doc: "some beat of the tile left the range of acc" });
  const shadow = reg("shadow", sint(accWidth), { doc: "result of the tile before, or of a cell above" });
  const shadowOverflow = reg("shadowOverflow", bool);
  const held = reg("held", bool, { reset: 0, doc: "the result waits for the cells below" });

  const moved = named("moved", mux(io.first, 0, acc.shl(io.shift)), "partial sum at the scale of this beat");
  const exact = named("exact", moved.add(io.x.mul(io.w)));
  const sum = named("sum", exact.wrap(accWidth));
  const leaves = named("leaves", exact.fits(accWidth).not().or(overflowed.and(io.first.not())));

  sync(() => {
    when(io.enable, () => {
      xReg.set(io.x);
      wReg.set(io.w);
      shiftReg.set(io.shift);
      firstReg.set(io.first);
      lastReg.set(io.last);
      acc.set(sum);
      overflowed.set(leaves);
    });
  });

  // Complete wins over last: in the bottom row both come at once, and its result moves on with the next beat.
  sync(() => {
    when(io.enable, () => {
      when(io.complete, () => held.set(0)).elsewhen(io.last, () => held.set(1));
      when(io.last, () => {
        shadow.set(sum);
        shadowOverflow.set(leaves);
      }).elsewhen(held.not(), () => {
        shadow.set(io.resultAbove);
        shadowOverflow.set(io.overflowAbove);
      });
    });
  });

  io.xOut.set(xReg);
  io.wOut.set(wReg);
  io.shiftOut.set(shiftReg);
  io.firstOut.set(firstReg);
  io.lastOut.set(lastReg);
  io.result.set(shadow);
  io.overflow.set(shadowOverflow);
};

/**
 * Multi-scale cell of the output-stationary array: `acc <= first ? p : (acc << shift) + p` with p = x * w (contracts, Tender array).
 * The shift comes before the product of the same beat, so that a boundary between channel groups costs no cycle; the paper's
 * cell (ISCA 2024, section on the multi-scale systolic array) spends one.
 */
export const tenderCell = (parameters: CellParameters): Module<ReturnType<typeof cellPorts>> =>
  module(`tender_cell_${cellSuffix(parameters)}`, cellPorts(parameters), (io) => build(io, parameters), {
    doc: "Multi-scale cell of Tender's output-stationary array: acc <= first ? p : (acc << shift) + p, with p = x * w. Operands and tags move one cell a beat.",
    parameters: describeParameters(cellSchema, parameters),
    latency: "one beat to the neighbours; a result is at the port the beat after its last product.",
    notes: ["The accumulator wraps; overflow says that some exact (acc << shift) + p of the tile was out of its range."],
  });
