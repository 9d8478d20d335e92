import { UserError } from "../base/error.ts";
import { callerLocation } from "./location.ts";
import type { BinaryOp, CompareOp, Node } from "./node.ts";
import { binary, castSign, compare, extend, lit, minimalLiteral, muxOf, narrow, notOf, reduce, shiftLeft, shiftRight, sliceOf } from "./node.ts";
import { checkSize } from "./size.ts";

export const refuseCoercion = (): never => {
  throw new UserError("signal-as-number", "a signal is not a JavaScript value: `<`, `==`, `${}` and the like don't build hardware", {
    where: callerLocation(),
    hint: "use .lt(), .eq() and their like",
  });
};

const sameSign = (operation: string, a: Node, b: Node): void => {
  if (a.signed !== b.signed)
    throw new UserError("mixed-sign", `${operation} mixes a signed and an unsigned value`, {
      where: callerLocation(),
      hint: "convert one with .toSInt(), .asSInt() or .asUInt()",
    });
};

const operandNode = (value: Bits | number | bigint, signed: boolean): Node => (value instanceof Bits ? value.node : minimalLiteral(value, signed));

const arithmetic = (op: BinaryOp, a: Node, other: Bits | number | bigint): Node => {
  const b = operandNode(other, a.signed);
  sameSign(op, a, b);
  return binary(op, a, b);
};

/** Sum or difference that keeps the width of the wider operand. */
const wrapped = (op: "add" | "sub", a: Node, other: Bits | number | bigint): Node => {
  const b = operandNode(other, a.signed);
  return narrow(arithmetic(op, a, other), Math.max(a.width, b.width));
};

const comparison = (op: CompareOp, a: Node, other: Bits | number | bigint): Node => {
  const b = operandNode(other, a.signed);
  sameSign(op, a, b);
  return compare(op, a, b);
};

/** What all values of plain bits have in common. */
export abstract class Bits {
  readonly node: Node;

  constructor(node: Node) {
    checkSize(node);
    this.node = node;
  }

  get width(): number {
    return this.node.width;
  }

  [Symbol.toPrimitive](): never {
    return refuseCoercion();
  }

  /** Bits `high` to `low`, unsigned. @throws UserError outside the width. */
  bits(high: number, low: number): UInt {
    if (!Number.isInteger(high) || !Number.isInteger(low) || low < 0 || high < low || high >= this.width)
      throw new UserError("bad-slice", `bits(${high}, ${low}) is outside a value of ${this.width} bits`, { where: callerLocation() });
    return new UInt(sliceOf(this.node, low, high - low + 1));
  }

  /** One bit. */
  bit(index: number): Bool {
    return new Bool(this.bits(index, index).node);
  }

  /** True where any bit is 1. */
  any(): Bool {
    return new Bool(reduce("any", this.node));
  }

  /** True where all bits are 1. */
  all(): Bool {
    return new Bool(reduce("all", this.node));
  }

  /** Exclusive or of all bits. */
  parity(): Bool {
    return new Bool(reduce("parity", this.node));
  }
}

const checkShift = (amount: number | UInt, signedWidth: number): number | Node => {
  if (typeof amount === "number") {
    if (!Number.isInteger(amount) || amount < 0)
      throw new UserError("bad-shift", `a value is shifted by a whole number from 0, not by ${amount}`, { where: callerLocation() });
    return amount;
  }
  if (amount.width > 6)
    throw new UserError("bad-shift", `a shift by a ${amount.width}-bit amount would make ${signedWidth + 2 ** amount.width - 1} bits`, {
      where: callerLocation(),
      hint: "narrow the amount to 6 bits or fewer first",
    });
  return amount.node;
};

const checkWidth = (operation: string, from: number, width: number, widening: boolean): void => {
  const fits = Number.isInteger(width) && width >= 1 && (widening ? width >= from : width <= from);
  if (fits) return;
  const hint = widening ? "drop bits on purpose with .wrap() or .sat()" : "widen with .extend()";
  throw new UserError("bad-width", `${operation}(${width}) on a value of ${from} bits`, { where: callerLocation(), hint });
};

/** Unsigned integer. Arithmetic never loses bits; `wrap` and `sat` are the only ways to drop them. */
export class UInt extends Bits {
  readonly kind: "uint" | "bool" = "uint";

  /** Sum, one bit wider than the wider operand. */
  add(other: UInt | number | bigint): UInt {
    return new UInt(arithmetic("add", this.node, other));
  }

  /** Sum modulo 2^width, as wide as the wider operand: for counters and pointers. */
  addWrap(other: UInt | number | bigint): UInt {
    return new UInt(wrapped("add", this.node, other));
  }

  /** Difference: signed, one bit wider. */
  sub(other: UInt | number | bigint): SInt {
    return new SInt(castSign(arithmetic("sub", this.node, other), true));
  }

  /** Difference modulo 2^width, as wide as the wider operand: for counters and pointers. */
  subWrap(other: UInt | number | bigint): UInt {
    return new UInt(wrapped("sub", this.node, other));
  }

  /** Product, as wide as both operands together. */
  mul(other: UInt | number | bigint): UInt {
    return new UInt(arithmetic("mul", this.node, other));
  }

  and(other: UInt | number | bigint): UInt {
    return new UInt(arithmetic("and", this.node, other));
  }

  or(other: UInt | number | bigint): UInt {
    return new UInt(arithmetic("or", this.node, other));
  }

  xor(other: UInt | number | bigint): UInt {
    return new UInt(arithmetic("xor", this.node, other));
  }

  /** Every bit inverted. */
  not(): UInt {
    return new UInt(notOf(this.node));
  }

