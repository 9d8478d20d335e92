import { UserError } from "../base/error.ts";
import { Bits, Bool, refuseCoercion, SInt, UInt } from "./bits.ts";
import type { Index } from "./index-expression.ts";
import { callerLocation } from "./location.ts";
import type { Node, Select } from "./node.ts";
import { castSign, compare, extend, lit, minimalLiteral, sliceOf } from "./node.ts";
import type { BitsShape, BoolShape, ElementShape, EnumShape, Shape, SIntShape, UIntShape, VecShape } from "./shape.ts";
import { describeShape, leafOf } from "./shape.ts";

/** Value of a shape. */
export type ValueOf<S> = S extends BoolShape
  ? Bool
  : S extends UIntShape
    ? UInt
    : S extends SIntShape
      ? SInt
      : S extends EnumShape<infer N>
        ? Enum<N>
        : S extends VecShape<infer E>
          ? Vec<E>
          : never;

/** What may stand where a value of the shape is needed: the value itself, or a constant. */
export type Like<S> = S extends BoolShape
  ? Bool | boolean | 0 | 1
  : S extends UIntShape
    ? UInt | number | bigint
    : S extends SIntShape
      ? SInt | number | bigint
      : S extends EnumShape<infer N>
        ? Enum<N> | N
        : S extends VecShape<infer E>
          ? Vec<E> | readonly Like<E>[]
          : never;

/** Something that can be driven. Phantom for inputs: driving one does not compile. */
export interface Target<S extends Shape> {
  readonly targetShape: S;
  set(value: Like<S>): void;
}

/** A value that can be driven too: outputs, wires and registers. */
export type VarOf<S extends Shape> = (S extends VecShape<infer E> ? VecVar<E> : ValueOf<S>) & Target<S>;

/** Vector that can be driven, whole or by element. */
export interface VecVar<E extends ElementShape> {
  readonly kind: "vec";
  readonly node: Node;
  readonly shape: VecShape<E>;
  readonly length: number;
  at(index: number | Index | UInt): VarOf<E>;
  asUInt(): UInt;
  reshape<S extends ElementShape>(shape: S): ValueOf<S>;
  [Symbol.toPrimitive](): never;
}

/** One of the named states of an enumeration. */
export class Enum<N extends string> extends Bits {
  readonly kind = "enum";
  readonly shape: EnumShape<N>;

  constructor(node: Node, shape: EnumShape<N>) {
    super(node);
    this.shape = shape;
  }

  /** True in the named state. */
  is(name: N): Bool {
    return new Bool(compare("eq", this.node, caseNode(this.shape, name)));
  }

  /** The state's number. */
  asUInt(): UInt {
    return new UInt({ op: "cast", a: this.node, width: this.width, signed: false });
  }
}

/** Vector of values, element 0 in the low bits. */
export class Vec<E extends ElementShape> {
  readonly kind = "vec";
  readonly node: Node;
  readonly shape: VecShape<E>;

  constructor(node: Node, shape: VecShape<E>) {
    this.node = node;
    this.shape = shape;
  }

  get length(): number {
    return this.shape.length;
  }

  /** Element by constant, by loop variable or by signal. @throws UserError for a constant outside the vector. */
  at(index: number | Index | UInt): ValueOf<E> {
    return valueFrom(elementOf(this.node, this.shape, index), this.shape.element) as ValueOf<E>;
  }

  /** All bits as one unsigned value, element 0 lowest. */
  asUInt(): UInt {
    return new UInt(castSign(this.node, false));
  }

  /** The same bits seen as another shape. @throws UserError unless it has as many bits. */
  reshape<S extends ElementShape>(shape: S): ValueOf<S> {
    if (shape.width !== this.shape.width)
      throw new UserError("bad-width", `${describeShape(this.shape)} has ${this.shape.width} bits, ${describeShape(shape)} has ${shape.width}`, {
        where: callerLocation(),
      });
    return valueFrom(castSign(this.node, shape.kind === "sint"), shape) as ValueOf<S>;
  }

  [Symbol.toPrimitive](): never {
    return refuseCoercion();
  }
}

export const elementOf = (vector: Node, shape: VecShape, index: number | Index | UInt): Node => {
  const { element, length } = shape;
  if (vector.op !== "ref") {
    if (typeof index !== "number")
      throw new UserError("bad-index", "only a named vector can be indexed by a loop or a signal", {
        where: callerLocation(),
        hint: "give the vector a name with named()",
      });
    checkIndex(index, length);
    return castSign(sliceOf(vector, index * element.width, element.width), element.kind === "sint");
  }
  const base: Select = vector.select ?? { width: shape.width, constant: 0, loops: [], dynamic: [], element: 1 };
  const common = { width: element.width, element: leafOf(element).width };
  const node = (select: Select): Node => ({ op: "ref", signal: vector.signal, select, width: element.width, signed: element.kind === "sint" });
  if (typeof index === "number") {
    checkIndex(index, length);
    return node({ ...base, ...common, constant: base.constant + index * element.width });
  }
  if (index instanceof UInt) {
    if (2 ** index.width > length * 2 && index.width > 1)
      throw new UserError("bad-index", `an index of ${index.width} bits reaches far beyond a vector of ${length}`, {
        where: callerLocation(),
        hint: "narrow the index first",
      });
    return node({ ...base, ...common, dynamic: [...base.dynamic, { index: index.node, stride: element.width }] });
  }
  checkIndex(index.least, length);
  checkIndex(index.most, length);
  return node({
    ...base,
    ...common,
    constant: base.constant + index.constant * element.width,
    loops: [...base.loops, ...index.terms.map((term) => ({ loop: term.loop, stride: term.factor * element.width }))],
  });
};

