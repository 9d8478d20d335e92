import { type Bool, cat, constant, crossing, mux, type SInt, sint, type UInt, uint } from "../../src/hdl/index.ts";
import { type Expression, inputs, vectors } from "./expressions.ts";

/** What the language makes of an input or a vector's element, given by the module's inside view. */
export type Source = (name: string, index?: number | UInt) => UInt | SInt;

type Both = UInt & Pick<SInt, "fits"> & { neg(): SInt; asUInt(): UInt };

const buildNumber = (op: string, a: UInt | SInt, value: bigint): UInt | SInt =>
  (a as unknown as Record<string, (other: bigint) => UInt>)[op.replace("Number", "")]?.(value) as UInt;

/** The expression in the language. */
export const build = (given: Expression, source: Source): UInt | SInt => {
  const { op, numbers, width } = given;
  const [n = 0n, m = 0n] = numbers;
  const parts = given.parts.map((part) => build(part, source));
  // One class stands for both here: the tree's own signs decide which method each value has.
  const [a, b, c] = parts as unknown as [Both, Both, Both];
  if (op.endsWith("Number")) return buildNumber(op, a, n);
  const boolean = (value: UInt): Bool => value.bit(0);
  switch (op) {
    case "input":
      return source(inputs[Number(n)]?.name ?? "");
    case "element":
      return source(vectors[Number(n)]?.name ?? "", Number(m));
    case "dynamic":
      return source(vectors[Number(n)]?.name ?? "", a);
    case "constant":
      return given.signed ? constant(sint(width), n) : constant(uint(width), n);
    case "shl":
    case "shr":
      return a[op](Number(n));
    case "shlBy":
      return a.shl(b);
    case "shrBy":
      return a.shr(b);
    case "wrap":
    case "sat":
    case "extend":
    case "fits":
    case "bit":
      return a[op](Number(n));
    case "bits":
      return a.bits(Number(n), Number(m));
    case "mux":
      return mux(boolean(a), b, c);
    case "cat":
      return cat(...parts);
    case "crossing":
      return crossing(a);
    case "boolnot":
      return boolean(a).not();
    case "booland":
    case "boolor":
    case "boolxor":
      return boolean(a)[op.slice(4) as "and" | "or" | "xor"](boolean(b));
    case "not":
    case "neg":
    case "any":
    case "all":
    case "parity":
    case "asSInt":
    case "asUInt":
    case "toSInt":
      return a[op]();
    default:
      return a[op as "add"](b);
  }
};
