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
const runPage = async (change: (code: string) => string, env: Readonly<Record<string, string>> = {}): Promise<string> => {
  for (const [name, code] of pageFiles(readFileSync("docs/testbench.md", "utf8")))
    await writeFile(join(folder, name), name === "total.ts" ? change(code) : code);
  await writeFile(join(folder, "vitest.config.js"), "export default {};");
  await writeFile(join(folder, "tsconfig.json"), '{ "extends": "../../../tsconfig.json", "include": ["*.ts"], "exclude": [] }');
  const vitest = [resolve("node_modules/vitest/vitest.mjs"), "run", "--root", folder];
  const { stdout, stderr } = await runTool(process.execPath, vitest, {
    cwd: folder,
    env: { CI: "true", NO_COLOR: "1", SYSTOLE_ENGINE: "", ...env },
    accept: [0, 1],
  });
  return `${stdout}\n${stderr}`;
};

test("the benches of docs/testbench.md run and pass the type checker", async () => {
  expect(await runPage((code) => code)).toMatch(/Tests +13 passed/);
  const { stdout } = await runTool(process.execPath, ["node_modules/typescript/bin/tsc", "--noEmit", "-p", folder], { accept: [0, 1, 2] });
  expect(stdout).toBe("");
});

test("the benches of docs/testbench.md find a wrong sum", async () => {
  expect(await runPage((code) => code.replace("sum.addWrap(io.value)", "sum.subWrap(io.value)"))).toMatch(/Tests +6 failed \| 7 passed/);
});

test("without Verilator its half of the benches fails with the line that installs it, and SYSTOLE_ENGINE leaves that half out", async () => {
  const path = join(folder, "no-tools");
  const failed = await runPage((code) => code, { PATH: path });
  expect(failed).toMatch(/Tests +1 failed \| 12 passed/);
  expect(failed).toMatch(/FAIL .* total on verilator > adds/);
  expect(failed).toMatch(/`verilator` is not installed[^]*apt-get install .*verilator/);
  expect(await runPage((code) => code, { PATH: path, SYSTOLE_ENGINE: "wasm" })).toMatch(/Tests +12 passed/);
});

test("what the tables for newcomers say on the right stands in the page's files", () => {
  const page = readFileSync("docs/testbench.md", "utf8");
  const code = [...pageFiles(page).values()].join("\n");
  const section = page.slice(page.indexOf("## Coming from"), page.indexOf("## How fast"));
  const cells = [...section.matchAll(/^\| .* \| (.*) \|$/gm)].map(([, cell = ""]) => cell);
  const pieces = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, piece = ""]) => piece)).filter((piece) => /\W/.test(piece.replace("$", "")));
  expect(pieces.length).toBeGreaterThan(40);
  expect(pieces.filter((piece) => !code.includes(piece))).toEqual([]);
});
