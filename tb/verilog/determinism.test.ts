import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { runTool } from "../../src/base/tool.ts";
import { verilogFiles } from "../../src/verilog/index.ts";
import { reviewedBlocks } from "./blocks.ts";
import { kitchenSink } from "./kitchen.ts";

const hashOf = (texts: readonly string[]): string => createHash("sha256").update(texts.toSorted().join("\n")).digest("hex");

/** Emits every block in a fresh process that loads the modules in the order given. */
const emitted = async (imports: readonly string[]): Promise<string> => {
  const script = `
    ${imports.map((path) => `await import("${path}");`).join("\n")}
    const { verilogFiles } = await import("./src/verilog/index.ts");
    const { kitchenSink } = await import("./tb/verilog/kitchen.ts");
    const { reviewedBlocks } = await import("./tb/verilog/blocks.ts");
    const circuits = [...kitchenSink, ...reviewedBlocks.map((block) => block.circuit)];
    const { createHash } = await import("node:crypto");
    const texts = circuits.flatMap((circuit) => verilogFiles(circuit).map((file) => file.text));
    console.log(createHash("sha256").update(texts.toSorted().join("\\n")).digest("hex"));`;
  return (await runTool(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script])).stdout.trim();
};

test("the text is the same in fresh processes, whatever the order in which modules are loaded and built", async () => {
  const here = hashOf([...reviewedBlocks.map((block) => block.circuit), ...kitchenSink].flatMap((circuit) => verilogFiles(circuit).map((file) => file.text)));
  const paths = ["./src/lib/axi.ts", "./docs/examples/mac.ts", "./tb/verilog/kitchen.ts", "./src/lib/fifo.ts", "./src/designs/index.ts"];
  expect(await emitted(paths)).toBe(here);
  expect(await emitted(paths.toReversed())).toBe(here);
});
