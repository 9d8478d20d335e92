import { readFileSync } from "node:fs";
import { z } from "zod";
import { UserError } from "../base/error.ts";

const extent = z.number().int().min(1).max(65536);
const common = {
  name: z.string(),
  d_model: extent,
  layers: extent.max(1024),
  heads: extent,
  head_dim: extent,
  d_ff: extent,
  vocab: extent,
  context: extent,
};
const optSchema = z.object({ ...common, arch: z.literal("opt") });
const moeSchema = z.object({ ...common, arch: z.literal("llama-moe"), experts: extent, top_k: extent, moe_layers: z.array(z.number().int().min(0)) });
const configSchema = z.discriminatedUnion("arch", [optSchema, moeSchema]);

/** OPT-like: LayerNorm before each block, ReLU, learned positions, biases, tied embedding. */
export type OptConfig = z.infer<typeof optSchema>;
/** LLaMA-like: RMSNorm, rotary positions, SwiGLU layers, and layers of two-matrix ReLU experts. */
export type MoeConfig = z.infer<typeof moeSchema>;
/** The shapes of a model, in the words of its `config.json`. */
export type ModelConfig = OptConfig | MoeConfig;

/**
 * Reads a model's `config.json`.
 * @throws UserError `missing-file`, `bad-config` with the field that is wrong.
 */
export const readConfig = (path: string): ModelConfig => {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new UserError("missing-file", `${path} can't be read`, { cause });
  }
  let config: ModelConfig;
  try {
    config = configSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new UserError(
      "bad-config",
      `${path} is not a usable model configuration: ${cause instanceof z.ZodError ? z.prettifyError(cause) : "it is not JSON"}`,
    );
  }
  if (config.heads * config.head_dim !== config.d_model)
    throw new UserError("bad-config", `${path}: ${config.heads} heads of ${config.head_dim} do not make d_model ${config.d_model}`);
  if (config.arch === "llama-moe" && (config.top_k > config.experts || config.head_dim % 2 !== 0))
    throw new UserError("bad-config", `${path}: top_k ${config.top_k} must not exceed ${config.experts} experts, and head_dim ${config.head_dim} must be even`);
  return config;
};
