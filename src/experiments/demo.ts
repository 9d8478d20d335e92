import { join } from "node:path";
import { UserError } from "../base/error.ts";
import { type ParameterValues, parseParameters } from "../base/parameters.ts";
import type { ArrayParameters, ArrayPorts } from "../designs/index.ts";
import { arrayCycles, arraySchema, tenderArray } from "../designs/index.ts";
import { type ArrayRun, runProducts } from "../driver/tender/array-run.ts";
import { compareProduct } from "../driver/tender/compare.ts";
import { sourceFrom } from "../driver/tender/source.ts";
import { cellsFor, tilesOf, usefulProducts } from "../driver/tender/tiles.ts";
import { requireLintClean } from "../flow/lint.ts";
import type { Module } from "../hdl/index.ts";
import { type LayerProduct, layerProducts } from "../model/layer-products.ts";
import { loadModel, type Model } from "../model/model.ts";
import { demoText, demoTokens, sequencesOf } from "../model/tokens.ts";
import { defaultEngine, verilatorProblem } from "../sim/choose-engine.ts";
import { type EngineChoice, type EngineName, simulate } from "../sim/index.ts";
import { verilogFiles } from "../verilog/index.ts";
import { measurePerplexity, schemeOf } from "./check-model.ts";
import { generate } from "./generate.ts";
import type { FieldsOf, Mismatch, PerplexityRow, ProductRow } from "./results.ts";

export interface DemoOptions {
  /** Parameters of the array, unchecked. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** Where the array's files go. Default: `rtl/tender-array`. */
  readonly out?: string | undefined;
  readonly force?: boolean | undefined;
  /** Folder of Verilog to simulate instead of generated files; nothing is written then. */
  readonly rtl?: string | undefined;
  /** Tokens of text that go through the layer; a few are needed, since a channel that is constant over all of them has no scale. Default: 64. */
  readonly tokens?: number | undefined;
  /** Sequences of 512 tokens for the perplexity table; 0 leaves it out. Default: 2. */
  readonly sequences?: number | undefined;
  readonly seed?: number | undefined;
  /** What simulates. Default: `$SYSTOLE_ENGINE`, or `auto`, which is Verilator here wherever it is installed, because this job shows the Verilog that ships. */
  readonly engine?: EngineChoice | undefined;
  readonly onProgress?: ((text: string) => void) | undefined;
}

export interface DemoResult extends FieldsOf<"demo"> {
  readonly ok: boolean;
  readonly config: ParameterValues;
  /** What simulated. */
  readonly engine: EngineName;
  /** Whether Verilator's lint ran. */
  readonly linted: boolean;
}

/** The layer with outlier channels (research/data.md section 2). */
const demoLayer = 1;
const groups = 8;

/** @throws UserError where Verilator is missing, or `--rtl` gives Verilog to an engine that can't run it */
const engineOf = ({ engine: asked, rtl }: DemoOptions): EngineName => {
  const problem = verilatorProblem();
  const engine = asked ?? (rtl === undefined ? defaultEngine() : "auto");
  const isEmbedded = engine === "wasm" || engine === "reference";
  if (rtl !== undefined && isEmbedded)
    throw new UserError("rtl-engine", `\`--rtl\` simulates Verilog, which the engine \`${engine}\` can't run`, { hint: "use --engine verilator" });
  if (isEmbedded) return engine;
  if (problem === undefined) return "verilator";
  if (rtl === undefined && engine === "auto") return "wasm";
  throw problem;
};

/** Whether Verilator's lint ran; an embedded engine doesn't need it. @throws UserError with what it finds */
const lintIfPossible = async (top: Module<ArrayPorts>, engine: EngineName): Promise<boolean> => {
  try {
    await requireLintClean(verilogFiles(top.circuit), top.name, ["verilator"]);
    return true;
  } catch (error) {
    if (engine === "verilator" || !(error instanceof UserError) || error.code !== "missing-tool") throw error;
    return false;
  }
};

/** A layer's product with its name and bits, one a chunk of rows. */
interface NamedRun {
  readonly layer: LayerProduct;
  readonly bits: number;
  readonly run: ArrayRun;
}

