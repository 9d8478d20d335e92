import fc from "fast-check";
import { expect, test } from "vitest";
import { rootSeed } from "../../src/sim/index.ts";
import { checkGrid } from "./grid-check.ts";
import { gridArbitrary } from "./grid-recipe.ts";

const seed = rootSeed();
const circuits = 300;

test("300 grids of random cells run alike in vectors, in blocks, cell by cell and in the reference engine", { timeout: 300_000 }, async () => {
  let inVectors = 0;
  const property = fc.asyncProperty(gridArbitrary, async (recipe) => {
    const { vectors, difference } = await checkGrid(recipe);
    inVectors += vectors;
    if (difference !== undefined) throw new Error(difference);
  });
  await fc.assert(property, { seed, numRuns: circuits });
  process.stdout.write(`fuzz: seed ${seed}, ${circuits} grids of random cells, ${inVectors} of them in vectors\n`);
  expect(inVectors).toBeGreaterThan(0.9 * circuits);
});
