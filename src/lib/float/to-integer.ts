import { UserError } from "../../base/error.ts";
import { type Bool, bool, cat, constant, input, type Module, module, mux, named, output, type UInt, uint } from "../../hdl/index.ts";
import { isNan, unpack } from "./format.ts";
import { type Cut, registered } from "./pipeline.ts";

export interface ToIntegerParameters {
  /** Bits of the integer, 2 to 32. */
  readonly width: number;
  readonly signed: boolean;
  /**
   * What numbers beyond the range give: `clamp` the nearest integer in it and 0 for NaN, as requantisation wants; `indefinite` the lowest integer (signed) or the highest
   * (unsigned) for all of them, NaN included. Default `clamp`.
   */
  readonly beyond?: "clamp" | "indefinite";
}

export interface IntegerResult {
  /** The integer's bits. */
  readonly result: UInt;
  /** The operand was NaN. */
  readonly nan: Bool;
}

/** The rounded magnitude as the integer, and what replaces it where it does not fit. */
const fitted = ({ width, signed, beyond = "clamp" }: ToIntegerParameters, sign: Bool, tooLarge: Bool, magnitude: UInt): UInt => {
  const highest = signed ? 2n ** BigInt(width - 1) - 1n : 2n ** BigInt(width) - 1n;
  const lowest = signed ? highest + 1n : 0n;
  const limit = named("limit", mux(sign, constant(uint(width + 1), lowest), highest), "largest magnitude of this sign");
  const outside = named("outside", tooLarge.or(magnitude.gt(limit)));
  const indefinite = constant(uint(width), signed ? lowest : highest);
  // Zero of either sign is 0; a negative number that is none of the unsigned is outside or 0.
  const fitting = named("fitting", mux(sign, magnitude.wrap(width).not().addWrap(1), magnitude.wrap(width)));
  return mux(outside, beyond === "indefinite" ? indefinite : mux(sign, constant(uint(width), lowest), highest), fitting);
};

/** binary32 as an integer, rounded to nearest, ties to even. Two stages; names of its signals are fixed, so once a module. */
export const binary32ToInteger = (value: UInt, parameters: ToIntegerParameters, cut: Cut): IntegerResult => {
  const { width, signed, beyond = "clamp" } = parameters;
  const { sign, exponent, significand } = unpack("value", value);
  const tooLarge = named("tooLarge", exponent.ge(127 + width), "2^width or more");
  // Integer part of `width` bits, then 24 bits of fraction: what leaves to the right is below a half by itself.
  const places = named("places", constant(uint(8), 126 + width).subWrap(exponent), "of no meaning where too large");
  const fixed = named("fixed", cat(significand, constant(uint(width), 0)).shr(places.sat(6)));
  const placed = cut("placed", { sign, tooLarge, fixed, nan: isNan(value) });

  const up = named("up", placed.fixed.bit(23).and(placed.fixed.bits(22, 0).any().or(placed.fixed.bit(24))), "above the middle, or at it and odd");
  const magnitude = named("magnitude", placed.fixed.bits(width + 23, 24).add(up));
  const integer = fitted(parameters, placed.sign, placed.tooLarge, magnitude);
  const ofNan = beyond === "clamp" ? 0 : signed ? 2n ** BigInt(width - 1) : 2n ** BigInt(width) - 1n;
  return cut("final", { result: mux(placed.nan, ofNan, integer), nan: placed.nan });
};

const toIntegerPorts = (width: number) => ({
  enable: input(bool, "the pipeline moves"),
  value: input(uint(32)),
  result: output(uint(width), "two's complement where signed"),
  nan: output(bool, "the value was NaN"),
});

/** Cycles from value to result. */
export const toIntegerLatency = 2;

/**
 * binary32 to integers, one a cycle.
 * @throws UserError for fewer than 2 or more than 32 bits
 */
export const binary32ToIntegerConverter = (parameters: ToIntegerParameters): Module<ReturnType<typeof toIntegerPorts>> => {
  const { width, signed, beyond = "clamp" } = parameters;
  if (!Number.isInteger(width) || width < 2 || width > 32) throw new UserError("bad-parameter", `an integer made of binary32 has 2 to 32 bits, not ${width}`);
  return module(
    `binary32_to_${signed ? "int" : "uint"}${width}${beyond === "clamp" ? "" : "_indefinite"}`,
    toIntegerPorts(width),
    (io) => {
      const { result, nan } = binary32ToInteger(io.value, parameters, registered(io.enable));
      io.result.set(result);
      io.nan.set(nan);
    },
    {
      doc:
        `IEEE 754 binary32 to ${signed ? "signed" : "unsigned"} ${width}-bit integer, to nearest, ties to even; ` +
        (beyond === "clamp" ? "clamped, NaN gives 0." : `${signed ? "the lowest" : "the highest"} integer for what is beyond it and for NaN.`),
      parameters: [
        { name: "width", value: width, legal: "2 to 32" },
        { name: "signed", value: String(signed), legal: "true, false" },
        { name: "beyond", value: beyond, legal: "clamp, indefinite" },
      ],
      latency: `${toIntegerLatency} cycles with enable high; one result a cycle.`,
    },
  );
};
