import type { BinaryOp, CompareOp, Node } from "../../hdl/node.ts";
import { pushAmount } from "./amount.ts";
import type { Emitter } from "./emitter.ts";
import { type Limb, limbCount, pushLimb } from "./limb.ts";
import type { Net } from "./net.ts";

const shift = (e: Emitter, limb: Limb, by: number, operation: "i64.shl" | "i64.shr_u" | "i64.shr_s"): void => {
  pushLimb(e, limb);
  if (by === 0) return;
  e.f.i64(BigInt(by));
  e.f.op(operation);
};

/** The limbs beyond a value: zeros, or its sign. */
const filler = (e: Emitter, limbs: readonly Limb[], signed: boolean): Limb => {
  if (!signed) return 0n;
  const top = limbs.at(-1)!;
  if (typeof top === "bigint") return BigInt.asIntN(64, top) < 0n ? -1n : 0n;
  shift(e, top, 63, "i64.shr_s");
  return e.toLocal();
};

/** Limbs of a node of any width, extended by its own sign, or cut, to `count` limbs. */
const limbsTo = (e: Emitter, node: Node, count: number): readonly Limb[] => {
  const own = e.limbs(node);
  if (own.length >= count) return own.slice(0, count);
  const fill = filler(e, own, node.signed);
  return [...own, ...Array.from({ length: count - own.length }, () => fill)];
};

/** Drops what is above the width, or extends the sign of what is there. */
const normalized = (e: Emitter, limbs: readonly Limb[], width: number, signed: boolean): readonly Limb[] => {
  if (width % 64 === 0) return limbs;
  const top = limbs.at(-1)!;
  if (top === 0n) return limbs;
  pushLimb(e, top);
  e.normalize("i64", width % 64, signed);
  return [...limbs.slice(0, -1), e.toLocal()];
};

/** 64 bits from bit `low` of limbs, those beyond the last being `fill`; left on the stack. */
const pushWindow = (e: Emitter, limbs: readonly Limb[], low: number, fill: Limb): void => {
  const at = (index: number): Limb => (index < 0 ? 0n : (limbs[index] ?? fill));
  const index = Math.floor(low / 64);
  const by = low - 64 * index;
  if (by === 0) return pushLimb(e, at(index));
  shift(e, at(index), by, "i64.shr_u");
  shift(e, at(index + 1), 64 - by, "i64.shl");
  e.f.op("i64.or");
};

/** Bits of limbs as an i64 on the stack; what is above `width` is not cleared. */
export const pushExtract = (e: Emitter, limbs: readonly Limb[], low: number, width: number): void => {
  const by = low % 64;
  if (by + width <= 64) return shift(e, limbs[Math.floor(low / 64)]!, by, "i64.shr_u");
  pushWindow(e, limbs, low, 0n);
};

const windows = (e: Emitter, limbs: readonly Limb[], low: number, count: number, fill: Limb): Limb[] =>
  Array.from({ length: count }, (_, index) => {
    const at = low + 64 * index;
    if (at % 64 === 0) return at < 0 ? 0n : (limbs[at / 64] ?? fill);
    pushWindow(e, limbs, at, fill);
    return e.toLocal();
  });

const addLimbs = (e: Emitter, a: readonly Limb[], b: readonly Limb[], subtract: boolean): Limb[] => {
  const { f } = e;
  const carry = f.local("i64");
  return a.map((limb, index) => {
    const other = b[index]!;
    const last = index === a.length - 1;
    const sum = f.local("i64");
    pushLimb(e, limb);
    pushLimb(e, other);
    f.op(subtract ? "i64.sub" : "i64.add");
    if (index === 0) f.set(sum);
    else {
      const partial = f.local("i64");
      f.tee(partial);
      f.get(carry);
      f.op(subtract ? "i64.sub" : "i64.add");
      f.set(sum);
      if (!last) pushCarry(e, subtract, partial, limb, sum, carry);
    }
    if (index === 0 && !last) {
      if (subtract) {
        pushLimb(e, limb);
        pushLimb(e, other);
      } else {
        f.get(sum);
        pushLimb(e, limb);
      }
      f.op("i64.lt_u");
      f.op("i64.extend_i32_u");
      f.set(carry);
    }
    return sum;
  });
};

/** Carry out of a limb that took one in: from either of the two additions. */
const pushCarry = (e: Emitter, subtract: boolean, partial: number, limb: Limb, sum: number, carry: number): void => {
  const { f } = e;
  if (subtract) {
    // Borrow of `limb - other` is `partial > limb`; borrow of `partial - carry` is `partial < carry`.
    f.get(partial);
    pushLimb(e, limb);
    f.op("i64.gt_u");
    f.get(partial);
    f.get(carry);
    f.op("i64.lt_u");
  } else {
    f.get(partial);
    pushLimb(e, limb);
    f.op("i64.lt_u");
    f.get(sum);
    f.get(partial);
    f.op("i64.lt_u");
  }
  f.op("i32.or");
  f.op("i64.extend_i32_u");
  f.set(carry);
};

