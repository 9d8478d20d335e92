import fc from "fast-check";
import { UserError } from "../../src/base/error.ts";
import { cat, discard, input, module, output, type PortMap, sint, uint, vec } from "../../src/hdl/index.ts";
import { build, type Source } from "./expression-build.ts";
import { evaluate, type Values } from "./expression-value.ts";
import { Choices, type Expression, expression, fit, inputs, vectors } from "./expressions.ts";
import type { Vector } from "./icarus.ts";

/** Ports of the vectors, packed: element 0 in the low bits. */
export const inputPorts: PortMap = Object.fromEntries<PortMap[string]>([
  ...inputs.map(({ name, width, signed }) => [name, input(signed ? sint(width) : uint(width))] as const),
  ...vectors.map(({ name, length, width, signed }) => [name, input(vec(length, signed ? sint(width) : uint(width)))] as const),
]);

type Inside = Readonly<Record<string, { at: (index: unknown) => unknown; set: (value: unknown) => void }>>;

/** The inputs as an expression finds them. */
export const sourceOf = (io: unknown): Source => {
  const seen = io as Inside;
  return (name, index) => (index === undefined ? seen[name] : seen[name]?.at(index)) as ReturnType<Source>;
};

/** Random expressions need not read every bit. */
export const readAllInputs = (io: unknown): void => discard("inputs", cat(...[...inputs, ...vectors].map(({ name }) => (io as Inside)[name] as never)));

export const expressionModule = (expressions: readonly Expression[]) => {
  const outputs = Object.fromEntries(expressions.map(({ width, signed }, index) => [`y${index}`, output(signed ? sint(width) : uint(width))]));
  return module(
    "expressions",
    { ...inputPorts, ...outputs },
    (io) => {
      const seen = io as unknown as Inside;
      const source = sourceOf(io);
      expressions.forEach((given, index) => seen[`y${index}`]?.set(build(given, source)));
      readAllInputs(io);
    },
    "Random expressions.",
  );
};

const corners = (width: number, signed: boolean) => {
  const top = 1n << BigInt(signed ? width - 1 : width);
  const least = signed ? -top : 0n;
  return fc.oneof(
    fc.constantFrom(0n, 1n, top - 1n, least, signed ? -1n : top - 1n).map((value) => fit(value, width, signed)),
    fc.bigInt({ min: least, max: top - 1n }),
  );
};

export const vectorArbitrary: fc.Arbitrary<Vector> = fc.record(
  Object.fromEntries([
    ...inputs.map(({ name, width, signed }) => [name, corners(width, signed)] as const),
    ...vectors.map(({ name, length, width }) => [name, corners(length * width, false)] as const),
  ]),
);

/** The inputs' values as the evaluator asks for them. */
export const valuesOf =
  (vector: Vector): Values =>
  (name, index) => {
    const found = vectors.find((candidate) => candidate.name === name);
    const value = vector[name] ?? 0n;
    return found === undefined || index === undefined ? value : fit(value >> BigInt(index * found.width), found.width, found.signed);
  };

export const expected = (given: Expression, vector: Vector): bigint => evaluate(given, valuesOf(vector));

/** Expressions that the language takes; those that it refuses as too long say so and are passed over. */
export const accepted = (choices: readonly number[][]): Expression[] =>
  choices.flatMap((numbers) => {
    const given = expression(new Choices(numbers), (numbers[0] ?? 0) % 3 === 1);
    try {
      expressionModule([given]);
      return [given];
    } catch (error) {
      if (error instanceof UserError && (error.code === "too-long" || error.code === "repeated")) return [];
      throw error;
    }
  });

export const choicesArbitrary = fc.array(fc.nat({ max: 2 ** 20 }), { maxLength: 40, size: "max" });
