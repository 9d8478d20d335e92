import fc from "fast-check";
import { expect, test } from "vitest";
import { lint } from "../../src/flow/lint.ts";
import { verilogFiles } from "../../src/verilog/index.ts";
import { accepted, choicesArbitrary, expected, expressionModule, vectorArbitrary } from "./differential-module.ts";
import { describe, type Expression } from "./expressions.ts";
import { simulateVectors, type Vector } from "./icarus.ts";

const firstDifference = (expressions: readonly Expression[], stimulus: readonly Vector[], got: readonly Record<string, bigint>[]): string | undefined => {
  for (const [index, given] of expressions.entries())
    for (const [line, vector] of stimulus.entries()) {
      const want = expected(given, vector);
      const have = got[line]?.[`y${index}`];
      if (have !== want)
        return `${describe(given)} gives ${have}, not ${want}, for ${JSON.stringify(vector, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value))}`;
    }
  return undefined;
};

const batches = fc.array(choicesArbitrary, { minLength: 1, maxLength: 250, size: "max" });

test("printed expressions compute what the language means, in Icarus and as Yosys reads them", { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(batches, fc.array(vectorArbitrary, { minLength: 1, maxLength: 24, size: "max" }), async (choices, stimulus) => {
      const expressions = accepted(choices);
      fc.pre(expressions.length > 0);
      const { circuit } = expressionModule(expressions);
      const files = verilogFiles(circuit);
      expect(firstDifference(expressions, stimulus, await simulateVectors(circuit, files, stimulus))).toBeUndefined();
      expect(firstDifference(expressions, stimulus, await simulateVectors(circuit, files, stimulus, "yosys"))).toBeUndefined();
    }),
    { numRuns: Number(process.env["SYSTOLE_FUZZ_RUNS"] ?? 5), interruptAfterTimeLimit: 240_000 },
  );
});

// The seed is fixed, since a random tree may compare two constants in disguise, of which Verilator rightly complains.
test("no tool says anything about 1,000 random expressions", async () => {
  const expressions = accepted(fc.sample(choicesArbitrary, { numRuns: 1000, seed: 1 }));
  const { circuit } = expressionModule(expressions);
  expect(expressions.length).toBeGreaterThan(900);
  expect(await lint(verilogFiles(circuit), circuit.name)).toEqual([]);
});
