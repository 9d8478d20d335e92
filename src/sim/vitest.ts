import { beforeEach, describe } from "vitest";
import { UserError } from "../base/error.ts";
import type { EngineName } from "./choose-engine.ts";
import { defaultEngine, verilatorProblem } from "./choose-engine.ts";

/** Engines that tests run on: the one that `$SYSTOLE_ENGINE` names, otherwise `wasm` and `verilator`. */
const testEngines = (): readonly EngineName[] => {
  const engine = defaultEngine();
  return engine === "auto" ? ["wasm", "verilator"] : [engine];
};

/** Says the way out in the message, since vitest prints no hints. */
const requireVerilator = (): void => {
  const problem = verilatorProblem();
  if (problem !== undefined) throw new UserError(problem.code, `${problem.message}\n${problem.hint ?? ""}`);
};

/** Milliseconds for a test that may have to wait for Verilator and a C++ compiler; the runner's own limit is 5 seconds. */
const buildTimeout = 120_000;

/**
 * A `describe` for each engine, around tests that are written once: `body` hands `engine` on to `simulate` or `withWaves`.
 * They run on `wasm` and on Verilator, or on the one engine that `$SYSTOLE_ENGINE` names. Where Verilator is missing, its
 * tests fail with the line that installs it.
 * @throws UserError where `$SYSTOLE_ENGINE` is no engine
 */
export const describeEngines = (name: string, body: (engine: EngineName) => void): void => {
  for (const engine of testEngines())
    describe(`${name} on ${engine}`, engine === "verilator" ? { timeout: buildTimeout } : {}, () => {
      if (engine === "verilator") beforeEach(requireVerilator);
      body(engine);
    });
};
