import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { expect, test } from "vitest";
import { runTool } from "../../src/base/tool.ts";
import type { Module } from "../../src/hdl/index.ts";
import { rootSeed } from "../../src/sim/index.ts";
import { verilogFiles } from "../../src/verilog/index.ts";
import { build } from "./build.ts";
import { runCampaign, runVerilatorCampaign } from "./campaign.ts";
import { circuitArbitrary } from "./recipe.ts";
import { circuitSource, fileText } from "./source.ts";

const seed = rootSeed();

test("the reference engine and WebAssembly agree on 2,000 random circuits, constants folded or not", { timeout: 600_000 }, async () => {
  const { circuits, cycles, failing, coverage, problem } = await runCampaign({ seed, circuits: 2000 });
  process.stdout.write(`fuzz: seed ${seed}, ${circuits} circuits, ${cycles} cycles, ${failing} ended by a property; nodes: ${coverage.nodes}\n`);
  expect(problem).toBeUndefined();
  expect(coverage.missing).toEqual([]);
  expect(failing).toBeGreaterThan(0);
});

test("Verilator agrees with the reference engine on 300 random circuits", { timeout: 600_000 }, async () => {
  const { circuits, cycles, problem } = await runVerilatorCampaign({ seed, circuits: 300 });
  process.stdout.write(`fuzz: seed ${seed}, ${circuits} circuits in Verilator, ${cycles} cycles\n`);
  expect(problem).toBeUndefined();
});

test("programs of random circuits are TypeScript, and as files they print the same Verilog", { timeout: 120_000 }, async () => {
  const folder = join("sim_build", "fuzz");
  await mkdir(folder, { recursive: true });
  const sources = fc
    .sample(circuitArbitrary, { seed, numRuns: 40 })
    .map((recipe, i) => circuitSource(recipe, { constants: i % 2 === 0 ? "folded" : "unfolded" }));
  const paths = sources.map((_, i) => join(folder, `circuit${i}.ts`));
  for (const [i, source] of sources.entries()) await writeFile(paths[i]!, fileText(source));
  await runTool("npx", [
    "tsc",
    "--noEmit",
    "--ignoreConfig",
    "--module",
    "nodenext",
    "--target",
    "es2023",
    "--strict",
    "--customConditions",
    "systole-source",
    "--skipLibCheck",
    "--allowImportingTsExtensions",
    "--types",
    "node",
    ...paths,
  ]);
  for (const [i, source] of sources.entries()) {
    const { circuit } = (await import(pathToFileURL(paths[i]!).href)) as { circuit: Module };
    expect(verilogFiles(circuit.circuit)).toEqual(verilogFiles(build(source).circuit));
  }
});
