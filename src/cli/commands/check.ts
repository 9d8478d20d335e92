import { Option } from "commander";
import { UserError } from "../../base/error.ts";
import type { FieldsOf, PerplexityRow } from "../../experiments/results.ts";
import type { EngineChoice } from "../../sim/index.ts";
import { type CommonOptions, engineOption, integerIn, type Leaf } from "../command.ts";
import { withProgress } from "../progress.ts";
import { tableText } from "../table.ts";

interface TenderOptions extends CommonOptions {
  readonly vectors: string;
  readonly engine?: "golden" | EngineChoice;
  readonly level?: "golden" | "array";
}

const wordTender = async ({ rows, compared, mismatches, first, maxAbsDiff }: FieldsOf<"check tender">): Promise<string> => {
  const table = await tableText(
    ["case", "compared", "mismatches", "largest difference of outputs"],
    rows.map((row) => [row.name, String(row.compared), String(row.mismatches), row.maxAbsDiff.toExponential(2)]),
    [1, 2, 3],
  );
  const difference = first === null ? "" : `\nfirst: ${first.product} is ${first.got ?? "absent"} where the file says ${first.expected}`;
  return `${table}\n${compared} values compared, ${mismatches} mismatches, outputs differ by at most ${(maxAbsDiff ?? 0).toExponential(2)}${difference}`;
};

export const checkTender: Leaf<"check tender", TenderOptions> = {
  name: "check tender",
  summary: "compare Tender's quantiser and accumulators with a file of official vectors",
  examples: [
    "check tender --vectors vectors/tender.json",
    "check tender --vectors vectors/tender.json --engine verilator",
    "check tender --vectors vectors/tender.json --level array",
  ],
  configure: (command) => {
    command
      .requiredOption("--vectors <file>", "JSON file of the format of vectors/tender.json")
      .addOption(engineOption("golden"))
      .addOption(
        new Option("--level <name>", "what is compared: the golden model, or the array in simulation (default: what the engine can run)").choices([
          "golden",
          "array",
        ]),
      );
  },
  run: async ({ vectors, engine, level = engine === undefined || engine === "golden" ? "golden" : "array" }) => {
    if (engine !== undefined && (level === "golden") !== (engine === "golden"))
      throw new UserError("bad-level", `level ${level} doesn't run on engine ${engine}`, {
        hint: "use --level golden, or --level array with --engine verilator, wasm or reference",
      });
    const experiment = await import("../../experiments/check-tender.ts");
    const result = await withProgress("reading vectors", (update) =>
      experiment.checkTender({
        vectors,
        level,
        engine: engine === "golden" ? undefined : engine,
        onProgress: (done, total, name) => update(`case ${done + 1} of ${total}: ${name}`),
      }),
    );
    const { compared, mismatches, maxAbsDiff, cases, rows } = result;
    const first = result.first && { product: result.first.path, row: null, column: null, expected: result.first.expected, got: result.first.got, cycle: null };
    const fields = { compared, mismatches, first, maxAbsDiff, level, cases, rows: [...rows] };
    return { ok: result.ok, fields, what: vectors, engine: result.engine, text: await wordTender(fields) };
  },
};

interface FloatOptions extends CommonOptions {
  readonly vectors: string;
  readonly engine?: EngineChoice;
}

const wordFloat = async ({ rows, first }: FieldsOf<"check float">): Promise<string> => {
  const table = await tableText(
    ["computed by", "compared", "mismatches", "largest difference"],
    rows.map((row) => [row.name, String(row.compared), String(row.mismatches), row.maxAbsDiff.toExponential(2)]),
    [1, 2, 3],
  );
  return first === null ? table : `${table}\nfirst: ${first.product} is ${first.got} where the file says ${first.expected}`;
};

export const checkFloat: Leaf<"check float", FloatOptions> = {
  name: "check float",
  summary: "compare a binary32 unit and its golden model with a file of TestFloat cases",
  examples: ["check float --vectors vectors/float/f32_add.u32", "check float --vectors vectors/float/f32_to_bf16.u32 --engine verilator"],
  configure: (command) => {
    command
      .requiredOption("--vectors <file>", "little-endian 32-bit words (operands, result, flags), named after the function: f32_add.u32")
      .addOption(engineOption());
  },
  run: async ({ vectors, engine }) => {
    const experiment = await import("../../experiments/check-float.ts");
    const result = await withProgress("reading cases", (update) =>
      experiment.checkFloat({ vectors, engine, onProgress: (done, total) => update(`cycle ${done} of ${total}`) }),
    );
    const { compared, mismatches, maxAbsDiff, rows } = result;
    const first = result.first && { ...result.first, row: null, column: null };
    const fields = { compared, mismatches, first, maxAbsDiff, level: "unit", rows: [...rows] };
    return { ok: result.ok, fields, what: vectors, engine: result.engine, text: await wordFloat(fields) };
  },
};

interface ModelOptions extends CommonOptions {
  readonly tokens?: string;
  readonly scheme: "fp32" | "tensor" | "token" | "tender";
  readonly bits: number;
  readonly groups: number;
  readonly chunk: number;
  readonly limit?: number;
}

/** The table of quantisation schemes, as `check model` and `demo` print it. */
export const perplexityTable = async (rows: readonly PerplexityRow[]): Promise<string> =>
  tableText(
    ["scheme", "bits", "groups", "chunk", "tokens", "perplexity"],
    rows.map(({ scheme, bits, groups, chunk, tokens, value }) => [
      scheme,
      ...[bits, groups, chunk].map((setting) => (setting === null ? "-" : String(setting))),
      String(tokens),
      value.toFixed(3),
    ]),
    [1, 2, 3, 4, 5],
  );

export const checkModel: Leaf<"check model", ModelOptions, [model: string]> = {
  name: "check model",
  summary: "measure a model's perplexity in fp32 or with its linear layers quantised",
  examples: ["check model opt-mini", "check model opt-mini --tokens tokens.u16 --scheme tender --bits 8 --groups 8 --chunk 256"],
  configure: (command) => {
    command
      .argument("<model>", "opt-mini, moe-mini or a folder of a model")
      .option("--tokens <file>", "token ids as little-endian 16-bit words (default: the text that comes with systole)")
      .addOption(new Option("--scheme <name>", "quantisation of the linear layers").choices(["fp32", "tensor", "token", "tender"]).default("fp32"))
      .option("--bits <integer>", "bits of the quantised elements", integerIn(2, 15), 8)
      .option("--groups <integer>", "channel groups (tender)", integerIn(1, 64), 8)
      .option("--chunk <integer>", "rows that share a calibration (tender)", integerIn(1, 65536), 256)
      .option("--limit <integer>", "only the first so many sequences", integerIn(1, Number.MAX_SAFE_INTEGER));
  },
  run: async ({ tokens, scheme, bits, groups, chunk, limit }, model) => {
    const experiment = await import("../../experiments/check-model.ts");
    const { demoText } = await import("../../model/tokens.ts");
    const fields = await withProgress("loading the model", async (update) =>
      Promise.resolve(
        experiment.checkModel({
          model,
          tokens: tokens === undefined ? { text: demoText() } : { path: tokens },
          scheme,
          bits,
          groups,
          chunk,
          limit,
          onProgress: (done, sequences) => update(`sequence ${done} of ${sequences}`),
        }),
      ),
    );
    return { ok: true, fields, what: model, config: { scheme, bits, groups, chunk }, text: await perplexityTable(fields.perplexity) };
  },
};
