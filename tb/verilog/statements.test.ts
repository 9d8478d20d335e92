import fc from "fast-check";
import { expect, test } from "vitest";
import { UserError } from "../../src/base/error.ts";
import { lint } from "../../src/flow/lint.ts";
import { verilogFiles } from "../../src/verilog/index.ts";
import { choicesArbitrary, valuesOf, vectorArbitrary } from "./differential-module.ts";
import { Choices } from "./expressions.ts";
import { simulateVectors } from "./icarus.ts";
import { outcome, program, programsModule, type Statement } from "./statements.ts";

/** Programs that the language takes: expressions that are too long in sum are passed over. */
const accepted = (choices: readonly number[][]): Statement[][] =>
  choices.flatMap((numbers) => {
    const statements = program(new Choices([3, ...numbers]));
    try {
      programsModule([statements]);
      return [statements];
    } catch (error) {
      if (error instanceof UserError && (error.code === "too-long" || error.code === "repeated" || error.code === "constant-block")) return [];
      throw error;
    }
  });

test("printed statements do what the language means, in Icarus and as Yosys reads them", { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(choicesArbitrary, { minLength: 1, maxLength: 60, size: "max" }),
      fc.array(vectorArbitrary, { minLength: 1, maxLength: 16, size: "max" }),
      async (choices, stimulus) => {
        const programs = accepted(choices);
        fc.pre(programs.length > 0);
        const { circuit } = programsModule(programs);
        const files = verilogFiles(circuit);
        const want = stimulus.map((vector) =>
          Object.fromEntries(
            programs.flatMap((statements, i) => Object.entries(outcome(statements, valuesOf(vector))).map(([target, value]) => [`${target}${i}`, value])),
          ),
        );
        expect(await simulateVectors(circuit, files, stimulus)).toEqual(want);
        expect(await simulateVectors(circuit, files, stimulus, "yosys")).toEqual(want);
      },
    ),
    { numRuns: Number(process.env["SYSTOLE_FUZZ_RUNS"] ?? 4), interruptAfterTimeLimit: 240_000 },
  );
});

test("no tool says anything about 100 random programs", async () => {
  const programs = accepted(fc.sample(choicesArbitrary, { numRuns: 100, seed: 2 }));
  const { circuit } = programsModule(programs);
  expect(programs.length).toBeGreaterThan(80);
  expect(await lint(verilogFiles(circuit), circuit.name)).toEqual([]);
});
