import fc from "fast-check";
import { checkBatch } from "./batch.ts";
import { checkRecipe } from "./check.ts";
import { Coverage } from "./coverage.ts";
import { type CircuitRecipe, circuitArbitrary } from "./recipe.ts";
import { circuitSource, fileText } from "./source.ts";

export interface CampaignOptions {
  readonly seed: number;
  readonly circuits: number;
  /** fast-check's path to one circuit, to see a failure again without the circuits before it. */
  readonly path?: string | undefined;
  readonly onProgress?: (circuits: number) => void;
}

export interface CampaignResult {
  readonly circuits: number;
  readonly cycles: number;
  /** Circuits that ended in a property that did not hold, in all engines alike. */
  readonly failing: number;
  /** Undefined where Verilator ran the circuits. */
  readonly coverage: Coverage | undefined;
  /** What differs, how to see it again, and the shrunk circuit as a program. */
  readonly problem: string | undefined;
}

/** The failure that fast-check found, as text. */
const described = (found: fc.RunDetails<[CircuitRecipe]>, seed: number, inVerilator: boolean): string | undefined => {
  if (!found.failed || found.counterexample === null) return undefined;
  const [recipe] = found.counterexample;
  const source = circuitSource(recipe, { constants: "folded", ...(inVerilator ? { defined: { prefix: "" } } : {}) });
  const error = found.errorInstance instanceof Error ? found.errorInstance.message : String(found.errorInstance);
  const repeat = `npm run regress -- --seed ${seed} --path ${found.counterexamplePath}${inVerilator ? " --verilator" : ""}`;
  return [error, `Again: ${repeat}`, `Stimulus seed ${recipe.seed}, ${recipe.cycles} cycles.`, "", fileText(source)].join("\n");
};

/** Seconds for making a failing circuit smaller. */
const shrinkTime = 60;

/** Throws what `differs` says; once there was something, and time for shrinking is over, everything passes. */
const judge = (differs: (recipe: CircuitRecipe) => Promise<string | undefined>): fc.IAsyncPropertyWithHooks<[CircuitRecipe]> => {
  let end = Number.POSITIVE_INFINITY;
  return fc.asyncProperty(circuitArbitrary, async (recipe) => {
    if (performance.now() > end) return;
    let problem: unknown;
    try {
      const difference = await differs(recipe);
      if (difference === undefined) return;
      problem = new Error(difference);
    } catch (error) {
      problem = error;
    }
    end = Math.min(end, performance.now() + 1000 * shrinkTime);
    throw problem;
  });
};

/** Runs random circuits in the embedded engines and compares; shrinks the first that differs. */
export const runCampaign = async ({ seed, circuits, path, onProgress }: CampaignOptions): Promise<CampaignResult & { readonly coverage: Coverage }> => {
  const coverage = new Coverage();
  const sum = { circuits: 0, cycles: 0, failing: 0 };
  const property = judge(async (recipe) => {
    const checked = await checkRecipe(recipe);
    sum.circuits += 1;
    sum.cycles += checked.cycles;
    if (checked.failed) sum.failing += 1;
    coverage.addTop(checked.circuit);
    onProgress?.(sum.circuits);
    return checked.difference;
  });
  const found = await fc.check(property, { seed, numRuns: circuits, ...(path === undefined ? {} : { path }) });
  return { ...sum, coverage, problem: described(found, seed, false) };
};

const batchSize = 100;
const batchCycles = 25;

/** One circuit in Verilator and in the reference engine, by its path, then made smaller. */
const shrinkInVerilator = async (seed: number, path: string): Promise<string | undefined> => {
  const index = Number.parseInt(path, 10);
  const batchSeed = seed + index - (index % batchSize);
  const property = judge(async (recipe) => (await checkBatch("fuzz_one", [recipe], batchSeed, batchCycles)).differences[0]?.text);
  return described(await fc.check(property, { seed, path, numRuns: 1 }), seed, true);
};

const nothing: CampaignResult = { circuits: 0, cycles: 0, failing: 0, coverage: undefined, problem: undefined };

/** Runs random circuits through Verilator, 100 a build, and compares with the reference engine. */
export const runVerilatorCampaign = async ({ seed, circuits, path, onProgress }: CampaignOptions): Promise<CampaignResult> => {
  if (path !== undefined) return { ...nothing, circuits: 1, problem: await shrinkInVerilator(seed, path) };
  const recipes = fc.sample(circuitArbitrary, { seed, numRuns: circuits });
  let cycles = 0;
  for (let start = 0; start < recipes.length; start += batchSize) {
    const batch = recipes.slice(start, start + batchSize);
    const result = await checkBatch(`fuzz_${start / batchSize}`, batch, seed + start, batchCycles);
    cycles += result.cycles * batch.length;
    const [first] = result.differences;
    if (first !== undefined) {
      const index = String(recipes.indexOf(first.recipe));
      const problem = (await shrinkInVerilator(seed, index)) ?? `${first.text}, in circuit ${index} of seed ${seed} beside others`;
      return { ...nothing, circuits: start + batch.length, cycles, problem };
    }
    onProgress?.(start + batch.length);
  }
  return { ...nothing, circuits: recipes.length, cycles };
};
