import type { BinaryOp, CompareOp, Node } from "../../hdl/node.ts";
import { pushAmount } from "./amount.ts";
import type { Emitter } from "./emitter.ts";
import { typeFor } from "./emitter.ts";
import { pushLimb } from "./limb.ts";
import type { Net } from "./net.ts";
import { pushComparison, pushExtract, pushReduction } from "./wide.ts";

type Type = "i32" | "i64";
type Binary = Node & { op: BinaryOp };

const bitsOf = (type: Type): number => (type === "i32" ? 32 : 64);

export const pushConstant = ({ f }: Emitter, type: Type, value: bigint): void => {
  if (type === "i32") f.i32(Number(BigInt.asIntN(32, value)));
  else f.i64(value);
};

/** Widths at which arithmetic can't leave the result's width, so that nothing has to be cut. */
const fits = (node: Binary): boolean => {
  if (node.op === "mul") return node.width >= node.a.width + node.b.width;
  return (node.op === "add" || node.signed) && node.width > Math.max(node.a.width, node.b.width);
};

const pushArithmetic = (e: Emitter, node: Binary): void => {
  const type = typeFor(node.width);
  pushLow(e, type, node.a);
  pushLow(e, type, node.b);
  e.f.op(`${type}.${node.op}`);
  if (!fits(node)) e.normalize(type, node.width, node.signed);
};

/** The low bits of an operand that may be wider than the result. */
const pushLow = (e: Emitter, type: Type, node: Node): void => {
  if (node.width > 64) {
    pushLimb(e, e.limbs(node)[0]!);
    if (type === "i32") e.f.op("i32.wrap_i64");
    return;
  }
  e.pushAs(type, node);
  if (type === "i32" && node.width > 32) e.f.op("i32.wrap_i64");
};

const pushShift = (e: Emitter, node: Node & { op: "shl" | "shr" }): void => {
  const { f } = e;
  const type = typeFor(node.width);
  const bits = bitsOf(type);
  const left = node.op === "shl";
  const operation = left ? "shl" : node.signed ? "shr_s" : "shr_u";
  const limit = operation === "shr_s" ? bits - 1 : bits;
  const { amount } = node;
  if (typeof amount === "number") {
    if (amount >= bits && operation !== "shr_s") return pushConstant(e, type, 0n);
    pushLow(e, type, node.a);
    pushConstant(e, type, BigInt(Math.min(amount, limit)));
    f.op(`${type}.${operation}`);
  } else if (2 ** amount.width - 1 < bits) {
    pushLow(e, type, node.a);
    pushAmount(e, amount, limit);
    if (type === "i64") f.op("i64.extend_i32_u");
    f.op(`${type}.${operation}`);
  } else {
    pushClamped(e, node, type, operation, limit);
  }
  const natural = node.a.width + (typeof amount === "number" ? amount : 2 ** amount.width - 1);
  if (left && node.width < natural) e.normalize(type, node.width, node.signed);
};

/** A shift by so much leaves nothing, where the machine would start again from 0. */
const pushClamped = (e: Emitter, node: Node & { op: "shl" | "shr" }, type: Type, operation: "shl" | "shr_s" | "shr_u", limit: number): void => {
  const { f } = e;
  const local = f.local("i32");
  pushLow(e, type, node.a);
  pushAmount(e, node.amount as Node, limit);
  f.tee(local);
  if (type === "i64") f.op("i64.extend_i32_u");
  f.op(`${type}.${operation}`);
  if (operation === "shr_s") return;
  pushConstant(e, type, 0n);
  f.get(local);
  f.i32(limit);
  f.op("i32.lt_u");
  f.op("select");
};

const unsignedNames: Readonly<Record<CompareOp, string>> = { eq: "eq", ne: "ne", lt: "lt_u", le: "le_u", gt: "gt_u", ge: "ge_u" };
const signedNames: Readonly<Record<CompareOp, string>> = { eq: "eq", ne: "ne", lt: "lt_s", le: "le_s", gt: "gt_s", ge: "ge_s" };

const pushCompare = (e: Emitter, node: Node & { op: CompareOp }): void => {
  const { a, b, op } = node;
  if (Math.max(a.width, b.width) > 64) return pushComparison(e, node);
  const type = typeFor(Math.max(a.width, b.width));
  e.pushAs(type, a);
  e.pushAs(type, b);
  e.f.op(`${type}.${(a.signed ? signedNames : unsignedNames)[op]}` as "i32.eq");
};

