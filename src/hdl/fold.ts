import type { BinaryOp, CompareOp } from "./node.ts";

const bit = (condition: boolean): bigint => (condition ? 1n : 0n);

const outcomes: Readonly<Record<BinaryOp | CompareOp | "shl" | "shr", (a: bigint, b: bigint) => bigint>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shl: (a, b) => a << b,
  shr: (a, b) => a >> b,
  eq: (a, b) => bit(a === b),
  ne: (a, b) => bit(a !== b),
  lt: (a, b) => bit(a < b),
  le: (a, b) => bit(a <= b),
  gt: (a, b) => bit(a > b),
  ge: (a, b) => bit(a >= b),
};

/**
 * What an operator gives for constants, before its width limits it. Of the language alone: the reference engine has arithmetic of its own, so that
 * comparing a circuit with its constants folded and with the same constants at inputs (tb/fuzz) finds an error in either.
 */
export const fold = (op: keyof typeof outcomes, a: bigint, b: bigint): bigint => outcomes[op](a, b);
