import { type Expression, fit, inputs, vectors } from "./expressions.ts";

/** Value of an input or of a vector's element. */
export type Values = (name: string, index?: number) => bigint;

interface Operands {
  readonly a: bigint;
  readonly b: bigint;
  readonly c: bigint;
  /** The first operand's bits, as an unsigned value. */
  readonly raw: bigint;
  /** Width of the first operand. */
  readonly from: number;
  readonly width: number;
  readonly signed: boolean;
  readonly n: bigint;
  readonly m: bigint;
}

const truth = (value: boolean): bigint => (value ? 1n : 0n);
const ones = (width: number): bigint => (1n << BigInt(width)) - 1n;

/** Each operator by its definition. Bitwise operators on Bools are named apart, since another method of the language makes them. */
const rules: Record<string, (operands: Operands) => bigint> = {
  constant: ({ n }) => n,
  add: ({ a, b }) => a + b,
  sub: ({ a, b }) => a - b,
  mul: ({ a, b }) => a * b,
  addWrap: ({ a, b, width }) => fit(a + b, width, false),
  subWrap: ({ a, b, width }) => fit(a - b, width, false),
  neg: ({ a }) => -a,
  not: ({ a, width, signed }) => fit(~a, width, signed),
  and: ({ a, b }) => a & b,
  or: ({ a, b }) => a | b,
  xor: ({ a, b }) => a ^ b,
  booland: ({ a, b }) => a & b,
  boolor: ({ a, b }) => a | b,
  boolxor: ({ a, b }) => a ^ b,
  boolnot: ({ a }) => 1n - a,
  shl: ({ a, n }) => a << n,
  shr: ({ a, n }) => a >> n,
  shlBy: ({ a, b }) => a << b,
  shrBy: ({ a, b }) => a >> b,
  wrap: ({ a, width, signed }) => fit(a, width, signed),
  sat: ({ a, width, signed }) => {
    const most = ones(signed ? width - 1 : width);
    const least = signed ? -most - 1n : 0n;
    return a > most ? most : a < least ? least : a;
  },
  fits: ({ a, n }) => truth(fit(a, Number(n), true) === a),
  bit: ({ raw, n }) => (raw >> n) & 1n,
  bits: ({ raw, m, width }) => (raw >> m) & ones(width),
  any: ({ raw }) => truth(raw !== 0n),
  all: ({ raw, from }) => truth(raw === ones(from)),
  parity: ({ raw }) => BigInt(raw.toString(2).replaceAll("0", "").length % 2),
  mux: ({ a, b, c }) => (a === 1n ? b : c),
  asSInt: ({ a, width }) => fit(a, width, true),
  asUInt: ({ a, width }) => fit(a, width, false),
  extend: ({ a }) => a,
  toSInt: ({ a }) => a,
  crossing: ({ a }) => a,
  eq: ({ a, b }) => truth(a === b),
  ne: ({ a, b }) => truth(a !== b),
  lt: ({ a, b }) => truth(a < b),
  le: ({ a, b }) => truth(a <= b),
  gt: ({ a, b }) => truth(a > b),
  ge: ({ a, b }) => truth(a >= b),
};

/** The expression's value, straight from the definition of each operator. */
export const evaluate = (given: Expression, values: Values): bigint => {
  const { op, numbers, width, signed } = given;
  const [n = 0n, m = 0n] = numbers;
  const parts = given.parts.map((part) => evaluate(part, values));
  const [a = 0n, second = 0n, c = 0n] = parts;
  if (op === "input") return values(inputs[Number(n)]?.name ?? "");
  if (op === "element") return values(vectors[Number(n)]?.name ?? "", Number(m));
  if (op === "dynamic") return values(vectors[Number(n)]?.name ?? "", Number(a));
  if (op === "cat") return given.parts.reduce((sum, part, index) => (sum << BigInt(part.width)) | BigInt.asUintN(part.width, parts[index] ?? 0n), 0n);
  const withNumber = op.endsWith("Number");
  const rule = rules[op.replace("Number", "")];
  if (rule === undefined) throw new Error(`no rule for ${op}`);
  const from = given.parts[0]?.width ?? 0;
  return rule({ a, b: withNumber ? n : second, c, raw: BigInt.asUintN(from, a), from, width, signed, n, m });
};
