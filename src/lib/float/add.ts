import { bool, cat, constant, input, type Module, module, mux, named, output, type UInt, uint } from "../../hdl/index.ts";
import { isInfinite, isNan, packSpecial, unpack } from "./format.ts";
import { normalizeLeft, roundToNearest, shiftRightGathering } from "./normalize.ts";
import { type Cut, registered } from "./pipeline.ts";

/** `a + b` in binary32 (IEEE 754-2019 section 5.4.1), rounded to nearest, ties to even. Four stages; names of its signals are fixed, so once a module. */
export const addBinary32 = (a: UInt, b: UInt, cut: Cut): UInt => {
  const swap = named("swap", a.bits(30, 0).lt(b.bits(30, 0)));
  const greater = named("greater", mux(swap, b, a), "in magnitude: NaN, then infinity, first");
  const lesser = named("lesser", mux(swap, a, b));
  const upper = unpack("greater", greater);
  const lower = unpack("lesser", lesser);
  const subtract = named("subtract", upper.sign.xor(lower.sign));
  const distance = named("distance", upper.exponent.subWrap(lower.exponent));
  const aligned = cut("aligned", {
    sign: upper.sign,
    subtract,
    exponent: upper.exponent,
    greater: upper.significand,
    lesser: shiftRightGathering("moved", cat(lower.significand, constant(uint(3), 0)), distance.sat(5)),
    nan: isNan(greater).or(subtract.and(isInfinite(lesser))),
    infinite: isInfinite(greater),
  });

  const first = named("first", cat(aligned.greater, constant(uint(3), 0)));
  const sum = named("sum", mux(aligned.subtract, first.subWrap(aligned.lesser), first.add(aligned.lesser)));
  const summed = cut("summed", {
    // What cancels is +0; -0 needs two of them.
    sign: aligned.sign.and(aligned.subtract.not().or(sum.any())),
    exponent: aligned.exponent.add(1),
    sum,
    nan: aligned.nan,
    infinite: aligned.infinite,
  });

  const normal = cut("normal", {
    sign: summed.sign,
    ...normalizeLeft(summed.exponent, summed.sum),
    nan: summed.nan,
    infinite: summed.infinite,
  });

  return cut("final", { result: packSpecial(normal.nan, normal.infinite, normal.sign, roundToNearest(normal)) }).result;
};

const addPorts = {
  enable: input(bool, "the pipeline moves"),
  a: input(uint(32)),
  b: input(uint(32)),
  result: output(uint(32)),
};

/** Cycles from operands to result. */
export const addLatency = 4;

/** `a + b` or `a - b`, one a cycle. */
export const binary32Adder = ({ operation = "add" }: { readonly operation?: "add" | "subtract" } = {}): Module<typeof addPorts> =>
  module(
    `binary32_${operation}`,
    addPorts,
    (io) => {
      const b = operation === "add" ? io.b : named("negated", cat(io.b.bit(31).not(), io.b.bits(30, 0)));
      io.result.set(addBinary32(io.a, b, registered(io.enable)));
    },
    {
      doc: `IEEE 754 binary32 a ${operation === "add" ? "+" : "-"} b, to nearest, ties to even; subnormal numbers, infinities, NaN (result 7fc00000).`,
      parameters: [{ name: "operation", value: operation, legal: "add, subtract" }],
      latency: `${addLatency} cycles with enable high; one result a cycle.`,
    },
  );
