import { expect, test } from "vitest";
import { checkTender } from "../../src/experiments/check-tender.ts";

test.each(["verilator", "wasm"] as const)(
  "every product of the compact vectors runs through the native and the composable array without a mismatch on %s",
  { timeout: 180_000 },
  async (engine) => {
    const result = await checkTender({ vectors: "tb/vectors/tender.json.br", level: "array", engine });
    expect(result).toMatchObject({ ok: true, mismatches: 0, first: null, level: "array", engine });
    expect(new Set(result.rows.map(({ name }) => name.split(":")[0]))).toEqual(new Set(["int8", "int4", "composable"]));
    // Each product runs twice: on native cells and on composable ones.
    const native = result.rows.filter(({ name }) => !name.startsWith("composable")).reduce((sum, row) => sum + row.compared, 0);
    expect(result.compared).toBe(2 * native);
    expect(native).toBeGreaterThan(1000);
  },
);
