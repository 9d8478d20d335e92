import { discard, grid, input, instance, module, output, reg, repeat, sint, sync, vec, wire } from "../../src/hdl/index.ts";

const cell = module(
  "grid_cell",
  { a: input(sint(8)), b: input(sint(8)), aOut: output(sint(8)), bOut: output(sint(8)), sum: output(sint(32)) },
  (io) => {
    const aReg = reg("aReg", sint(8));
    const bReg = reg("bReg", sint(8));
    const sum = reg("partial", sint(32), { reset: 0 });
    sync(() => {
      aReg.set(io.a);
      bReg.set(io.b);
      sum.set(sum.add(io.a.mul(io.b)).wrap(32));
    });
    io.aOut.set(aReg);
    io.bOut.set(bReg);
    io.sum.set(sum);
  },
  "Cell of the grid.",
);

/** A plain output-stationary array: cells in rows and columns, operands passed right and down. */
export const systolicGrid = (rows: number, columns: number) =>
  module(
    `grid_r${rows}_c${columns}`,
    { a: input(vec(rows, sint(8))), b: input(vec(columns, sint(8))), sum: output(vec(rows, vec(columns, sint(32)))) },
    (io) => {
      const a = wire("aNet", vec(rows, vec(columns + 1, sint(8))));
      const b = wire("bNet", vec(rows + 1, vec(columns, sint(8))));
      b.at(0).set(io.b);
      repeat("west", rows, (r) => a.at(r).at(0).set(io.a.at(r)), "r");
      grid("cell", rows, columns, (r, c) => {
        instance("u_cell", cell, { a: a.at(r).at(c), b: b.at(r).at(c), aOut: a.at(r).at(c.plus(1)), bOut: b.at(r.plus(1)).at(c), sum: io.sum.at(r).at(c) });
      });
      repeat("east", rows, (r) => discard("a", a.at(r).at(columns)), "r");
      discard("b", b.at(rows));
    },
    "Plain systolic array.",
  );
