import { clog2 } from "../base/clog2.ts";
import { UserError } from "../base/error.ts";
import { callerLocation } from "./location.ts";
import { verilogName } from "./names.ts";

/** Unsigned integer of `width` bits. */
export interface UIntShape {
  readonly kind: "uint";
  readonly width: number;
}

/** Two's complement integer of `width` bits. */
export interface SIntShape {
  readonly kind: "sint";
  readonly width: number;
}

/** One bit with the logical operators. */
export interface BoolShape {
  readonly kind: "bool";
  readonly width: 1;
}

/** Named states; the encoding counts up from 0 in the order of `cases`. */
export interface EnumShape<N extends string = string> {
  readonly kind: "enum";
  readonly name: string;
  readonly width: number;
  readonly cases: readonly N[];
}

/** `length` elements, element 0 in the low bits: one packed vector in Verilog. */
export interface VecShape<E extends ElementShape = ElementShape> {
  readonly kind: "vec";
  readonly length: number;
  readonly element: E;
  readonly width: number;
}

export type BitsShape = UIntShape | SIntShape | BoolShape;
/** What a vector may hold; vectors nest. The interface breaks the type's recursion. */
export type ElementShape = BitsShape | NestedVecShape;
interface NestedVecShape extends VecShape<ElementShape> {}
/** What a port may carry. Enums stay inside a module: their names have no meaning across Verilog modules. */
export type PortShape = BitsShape | VecShape;
export type Shape = PortShape | EnumShape;

/** Widest signal that the language accepts: wide enough for a whole array's results, small enough to catch a slip. */
export const maxWidth = 1 << 20;

const checkWidth = (what: string, width: number): void => {
  if (!Number.isInteger(width) || width < 1 || width > maxWidth)
    throw new UserError("bad-width", `${what} needs a width from 1 to ${maxWidth}, not ${width}`, { where: callerLocation() });
};

export const uint = (width: number): UIntShape => {
  checkWidth("uint", width);
  return { kind: "uint", width };
};

export const sint = (width: number): SIntShape => {
  checkWidth("sint", width);
  return { kind: "sint", width };
};

export const bool: BoolShape = { kind: "bool", width: 1 };

/** Vector of `length` elements. @throws UserError when the length is not a positive integer. */
export const vec = <E extends ElementShape>(length: number, element: E): VecShape<E> => {
  if (!Number.isInteger(length) || length < 1)
    throw new UserError("bad-length", `vec needs a positive whole number of elements, not ${length}`, { where: callerLocation() });
  checkWidth("vec", length * element.width);
  return { kind: "vec", length, element, width: length * element.width };
};

/** Enumeration of named states, for `reg`, `wire` and `match`. Prints as a SystemVerilog enum `<name>_t` with the states in capitals. */
export const states = <const N extends readonly [string, string, ...string[]]>(name: string, ...cases: N): EnumShape<N[number]> => {
  verilogName(name, "an enumeration");
  const seen = new Set<string>();
  for (const state of cases) {
    const printed = verilogName(state, "a state", { keyword: true });
    if (seen.has(printed)) throw new UserError("duplicate-name", `states(${name}) has two states called \`${state}\``, { where: callerLocation() });
    seen.add(printed);
  }
  return { kind: "enum", name, width: clog2(cases.length), cases };
};

export const isSigned = (shape: Shape): boolean => shape.kind === "sint";

/** Innermost element of a vector, or the shape itself. */
export const leafOf = (shape: Shape): BitsShape | EnumShape => {
  let leaf: Shape = shape;
  while (leaf.kind === "vec") leaf = leaf.element;
  return leaf;
};

export const describeShape = (shape: Shape): string => {
  if (shape.kind === "bool") return "bool";
  if (shape.kind === "enum") return `states(${shape.name})`;
  if (shape.kind === "vec") return `vec(${shape.length}, ${describeShape(shape.element)})`;
  return `${shape.kind}(${shape.width})`;
};
