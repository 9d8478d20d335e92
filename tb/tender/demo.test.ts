import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { arrayCycles } from "../../src/designs/index.ts";
import { runDemo } from "../../src/experiments/demo.ts";

const small = { parameters: { rows: 4, cols: 4 }, tokens: 8, sequences: 0 };
const cell = "tender_cell_i8_a32_s2.sv";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "systole-demo-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a layer of opt-mini runs through the array without a mismatch, in the cycles of the closed form", async () => {
  const result = await runDemo({ ...small, out: folder, engine: "verilator" });
  expect(result).toMatchObject({ ok: true, engine: "verilator", linted: true, mismatches: 0, first: null });
  expect(result.rows.map(({ product, bits }) => `${product} ${bits}`)).toEqual([
    "Q 8",
    "K 8",
    "V 8",
    "O 8",
    "FC1 8",
    "FC2 8",
    "Q 4",
    "K 4",
    "V 4",
    "O 4",
    "FC1 4",
    "FC2 4",
  ]);
  expect(result.compared).toBe(2 * 8 * (5 * 256 + 1024));
  expect(result.rows.every(({ expected, cycles, met }) => met === true && expected === cycles)).toBe(true);
  expect(result.utilization).toBeGreaterThan(0.99);
  const embedded = await runDemo({ ...small, out: folder, engine: "wasm" });
  expect(embedded).toEqual({ ...result, engine: "wasm" });
});

test("one operator changed by hand in the cell's Verilog is found, with the element and its cycle", async () => {
  const path = join(folder, cell);
  const text = readFileSync(path, "utf8");
  const changed = text.replace("36'(moved) + 36'(", "36'(moved) - 36'(");
  expect(changed).not.toBe(text);
  writeFileSync(path, changed);
  const result = await runDemo({ ...small, rtl: folder });
  expect(result.ok).toBe(false);
  expect(result.mismatches).toBeGreaterThan(0);
  expect(result.files).toEqual([]);
  expect(result.first).toMatchObject({ product: "Q INT8", row: 0, column: 0 });
  expect(result.first?.got).toBe(-Number(result.first?.expected));
  // Row 0 is the last to leave of the first tile; cycles count from 0.
  expect(result.first?.cycle).toBe(arrayCycles({ rows: 4, cols: 4, kind: "int8" }, 256) - 1);
});

test("an edited file is not overwritten", async () => {
  await expect(runDemo({ ...small, out: folder })).rejects.toMatchObject({ code: "edited-file", exitCode: 2 });
});
