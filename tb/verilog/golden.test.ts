import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lint } from "../../src/flow/lint.ts";
import { verilogFiles } from "../../src/verilog/index.ts";
import { reviewedBlocks } from "./blocks.ts";
import { kitchenSink } from "./kitchen.ts";

/** `SYSTOLE_UPDATE=1` writes the golden files anew; the change is then reviewed as a diff. */
const update = process.env["SYSTOLE_UPDATE"] === "1";
const folder = "tb/verilog/golden";

const circuits = [...reviewedBlocks.map((block) => block.circuit), ...kitchenSink];

test.each(circuits)("$name prints as its golden file", (circuit) => {
  for (const { name, text } of verilogFiles(circuit)) {
    const path = join(folder, name);
    if (update) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(path, text);
    }
    expect(text).toBe(readFileSync(path, "utf8"));
  }
});

test.each(circuits)("$name is silent in Verilator, Icarus and Yosys", async (circuit) => {
  expect(await lint(verilogFiles(circuit), circuit.name)).toEqual([]);
});

test("a text that is not clean is found by each tool", async () => {
  const [block] = reviewedBlocks;
  const [file] = verilogFiles(block?.circuit ?? circuits[0]!);
  if (file === undefined) throw new Error("no file");
  const spoilt = { name: file.name, text: file.text.replace("assign push =", "assign push_ =") };
  const tools = (await lint([spoilt], "fifo_w8_d16")).map((finding) => finding.tool);
  expect(new Set(tools)).toEqual(new Set(["verilator", "iverilog", "yosys"]));
});
