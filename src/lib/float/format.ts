import { type Bool, bool, cat, constant, mux, named, type UInt, uint } from "../../hdl/index.ts";

const allOnes = (): UInt => constant(uint(8), 255);

/** Infinity without its sign. */
export const infinity = (): UInt => cat(allOnes(), constant(uint(23), 0));

/** The NaN that every unit gives, 7fc00000: quiet, positive, without payload. */
const canonicalNan = (): UInt => cat(constant(bool, 0), allOnes(), constant(bool, 1), constant(uint(22), 0));

/** Sign, exponent and significand of a finite binary32 number: `(-1)^sign * significand * 2^(exponent - 150)`. */
export interface Unpacked {
  readonly sign: Bool;
  /** 8 bits, from 1: that of subnormal numbers is 1, like that of the smallest normal ones. */
  readonly exponent: UInt;
  /** 24 bits with the leading one, which subnormal numbers lack. */
  readonly significand: UInt;
}

/** Takes a binary32 value apart; names begin with `name`. */
export const unpack = (name: string, value: UInt): Unpacked => {
  const normal = named(`${name}Normal`, value.bits(30, 23).any());
  return {
    sign: value.bit(31),
    exponent: named(`${name}Exponent`, mux(normal, value.bits(30, 23), 1)),
    significand: named(`${name}Significand`, cat(normal, value.bits(22, 0))),
  };
};

export const isNan = (value: UInt): Bool => value.bits(30, 23).all().and(value.bits(22, 0).any());

export const isInfinite = (value: UInt): Bool => value.bits(30, 23).all().and(value.bits(22, 0).any().not());

export const isZero = (value: UInt): Bool => value.bits(30, 0).any().not();

/** Sign and magnitude of a result, or what the special cases make of it. */
export const packSpecial = (nan: Bool, infinite: Bool, sign: Bool, magnitude: UInt): UInt =>
  mux(nan, canonicalNan(), cat(sign, mux(infinite, infinity(), magnitude)));
