import { bool, input, module, mux, named, output, reg, sint, sync, when } from "../../src/hdl/index.ts";

/** Multiply-accumulate cell of an output-stationary array: operands pass through, the partial sum stays and can be doubled between groups. */
export const mac = ({ dataWidth, accWidth }: { readonly dataWidth: number; readonly accWidth: number }) =>
  module(
    `mac_d${dataWidth}_a${accWidth}`,
    {
      valid: input(bool, "a and b hold a term"),
      rescale: input(bool, "double the partial sum before this term"),
      clear: input(bool, "start a new sum"),
      a: input(sint(dataWidth)),
      b: input(sint(dataWidth)),
      aOut: output(sint(dataWidth), "to the cell on the right"),
      bOut: output(sint(dataWidth), "to the cell below"),
      sum: output(sint(accWidth)),
    },
    (io) => {
      const aReg = reg("aReg", sint(dataWidth));
      const bReg = reg("bReg", sint(dataWidth));
      const acc = reg("acc", sint(accWidth), { reset: 0 });
      const product = named("product", io.a.mul(io.b));
      const scaled = named("scaled", mux(io.rescale, acc.shl(1).wrap(accWidth), acc));

      sync(() => {
        aReg.set(io.a);
        bReg.set(io.b);
        when(io.clear, () => acc.set(0)).elsewhen(io.valid, () => acc.set(scaled.add(product).wrap(accWidth)));
      });

      io.aOut.set(aReg);
      io.bOut.set(bReg);
      io.sum.set(acc);
    },
    "Multiply-accumulate cell: operands pass through, the partial sum stays.",
  );
