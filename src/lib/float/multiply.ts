import { bool, input, type Module, module, named, output, type UInt, uint } from "../../hdl/index.ts";
import { isInfinite, isNan, isZero, packSpecial, unpack } from "./format.ts";
import { normalize, roundToNearest } from "./normalize.ts";
import { type Cut, registered } from "./pipeline.ts";

/** `a * b` in binary32 (IEEE 754-2019 section 5.4.1), rounded to nearest, ties to even. Three stages; names of its signals are fixed, so once a module. */
export const multiplyBinary32 = (a: UInt, b: UInt, cut: Cut): UInt => {
  const left = unpack("a", a);
  const right = unpack("b", b);
  const infinite = named("infinite", isInfinite(a).or(isInfinite(b)));
  const zero = named("zero", isZero(a).or(isZero(b)));
  const product = cut("product", {
    sign: left.sign.xor(right.sign),
    // Of the top bit of 48: 1 above the product of two leading ones.
    exponent: left.exponent.add(right.exponent).sub(126),
    significand: left.significand.mul(right.significand),
    nan: isNan(a).or(isNan(b)).or(infinite.and(zero)),
    infinite,
  });

  const normal = cut("normal", {
    sign: product.sign,
    ...normalize(product.exponent, product.significand),
    nan: product.nan,
    infinite: product.infinite,
  });

  return cut("final", { result: packSpecial(normal.nan, normal.infinite, normal.sign, roundToNearest(normal)) }).result;
};

const multiplyPorts = {
  enable: input(bool, "the pipeline moves"),
  a: input(uint(32)),
  b: input(uint(32)),
  result: output(uint(32)),
};

/** Cycles from operands to result. */
export const multiplyLatency = 3;

/** `a * b`, one a cycle. */
export const binary32Multiplier = (): Module<typeof multiplyPorts> =>
  module("binary32_multiply", multiplyPorts, (io) => io.result.set(multiplyBinary32(io.a, io.b, registered(io.enable))), {
    doc: "IEEE 754 binary32 a * b, to nearest, ties to even; subnormal numbers, infinities, NaN (result 7fc00000).",
    latency: `${multiplyLatency} cycles with enable high; one result a cycle.`,
  });
