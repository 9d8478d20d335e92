import { UserError } from "../../base/error.ts";
import { bool, cat, constant, input, type Module, module, mux, named, output, type SInt, sint, type UInt, uint } from "../../hdl/index.ts";
import { gather, leadingZeros, roundingWidth, roundToNearest } from "./normalize.ts";
import { type Cut, registered } from "./pipeline.ts";

/** A signed integer as binary32, rounded once, to nearest, ties to even; 0 gives +0. Three stages; names of its signals are fixed, so once a module. */
export const integerToBinary32 = (value: SInt, cut: Cut): UInt => {
  const { width } = value;
  const sign = value.asUInt().bit(width - 1);
  const whole = cut("whole", { sign, magnitude: mux(sign, value.asUInt().not().addWrap(1), value.asUInt()) });

  const zeros = named("zeros", leadingZeros("zeros", whole.magnitude));
  const shifted = named("shifted", whole.magnitude.shl(zeros).wrap(width));
  const normal = cut("normal", {
    sign: whole.sign,
    exponent: constant(uint(8), 126 + width).subWrap(zeros),
    significand: gather(shifted, roundingWidth),
  });

  return cut("final", { result: cat(normal.sign, roundToNearest(normal)) }).result;
};

const fromIntegerPorts = (width: number) => ({
  enable: input(bool, "the pipeline moves"),
  value: input(sint(width)),
  result: output(uint(32)),
});

/** Cycles from integer to result. */
export const fromIntegerLatency = 3;

/**
 * Signed integers to binary32, one a cycle.
 * @throws UserError for fewer than 8 or more than 64 bits
 */
export const integerToBinary32Converter = ({ width }: { readonly width: number }): Module<ReturnType<typeof fromIntegerPorts>> => {
  if (!Number.isInteger(width) || width < 8 || width > 64)
    throw new UserError("bad-parameter", `an integer that becomes binary32 has 8 to 64 bits, not ${width}`);
  return module(`int${width}_to_binary32`, fromIntegerPorts(width), (io) => io.result.set(integerToBinary32(io.value, registered(io.enable))), {
    doc: `Signed ${width}-bit integer to IEEE 754 binary32, to nearest, ties to even.`,
    parameters: [{ name: "width", value: width, legal: "8 to 64" }],
    latency: `${fromIntegerLatency} cycles with enable high; one result a cycle.`,
  });
};
