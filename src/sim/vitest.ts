import { describe } from "vitest";
import type { EngineName } from "./choose-engine.ts";
import { defaultEngine } from "./choose-engine.ts";

/** Engines that tests run on: the one that `$SYSTOLE_ENGINE` names, otherwise `wasm` and `verilator`. */
const testEngines = (): readonly EngineName[] => {
  const stated = defaultEngine();
  return stated === "auto" ? ["wasm", "verilator"] : [stated];
};

/**
 * A `describe` for each engine, around tests that are written once: `body` hands `engine` on to `simulate` or `withWaves`.
 * They run on `wasm` and on Verilator, or on the one engine that `$SYSTOLE_ENGINE` names. Where Verilator is missing, its
 * tests fail with the line that installs it.
 * @throws UserError where `$SYSTOLE_ENGINE` is no engine
 */
export const describeEngines = (name: string, body: (engine: EngineName) => void): void => {
  for (const engine of testEngines())
    describe(`${name} on ${engine}`, () => {
      body(engine);
    });
};
