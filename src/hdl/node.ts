import { UserError } from "../base/error.ts";
import type { Loop, Signal } from "./circuit.ts";
import { fold } from "./fold.ts";
import { callerLocation } from "./location.ts";

/**
 * Part of a signal: `width` bits from bit `constant + sum(loop * stride) + sum(index * stride)`.
 * `element` is the width of the vector's innermost element, for printing offsets as multiples of it.
 */
export interface Select {
  readonly width: number;
  readonly constant: number;
  readonly loops: readonly { readonly loop: Loop; readonly stride: number }[];
  readonly dynamic: readonly { readonly index: Node; readonly stride: number }[];
  readonly element: number;
}

export type BinaryOp = "add" | "sub" | "mul" | "and" | "or" | "xor";
export type CompareOp = "eq" | "ne" | "lt" | "le" | "gt" | "ge";
export type ReduceOp = "any" | "all" | "parity";

/** An expression: immutable, its width and sign fixed when it is made. Operands are never wider than an arithmetic node. */
export type Node = { readonly width: number; readonly signed: boolean } & (
  | { readonly op: "lit"; readonly value: bigint; readonly caseName?: string }
  | { readonly op: "ref"; readonly signal: Signal; readonly select?: Select }
  | { readonly op: BinaryOp; readonly a: Node; readonly b: Node }
  | { readonly op: CompareOp; readonly a: Node; readonly b: Node }
  | { readonly op: "shl" | "shr"; readonly a: Node; readonly amount: number | Node }
  | { readonly op: "neg" | "not" | "ext" | "cast" | "trunc" | "cross"; readonly a: Node }
  | { readonly op: ReduceOp; readonly a: Node }
  | { readonly op: "slice"; readonly a: Node; readonly low: number }
  | { readonly op: "mux"; readonly sel: Node; readonly a: Node; readonly b: Node }
  | { readonly op: "cat"; readonly parts: readonly Node[] }
);

/** Bits that an unsigned value needs, at least one. */
export const bitsFor = (value: bigint): number => (value <= 0n ? 1 : value.toString(2).length);

/** Value of the low `width` bits, read with the given sign. */
export const truncateValue = (value: bigint, width: number, signed: boolean): bigint => (signed ? BigInt.asIntN(width, value) : BigInt.asUintN(width, value));

export const lit = (value: bigint, width: number, signed: boolean): Node => ({ op: "lit", value: truncateValue(value, width, signed), width, signed });

/** Literal of minimal width. @throws UserError for a negative number where an unsigned one is needed. */
export const minimalLiteral = (value: number | bigint, signed: boolean): Node => {
  if (typeof value === "number" && !Number.isSafeInteger(value))
    throw new UserError("bad-constant", `${value} is not a whole number below 2^53`, { where: callerLocation(), hint: "use a bigint above 2^53" });
  const exact = BigInt(value);
  if (exact < 0n && !signed)
    throw new UserError("bad-constant", `${exact} is negative, but an unsigned value is needed here`, { where: callerLocation(), hint: "use a SInt" });
  if (!signed) return lit(exact, bitsFor(exact), false);
  // Without the sign bit, a negative value needs as many bits as its complement; 0 and -1 need none.
  const magnitude = exact < 0n ? -exact - 1n : exact;
  return lit(exact, magnitude === 0n ? 1 : bitsFor(magnitude) + 1, true);
};

export const operandsOf = (node: Node): readonly Node[] => {
  switch (node.op) {
    case "lit":
      return [];
    case "ref":
      return node.select?.dynamic.map((term) => term.index) ?? [];
    case "mux":
      return [node.sel, node.a, node.b];
    case "cat":
      return node.parts;
    case "shl":
    case "shr":
      return typeof node.amount === "number" ? [node.a] : [node.a, node.amount];
    default:
      return "b" in node ? [node.a, node.b] : [node.a];
  }
};

/** Visits every node below `root` once for each use, without recursion, so that long chains don't exhaust the stack. */
export const walk = (root: Node, visit: (node: Node) => void): void => {
  const stack: Node[] = [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    visit(node);
    stack.push(...operandsOf(node));
  }
};

/** Width at which an operator that can compute the same value at any greater width loses nothing. Not `mul`: a product stays as wide as its operands, which is what DSP blocks are inferred from. */
const naturalWidth = (node: Node): number => {
  switch (node.op) {
    case "add":
      return Math.max(node.a.width, node.b.width) + 1;
    case "sub":
      // An unsigned difference below zero has wrapped.
      return node.signed ? Math.max(node.a.width, node.b.width) + 1 : Number.POSITIVE_INFINITY;
    case "neg":
      return node.a.width + 1;
    case "shl":
      return node.a.width + (typeof node.amount === "number" ? node.amount : 2 ** node.amount.width - 1);
    default:
      return Number.POSITIVE_INFINITY;
  }
};

