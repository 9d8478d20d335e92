import { UserError } from "../base/error.ts";
import type { Bool, SInt, UInt } from "./bits.ts";
import { Bits, Bool as BoolClass, SInt as SIntClass, UInt as UIntClass } from "./bits.ts";
import { builder, refTo, variable } from "./builder.ts";
import type { ClockDomain, Property, Signal, Statement } from "./circuit.ts";
import { callerLocation, Site } from "./location.ts";
import { castSign, catOf, muxOf, type Node } from "./node.ts";
import type { BoolShape, EnumShape, Shape, VecShape } from "./shape.ts";
import { bool, sint, uint } from "./shape.ts";
import type { Enum, Like, VarOf } from "./value.ts";
import { conditionNode, nodeFor } from "./value.ts";

export interface RegOptions<S extends Shape> {
  /** Value during reset; without it the register has no reset and prints in an always block of its own. */
  readonly reset?: Like<S>;
  /** Value at power-up, for technologies that load one. */
  readonly initial?: Like<S>;
  /** Default: the module's own clock. */
  readonly clock?: ClockDomain;
  readonly doc?: string;
}

const constantOf = (value: unknown, shape: Shape, what: string): bigint | undefined => {
  if (value === undefined) return undefined;
  const node = nodeFor(value, shape, what);
  if (node.op !== "lit") throw new UserError("not-constant", `${what} is a constant`, { where: callerLocation() });
  return node.value;
};

const declare = (name: string, shape: Shape, role: Signal["role"], options: Partial<Pick<Signal, "domain" | "reset" | "initial" | "doc">>): Signal => {
  const build = builder(`${role === "reg" ? "reg" : "wire"}()`);
  if (build.block !== undefined) throw new UserError("misplaced", `\`${name}\` is declared outside sync() and comb()`, { where: callerLocation() });
  return build.declare(name, `a ${role === "reg" ? "register" : "wire"}`, shape, { role, ...options });
};

/** Register. It keeps its value until a sync() block sets it. */
export const reg = <S extends Shape>(name: string, shape: S, options: RegOptions<S> = {}): VarOf<S> => {
  const domain = options.clock ?? builder("reg()").ownClock;
  const reset = constantOf(options.reset, shape, `the reset value of \`${name}\``);
  const initial = constantOf(options.initial, shape, `the initial value of \`${name}\``);
  if (reset !== undefined && domain.reset === "none")
    throw new UserError("no-reset", `\`${name}\` has a reset value, but clock \`${domain.clk}\` has no reset`, { where: callerLocation() });
  return variable(refTo(declare(name, shape, "reg", { domain, reset, initial, doc: options.doc })), shape);
};

/** Named signal driven by `.set()`, by comb() or by an instance. */
export const wire = <S extends Shape>(name: string, shape: S, doc?: string): VarOf<S> => variable(refTo(declare(name, shape, "wire", { doc })), shape);

const shapeOf = (value: UInt | SInt | Enum<string> | AnyVec): Shape => {
  if (value.kind === "vec" || value.kind === "enum") return value.shape;
  return value.kind === "bool" ? bool : value.kind === "sint" ? sint(value.width) : uint(value.width);
};

/** Gives an expression a name: one wire and one assign in the Verilog. */
export const named = <T extends UInt | SInt | Enum<string> | AnyVec>(name: string, value: T, doc?: string): T => {
  const target = wire(name, shapeOf(value), doc) as { set(value: T): void };
  target.set(value);
  return target as unknown as T;
};

const clocked = (kind: "sync" | "comb", domain: ClockDomain | undefined, fill: () => void): void => {
  const build = builder(`${kind}()`);
  if (build.block !== undefined) throw new UserError("misplaced", `${kind}() can't stand inside another block`, { where: callerLocation() });
  const body: Statement[] = [];
  const site = new Site();
  build.block = { kind, domain, body };
  try {
    fill();
  } finally {
    build.block = undefined;
  }
  if (body.length === 0) throw new UserError("empty-block", `${kind}() sets nothing`, { where: site.location });
  if (kind === "comb") build.add({ kind, body, site }, "comb()");
  else build.add({ kind, domain: domain ?? build.ownClock, body, site }, "sync()");
};

