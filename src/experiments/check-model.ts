import { UserError } from "../base/error.ts";
import type { Scheme } from "../model/linear.ts";
import { linearOf } from "../model/linear.ts";
import type { Model } from "../model/model.ts";
import { loadModel } from "../model/model.ts";
import { perplexity } from "../model/perplexity.ts";
import type { Sequence } from "../model/tokens.ts";
import { readTokens, sequencesOf } from "../model/tokens.ts";
import type { FieldsOf, PerplexityRow } from "./results.ts";

export interface CheckModelOptions {
  /** Name of a model that comes with the project, a model's folder, or a model already loaded. */
  readonly model: string | Model;
  /** A token file (little-endian 16-bit ids), or text to be tokenised. */
  readonly tokens: { readonly path: string } | { readonly text: string } | { readonly ids: Uint16Array };
  /** Default: fp32. */
  readonly scheme?: Scheme["name"] | undefined;
  /** Default: 8. */
  readonly bits?: number | undefined;
  /** Tender only. Default: 8. */
  readonly groups?: number | undefined;
  /** Tender only: rows of a chunk. Default: 256. */
  readonly chunk?: number | undefined;
  /** Only the first so many sequences. */
  readonly limit?: number | undefined;
  readonly onProgress?: ((done: number, sequences: number) => void) | undefined;
}

const inRange = (key: string, value: number, low: number, high: number): number => {
  if (!Number.isInteger(value) || value < low || value > high)
    throw new UserError("bad-option", `${key} is ${value} and must be an integer from ${low} to ${high}`);
  return value;
};

/** The scheme that options name, with defaults filled in. @throws UserError `bad-option`. */
export const schemeOf = (options: Pick<CheckModelOptions, "scheme" | "bits" | "groups" | "chunk">): Scheme => {
  const { scheme: name = "fp32" } = options;
  const bits = inRange("bits", options.bits ?? 8, 2, 15);
  if (name === "fp32") return { name };
  if (name !== "tender") return { name, bits };
  return { name, bits, groups: inRange("groups", options.groups ?? 8, 1, 64), chunk: inRange("chunk", options.chunk ?? 256, 1, 65536) };
};

const idsOf = (model: Model, tokens: CheckModelOptions["tokens"]): Uint16Array => {
  if ("path" in tokens) return readTokens(tokens.path, model.config.vocab);
  return "text" in tokens ? model.tokenizer.encode(tokens.text) : tokens.ids;
};

/**
 * One line of the table of schemes: perplexity of a model over sequences, its linear layers under `scheme`.
 *
 * What is quantised: Q, K, V, O, FC1 and FC2 of every block (experts too), dynamically, with one weight scale an output channel. FC2's input is
 * unsigned in all schemes; `tensor` takes a scale a sequence, Tender chunks start anew with each sequence and its bias correction uses the weights
 * before quantisation. Attention products, the router and the product with the embedding stay fp32. `research/data.md` section 2 fits no other reading.
 *
 * How many digits hold: an order of binary32 additions that is as good as another flips a few codes, and everything after them goes another way.
 * The published figures are one draw of that spread and these another; `scripts/perplexity-spread.ts` measures it.
 */
export const measurePerplexity = async (
  model: Model,
  sequences: readonly Sequence[],
  scheme: Scheme,
  onSequence?: (done: number) => void,
): Promise<PerplexityRow> => {
  const { value, tokens } = await perplexity(model, sequences, linearOf(scheme), onSequence);
  const settings = scheme.name === "tender" ? { groups: scheme.groups, chunk: scheme.chunk } : { groups: null, chunk: null };
  return { scheme: scheme.name, bits: scheme.name === "fp32" ? null : scheme.bits, ...settings, tokens, value };
};

/**
 * `systole check model`: perplexity over tokens, cut into sequences as long as the model's context. Nothing is compared, so those counts are 0.
 * @throws UserError as `loadModel`, `readTokens` and `sequencesOf` do, and `bad-option`.
 */
export const checkModel = async (options: CheckModelOptions): Promise<FieldsOf<"check model">> => {
  const scheme = schemeOf(options);
  const limit = inRange("limit", options.limit ?? Number.MAX_SAFE_INTEGER, 1, Number.MAX_SAFE_INTEGER);
  const model = typeof options.model === "string" ? loadModel(options.model) : options.model;
  const sequences = sequencesOf(idsOf(model, options.tokens), model.config.context).slice(0, limit);
  const row = await measurePerplexity(model, sequences, scheme, (done) => options.onProgress?.(done, sequences.length));
  return { compared: 0, mismatches: 0, first: null, maxAbsDiff: null, level: "model", tokens: row.tokens, perplexity: [row] };
};
