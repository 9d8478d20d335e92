import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "../base/error.ts";
import type { ModelConfig } from "./config.ts";
import { readConfig } from "./config.ts";
import type { Forward } from "./forward.ts";
import { complete } from "./forward.ts";
import { multiply, packMatrix } from "./gemm.ts";
import type { Linear } from "./linear.ts";
import { moeForward } from "./moe.ts";
import { optForward } from "./opt.ts";
import { readSafetensors, requireTensor } from "./safetensors.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { readTokenizer } from "./tokenizer.ts";

/** The models that come with the project, trained for it (`research/data.md` section 2). */
export const modelNames = ["opt-mini", "moe-mini"] as const;

/** A language model, loaded and ready to run. */
export interface Model {
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer;
  /**
   * Scores of the next token after each of `tokens`: [T, vocab]. The linear layers of the blocks are computed by `linear`; norms,
   * attention products, router and the final product with the embedding are fp32 always.
   * @throws UserError `bad-token` for an id outside the vocabulary, or for more tokens than the context holds.
   */
  logits(tokens: Uint16Array, linear: Linear): Float32Array;
  /** The same with all linear layers and attention products of the blocks left to the caller; null for models whose products can't be left (experts). */
  readonly forward: ((tokens: Uint16Array) => Forward) | null;
}

const checkTokens = (tokens: Uint16Array, { name, vocab, context }: ModelConfig): void => {
  if (tokens.length > context) throw new UserError("bad-token", `${tokens.length} tokens are more than the context of ${name}, ${context}`);
  const outside = tokens.find((token) => token >= vocab);
  if (outside !== undefined) throw new UserError("bad-token", `token ${outside} is not below the vocabulary of ${name}, ${vocab}`);
};

/** `models/` of the clone or of the installed package: this file lies two folders below either. */
export const modelsFolder = (): string => fileURLToPath(new URL("../../models", import.meta.url));

/**
 * Loads a model by the name of one that comes with the project, or by the path of a folder with `config.json`, `tokenizer.json` and `model.safetensors`.
 * @throws UserError `unknown-model`, or what `readConfig`, `readTokenizer`, `readSafetensors` and the forward pass say of a file they can't use.
 */
export const loadModel = (nameOrFolder: string): Model => {
  const known = modelNames.some((name) => name === nameOrFolder);
  const folder = known ? join(modelsFolder(), nameOrFolder) : nameOrFolder;
  if (!existsSync(join(folder, "config.json")))
    throw new UserError("unknown-model", `\`${nameOrFolder}\` is neither ${modelNames.join(" nor ")} nor a folder with a config.json`);
  const config = readConfig(join(folder, "config.json"));
  const tokenizer = readTokenizer(join(folder, "tokenizer.json"));
  if (tokenizer.vocabulary !== config.vocab)
    throw new UserError("bad-model", `the tokenizer of ${config.name} has ${tokenizer.vocabulary} tokens and its configuration ${config.vocab}`);
  const weights = readSafetensors(join(folder, "model.safetensors"));
  const { vocab, d_model } = config;
  const head = packMatrix(requireTensor(weights, "emb.weight", [vocab, d_model]).data, { rows: vocab, channels: d_model });
  if (config.arch === "llama-moe") {
    const hidden = moeForward(config, weights);
    const logits = (tokens: Uint16Array, linear: Linear): Float32Array => {
      checkTokens(tokens, config);
      return multiply(hidden(tokens, linear), head);
    };
    return { config, tokenizer, logits, forward: null };
  }
  const hidden = optForward(config, weights);
  const forward = function* (tokens: Uint16Array): Forward {
    checkTokens(tokens, config);
    return multiply(yield* hidden(tokens), head);
  };
  return { config, tokenizer, logits: (tokens, linear) => complete(forward(tokens), linear), forward };
};
