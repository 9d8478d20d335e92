import fc from "fast-check";
import { expect, test } from "vitest";
import { lint } from "../../src/flow/lint.ts";
import { verilogFiles } from "../../src/verilog/index.ts";
import { accepted, choicesArbitrary, expected, expressionModule, vectorArbitrary } from "./differential-module.ts";
import { describe, type Expression, inputs } from "./expressions.ts";
import { simulateVectors, type Vector } from "./icarus.ts";

/** The shortest expression that differs, and for which inputs. */
const difference = (expressions: readonly Expression[], stimulus: readonly Vector[], got: readonly Record<string, bigint>[]): string | undefined => {
  const found = expressions.flatMap((given, index) => {
    const line = stimulus.findIndex((vector, at) => got[at]?.[`y${index}`] !== expected(given, vector));
    const vector = stimulus[line];
    if (vector === undefined) return [];
    const stated = JSON.stringify(vector, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
    return [`${describe(given)} gives ${got[line]?.[`y${index}`]}, not ${expected(given, vector)}, for ${stated}`];
  });
  return found.toSorted((a, b) => a.length - b.length)[0];
};

const batches = fc.array(choicesArbitrary, { minLength: 200, maxLength: 250, size: "max" });

test("printed expressions compute what the language means, in Icarus and as Yosys reads them", { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(batches, fc.array(vectorArbitrary, { minLength: 1, maxLength: 24, size: "max" }), async (choices, stimulus) => {
      const expressions = accepted(choices);
      const { circuit } = expressionModule(expressions);
      const files = verilogFiles(circuit);
      expect(difference(expressions, stimulus, await simulateVectors(circuit, files, stimulus))).toBeUndefined();
      expect(difference(expressions, stimulus, await simulateVectors(circuit, files, stimulus, "yosys"))).toBeUndefined();
    }),
    { numRuns: Number(process.env["SYSTOLE_FUZZ_RUNS"] ?? 5), interruptAfterTimeLimit: 240_000, endOnFailure: true },
  );
});

// The seed is fixed, since a random tree may compare two constants in disguise, of which Verilator rightly complains.
test("no tool says anything about 1,000 random expressions", async () => {
  const expressions = accepted(fc.sample(choicesArbitrary, { numRuns: 1000, seed: 1 }));
  const { circuit } = expressionModule(expressions);
  expect(expressions.length).toBeGreaterThan(900);
  expect(await lint(verilogFiles(circuit), circuit.name)).toEqual([]);
});

/** What the random trees found once, as short as it gets. */
const regressions: readonly Expression[] = (() => {
  const of = (op: string, width: number, signed: boolean, parts: readonly Expression[], ...numbers: number[]): Expression => ({
    op,
    width,
    signed,
    parts,
    numbers: numbers.map(BigInt),
  });
  const source = (name: string): Expression => {
    const index = inputs.findIndex((candidate) => candidate.name === name);
    return of("input", inputs[index]?.width ?? 0, inputs[index]?.signed ?? false, [], index);
  };
  const [b0, u2, u8, s5, s8] = ["b0", "u2", "u8", "s5", "s8"].map(source) as [Expression, Expression, Expression, Expression, Expression];
  const low = of("cat", 5, false, [of("wrap", 4, false, [of("shrBy", 8, false, [u8, u2])], 4), b0]);
  return [
    // A size cast widens what is inside before it is computed.
    of("extend", 16, false, [of("not", 8, false, [u8])], 16),
    of("extend", 16, true, [of("wrap", 8, true, [of("neg", 9, true, [s8])], 8)], 16),
    of("extend", 16, true, [of("wrap", 8, true, [of("add", 9, true, [s8, s5])], 8)], 16),
    of("extend", 16, false, [of("wrap", 2, false, [of("mul", 10, false, [u8, u2])], 2)], 16),
    // Bits of a signed expression are unsigned.
    of("extend", 16, false, [of("bits", 2, false, [of("add", 9, true, [s8, s5])], 8, 7)], 16),
    // A multiplexer as a condition.
    of("mux", 8, false, [of("mux", 1, false, [b0, of("bit", 1, false, [u8], 0), of("bit", 1, false, [u2], 0)]), u8, u2]),
    // Yosys 0.23 takes a concatenation for wider than it is where a part is a size cast.
    of("shrBy", 8, true, [s8, of("addWrap", 5, false, [low, of("extend", 5, false, [of("not", 2, false, [u2])], 5)])]),
    of("eqNumber", 1, false, [of("addWrap", 4, false, [of("wrap", 4, false, [of("shrBy", 8, false, [u8, u2])], 4), of("extend", 4, false, [u2], 4)])], 3),
  ];
})();

test("what random expressions found once stays mended", async () => {
  const stimulus = fc.sample(vectorArbitrary, { numRuns: 400, seed: 4 });
  const { circuit } = expressionModule(regressions);
  const files = verilogFiles(circuit);
  expect(difference(regressions, stimulus, await simulateVectors(circuit, files, stimulus))).toBeUndefined();
  expect(difference(regressions, stimulus, await simulateVectors(circuit, files, stimulus, "yosys"))).toBeUndefined();
  expect(await lint(files, circuit.name)).toEqual([]);
});