  /** Shift left without loss: wider by the largest shift. */
  shl(amount: number | UInt): UInt {
    return new UInt(shiftLeft(this.node, checkShift(amount, this.width)));
  }

  /** Shift right; a constant shift gives up the bits that leave, a variable one keeps the width. */
  shr(amount: number | UInt): UInt {
    return new UInt(shiftRight(this.node, checkShift(amount, 0)));
  }

  eq(other: UInt | number | bigint): Bool {
    return new Bool(comparison("eq", this.node, other));
  }

  ne(other: UInt | number | bigint): Bool {
    return new Bool(comparison("ne", this.node, other));
  }

  lt(other: UInt | number | bigint): Bool {
    return new Bool(comparison("lt", this.node, other));
  }

  le(other: UInt | number | bigint): Bool {
    return new Bool(comparison("le", this.node, other));
  }

  gt(other: UInt | number | bigint): Bool {
    return new Bool(comparison("gt", this.node, other));
  }

  ge(other: UInt | number | bigint): Bool {
    return new Bool(comparison("ge", this.node, other));
  }

  /** Zero-extended to `width` bits. */
  extend(width: number): UInt {
    checkWidth("extend", this.width, width, true);
    return new UInt(extend(this.node, width));
  }

  /** The low `width` bits: modulo 2^width. */
  wrap(width: number): UInt {
    checkWidth("wrap", this.width, width, false);
    return new UInt(narrow(this.node, width));
  }

  /** Clamped to `width` bits. */
  sat(width: number): UInt {
    checkWidth("sat", this.width, width, false);
    if (width === this.width) return new UInt(this.node);
    const most = (1n << BigInt(width)) - 1n;
    return new UInt(muxOf(this.gt(most).node, lit(most, width, false), this.wrap(width).node));
  }

  /** The same bits read as two's complement. */
  asSInt(): SInt {
    return new SInt(castSign(this.node, true));
  }

  /** The same value, signed and one bit wider. */
  toSInt(): SInt {
    return new SInt(castSign(extend(this.node, this.width + 1), true));
  }
}

/** One bit. Logical operators print as `&&`, `||` and `!`. */
export class Bool extends UInt {
  override readonly kind = "bool";

  override and(other: Bool | 0 | 1): Bool {
    return new Bool(arithmetic("and", this.node, other));
  }

  override or(other: Bool | 0 | 1): Bool {
    return new Bool(arithmetic("or", this.node, other));
  }

  override xor(other: Bool | 0 | 1): Bool {
    return new Bool(arithmetic("xor", this.node, other));
  }

  override not(): Bool {
    return new Bool(notOf(this.node));
  }
}

/** Two's complement integer. Arithmetic never loses bits; `wrap` and `sat` are the only ways to drop them. */
export class SInt extends Bits {
  readonly kind = "sint";

  /** Sum, one bit wider than the wider operand. */
  add(other: SInt | number | bigint): SInt {
    return new SInt(arithmetic("add", this.node, other));
  }

  /** Difference, one bit wider than the wider operand. */
  sub(other: SInt | number | bigint): SInt {
    return new SInt(arithmetic("sub", this.node, other));
  }

  /** Product, as wide as both operands together. */
  mul(other: SInt | number | bigint): SInt {
    return new SInt(arithmetic("mul", this.node, other));
  }

  /** Negation, one bit wider. */
  neg(): SInt {
    return new SInt({ op: "neg", a: this.node, width: this.width + 1, signed: true });
  }

  /** Shift left without loss: wider by the largest shift. */
  shl(amount: number | UInt): SInt {
    return new SInt(shiftLeft(this.node, checkShift(amount, this.width)));
  }

  /** Arithmetic shift right; a constant shift gives up the bits that leave, a variable one keeps the width. */
  shr(amount: number | UInt): SInt {
    return new SInt(shiftRight(this.node, checkShift(amount, 0)));
  }

  eq(other: SInt | number | bigint): Bool {
    return new Bool(comparison("eq", this.node, other));
  }

  ne(other: SInt | number | bigint): Bool {
    return new Bool(comparison("ne", this.node, other));
  }

  lt(other: SInt | number | bigint): Bool {
    return new Bool(comparison("lt", this.node, other));
  }

  le(other: SInt | number | bigint): Bool {
    return new Bool(comparison("le", this.node, other));
  }

  gt(other: SInt | number | bigint): Bool {
    return new Bool(comparison("gt", this.node, other));
  }

  ge(other: SInt | number | bigint): Bool {
    return new Bool(comparison("ge", this.node, other));
  }

  /** Sign-extended to `width` bits. */
  extend(width: number): SInt {
    checkWidth("extend", this.width, width, true);
    return new SInt(extend(this.node, width));
  }

  /** The low `width` bits: modulo 2^width. */
  wrap(width: number): SInt {
    checkWidth("wrap", this.width, width, false);
    return new SInt(narrow(this.node, width));
  }

  /** Clamped to `width` bits. */
  sat(width: number): SInt {
    checkWidth("sat", this.width, width, false);
    if (width === this.width) return this;
    const most = (1n << BigInt(width - 1)) - 1n;
    const above = muxOf(this.gt(most).node, lit(most, width, true), this.wrap(width).node);
    return new SInt(muxOf(this.lt(-most - 1n).node, lit(-most - 1n, width, true), above));
  }

  /** True where the value is representable in `width` bits: `wrap(width)` would lose nothing. */
  fits(width: number): Bool {
    checkWidth("fits", this.width, width, false);
    if (width === this.width) return new Bool(lit(1n, 1, false));
    const most = (1n << BigInt(width - 1)) - 1n;
    return this.ge(-most - 1n).and(this.le(most));
  }

  /** The same bits read as unsigned. */
  asUInt(): UInt {
    return new UInt(castSign(this.node, false));
  }
}
