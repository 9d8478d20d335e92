import { parseAssignments, readConfig } from "../../base/parameters.ts";
import type { DemoResult } from "../../experiments/demo.ts";
import type { EngineChoice } from "../../sim/index.ts";
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
  readonly engine?: EngineChoice;
}

/** One line for each thing that was done in another way than with Verilator. */
const engineLines = ({ engine, linted, files }: DemoResult, asked: EngineChoice, problem: string | undefined): string[] => {
  const why = asked === "auto" ? `, since ${problem}; the result is the same` : "";
  const lint = files.length === 0 || linted ? [] : [`\`verilator --lint-only -Wall\` did not run: ${problem}`];
  if (engine === "verilator") return lint;
  return [`Simulated on the ${engine === "wasm" ? "embedded engine (WebAssembly)" : "reference engine"}${why}`, ...lint];
};

const wordDemo = async (result: DemoResult, notes: readonly string[]): Promise<string> => {
  const { engine, files, rows, compared, mismatches, first, cycles, utilization, perplexity } = result;
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
  const sum = `${rows.length} products through ${engine === "verilator" ? "the RTL" : "the array"}: ${compared} accumulators compared with the golden model, ${mismatches} mismatches; ${cycles} cycles, utilisation ${(100 * utilization).toFixed(1)} %`;
  const difference =
    first === null
      ? []
      : [`first difference: ${first.product}, row ${first.row}, column ${first.column}: expected ${first.expected}, got ${first.got} in cycle ${first.cycle}`];
  const table =
    perplexity.length === 0
      ? []
      : ["", "Perplexity of opt-mini on the demo text, linear layers quantised (lower is better)", await perplexityTable(perplexity)];
  return [...written, ...notes, ...(notes.length === 0 ? [] : [""]), "Layer 1 of opt-mini on the Tender array", products, sum, ...difference, ...table].join(
    "\n",
  );
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
      .addOption(engineOption());
  },
  run: async ({ set, config, out, force, rtl, tokens, sequences, seed, engine: asked }) => {
    const experiment = await import("../../experiments/demo.ts");
    const parameters = { ...(config === undefined ? {} : readConfig(config)), ...parseAssignments(set) };
    const result = await withProgress("starting", (update) =>
      experiment.runDemo({ parameters, out, force, rtl, tokens, sequences, seed, engine: asked, onProgress: update }),
    );
    const { ok, config: values, engine, linted, ...fields } = result;
    const { defaultEngine, verilatorProblem } = await import("../../sim/choose-engine.ts");
    const notes = engineLines(result, asked ?? defaultEngine(), verilatorProblem()?.message);
    const { simulationTools } = await import("../../experiments/doctor.ts");
    return {
      ok,
      fields,
      what: "tender-array",
      config: values,
      engine,
      ...(seed === undefined ? {} : { seed }),
      tools: linted ? await simulationTools(["verilator"]) : {},
      text: await wordDemo(result, notes),
    };
  },
};