/** Clocked block: one always_ff (two where some registers have a reset and some have none). */
export function sync(fill: () => void): void;
export function sync(domain: ClockDomain, fill: () => void): void;
export function sync(first: ClockDomain | (() => void), second?: () => void): void {
  if (typeof first === "function") clocked("sync", builder("sync()").ownClock, first);
  else clocked("sync", first, second ?? (() => undefined));
}

/** Combinational block: one always_comb. Later statements win; every target is set on every path. */
export const comb = (fill: () => void): void => clocked("comb", undefined, fill);

export interface WhenChain {
  elsewhen(condition: Like<BoolShape>, fill: () => void): WhenChain;
  otherwise(fill: () => void): void;
}

/** Alternatives of a chain: more would print as a wall that nobody reads, and exhaust the stack of whoever walks it. */
const maxAlternatives = 256;

const chain = (alternatives: Statement[], count: number): WhenChain => ({
  elsewhen(condition, fill) {
    if (count === maxAlternatives)
      throw new UserError("too-long", `a when() chain has more than ${maxAlternatives} alternatives`, {
        where: callerLocation(),
        hint: "use match(), a vector or a memory",
      });
    const inner: Statement = { kind: "if", condition: conditionNode(condition), body: [], otherwise: [], site: new Site() };
    alternatives.push(inner);
    builder("elsewhen()").into(inner.body, fill);
    return chain(inner.otherwise, count + 1);
  },
  otherwise(fill) {
    builder("otherwise()").into(alternatives, fill);
  },
});

/** Conditional statements: `when(a, ...).elsewhen(b, ...).otherwise(...)` prints as if / else if / else. */
export const when = (condition: Like<BoolShape>, fill: () => void): WhenChain => {
  const build = builder("when()");
  const statement: Statement = { kind: "if", condition: conditionNode(condition), body: [], otherwise: [], site: new Site() };
  build.addStatement(statement, "when()");
  build.into(statement.body, fill);
  return chain(statement.otherwise, 1);
};

/** One arm for each state of an enumeration: prints as case. A missing state does not compile. */
export const match = <N extends string>(subject: Enum<N>, arms: { readonly [K in N]: () => void }): void => {
  const build = builder("match()");
  const shape: EnumShape<N> = subject.shape;
  const printed = shape.cases.map((caseName, index) => ({ caseName: caseName as string, value: BigInt(index), body: [] as Statement[] }));
  build.addStatement({ kind: "case", subject: subject.node, arms: printed, site: new Site() }, "match()");
  for (const arm of printed) {
    const fill = (arms as Record<string, (() => void) | undefined>)[arm.caseName];
    if (fill === undefined) throw new UserError("missing-state", `match() has no arm for \`${arm.caseName}\` of ${shape.name}`, { where: callerLocation() });
    build.into(arm.body, fill);
  }
};

const operand = (value: Bits | number | bigint | boolean, other: Bits | number | bigint | boolean): Node => {
  if (value instanceof Bits) return value.node;
  if (typeof value === "boolean" || (other instanceof Bits && (other as { kind?: string }).kind === "bool")) return conditionNode(value as boolean);
  const signed = other instanceof Bits && other.node.signed;
  const shape = other instanceof Bits ? (signed ? sint(Math.max(other.width, 1)) : uint(other.width)) : undefined;
  if (shape === undefined) throw new UserError("bad-value", "mux() of two constants doesn't say how wide it is", { where: callerLocation() });
  return nodeFor(value, shape, "a mux() arm");
};