/** A difference of unsigned values, read as signed. */
const isSignedDifference = (node: Node): node is Node & { op: "cast"; a: Node & { op: "sub" } } =>
  node.op === "cast" && node.a.op === "sub" && node.signed && node.width > Math.max(node.a.a.width, node.a.b.width);

/** The same value in `width` bits, at least as wide; constants and multiplexers take the extension inside. */
export const extend = (node: Node, width: number): Node => {
  if (width === node.width) return node;
  const { signed } = node;
  if (node.op === "lit") return { ...node, width };
  if (node.op === "ext") return extend(node.a, width);
  if (node.op === "mux") return { ...node, a: extend(node.a, width), b: extend(node.b, width), width };
  if (node.op === "cross") return { ...node, a: extend(node.a, width), width };
  if (isSignedDifference(node)) return { ...node, a: { ...node.a, width }, width };
  if (node.width >= naturalWidth(node)) return { ...node, width };
  return { op: "ext", a: node, width, signed };
};

/** The low `width` bits of a node, pushed down to the operands so that only the bits in demand are computed and printed. */
export const narrow = (node: Node, width: number): Node => {
  if (width === node.width) return node;
  const { signed } = node;
  const low = (operand: Node): Node => (operand.width > width ? narrow(operand, width) : operand);
  switch (node.op) {
    case "lit":
      return lit(node.value, width, signed);
    case "add":
    case "sub":
    case "mul":
      return { ...node, a: low(node.a), b: low(node.b), width };
    case "and":
    case "or":
    case "xor":
      return { ...node, a: narrow(node.a, width), b: narrow(node.b, width), width };
    case "shl":
      return { ...node, a: low(node.a), width };
    case "neg":
      return { ...node, a: low(node.a), width };
    case "not":
    case "cast":
    case "cross":
      return { ...node, a: narrow(node.a, width), width };
    case "ext":
      return node.a.width >= width ? narrow(node.a, width) : extend(node.a, width);
    case "trunc":
      return narrow(node.a, width);
    case "mux":
      return { ...node, a: narrow(node.a, width), b: narrow(node.b, width), width };
    case "slice":
      return sliceOf(node.a, node.low, width);
    case "ref":
      return { op: "ref", signal: node.signal, select: subSelect(node.select, 0, width), width, signed };
    case "cat":
      return narrowCat(node.parts, width);
    default:
      return { op: "trunc", a: node, width, signed };
  }
};

const narrowCat = (parts: readonly Node[], width: number): Node => {
  const kept: Node[] = [];
  let missing = width;
  for (const part of parts.toReversed()) {
    if (missing === 0) break;
    const taken = part.width > missing ? sliceOf(part, 0, missing) : part;
    kept.unshift(taken);
    missing -= taken.width;
  }
  return catOf(kept);
};

const subSelect = (select: Select | undefined, low: number, width: number): Select => {
  if (select === undefined) return { width, constant: low, loops: [], dynamic: [], element: 1 };
  return { ...select, width, constant: select.constant + low };
};

/** Bits `low + width - 1 .. low`, unsigned. */
export const sliceOf = (node: Node, low: number, width: number): Node => {
  if (low === 0 && width === node.width && !node.signed) return node;
  if (node.op === "lit") return lit(truncateValue(node.value, node.width, false) >> BigInt(low), width, false);
  if (node.op === "ref") return { op: "ref", signal: node.signal, select: subSelect(node.select, low, width), width, signed: false };
  if (node.op === "cast" || (node.op === "ext" && low + width <= node.a.width)) return sliceOf(node.a, low, width);
  if (node.op === "slice") return sliceOf(node.a, node.low + low, width);
  if (node.op === "cross") return { ...node, a: sliceOf(node.a, low, width), width, signed: false };
  if (low === 0 && !node.signed) return narrow(node, width);
  return { op: "slice", a: node, low, width, signed: false };
};

export const catOf = (parts: readonly Node[]): Node => {
  const only = parts[0];
  if (only !== undefined && parts.length === 1) return castSign(only, false);
  return { op: "cat", parts, width: parts.reduce((sum, part) => sum + part.width, 0), signed: false };
};

/** The same bits read with the other sign. */
export const castSign = (node: Node, signed: boolean): Node => {
  if (node.signed === signed) return node;
  if (node.op === "lit") return lit(node.value, node.width, signed);
  if (node.op === "cast") return castSign(node.a, signed);
  // A part of a signal has no sign of its own in Verilog.
  if (node.op === "ref" && node.select !== undefined) return { ...node, signed };
  return { op: "cast", a: node, width: node.width, signed };
};

const isZero = (node: Node): boolean => node.op === "lit" && node.value === 0n;

const asBit = (condition: boolean): Node => lit(condition ? 1n : 0n, 1, false);

