import { Option } from "commander";
import { parseAssignments, readConfig } from "../../base/parameters.ts";
import type { CoreLayerRow, FieldsOf } from "../../experiments/results.ts";
import type { EngineChoice } from "../../sim/index.ts";
import { addDesignOptions, type DesignOptions, decimalUpTo, integerIn, type Leaf } from "../command.ts";
import { withProgress } from "../progress.ts";
import { tableText } from "../table.ts";
import { perplexityTable } from "./check.ts";

interface RunOptions extends DesignOptions {
  readonly model: string;
  readonly bits?: "4" | "8";
  readonly groups: number;
  readonly chunk: number;
  readonly tokens: number;
  readonly text?: string;
  readonly sequences: number;
  readonly latency: number;
  readonly bandwidth: number;
  readonly shared?: boolean;
  readonly explain?: boolean;
  readonly rtl?: string;
  readonly engine?: "golden" | EngineChoice;
}

const share = (part: number | null): string => (part === null ? "-" : `${(100 * part).toFixed(1)} %`);

const layerCells = (row: CoreLayerRow): string[] => [
  String(row.layer),
  String(row.products),
  String(row.compared),
  String(row.mismatches),
  row.cycles === null ? "-" : String(row.cycles),
  String(row.predicted),
  share(row.utilization),
];

const wordRun = async ({
  rows,
  compared,
  mismatches,
  first,
  cycles,
  utilization,
  perplexity,
  agreement,
  plans,
}: FieldsOf<"run tender-core">): Promise<string> => {
  const table = await tableText(
    ["layer", "products", "compared", "mismatches", "cycles", "predicted", "utilisation"],
    rows.map(layerCells),
    [0, 1, 2, 3, 4, 5, 6],
  );
  const sum =
    cycles === null
      ? "Computed by the golden model; no core ran."
      : `${compared} results and logits compared with the golden model, ${mismatches} mismatches; ${cycles} cycles, utilisation ${share(utilization)}`;
  const difference =
    first === null
      ? []
      : [`first difference: ${first.product}, row ${first.row}, column ${first.column}: expected ${first.expected}, got ${first.got} by cycle ${first.cycle}`];
  const quality =
    agreement === null
      ? []
      : [
          "",
          "Perplexity in software (tender: linear layers quantised; tender-attention: QK^T and S·V too, as the core computes them)",
          await perplexityTable(perplexity),
        ];
  const agreed = agreement === null ? [] : [`next token as fp32: ${agreement.agreed} of ${agreement.tokens} (${share(agreement.agreed / agreement.tokens)})`];
  return [...(plans ?? []), table, sum, ...difference, ...quality, ...agreed].join("\n");
};

export const runTenderCore: Leaf<"run tender-core", RunOptions> = {
  name: "run tender-core",
  summary: "run every linear layer and attention product of a language model as jobs of the tensor core",
  examples: [
    "run tender-core",
    "run tender-core --model opt-mini --bits 8 --tokens 64 --engine verilator",
    "run tender-core --model opt-mini --bits 4 --chunk 16 --tokens 16 --explain",
  ],
  configure: (command) => {
    addDesignOptions(command);
    command
      .option("--model <name>", "opt-mini, or a folder of an OPT model", "opt-mini")
      .addOption(new Option("--bits <integer>", "bits of activations and weights (default: 8, or 4 on kind int4)").choices(["4", "8"]))
      .option("--groups <integer>", "channel groups", integerIn(1, 64), 8)
      .option("--chunk <integer>", "rows that share bias, scales and groups", integerIn(1, 65536), 256)
      .option("--tokens <integer>", "tokens of text that run on the core", integerIn(1, 65536), 64)
      .option("--text <file>", "text in UTF-8 (default: the text that comes with systole)")
      .option("--sequences <integer>", "sequences of the model's context for perplexity and agreement, in software; 0 leaves them out", integerIn(0, 16), 1)
      .option("--rtl <folder>", "simulate the Verilog in this folder instead of generated text")
      .addOption(
        new Option("--engine <name>", "what simulates the core; golden: software only (default: $SYSTOLE_ENGINE, or auto)").choices([
          "golden",
          "auto",
          "verilator",
          "wasm",
          "reference",
        ]),
      )
      .option("--latency <cycles>", "of the memory", integerIn(1, 10_000), 40)
      .option("--bandwidth <beats>", "beats of the memory a cycle, each way", decimalUpTo(1), 1)
      .option("--shared", "reads and writes share the beats")
      .option("--explain", "say how the driver tiles the products of the first layer, and why");
  },
  run: async ({ set, config, model, bits, groups, chunk, tokens, text, sequences, latency, bandwidth, shared = false, explain, rtl, engine: asked, seed }) => {
    const experiment = await import("../../experiments/run-tender-core.ts");
    const { openCore } = await import("../../experiments/open-core.ts");
    const parameters = { ...(config === undefined ? {} : readConfig(config)), ...parseAssignments(set) };
    const settings = { groups, chunk, tokens, text, sequences, explain };
    const result = await withProgress("starting", (update) =>
      experiment.runTenderCore({
        model,
        parameters,
        ...settings,
        bits: bits === undefined ? undefined : bits === "4" ? 4 : 8,
        memory: { latency, beatsPerCycle: bandwidth, shared },
        open: asked === "golden" ? undefined : async (values, memory) => openCore(values, memory, { engine: asked, rtl, seed }),
        onProgress: update,
      }),
    );
    const { ok, config: values, engine, ...fields } = result;
    return { ok, fields, what: model, config: values, engine, ...(seed === undefined ? {} : { seed }), text: await wordRun(fields) };
  },
};
