import { readFileSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { UserError } from "../base/error.ts";
import { parseParameters } from "../base/parameters.ts";
import { type CoreParameters, checkCore, coreSchema } from "../designs/tender/core/parameters.ts";
import { explain, type MemoryTiming } from "../driver/tender/core/plan.ts";
import { type BatchRun, jobOf } from "../driver/tender/core/products.ts";
import { planJob } from "../driver/tender/core/split.ts";
import { cellsFor, usefulProducts } from "../driver/tender/tiles.ts";
import type { CoreProduct, Quantization } from "../golden/tender/core-product.ts";
import type { Forward } from "../model/forward.ts";
import { loadModel, type Model } from "../model/model.ts";
import { inSoftware, type RunBatch, tenderForward } from "../model/tender-forward.ts";
import { demoText } from "../model/tokens.ts";
import type { EngineName } from "../sim/index.ts";
import { agreementOf } from "./agreement.ts";
import type { CoreLayerRow, FieldsOf, Mismatch } from "./results.ts";

/** A core that runs batches of products, in simulation. */
export interface ModelCore {
  /** What simulates it. */
  readonly engine: EngineName;
  run(products: readonly CoreProduct[], onProgress: (share: number) => void): BatchRun | Promise<BatchRun>;
  [Symbol.dispose]?(): void;
}

export interface RunTenderCoreOptions {
  /** Name of an OPT model that comes with the project, or a model's folder. */
  readonly model: string;
  /** Parameters of the core, unchecked. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** Default: 8. */
  readonly bits?: 4 | 8 | undefined;
  /** Default: 8. */
  readonly groups?: number | undefined;
  /** Rows of a chunk. Default: 256, the paper's. */
  readonly chunk?: number | undefined;
  /** Tokens that run on the core. Default: 64. */
  readonly tokens?: number | undefined;
  /** File of text in UTF-8. Default: the text that comes with the project. */
  readonly text?: string | undefined;
  /** Sequences of the model's context for perplexity and agreement, in software; 0 leaves them out. Default: 1. */
  readonly sequences?: number | undefined;
  /** Of the memory. Default: latency 40, a beat a cycle in each direction. */
  readonly memory?: Partial<MemoryTiming> | undefined;
  /** Whether the driver says why it cut the products as it did. */
  readonly explain?: boolean | undefined;
  /** Opens the core; without one, only the golden model computes. */
  readonly open?: ((parameters: CoreParameters, memory: MemoryTiming) => Promise<ModelCore>) | undefined;
  readonly onProgress?: ((text: string) => void) | undefined;
}

export interface RunTenderCoreResult extends FieldsOf<"run tender-core"> {
  readonly ok: boolean;
  readonly config: CoreParameters;
  /** What simulated the core, or that none ran. */
  readonly engine: EngineName | "golden";
}

/** What the golden pass has made of a product. */
interface Expected {
  readonly product: CoreProduct;
  readonly block: number;
  readonly values: Float32Array;
}

/** Counts of a layer, which become its row. */
interface LayerCounts extends CoreLayerRow {
  products: number;
  multiplications: number;
  compared: number;
  mismatches: number;
  cycles: number | null;
  predicted: number;
  utilization: number | null;
}

interface Settings {
  readonly parameters: CoreParameters;
  readonly memory: MemoryTiming;
  readonly quantization: Quantization;
  readonly vocab: number;
}

/** Compares two passes product by product; the first difference stays. */
class Comparison {
  readonly rows: LayerCounts[] = [];
  compared = 0;
  mismatches = 0;
  first: Mismatch | null = null;

  row(layer: number): LayerCounts {
    this.rows[layer] ??= { layer, products: 0, multiplications: 0, compared: 0, mismatches: 0, cycles: null, predicted: 0, utilization: null };
    return this.rows[layer];
  }

  /** Bit for bit. Returns the number of mismatches. */
  values(product: string, columns: number, expected: Float32Array, got: Float32Array, cycle: number | null): number {
    if (expected.length !== got.length) throw new Error(`${product} has ${got.length} results where ${expected.length} belong`);
    const wanted = new Uint32Array(expected.buffer, expected.byteOffset, expected.length);
    const bits = new Uint32Array(got.buffer, got.byteOffset, got.length);
    let wrong = 0;
    for (const [at, value] of wanted.entries()) {
      if (bits[at] === value) continue;
      wrong += 1;
      this.first ??= { product, row: Math.floor(at / columns), column: at % columns, expected: shown(expected[at]!), got: shown(got[at]!), cycle };
    }
    this.compared += expected.length;
    this.mismatches += wrong;
    return wrong;
  }
}

/** A value as JSON can hold it. */
const shown = (value: number): number | string => (Number.isFinite(value) && !Object.is(value, -0) ? value : Object.is(value, -0) ? "-0" : String(value));

const textOf = (path: string | undefined): string => {
  if (path === undefined) return demoText();
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new UserError("missing-file", `${path} can't be read`, { cause });
  }
};

const tokensOf = (model: Model, path: string | undefined, count: number): { readonly all: Uint16Array; readonly run: Uint16Array } => {
  const all = model.tokenizer.encode(textOf(path));
  const most = Math.min(all.length, model.config.context);
  if (!Number.isInteger(count) || count < 1 || count > most)
    throw new UserError("bad-tokens", `${count} is not a number of tokens from 1 to ${most}, which the text and the context of ${model.config.name} hold`);
  return { all, run: all.subarray(0, count) };
};

