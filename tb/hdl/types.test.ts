import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runTool } from "../../src/base/tool.ts";

const folder = "tb/types-negative";

const compile = async (project: string): Promise<string> => {
  const { stdout } = await runTool(process.execPath, ["node_modules/typescript/bin/tsc", "--noEmit", "-p", project], { accept: [0, 1, 2] });
  return stdout;
};

test("what must not compile does not, and the rest of the file does", async () => {
  expect(await compile(folder)).toBe("");
});

test("a line that compiles after all is found", async () => {
  const planted = await mkdtemp(join(folder, "planted-"));
  try {
    const text = readFileSync(join(folder, "hdl.ts"), "utf8").replaceAll('"../../src', '"../../../src');
    await writeFile(join(planted, "hdl.ts"), text.replace("    io.a.set(1);", "    io.y.set(1);"));
    await writeFile(join(planted, "tsconfig.json"), '{ "extends": "../tsconfig.json", "include": ["."] }');
    expect(await compile(planted)).toContain("Unused '@ts-expect-error' directive");
  } finally {
    await rm(planted, { recursive: true, force: true });
  }
});
