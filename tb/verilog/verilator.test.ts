import fc from "fast-check";
import { expect, test } from "vitest";
import { simulate } from "../../src/sim/index.ts";
import { accepted, choicesArbitrary, expected, expressionModule, vectorArbitrary } from "./differential-module.ts";
import { describe, fit, inputs, vectors } from "./expressions.ts";

interface Handle {
  poke(value: unknown): void;
  peek(): number | bigint;
}

// The expressions are the same in every run, so that the model is built once and cached; the inputs are random.
test("200 random expressions compute in Verilator what the language means", { timeout: 120_000 }, async () => {
  const expressions = accepted(fc.sample(choicesArbitrary, { numRuns: 200, seed: 3 }));
  const sim = await simulate(expressionModule(expressions), { engine: "verilator" });
  const io = sim.io as unknown as Record<string, Handle>;
  fc.assert(
    fc.property(vectorArbitrary, (vector) => {
      for (const { name } of inputs) io[name]!.poke(vector[name]);
      for (const { name, length, width, signed } of vectors)
        io[name]!.poke(Array.from({ length }, (_, element) => Number(fit((vector[name] ?? 0n) >> BigInt(element * width), width, signed))));
      sim.eval();
      for (const [index, given] of expressions.entries()) expect(BigInt(io[`y${index}`]!.peek()), describe(given)).toBe(expected(given, vector));
    }),
    { numRuns: 200 },
  );
  sim.close();
});
