import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isPristine } from "../../src/base/signed-text.ts";
import { generate } from "../../src/experiments/generate.ts";

const ROOT = resolve(import.meta.dirname, "../..");

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "systole-generate-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const small = { design: "tender-array", parameters: { rows: 2, cols: 2 } };
const read = (name: string): string => readFileSync(join(folder, name), "utf8");

describe("generate", () => {
  test("writes what it says, each file with a licence and a matching hash", async () => {
    const { files } = await generate({ ...small, out: folder });
    expect(readdirSync(folder).toSorted()).toEqual(files.toSorted());
    expect(files).toEqual(["tender_cell_i8_a32_s2.sv", "tender_array_r2_c2_i8_a32_s2.sv", "filelist.f", "tender-array.core"]);
    for (const file of files) {
      expect(read(file)).toContain("SPDX-License-Identifier: Apache-2.0");
      expect(isPristine(read(file))).toBe(true);
    }
    expect(read("tender-array.core").split("\n")[0]).toBe("CAPI=2:");
  });

  test("replaces its own files and removes those that are no part of the design any more", async () => {
    await generate({ ...small, out: folder });
    writeFileSync(join(folder, "notes.txt"), "mine");
    const { files } = await generate({ ...small, parameters: { rows: 2, cols: 2, kind: "int4" }, out: folder });
    expect(readdirSync(folder).toSorted()).toEqual([...files, "notes.txt"].toSorted());
  });

  test("keeps an edited file, and every other one with it", async () => {
    await generate({ ...small, out: folder });
    const edited = `${read("tender_cell_i8_a32_s2.sv")}// mine\n`;
    writeFileSync(join(folder, "tender_cell_i8_a32_s2.sv"), edited);
    await expect(generate({ ...small, parameters: { rows: 3, cols: 3 }, out: folder })).rejects.toMatchObject({ code: "edited-file", exitCode: 2 });
    expect(read("tender_cell_i8_a32_s2.sv")).toBe(edited);
    expect(readdirSync(folder)).not.toContain("tender_array_r3_c3_i8_a32_s2.sv");
    await generate({ ...small, out: folder, force: true });
    expect(isPristine(read("tender_cell_i8_a32_s2.sv"))).toBe(true);
  });

  test("a stale file that was edited stays", async () => {
    await generate({ ...small, out: folder });
    writeFileSync(join(folder, "tender_array_r2_c2_i8_a32_s2.sv"), "// mine\n");
    await generate({ ...small, parameters: { rows: 3, cols: 3 }, out: folder });
    expect(read("tender_array_r2_c2_i8_a32_s2.sv")).toBe("// mine\n");
  });

  test("a file list that somebody edited names nothing that is removed", async () => {
    await generate({ ...small, out: folder });
    writeFileSync(join(folder, "other.sv"), read("tender_cell_i8_a32_s2.sv"));
    writeFileSync(join(folder, "filelist.f"), `${read("filelist.f")}other.sv\n`);
    await expect(generate({ ...small, out: folder })).rejects.toMatchObject({ code: "edited-file" });
    await generate({ ...small, out: folder, force: true });
    expect(readdirSync(folder)).toContain("other.sv");
  });

  test.each(["commonjs", "module"])("takes a user's TypeScript in a package of type %s, and names the line of its errors", (type) => {
    const user = join(folder, "user é design");
    mkdirSync(join(user, "node_modules"), { recursive: true });
    symlinkSync(ROOT, join(user, "node_modules", "systole"));
    writeFileSync(join(user, "package.json"), JSON.stringify({ type }));
    const run = (sum: string) => {
      const ports = "{ a: input(uint(8)), sum: output(uint(8)) }";
      const body = `(io) => {\n  io.sum.set(${sum});\n}`;
      writeFileSync(
        join(user, "adder.ts"),
        `import { input, module, output, uint } from "systole/hdl";\nexport default module("adder", ${ports}, ${body}, "Adds.");\n`,
      );
      const loader = pathToFileURL(join(ROOT, "node_modules/tsx/dist/loader.mjs")).href;
      return spawnSync(
        process.execPath,
        ["--conditions=systole-source", "--import", loader, join(ROOT, "src/cli/main.ts"), "generate", "./adder.ts", "--out", "out"],
        { cwd: user, encoding: "utf8" },
      );
    };
    const refused = run("io.a.add(1)");
    expect(refused.stderr).toContain("adder.ts:3:10: `sum` is uint(8), but it is given 9 bits");
    expect(refused.status).toBe(2);
    expect(run("io.a.addWrap(1)")).toMatchObject({ status: 0, stderr: "" });
    expect(readFileSync(join(user, "out", "adder.sv"), "utf8")).toContain("assign sum = a + 8'd1;");
  });

  test.each([
    { what: "an unknown design", options: { design: "tender-aray" }, code: "unknown-design", hint: "tender-array" },
    { what: "rows=0", options: { design: "tender-array", parameters: { rows: "0" } }, code: "bad-parameter", hint: "rows" },
    { what: "rows=9999", options: { design: "tender-array", parameters: { rows: "9999" } }, code: "bad-parameter", hint: "rows" },
    { what: "a fraction", options: { design: "tender-array", parameters: { rows: "2.5" } }, code: "bad-parameter", hint: "rows" },
    { what: "a folder that is a file", options: { design: "tender-cell", out: "package.json" }, code: "unwritable", hint: "--out" },
    { what: "a folder that can't exist", options: { design: "tender-cell", out: "/proc/none/at/all" }, code: "unwritable", hint: "--out" },
    { what: "a design file that isn't there", options: { design: "./none.ts" }, code: "bad-design-file", hint: undefined },
    { what: "a design file without a design", options: { design: "./vitest.config.ts" }, code: "no-design", hint: "module" },
  ])("refuses $what with exit code 2", async ({ options, code, hint }) => {
    const failure: unknown = await generate(options).catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: "UserError", code, exitCode: 2 });
    if (hint !== undefined) expect((failure as { hint: string }).hint).toContain(hint);
  });
});