const checkIndex = (index: number, length: number): void => {
  if (!Number.isInteger(index) || index < 0 || index >= length)
    throw new UserError("bad-index", `index ${index} is outside a vector of ${length}`, { where: callerLocation() });
};

/** Value of a shape over a node. */
export const valueFrom = (node: Node, shape: Shape): Bits | Vec<ElementShape> => {
  switch (shape.kind) {
    case "bool":
      return new Bool(node);
    case "uint":
      return new UInt(node);
    case "sint":
      return new SInt(node);
    case "enum":
      return new Enum(node, shape);
    case "vec":
      return new Vec(node, shape);
  }
};

const caseNode = (shape: EnumShape, name: string): Node => {
  const index = shape.cases.indexOf(name);
  if (index < 0) throw new UserError("unknown-state", `\`${name}\` is not a state of ${shape.name}: ${shape.cases.join(", ")}`, { where: callerLocation() });
  return { op: "lit", value: BigInt(index), width: shape.width, signed: false, caseName: name };
};

const boolNode = (value: Bits | boolean | number): Node => {
  if (value instanceof Bits) {
    if (value.width !== 1)
      throw new UserError("bad-width", `a condition has one bit, this value has ${value.width}`, {
        where: callerLocation(),
        hint: "reduce it with .any() or compare it",
      });
    return value.node;
  }
  return lit(value === true || value === 1 ? 1n : 0n, 1, false);
};

/** Node of a condition. */
export const conditionNode = (value: Like<BoolShape>): Node => boolNode(value);

/** Node of a value or constant, extended to the shape. @throws UserError where the value would lose bits or change sign. */
export const nodeFor = (value: unknown, shape: Shape, what: string): Node => {
  if (shape.kind === "enum") {
    if (typeof value === "string") return caseNode(shape, value);
    if (value instanceof Enum && (value.shape as EnumShape) === shape) return value.node;
    throw new UserError("bad-value", `${what} is ${describeShape(shape)} and takes only its states`, { where: callerLocation() });
  }
  if (shape.kind === "vec") return vecNode(value, shape, what);
  return scalarNode(value, shape, what);
};

const vecNode = (value: unknown, shape: VecShape, what: string): Node => {
  if (value instanceof Vec && describeShape(value.shape) === describeShape(shape)) return value.node;
  if (Array.isArray(value) && value.length === shape.length) {
    const parts = value.map((element: unknown, index) => castSign(nodeFor(element, shape.element, `${what}[${index}]`), false)).toReversed();
    const constants = parts.filter((part) => part.op === "lit");
    if (constants.length === parts.length)
      return lit(
        constants.reduce((sum, part) => (sum << BigInt(part.width)) | part.value, 0n),
        shape.width,
        false,
      );
    return { op: "cat", parts, width: shape.width, signed: false };
  }
  throw new UserError("bad-value", `${what} is ${describeShape(shape)}, but it is given something else`, {
    where: callerLocation(),
    hint: `give a vector of the same shape or an array of ${shape.length}`,
  });
};

const scalarNode = (value: unknown, shape: BitsShape, what: string): Node => {
  const signed = shape.kind === "sint";
  let node: Node;
  if (value instanceof Bits && !(value instanceof Enum)) node = value.node;
  else if (typeof value === "boolean") node = boolNode(value);
  else if (typeof value === "number" || typeof value === "bigint") node = minimalLiteral(value, signed);
  else
    throw new UserError("bad-value", `${what} is ${describeShape(shape)}, but it is given ${value instanceof Enum ? "an enumeration" : typeof value}`, {
      where: callerLocation(),
    });
  if (node.signed !== signed)
    throw new UserError("mixed-sign", `${what} is ${describeShape(shape)}, but it is given a${node.signed ? " signed" : "n unsigned"} value`, {
      where: callerLocation(),
      hint: "convert with .toSInt(), .asSInt() or .asUInt()",
    });
  if (node.width > shape.width && !(value instanceof Bits))
    throw new UserError("too-wide", `${what} is ${describeShape(shape)}, which can't hold ${String(value)}`, { where: callerLocation() });
  if (node.width > shape.width)
    throw new UserError("too-wide", `${what} is ${describeShape(shape)}, but it is given ${node.width} bits, ${node.width - shape.width} too many`, {
      where: callerLocation(),
      hint: `drop high bits on purpose with .wrap(${shape.width}) or .sat(${shape.width})`,
    });
  return extend(node, shape.width);
};