/** `condition ? then : otherwise`, as wide as the wider arm. Both arms have one sign; a constant takes the other arm's shape. */
export function mux(condition: Like<BoolShape>, then: Bool, otherwise: Bool | boolean | 0 | 1): Bool;
export function mux(condition: Like<BoolShape>, then: Bool | boolean | 0 | 1, otherwise: Bool): Bool;
export function mux(condition: Like<BoolShape>, then: UInt, otherwise: UInt | number | bigint): UInt;
export function mux(condition: Like<BoolShape>, then: UInt | number | bigint, otherwise: UInt): UInt;
export function mux(condition: Like<BoolShape>, then: SInt, otherwise: SInt | number | bigint): SInt;
export function mux(condition: Like<BoolShape>, then: SInt | number | bigint, otherwise: SInt): SInt;
export function mux(condition: Like<BoolShape>, then: Bits | number | bigint | boolean, otherwise: Bits | number | bigint | boolean): UInt | SInt {
  const a = operand(then, otherwise);
  const b = operand(otherwise, then);
  if (a.signed !== b.signed)
    throw new UserError("mixed-sign", "mux() mixes a signed and an unsigned arm", {
      where: callerLocation(),
      hint: "convert one with .toSInt(), .asSInt() or .asUInt()",
    });
  const node = muxOf(conditionNode(condition), a, b);
  if (node.signed) return new SIntClass(node);
  return [then, otherwise].every((arm) => !(arm instanceof UIntClass) || arm.kind === "bool") ? new BoolClass(node) : new UIntClass(node);
}

/** A vector of any elements. */
interface AnyVec {
  readonly kind: "vec";
  readonly node: Node;
  readonly shape: VecShape;
}

/** Concatenation, first part in the high bits, as in Verilog. */
export const cat = (...parts: readonly (UInt | SInt | AnyVec)[]): UInt => {
  if (parts.length === 0) throw new UserError("bad-value", "cat() needs at least one part", { where: callerLocation() });
  return new UIntClass(catOf(parts.map((part) => castSign(part.node, false))));
};

/** Constant with a width of its own. */
export const constant = <S extends Shape>(shape: S, value: Like<S>): S extends { kind: "sint" } ? SInt : S extends { kind: "bool" } ? Bool : UInt => {
  const node = nodeFor(value, shape, "the constant");
  const made = shape.kind === "sint" ? new SIntClass(node) : shape.kind === "bool" ? new BoolClass(node) : new UIntClass(node);
  return made as never;
};

/** Says that a value is meant to be unread: prints as `unused_<name>`, which every lint tool knows. */
export const discard = (name: string, value: UInt | SInt | AnyVec): void => {
  const build = builder("discard()");
  const signal = build.declare(`unused_${name}`, "a discarded value", bool);
  build.add({ kind: "discard", signal, value: value.node, site: signal.site }, "discard()");
};

/** Marks a value that crosses into another clock domain on purpose. Use it inside synchronisers only. */
export const crossing = <T extends UInt | SInt>(value: T): T => {
  if (value.node.op === "lit") return value;
  const node: Node = { op: "cross", a: value.node, width: value.width, signed: value.node.signed };
  const made = node.signed ? new SIntClass(node) : value.kind === "bool" ? new BoolClass(node) : new UIntClass(node);
  return made as T;
};

const property = (kind: Property["kind"], name: string, condition: Like<BoolShape>, domain?: ClockDomain): void => {
  const build = builder("a property");
  const claimed = build.claim(name, "a property");
  build.add({ kind, name: claimed.name, condition: conditionNode(condition), domain: domain ?? build.ownClock, site: claimed.site }, "a property");
};

/** Checked at every clock edge outside reset, in simulation and in proofs. */
export const assert = (name: string, condition: Like<BoolShape>, domain?: ClockDomain): void => property("assert", name, condition, domain);

/** What a proof may take for granted about the inputs; a simulation checks it like an assertion. */
export const assume = (name: string, condition: Like<BoolShape>, domain?: ClockDomain): void => property("assume", name, condition, domain);

/** A situation that has to be reachable. */
export const cover = (name: string, condition: Like<BoolShape>, domain?: ClockDomain): void => property("cover", name, condition, domain);
