import type { Circuit } from "../../src/hdl/index.ts";
import { build } from "./build.ts";
import { difference, run, traceDifference } from "./lockstep.ts";
import type { CircuitRecipe } from "./recipe.ts";
import { circuitSource } from "./source.ts";
import { stimulusFor } from "./stimulus.ts";

export interface Checked {
  readonly circuit: Circuit;
  readonly cycles: number;
  /** A property did not hold, in all engines alike. */
  readonly failed: boolean;
  /** How engines, or folded and unfolded constants, differ. */
  readonly difference: string | undefined;
}

/** What constants read from inputs do not change: ports that show everything show these inputs too. */
const isShown = (port: string): boolean => port.startsWith("seen");

/**
 * Runs a circuit in the reference engine and in WebAssembly, edge by edge and in blocks, and every other one once more with its
 * constants at inputs.
 */
export const checkRecipe = async (recipe: CircuitRecipe): Promise<Checked> => {
  const source = circuitSource(recipe, { constants: "folded" });
  const module = build(source);
  const { circuit } = module;
  const options = { seed: recipe.seed, cycles: recipe.cycles, resetCycles: recipe.seed % 3 };
  const stimulus = stimulusFor(circuit, [], options);
  const reference = await run(module, stimulus, "reference", recipe.seed);
  const cycles = reference.samples.length;
  const checked = (found: string | undefined): Checked => ({ circuit, cycles, failed: reference.failure !== undefined, difference: found });
  const steps = difference(reference, await run(module, stimulus, "wasm", recipe.seed), ["reference", "wasm"]);
  if (steps !== undefined) return checked(steps);
  if (circuit.clocks.length === 1) {
    const blocks = difference(reference, await run(module, stimulus, "wasm, in blocks", recipe.seed), ["reference", "wasm in blocks"]);
    if (blocks !== undefined) return checked(blocks);
  }
  if (recipe.seed % 2 === 0) return checked(undefined);
  const unfolded = circuitSource(recipe, { constants: "unfolded" });
  const other = build(unfolded);
  const trace = await run(other, stimulusFor(other.circuit, unfolded.constants, options), "wasm", recipe.seed);
  return checked(traceDifference(reference, trace, ["reference with folded constants", "wasm with constants at inputs"], isShown));
};
