import { clog2 } from "../../base/clog2.ts";
import { cat, constant, mux, named, type SInt, sint, type UInt, uint } from "../../hdl/index.ts";
import { infinity } from "./format.ts";

/** A significand of 26 bits: leading bit, 23 bits of fraction, the bit below them, and whether anything is below that. */
export const roundingWidth = 26;

/** What rounding takes: `significand * 2^(exponent - 152)`; the leading bit is 0 in subnormal numbers only, whose exponent is 1. */
export interface Normalized {
  readonly exponent: UInt;
  readonly significand: UInt;
}

/** The leading bits of a value, all bits below them gathered in the last one. */
export const gather = (value: UInt, width: number): UInt => {
  const { width: from } = value;
  if (from <= width) return from === width ? value : cat(value, constant(uint(width - from), 0));
  return cat(value.bits(from - 1, from - width + 1), value.bits(from - width, 0).any());
};

/** `value` raised right by up to 31; what leaves is gathered in the last bit. */
export const shiftRightGathering = (name: string, value: UInt, amount: UInt): UInt => {
  const wide = named(`${name}Wide`, cat(value, constant(uint(31), 0)).shr(amount));
  return named(name, gather(wide, value.width));
};

/**
 * Zeros above the highest one of `value`, by halving: each step asks whether the upper half is empty and goes on in the half that matters.
 * A value of 0 counts as one of 1 would, or more: it has no highest one, and callers shift it without effect.
 */
export const leadingZeros = (name: string, value: UInt): UInt => {
  const steps = clog2(value.width);
  // The lowest bit of a power of two of bits decides nothing: where all above it are 0, it is the highest one.
  const width = 2 ** steps - 1;
  let rest = value.width > width ? value.bits(value.width - 1, 1) : gather(value, width);
  const zeros: UInt[] = [];
  for (let half = 2 ** (steps - 1); half >= 1; half /= 2) {
    const from = half === 2 ** (steps - 1) ? named(`${name}Of${2 * half}`, rest) : rest;
    const empty = named(
      `${name}By${half}`,
      from
        .bits(2 * half - 2, half - 1)
        .any()
        .not(),
    );
    zeros.push(empty);
    if (half > 1) rest = named(`${name}Of${half}`, mux(empty, from.bits(half - 2, 0), from.bits(2 * half - 2, half)));
  }
  return cat(...zeros);
};

/** As `normalize`, for exponents that are never below 1. */
export const normalizeLeft = (exponent: UInt, value: UInt): Normalized => {
  const zeros = named("zeros", leadingZeros("zeros", value));
  const room = named("room", exponent.subWrap(1));
  const left = named("left", mux(room.lt(zeros), room, zeros).wrap(zeros.width));
  const raised = named("raised", value.shl(left).wrap(value.width));
  return { exponent: exponent.subWrap(left), significand: gather(raised, roundingWidth) };
};

/**
 * Moves the highest one of `value` to the top, as far as the exponent, which goes with it, stays at least 1; where it is below 1 the value moves right instead.
 * @param exponent biased, of the top bit of `value`; at most 511
 */
export const normalize = (exponent: SInt, value: UInt): Normalized => {
  const zeros = named("zeros", leadingZeros("zeros", value));
  const tiny = named("tiny", exponent.lt(1), "below the smallest normal number by the exponent alone");
  const room = named("room", exponent.sub(1).asUInt());
  const left = named("left", mux(room.lt(zeros), room, zeros).wrap(zeros.width));
  const raised = named("raised", value.shl(left).wrap(value.width));
  const excess = named("excess", constant(sint(2), 1).sub(exponent).asUInt());
  const lowered = shiftRightGathering("lowered", gather(value, roundingWidth), excess.sat(5));
  return {
    exponent: mux(tiny, 1, exponent.sub(left.toSInt()).wrap(9).asUInt()),
    significand: mux(tiny, lowered, gather(raised, roundingWidth)),
  };
};

/**
 * Rounds to nearest, ties to even. The increment runs through fraction and exponent alike, so that a significand that overflows, a subnormal number
 * that becomes normal and the largest number that becomes infinite need no case of their own.
 * @returns the result without its sign, 31 bits: infinite where the number is too large
 */
export const roundToNearest = ({ exponent, significand }: Normalized): UInt => {
  const truncated = named("truncated", cat(mux(significand.bit(25), exponent.extend(9), 0), significand.bits(24, 2)));
  const up = named("up", significand.bit(1).and(significand.bit(0).or(significand.bit(2))), "above the middle, or at it and odd");
  const rounded = named("rounded", truncated.addWrap(up));
  return named("magnitude", mux(rounded.bits(31, 23).ge(255), infinity(), rounded.bits(30, 0)));
};
