import { tensor } from "../../base/tensor.ts";
import type { DecoderLayerParameters } from "../../golden/tender/official-layer.ts";
import type { LayerNormParameters } from "../../golden/tender/opt-layer.ts";
import type { JsonValue } from "./json-value.ts";
import type { LayerShape } from "./recorded-calls.ts";
import type { CaseSizes } from "./sizes.ts";
import { consistent, extent, readSizes } from "./sizes.ts";

/** Sizes of a case of kind `opt_decoder_layer`. */
export interface LayerSizes extends CaseSizes, LayerShape {
  readonly mode: "dynamic" | "static_rup" | "static_rdn";
}

const modes = ["dynamic", "static_rup", "static_rdn"] as const;

/** @throws UserError `bad-vectors` when sizes are missing, out of range or contradict each other. */
export const readLayerSizes = (file: JsonValue): LayerSizes => {
  const sizes = readSizes(file);
  const mode =
    modes.find((name) => name === file.get("mode").text()) ?? file.get("mode").fail(`is "${file.get("mode").text()}", not one of ${modes.join(", ")}`);
  const heads = extent(file.get("heads"));
  const depth = extent(file.get("head_dim"));
  const hidden = extent(file.get("hidden"));
  consistent(file.get("hidden"), heads * depth, "heads * head_dim");
  consistent(file.get("u_max"), 2 ** sizes.bits - 1, "2^q_bits-1");
  return { ...sizes, mode, heads, depth, hidden, ffn: extent(file.get("ffn")), quantizedAttention: file.get("quant_mha").flag() };
};

export const readParameters = (file: JsonValue, { heads, hidden, ffn }: LayerSizes): DecoderLayerParameters => {
  const norm = (name: string): LayerNormParameters => ({ gain: file.get(`${name}.weight`).floats([hidden]), shift: file.get(`${name}.bias`).floats([hidden]) });
  const linear = (name: string, outputs: number, inputs: number) => ({
    weight: tensor([outputs, inputs], file.get(`${name}.weight`).floats([outputs, inputs])),
    bias: file.get(`${name}.bias`).floats([outputs]),
  });
  return {
    heads,
    norms: { attention: norm("self_attn_layer_norm"), final: norm("final_layer_norm") },
    linear: {
      q_proj: linear("self_attn.q_proj", hidden, hidden),
      k_proj: linear("self_attn.k_proj", hidden, hidden),
      v_proj: linear("self_attn.v_proj", hidden, hidden),
      o_proj: linear("self_attn.out_proj", hidden, hidden),
      fc1: linear("fc1", ffn, hidden),
      fc2: linear("fc2", hidden, ffn),
    },
  };
};