const pushBits = (e: Emitter, a: Node, low: number, width: number, signed: boolean): void => {
  const type = typeFor(width);
  if (a.width > 64) {
    pushExtract(e, e.limbs(a), low, width);
    if (type === "i32") e.f.op("i32.wrap_i64");
    return e.normalize(type, width, signed);
  }
  const from = typeFor(a.width);
  e.push(a);
  if (low > 0) {
    pushConstant(e, from, BigInt(low));
    e.f.op(`${from}.${a.signed ? "shr_s" : "shr_u"}`);
  }
  if (from === "i64" && type === "i32") e.f.op("i32.wrap_i64");
  // The top bits of a value are what is left of it, with its own sign.
  if (low + width !== a.width || a.signed !== signed) e.normalize(type, width, signed);
};

/** The bits of a narrow value without its sign. */
const pushUnsigned = (e: Emitter, type: Type, node: Node): void => {
  e.push(node);
  if (node.signed) e.normalize(typeFor(node.width), node.width, false);
  if (type === "i64" && node.width <= 32) e.f.op("i64.extend_i32_u");
};

const pushCat = (e: Emitter, node: Node & { op: "cat" }): void => {
  const type = typeFor(node.width);
  let low = node.width;
  node.parts.forEach((part, index) => {
    low -= part.width;
    pushUnsigned(e, type, part);
    if (low > 0) {
      pushConstant(e, type, BigInt(low));
      e.f.op(`${type}.shl`);
    }
    if (index > 0) e.f.op(`${type}.or`);
  });
};

const pushNot = (e: Emitter, a: Node, { width, signed }: Node): void => {
  const type = typeFor(width);
  e.push(a);
  if (width === 1 && !signed) return e.f.op("i32.eqz");
  pushConstant(e, type, -1n);
  e.f.op(`${type}.xor`);
  if (!signed) e.normalize(type, width, false);
};

const pushReduce = (e: Emitter, { op, a }: Node & { op: "any" | "all" | "parity" }): void => {
  if (a.width > 64) return pushReduction(e, op, a);
  const type = typeFor(a.width);
  if (op === "any") {
    e.push(a);
    pushConstant(e, type, 0n);
    return e.f.op(`${type}.ne`);
  }
  pushUnsigned(e, type, a);
  if (op === "all") {
    pushConstant(e, type, (1n << BigInt(a.width)) - 1n);
    return e.f.op(`${type}.eq`);
  }
  e.f.op(`${type}.popcnt`);
  if (type === "i64") e.f.op("i32.wrap_i64");
  e.f.i32(1);
  e.f.op("i32.and");
};

/** Bits of a narrow part of a net; a wide net is taken by its limbs. */
const pushPart = (e: Emitter, node: Node & { op: "ref" }): void => {
  const net = node.signal as Net;
  const whole: Node = { op: "ref", signal: net, width: net.width, signed: net.signed };
  pushBits(e, whole, node.select!.constant, node.width, node.signed);
};

/** Leaves the value of a node of at most 64 bits on the stack. */
export const pushNarrow = (e: Emitter, node: Node): void => {
  const type = typeFor(node.width);
  switch (node.op) {
    case "lit":
      return pushConstant(e, type, node.value);
    case "ref":
      return pushPart(e, node);
    case "add":
    case "sub":
    case "mul":
      return pushArithmetic(e, node);
    case "and":
    case "or":
    case "xor":
      e.pushAs(type, node.a);
      e.pushAs(type, node.b);
      return e.f.op(`${type}.${node.op}`);
    case "shl":
    case "shr":
      return pushShift(e, node);
    case "neg":
      pushConstant(e, type, 0n);
      pushLow(e, type, node.a);
      e.f.op(`${type}.sub`);
      if (!(node.signed && node.width > node.a.width)) e.normalize(type, node.width, node.signed);
      return;
    case "not":
      return pushNot(e, node.a, node);
    case "any":
    case "all":
    case "parity":
      return pushReduce(e, node);
    case "ext":
      return e.pushAs(type, node.a);
    case "cast":
      e.push(node.a);
      return e.normalize(type, node.width, node.signed);
    case "cross":
      return e.push(node.a);
    case "trunc":
      return pushBits(e, node.a, 0, node.width, node.signed);
    case "slice":
      return pushBits(e, node.a, node.low, node.width, false);
    case "mux":
      e.push(node.a);
      e.push(node.b);
      e.push(node.sel);
      return e.f.op("select");
    case "cat":
      return pushCat(e, node);
    default:
      return pushCompare(e, node);
  }
};