/** Schoolbook product in digits of 32 bits. */
const multiply = (e: Emitter, a: readonly Limb[], b: readonly Limb[]): Limb[] => {
  const { f } = e;
  const digits = (limbs: readonly Limb[]): Limb[] =>
    limbs.flatMap((limb): Limb[] => {
      if (limb === 0n) return [0n, 0n];
      pushLimb(e, limb);
      f.i64(0xffffffffn);
      f.op("i64.and");
      const low = e.toLocal();
      shift(e, limb, 32, "i64.shr_u");
      return [low, e.toLocal()];
    });
  const [x, y] = [digits(a), digits(b)];
  const count = x.length;
  const result = Array.from({ length: count }, () => f.local("i64"));
  for (const local of result) {
    f.i64(0n);
    f.set(local);
  }
  const carry = f.local("i64");
  for (let i = 0; i < count; i++) {
    if (x[i] === 0n) continue;
    f.i64(0n);
    f.set(carry);
    for (let j = 0; i + j < count; j++) {
      pushLimb(e, x[i]!);
      pushLimb(e, y[j]!);
      f.op("i64.mul");
      f.get(result[i + j]!);
      f.op("i64.add");
      f.get(carry);
      f.op("i64.add");
      f.tee(carry);
      f.i64(0xffffffffn);
      f.op("i64.and");
      f.set(result[i + j]!);
      shift(e, carry, 32, "i64.shr_u");
      f.set(carry);
    }
  }
  return a.map((_, index) => {
    f.get(result[2 * index]!);
    shift(e, result[2 * index + 1]!, 32, "i64.shl");
    f.op("i64.or");
    return e.toLocal();
  });
};

const selected = (e: Emitter, a: readonly Limb[], b: readonly Limb[], condition: number): Limb[] =>
  a.map((limb, index) => {
    if (limb === b[index]) return limb;
    pushLimb(e, limb);
    pushLimb(e, b[index]!);
    e.f.get(condition);
    e.f.op("select");
    return e.toLocal();
  });

const shifted = (e: Emitter, node: Node & { op: "shl" | "shr" }): readonly Limb[] => {
  const { f } = e;
  const { amount, width } = node;
  // Bits shifted out on the right may come from beyond the result's width.
  const count = Math.max(limbCount(width), node.op === "shr" ? limbCount(node.a.width) : 0);
  const left = node.op === "shl";
  let limbs = limbsTo(e, node.a, count);
  const fill = left ? 0n : filler(e, limbs, node.a.signed);
  const by = (bits: number): Limb[] => windows(e, limbs, left ? -bits : bits, count, fill);
  if (typeof amount === "number") return normalized(e, by(Math.min(amount, 64 * count)).slice(0, limbCount(width)), width, node.signed);
  const most = 64 * count;
  const local = f.local("i32");
  pushAmount(e, amount, most);
  f.set(local);
  for (let bits = 1; bits <= most; bits *= 2) {
    if (Math.log2(bits) >= amount.width) break;
    const condition = f.local("i32");
    f.get(local);
    f.i32(bits);
    f.op("i32.and");
    f.set(condition);
    limbs = selected(e, by(bits), limbs, condition);
  }
  return normalized(e, limbs.slice(0, limbCount(width)), width, node.signed);
};

const concatenated = (e: Emitter, node: Node & { op: "cat" }): readonly Limb[] => {
  const { f } = e;
  const count = limbCount(node.width);
  const result: Limb[] = Array.from({ length: count }, () => 0n);
  let low = 0;
  for (const part of node.parts.toReversed()) {
    const own = normalized(e, e.limbs(part), part.width, false);
    const first = Math.floor(low / 64);
    windows(e, own, -(low % 64), Math.min(own.length + (low % 64 === 0 ? 0 : 1), count - first), 0n).forEach((limb, index) => {
      const before = result[first + index]!;
      if (limb === 0n) return;
      if (before === 0n) {
        result[first + index] = limb;
        return;
      }
      pushLimb(e, before);
      pushLimb(e, limb);
      f.op("i64.or");
      result[first + index] = e.toLocal();
    });
    low += part.width;
  }
  return result;
};

/** Operators on limbs that need nothing but their operands in as many limbs as the result. */
const arithmetic = (e: Emitter, node: Node & { op: BinaryOp }, count: number): readonly Limb[] => {
  const [a, b] = [limbsTo(e, node.a, count), limbsTo(e, node.b, count)];
  switch (node.op) {
    case "add":
    case "sub":
      return addLimbs(e, a, b, node.op === "sub");
    case "mul":
      return multiply(e, a, b);
    default:
      return pairwise(e, `i64.${node.op}`, a, b);
  }
};

