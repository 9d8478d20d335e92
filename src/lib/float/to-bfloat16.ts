import { bool, input, type Module, module, mux, named, output, type UInt, uint } from "../../hdl/index.ts";
import { isNan } from "./format.ts";
import { type Cut, registered } from "./pipeline.ts";

/** binary32 as bfloat16, its upper half, rounded to nearest, ties to even; NaN gives 7fc0. One stage; names of its signals are fixed, so once a module. */
export const binary32ToBfloat16 = (value: UInt, cut: Cut): UInt => {
  const up = named("up", value.bit(15).and(value.bits(14, 0).any().or(value.bit(16))), "above the middle, or at it and odd");
  // The largest numbers become infinite and infinity stays, since the increment runs into the exponent.
  return cut("final", { result: mux(isNan(value), 0x7fc0, value.bits(31, 16).addWrap(up)) }).result;
};

const toBfloat16Ports = {
  enable: input(bool, "the pipeline moves"),
  value: input(uint(32)),
  result: output(uint(16)),
};

/** Cycles from value to result. */
export const toBfloat16Latency = 1;

/** binary32 to bfloat16, one a cycle. */
export const binary32ToBfloat16Converter = (): Module<typeof toBfloat16Ports> =>
  module("binary32_to_bfloat16", toBfloat16Ports, (io) => io.result.set(binary32ToBfloat16(io.value, registered(io.enable))), {
    doc: "IEEE 754 binary32 to bfloat16, to nearest, ties to even; subnormal numbers, infinities, NaN (result 7fc0).",
    latency: "1 cycle with enable high; one result a cycle.",
  });
