import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pageFiles } from "../../scripts/docs.ts";
import { runTool } from "../../src/base/tool.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(resolve("tb/sim/page-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Runs the page's benches, with `change` made to the design. */
const runPage = async (change: (code: string) => string): Promise<string> => {
  for (const [name, code] of pageFiles(readFileSync("docs/testbench.md", "utf8")))
    await writeFile(join(folder, name), name === "total.ts" ? change(code) : code);
  await writeFile(join(folder, "vitest.config.js"), "export default {};");
  await writeFile(join(folder, "tsconfig.json"), '{ "extends": "../../../tsconfig.json", "include": ["*.ts"], "exclude": [] }');
  const vitest = [resolve("node_modules/vitest/vitest.mjs"), "run", "--root", folder];
  const { stdout, stderr } = await runTool(process.execPath, vitest, { cwd: folder, env: { CI: "true", NO_COLOR: "1" }, accept: [0, 1] });
  return `${stdout}\n${stderr}`;
};

test("the benches of docs/testbench.md run and pass the type checker", async () => {
  expect(await runPage((code) => code)).toMatch(/Tests +6 passed/);
  const { stdout } = await runTool(process.execPath, ["node_modules/typescript/bin/tsc", "--noEmit", "-p", folder], { accept: [0, 1, 2] });
  expect(stdout).toBe("");
});

test("the benches of docs/testbench.md find a wrong sum", async () => {
  expect(await runPage((code) => code.replace("sum.addWrap(io.value)", "sum.subWrap(io.value)"))).toMatch(/Tests +4 failed \| 2 passed/);
});
