import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { operandPorts, pageFiles, pages, regenerated } from "../../scripts/docs.ts";
import { runTool } from "../../src/base/tool.ts";
import * as hdl from "../../src/hdl/index.ts";

let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(resolve("tb/verilog/page-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

test.each(pages)("%s is as its generated parts would be now", async (page) => {
  const text = readFileSync(page, "utf8");
  expect(await regenerated(text)).toBe(text);
});

test("a stale part is found", async () => {
  const text = readFileSync("docs/hdl.md", "utf8");
  const stale = text.replace("9'(a) + 9'(b)", "9'(a) - 9'(b)");
  expect(stale).not.toBe(text);
  expect(await regenerated(stale)).toBe(text);
});

/** Compiles code with the language in scope. */
const compiled = async (code: string): Promise<string> => {
  const names = Object.keys(hdl).join(", ");
  await writeFile(join(folder, "page.ts"), `import { ${names} } from "../../../src/hdl/index.ts";\nexport const used = [${names}];\n${code}`);
  await writeFile(join(folder, "tsconfig.json"), '{ "extends": "../../../tsconfig.json", "include": ["page.ts"], "exclude": [] }');
  return (await runTool(process.execPath, ["node_modules/typescript/bin/tsc", "--noEmit", "-p", folder], { accept: [0, 1, 2] })).stdout;
};

test("the blocks and expressions of docs/hdl.md pass the type checker", async () => {
  const text = readFileSync("docs/hdl.md", "utf8");
  const blocks = [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = ""], index) => `export const block${index} = ${code.trim()};`);
  const list = text.slice(text.indexOf("<!-- operators\n"));
  const rows = list.slice(list.indexOf("\n") + 1, list.indexOf("\n-->")).split("\n");
  const ports = `const row = (io: import("../../../src/hdl/index.ts").Inside<typeof import("../../../scripts/docs.ts").operandPorts>) => {\n  const { ${Object.keys(operandPorts).join(", ")} } = io;\n`;
  const expressions = `${ports}${rows.map((row) => `  void (${row});`).join("\n")}\n};\nvoid row;`;
  expect(blocks.length).toBeGreaterThan(5);
  expect(rows.length).toBeGreaterThan(30);
  expect(await compiled([...blocks, expressions].join("\n"))).toBe("");
  expect(await compiled(`${ports} void a.add(u);\n};\nvoid row;`)).toContain("error");
});

/** Writes the tutorial's files, the FIFO's with `change` made to it, and runs its bench. */
const runBench = async (change: (code: string) => string): Promise<string> => {
  for (const [name, code] of pageFiles(readFileSync("docs/tutorial.md", "utf8"))) await writeFile(join(folder, name), name === "fifo.ts" ? change(code) : code);
  // A reader's folder has no configuration; without this one the clone's would be found above.
  await writeFile(join(folder, "vitest.config.js"), "export default {};");
  const { stdout, stderr } = await runTool(process.execPath, [resolve("node_modules/vitest/vitest.mjs"), "run", "--root", folder], {
    cwd: folder,
    env: { CI: "true" },
    accept: [0, 1],
  });
  return `${stdout}\n${stderr}`;
};

test("the tutorial's files run: the Verilog is written, the bench passes and leaves a waveform", async () => {
  expect(await runBench((code) => code)).toContain("1 passed");
  expect(readFileSync(join(folder, "fifo.vcd"), "utf8")).toContain("$enddefinitions");
  await runTool(process.execPath, ["--import", "tsx", "print.ts"], { cwd: folder });
  expect(existsSync(join(folder, "my_fifo_w8_d4.sv"))).toBe(true);
});

test("the tutorial's bench fails as it says", async () => {
  const broken = await runBench((code) => code.replace("io.full.set(count.eq(depth));", "io.full.set(0);"));
  expect(broken).toContain("1 failed");
  expect(broken).toContain("never_overfull");
});
