import { parseAssignments, readConfig } from "../../base/parameters.ts";
import type { FieldsOf } from "../../experiments/results.ts";
import { addDesignOptions, type DesignOptions, engineOption, integerIn, type Leaf } from "../command.ts";
import { withProgress } from "../progress.ts";
import { tableText } from "../table.ts";
import { perplexityTable } from "./check.ts";

interface DemoOptions extends DesignOptions {
  readonly out?: string;
  readonly force?: boolean;
  readonly rtl?: string;
  readonly tokens: number;
  readonly sequences: number;
}

const wordDemo = async (result: FieldsOf<"demo">): Promise<string> => {
  const { files, rows, compared, mismatches, first, cycles, utilization, perplexity } = result;
  const written = files.length === 0 ? [] : ["Files written", ...files.map((file) => `  ${file}`), ""];
  const products = await tableText(
    ["product", "bits", "rows x channels x columns", "accumulators", "mismatches", "cycles", "closed form", "utilisation"],
    rows.map((row) => [
      row.product,
      String(row.bits),
      `${row.rows} x ${row.channels} x ${row.columns}`,
      String(row.compared),
      String(row.mismatches),
      String(row.cycles),
      row.expected === null ? "-" : String(row.expected),
      `${(100 * row.utilization).toFixed(1)} %`,
    ]),
    [1, 2, 3, 4, 5, 6, 7],
  );
  const sum = `${rows.length} products through the RTL: ${compared} accumulators compared with the golden model, ${mismatches} mismatches; ${cycles} cycles, utilisation ${(100 * utilization).toFixed(1)} %`;
  const difference =
    first === null
      ? []
      : [`first difference: ${first.product}, row ${first.row}, column ${first.column}: expected ${first.expected}, got ${first.got} in cycle ${first.cycle}`];
  const table =
    perplexity.length === 0
      ? []
      : ["", "Perplexity of opt-mini on the demo text, linear layers quantised (lower is better)", await perplexityTable(perplexity)];
  return [...written, "Layer 1 of opt-mini on the Tender array", products, sum, ...difference, ...table].join("\n");
};

export const demo: Leaf<"demo", DemoOptions> = {
  name: "demo",
  summary: "run a layer of a real language model through generated hardware and compare every accumulator",
  examples: ["demo", "demo --set rows=4 --set cols=4 --tokens 16 --sequences 0 --out build/array", "demo --rtl rtl/tender-array"],
  configure: (command) => {
    addDesignOptions(command);
    command
      .option("--out <folder>", "where the array's files go (default: rtl/tender-array)")
      .option("--force", "replace files that were edited")
      .option("--rtl <folder>", "simulate the Verilog in this folder instead of generated files")
      .option("--tokens <integer>", "tokens of text that go through the layer", integerIn(4, 512), 64)
      .option("--sequences <integer>", "sequences of 512 tokens for the perplexity table; 0 leaves it out", integerIn(0, 16), 2)
      .addOption(engineOption("verilator"));
  },
  run: async ({ set, config, out, force, rtl, tokens, sequences, seed }) => {
    const experiment = await import("../../experiments/demo.ts");
    const parameters = { ...(config === undefined ? {} : readConfig(config)), ...parseAssignments(set) };
    const result = await withProgress("starting", (update) => experiment.runDemo({ parameters, out, force, rtl, tokens, sequences, seed, onProgress: update }));
    const { ok, config: values, ...fields } = result;
    return { ok, fields, what: "tender-array", config: values, engine: "verilator", ...(seed === undefined ? {} : { seed }), text: await wordDemo(fields) };
  },
};
