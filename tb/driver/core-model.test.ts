import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { tenderCore } from "../../src/designs/tender/core/core.ts";
import { openCore } from "../../src/experiments/open-core.ts";
import { runTenderCore } from "../../src/experiments/run-tender-core.ts";
import { verilogFiles } from "../../src/verilog/index.ts";

const folder = mkdtempSync(join(tmpdir(), "systole-core-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  [8, { rows: 16, cols: 16 }, { latency: 40 }, 2],
  [4, { kind: "int4", rows: 8, cols: 16 }, { latency: 7, beatsPerCycle: 0.5, shared: true }, 3],
] as const)("opt-mini at %d bits on the core %o with a memory %o gives every result and the logits", async (bits, parameters, memory, tokens) => {
  const result = await runTenderCore({
    model: "opt-mini",
    parameters,
    bits,
    chunk: 2,
    tokens,
    sequences: 0,
    memory,
    open: async (values, timing) => openCore(values, timing, { engine: "wasm" }),
  });
  expect(result).toMatchObject({ ok: true, engine: "wasm", mismatches: 0, first: null });
  expect(result.compared).toBe(6 * (tokens * (5 * 256 + 1024) + 4 * (tokens ** 2 + tokens * 64)) + tokens * 2048);
  expect(result.rows.every(({ cycles, utilization }) => Number(cycles) > 0 && utilization! > 0 && utilization! < 1)).toBe(true);
});

test("one operator changed by hand in the cell's Verilog is found, in the first product that shows it", { timeout: 200_000 }, async () => {
  const parameters = { rows: 4, cols: 8 };
  const { config } = await runTenderCore({ model: "opt-mini", parameters, tokens: 1, sequences: 0 });
  let changed = 0;
  for (const { name, text } of verilogFiles(tenderCore(config).circuit)) {
    const spoiled = name.startsWith("tender_cell") ? text.replace("36'(moved) + 36'(", "36'(moved) - 36'(") : text;
    if (spoiled !== text) changed += 1;
    writeFileSync(join(folder, name), spoiled);
  }
  expect(changed).toBe(1);
  const open: Parameters<typeof runTenderCore>[0]["open"] = async (values, timing) => openCore(values, timing, { engine: "verilator", rtl: folder });
  const result = await runTenderCore({ model: "opt-mini", parameters, tokens: 2, sequences: 0, open });
  expect(result).toMatchObject({ ok: false, engine: "verilator", perplexity: [], agreement: null });
  expect(result.first).toMatchObject({ product: "blocks.0.attn.q", row: 0 });
  expect(result.first!.cycle).toBeGreaterThan(0);
});