const mirrored: Record<CompareOp, CompareOp> = { eq: "eq", ne: "ne", lt: "gt", le: "ge", gt: "lt", ge: "le" };

/** Comparison of two values of one sign. A constant goes to the right, where readers expect it. */
export const compare = (op: CompareOp, a: Node, b: Node): Node => {
  if (a.op === "lit" && b.op !== "lit") return compare(mirrored[op], b, a);
  const width = Math.max(a.width, b.width);
  if (a.op === "lit" && b.op === "lit") return lit(fold(op, a.value, b.value), 1, false);
  const known = outcomeAtLimit(op, a, b);
  return known === undefined ? { op, a: extend(a, width), b: extend(b, width), width: 1, signed: false } : asBit(known);
};

/** Outcome of a comparison that the range of `a` decides: known, and a warning in every lint tool. */
const outcomeAtLimit = (op: CompareOp, a: Node, b: Node): boolean | undefined => {
  if (b.op !== "lit") return undefined;
  const least = a.signed ? -(1n << BigInt(a.width - 1)) : 0n;
  const most = least + (1n << BigInt(a.width)) - 1n;
  if (b.value > most) return op === "lt" || op === "le" || op === "ne";
  if (b.value < least) return op === "gt" || op === "ge" || op === "ne";
  if (b.value === most && (op === "le" || op === "gt")) return op === "le";
  if (b.value === least && (op === "ge" || op === "lt")) return op === "ge";
  return undefined;
};

/** A condition with a constant, as parameters of a generator make them. */
const foldBit = (op: "and" | "or" | "xor", a: Node, constant: Node): Node | undefined => {
  if (constant.op !== "lit" || constant.signed) return undefined;
  if (op === "xor") return constant.value === 1n ? notOf(a) : a;
  return (constant.value === 1n) === (op === "and") ? a : constant;
};

/** Lossless arithmetic, or bitwise logic on equal widths; constants fold. */
export const binary = (op: BinaryOp, a: Node, b: Node): Node => {
  const { signed } = a;
  const widest = Math.max(a.width, b.width);
  const width = op === "mul" ? a.width + b.width : op === "add" || op === "sub" ? widest + 1 : widest;
  if (a.op === "lit" && b.op === "lit") return lit(fold(op, a.value, b.value), width, signed);
  const logic = op === "and" || op === "or" || op === "xor";
  if (logic && width === 1) {
    const folded = foldBit(op, a, b) ?? foldBit(op, b, a);
    if (folded !== undefined) return folded;
  }
  return { op, a: logic ? extend(a, width) : a, b: logic ? extend(b, width) : b, width, signed };
};

export const muxOf = (sel: Node, a: Node, b: Node): Node => {
  const width = Math.max(a.width, b.width);
  if (sel.op === "lit") return extend(sel.value === 1n ? a : b, width);
  return { op: "mux", sel, a: extend(a, width), b: extend(b, width), width, signed: a.signed };
};

export const reduce = (op: ReduceOp, a: Node): Node => {
  if (a.width === 1) return castSign(a, false);
  return { op, a, width: 1, signed: false };
};

const opposite: Record<CompareOp, CompareOp> = { eq: "ne", ne: "eq", lt: "ge", ge: "lt", gt: "le", le: "gt" };

export const notOf = (a: Node): Node => {
  if (a.op === "lit") return lit(fold("xor", a.value, -1n), a.width, a.signed);
  if (a.op === "not") return a.a;
  if (a.op in opposite) return { ...a, op: opposite[a.op as CompareOp] } as Node;
  return { op: "not", a, width: a.width, signed: a.signed };
};

/** Shift left without loss: wider by the largest shift. */
export const shiftLeft = (a: Node, amount: number | Node): Node => {
  const most = typeof amount === "number" ? amount : 2 ** amount.width - 1;
  if (amount === 0) return a;
  if (a.op === "lit" && (typeof amount === "number" || a.value === 0n))
    return lit(fold("shl", a.value, BigInt(typeof amount === "number" ? amount : 0)), a.width + most, a.signed);
  return { op: "shl", a, amount, width: a.width + most, signed: a.signed };
};

/** Shift right, arithmetic for signed values. A constant shift gives up the bits that leave; a variable one keeps the width. */
export const shiftRight = (a: Node, amount: number | Node): Node => {
  if (typeof amount !== "number" && isZero(a)) return a;
  if (typeof amount !== "number") return { op: "shr", a, amount, width: a.width, signed: a.signed };
  if (amount === 0) return a;
  if (a.op === "lit") return lit(fold("shr", a.value, BigInt(amount)), Math.max(1, a.width - amount), a.signed);
  if (amount >= a.width) return a.signed ? castSign(sliceOf(a, a.width - 1, 1), true) : lit(0n, 1, false);
  return castSign(sliceOf(a, amount, a.width - amount), a.signed);
};
