import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tenderArray } from "../../src/designs/index.ts";
import type { Node } from "../../src/hdl/node.ts";
import { rootSeed } from "../../src/sim/index.ts";
import { type Configuration, checkConfiguration, configurations } from "./configuration.ts";
import { type Plant, planted } from "./plant.ts";

const seed = rootSeed();
/** fast-check's path to one example, from the line that a failure prints. */
const path = process.env["SYSTOLE_PATH"];

const described = ({ failed, counterexample, counterexamplePath, errorInstance }: fc.RunDetails<[Configuration]>): string | undefined => {
  if (!failed) return undefined;
  const again = `SYSTOLE_SEED=${seed} SYSTOLE_PATH=${counterexamplePath} npx vitest run tb/tender/configurations.test.ts -t 'random configurations'`;
  return [errorInstance instanceof Error ? errorInstance.message : String(errorInstance), fc.stringify(counterexample?.[0]), `Again: ${again}`].join("\n");
};

test("random configurations of the array equal the golden model", { timeout: 600_000 }, async () => {
  const started = performance.now();
  const distinct = new Set<string>();
  const sum = { compared: 0, overflowed: 0, cycles: 0 };
  const property = fc.asyncProperty(configurations, async (configuration) => {
    const { compared, overflowed, cycles, difference } = await checkConfiguration(configuration);
    if (difference !== undefined) throw new Error(difference);
    distinct.add(JSON.stringify(configuration.parameters));
    sum.compared += compared;
    sum.overflowed += overflowed;
    sum.cycles += cycles;
  });
  const found = await fc.check(property, path === undefined ? { seed, numRuns: 400 } : { seed, path, numRuns: 1, endOnFailure: true });
  const problem = described(found);
  if (problem !== undefined) throw new Error(problem);
  const seconds = Math.round((performance.now() - started) / 1000);
  process.stdout.write(
    `tender: seed ${seed}, ${distinct.size} configurations, ${sum.compared} accumulators, ${sum.overflowed} of them flagged, ${sum.cycles} cycles, ${seconds} s\n`,
  );
  expect(distinct.size).toBeGreaterThanOrEqual(path === undefined ? 300 : 1);
  if (path === undefined) expect(sum.overflowed).toBeGreaterThan(1000);
});

const subtracting = (value: Node): Node => (value.op === "add" ? { ...value, op: "sub" } : value);
const firstOperand = (value: Node): Node => ("a" in value ? value.a : value);

const plants: readonly (Plant & { readonly what: string })[] = [
  {
    what: "a cell that subtracts",
    module: "tender_cell",
    signal: "exact",
    change: subtracting,
  },
  {
    what: "a cell that forgets an overflow",
    module: "tender_cell",
    signal: "leaves",
    change: firstOperand,
  },
  {
    what: "an array where tiles need not wait for the results before them",
    module: "tender_array",
    signal: "may_take",
    change: firstOperand,
  },
  {
    what: "a merge that subtracts the lowest plane",
    module: "tender_array",
    signal: "merged",
    change: subtracting,
  },
];

describe("planted errors are found, in a small configuration", () => {
  test.each(plants)("$what", async (plant) => {
    const property = fc.asyncProperty(configurations, async (configuration) => {
      const { difference } = await checkConfiguration(configuration, (parameters) => planted(tenderArray(parameters), plant));
      if (difference !== undefined) throw new Error(difference);
    });
    const { failed, counterexample } = await fc.check(property, { seed, numRuns: 100 });
    expect(failed).toBe(true);
    const [{ parameters, tiles }] = counterexample!;
    expect(parameters.rows * parameters.cols).toBeLessThanOrEqual(16);
    expect(tiles.length).toBeLessThanOrEqual(2);
  });
});