/** @throws UserError `unsupported-model` */
const forwardOf = (model: Model): ((tokens: Uint16Array) => Forward) => {
  if (model.forward !== null) return model.forward;
  throw new UserError("unsupported-model", `${model.config.name} is not an OPT model, and others can't leave all their products to a core`, {
    hint: "use --model opt-mini",
  });
};

/** The golden pass, whose products are planned as they come, so that what the core can't run is refused before anything is simulated. */
const goldenPass = async (
  forward: Forward,
  { parameters, memory, quantization }: Settings,
  comparison: Comparison,
  explained: string[] | null,
): Promise<{ readonly expected: Expected[]; readonly logits: Float32Array }> => {
  const expected: Expected[] = [];
  const software = inSoftware(parameters.accWidth);
  const logits = await tenderForward(forward, quantization, async (batch) => {
    const row = comparison.row(batch.block);
    for (const product of batch.products) {
      const { parts } = planJob(parameters, jobOf(product), { memory, splitK: false });
      row.products += 1;
      row.multiplications += usefulProducts([product]);
      for (const part of parts) {
        row.predicted += part.cycles;
        if (batch.block === 0) explained?.push(...explain(part));
      }
    }
    const results = await software(batch);
    for (const [at, values] of results.entries()) expected.push({ product: batch.products[at]!, block: batch.block, values });
    return results;
  });
  return { expected, logits };
};

/** The pass on the core, which starts from the tokens too and goes on with its own results. Returns its cycles. */
const corePass = async (
  forward: Forward,
  core: ModelCore,
  { parameters, quantization, vocab }: Settings,
  golden: { readonly expected: readonly Expected[]; readonly logits: Float32Array },
  comparison: Comparison,
  say: (text: string) => void,
): Promise<number> => {
  let cycles = 0;
  let done = 0;
  const run: RunBatch = async ({ block, products }) => {
    const tell = (share: number): void => say(`layer ${block}: product ${done + Math.floor(share * products.length)} of ${golden.expected.length}`);
    tell(0);
    const result = await core.run(products, tell);
    const row = comparison.row(block);
    for (const [at, got] of result.values.entries()) {
      const { product, values } = golden.expected[done + at]!;
      row.mismatches += comparison.values(product.name, product.columns, values, got, cycles + result.ends[at]!);
      row.compared += values.length;
    }
    done += products.length;
    cycles += result.cycles;
    row.cycles = (row.cycles ?? 0) + result.cycles;
    // So that progress is seen and Ctrl-C works.
    await setImmediate();
    return result.values;
  };
  const logits = await tenderForward(forward, quantization, run);
  comparison.values("logits", vocab, golden.logits, logits, null);
  for (const row of comparison.rows) row.utilization = row.multiplications / (cellsFor(parameters, quantization.bits) * (row.cycles ?? 0));
  return cycles;
};

/**
 * `systole run tender-core`: a whole OPT model on the tensor core. Every linear layer and attention product of every block is a job of the core; softmax, LayerNorm,
 * residuals, quantising, embedding and logits are the host's. The golden model and the core each go from the tokens to the logits on their own; every
 * result of every product and the logits are compared bit for bit. Then perplexity and agreement with fp32 on longer text, in software.
 * @throws UserError for illegal options, `may-overflow` and `too-large` for a product that the core can't run; a mismatch is a result, not an error
 */
export const runTenderCore = async (options: RunTenderCoreOptions): Promise<RunTenderCoreResult> => {
  const parameters = parseParameters(coreSchema, options.parameters ?? {});
  checkCore(parameters);
  const { bits = parameters.kind === "int4" ? 4 : 8, groups = 8, chunk = 256, tokens: count = 64, sequences = 1 } = options;
  const say = options.onProgress ?? (() => undefined);
  const memory = { latency: 40, beatsPerCycle: 1, shared: false, ...options.memory };
  say("loading the model");
  const model = loadModel(options.model);
  const settings: Settings = { parameters, memory, quantization: { bits, groups, chunk }, vocab: model.config.vocab };
  const forward = forwardOf(model);
  const tokens = tokensOf(model, options.text, count);
  const comparison = new Comparison();
  const explained: string[] | null = options.explain === true ? [] : null;
  say("computing with the golden model");
  const golden = await goldenPass(forward(tokens.run), settings, comparison, explained);
  let cycles: number | null = null;
  let engine: RunTenderCoreResult["engine"] = "golden";
  if (options.open !== undefined) {
    say("building the simulation");
    const core = await options.open(parameters, memory);
    engine = core.engine;
    try {
      cycles = await corePass(forward(tokens.run), core, settings, golden, comparison, say);
    } finally {
      core[Symbol.dispose]?.();
    }
  }
  const { rows, compared, mismatches, first } = comparison;
  const quality =
    sequences === 0 || mismatches > 0 ? { perplexity: [], agreement: null } : await agreementOf(model, forward, tokens.all, settings, sequences, say);
  const multiplications = rows.reduce((sum, row) => sum + row.multiplications, 0);
  const utilization = cycles === null ? null : multiplications / (cellsFor(parameters, bits) * cycles);
  return { ok: mismatches === 0, config: parameters, engine, compared, mismatches, first, cycles, utilization, rows, ...quality, plans: explained };
};