const rowOf = ({ layer, bits, run }: NamedRun, parameters: ArrayParameters): { readonly row: ProductRow; readonly first: Mismatch | null } => {
  const compared = layer.products.map((product, index) => {
    const result = run.results[index];
    if (result === undefined) throw new Error("a product has no result");
    return { product, comparison: compareProduct(product, result, parameters) };
  });
  const rows = layer.products.reduce((sum, product) => sum + product.rows, 0);
  const sum = (key: "compared" | "mismatches"): number => compared.reduce((total, { comparison }) => total + comparison[key], 0);
  const failed = compared.find(({ comparison }) => comparison.first !== undefined)?.comparison.first;
  const tiles = tilesOf(parameters, layer.products);
  // Every tile of a layer with one chunk has the same beats, so the closed form counts the whole product.
  const expected = layer.products.length === 1 ? arrayCycles(parameters, tiles[0]?.beats.length ?? 0, tiles.length) : null;
  const [first] = layer.products;
  return {
    row: {
      product: layer.name,
      bits,
      rows,
      columns: first?.columns ?? 0,
      channels: first?.channels ?? 0,
      compared: sum("compared"),
      mismatches: sum("mismatches"),
      cycles: run.cycles,
      utilization: usefulProducts(layer.products) / (cellsFor(parameters, bits) * run.cycles),
      expected,
      met: expected === null ? null : expected === run.cycles,
    },
    first: failed === undefined ? null : { product: `${layer.name} INT${bits}`, ...failed },
  };
};

const perplexityRows = async (model: Model, sequences: number, onProgress: (text: string) => void): Promise<PerplexityRow[]> => {
  if (sequences === 0) return [];
  const text = sequencesOf(model.tokenizer.encode(demoText()), model.config.context).slice(0, sequences);
  const quantised = [8, 6, 4].flatMap((bits) => [
    schemeOf({ scheme: "tensor", bits }),
    schemeOf({ scheme: "token", bits }),
    schemeOf({ scheme: "tender", bits, groups, chunk: 256 }),
    schemeOf({ scheme: "tender", bits, groups, chunk: 16 }),
  ]);
  const schemes = [schemeOf({ scheme: "fp32" }), ...quantised];
  const rows: PerplexityRow[] = [];
  for (const scheme of schemes) {
    onProgress(`perplexity: scheme ${rows.length + 1} of ${schemes.length}`);
    rows.push(await measurePerplexity(model, text, scheme));
  }
  return rows;
};

/**
 * The main job (`systole demo`): generates the Tender array, lints it, quantises one whole layer of opt-mini on real text in INT8 and INT4,
 * runs all products through the array in simulation and compares every accumulator with the golden model; then the table of schemes.
 * @throws UserError for illegal parameters, an edited file, a missing tool; a mismatch is a result, not an error
 */
export const runDemo = async (options: DemoOptions): Promise<DemoResult> => {
  const engine = engineOf(options);
  const parameters = parseParameters(arraySchema, options.parameters ?? {});
  const say = options.onProgress ?? (() => undefined);
  const top = tenderArray(parameters);
  let files: string[] = [];
  let linted = false;
  if (options.rtl === undefined) {
    say("generating the array");
    const out = options.out ?? join("rtl", "tender-array");
    ({ files } = await generate({ design: "tender-array", parameters, out, force: options.force }));
    files = files.map((file) => join(out, file));
    say("linting the array");
    linted = await lintIfPossible(top, engine);
  }
  say("quantising a layer of opt-mini");
  const model = loadModel("opt-mini");
  const tokens = demoTokens(model, options.tokens ?? 64);
  const bitsList = parameters.kind === "int4" ? [4] : [8, 4];
  const layers = bitsList.flatMap((bits) =>
    layerProducts({ model, layer: demoLayer, tokens, bits, groups, chunk: tokens.length }).map((layer) => ({ layer, bits })),
  );
  say("building the simulation");
  using sim = await simulate(options.rtl === undefined ? top : sourceFrom(options.rtl, top), {
    engine,
    ...(options.seed === undefined ? {} : { seed: options.seed }),
  });
  const runs = layers.map(({ layer, bits }) => {
    const name = `${layer.name} INT${bits}`;
    return { layer, bits, run: runProducts(sim, parameters, layer.products, (share) => say(`running ${name}: ${Math.round(100 * share)} %`)) };
  });
  say("comparing with the golden model");
  const judged = runs.map((run) => rowOf(run, parameters));
  const rows = judged.map(({ row }) => row);
  const total = (key: "compared" | "mismatches" | "cycles"): number => rows.reduce((sum, row) => sum + Number(row[key]), 0);
  const first = judged.find((entry) => entry.first !== null)?.first ?? null;
  const work = runs.reduce(
    (sum, { layer, bits, run }) => ({ useful: sum.useful + usefulProducts(layer.products), room: sum.room + cellsFor(parameters, bits) * run.cycles }),
    { useful: 0, room: 0 },
  );
  const mismatches = total("mismatches");
  const perplexity = mismatches > 0 ? [] : await perplexityRows(model, options.sequences ?? 2, say);
  return {
    ok: mismatches === 0 && rows.every(({ met }) => met !== false),
    config: parameters,
    engine,
    linted,
    compared: total("compared"),
    mismatches,
    first,
    cycles: total("cycles"),
    utilization: work.useful / work.room,
    rows,
    perplexity,
    files,
  };
};