const same = (count: number, limb: Limb): Limb[] => Array.from({ length: count }, () => limb);

/** Limbs of a node of more than 64 bits; those above its width are cut by the caller. */
const wideLimbs = (e: Emitter, node: Node, count: number): readonly Limb[] => {
  switch (node.op) {
    case "lit":
      return Array.from({ length: count }, (_, index) => BigInt.asIntN(64, node.value >> BigInt(64 * index)));
    case "ref":
      return windows(e, e.netLimbs(node.signal as Net), node.select!.constant, count, 0n);
    case "neg":
      return addLimbs(e, same(count, 0n), limbsTo(e, node.a, count), true);
    case "not":
      return pairwise(e, "i64.xor", limbsTo(e, node.a, count), same(count, -1n));
    case "shl":
    case "shr":
      return shifted(e, node);
    case "ext":
    case "cross":
    case "cast":
    case "trunc":
      return limbsTo(e, node.a, count);
    case "slice":
      return windows(e, e.limbs(node.a), node.low, count, 0n);
    case "mux": {
      const condition = e.f.local("i32");
      const [a, b] = [e.limbs(node.a), e.limbs(node.b)];
      e.push(node.sel);
      e.f.set(condition);
      return selected(e, a, b, condition);
    }
    case "cat":
      return concatenated(e, node);
    default:
      return arithmetic(e, node as Node & { op: BinaryOp }, count);
  }
};

/** Operators whose limbs are extended or cut already. */
const exact = new Set<Node["op"]>(["lit", "and", "or", "xor", "ext", "cross", "mux", "cat", "shl", "shr"]);

/** The limbs of any node; of a narrow one a single limb. */
export const limbsOf = (e: Emitter, node: Node): readonly Limb[] => {
  const { width, signed } = node;
  if (width > 64) {
    const limbs = wideLimbs(e, node, limbCount(width));
    return exact.has(node.op) ? limbs : normalized(e, limbs, width, signed);
  }
  if (node.op === "lit") return [node.value];
  e.pushAs("i64", node);
  return [e.toLocal()];
};

const pairwise = (e: Emitter, operation: "i64.and" | "i64.or" | "i64.xor", a: readonly Limb[], b: readonly Limb[]): Limb[] =>
  a.map((limb, index) => {
    pushLimb(e, limb);
    pushLimb(e, b[index]!);
    e.f.op(operation);
    return e.toLocal();
  });

/** Comparison of wide values, as an i32. */
export const pushComparison = (e: Emitter, { op, a, b }: Node & { op: CompareOp }): void => {
  const { f } = e;
  const count = limbCount(Math.max(a.width, b.width));
  const [x, y] = [limbsTo(e, a, count), limbsTo(e, b, count)];
  if (op === "eq" || op === "ne") {
    x.forEach((limb, index) => {
      pushLimb(e, limb);
      pushLimb(e, y[index]!);
      f.op("i64.xor");
      if (index > 0) f.op("i64.or");
    });
    f.op("i64.eqz");
    if (op === "ne") f.op("i32.eqz");
    return;
  }
  // a > b is b < a; a <= b is not b < a.
  const [left, right] = op === "gt" || op === "le" ? [y, x] : [x, y];
  left.forEach((limb, index) => {
    const other = right[index]!;
    const top = index === count - 1;
    if (index > 0) {
      pushLimb(e, limb);
      pushLimb(e, other);
      f.op("i64.eq");
      f.op("i32.and");
    }
    pushLimb(e, limb);
    pushLimb(e, other);
    f.op(top && a.signed ? "i64.lt_s" : "i64.lt_u");
    if (index > 0) f.op("i32.or");
  });
  if (op === "le" || op === "ge") f.op("i32.eqz");
};

/** Reduction of a wide value, as an i32. */
export const pushReduction = (e: Emitter, op: "any" | "all" | "parity", a: Node): void => {
  const { f } = e;
  const limbs = a.signed ? normalized(e, e.limbs(a), a.width, false) : e.limbs(a);
  limbs.forEach((limb, index) => {
    const top = index === limbs.length - 1 && a.width % 64 !== 0;
    pushLimb(e, limb);
    if (op === "all") {
      f.i64(top ? BigInt.asIntN(64, (1n << BigInt(a.width % 64)) - 1n) : -1n);
      f.op("i64.xor");
    }
    if (index > 0) f.op(op === "parity" ? "i64.xor" : "i64.or");
  });
  if (op === "parity") {
    f.op("i64.popcnt");
    f.op("i32.wrap_i64");
    f.i32(1);
    f.op("i32.and");
    return;
  }
  f.op("i64.eqz");
  if (op === "any") f.op("i32.eqz");
};
