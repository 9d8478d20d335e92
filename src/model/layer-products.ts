import { UserError } from "../base/error.ts";
import type { Tensor } from "../base/tensor.ts";
import { tensor } from "../base/tensor.ts";
import type { QuantizedActivations } from "../golden/tender/groups.ts";
import { quantizeActivations } from "../golden/tender/groups.ts";
import type { Product } from "../golden/tender/matmul.ts";
import { chunkProduct } from "../golden/tender/matmul.ts";
import type { QuantizedWeights } from "../golden/tender/quantize.ts";
import { quantizeWeights } from "../golden/tender/quantize.ts";
import type { Linear, LinearLayer } from "./linear.ts";
import { linearOf } from "./linear.ts";
import type { Model } from "./model.ts";

export interface LayerProductsOptions {
  readonly model: Model;
  /** Block of the model, from 0. */
  readonly layer: number;
  readonly tokens: Uint16Array;
  readonly bits: number;
  readonly groups: number;
  readonly chunk: number;
}

/** One linear layer of a block on real tokens, quantised Tender's way. T tokens, K channels, N outputs. */
export interface LayerProduct {
  /** Q, K, V, O, FC1 and FC2 for an OPT-like model; others keep the name of their weights. */
  readonly name: string;
  readonly layer: LinearLayer;
  /** [T, K]: what the layer reads. */
  readonly input: Tensor;
  /** Codes [T padded to whole chunks, K]; bias, groups, order and scales of each chunk. */
  readonly activations: QuantizedActivations;
  /** Codes [N, K] and a scale for each output. */
  readonly weights: QuantizedWeights;
  /** The integer operands that the array multiplies, one entry a chunk of rows. */
  readonly products: readonly Product[];
}

const opt: Readonly<Record<string, string>> = { "attn.q": "Q", "attn.k": "K", "attn.v": "V", "attn.o": "O", "ff.up": "FC1", "ff.down": "FC2" };

/**
 * The integer products of one block, in the order in which the model computes them. Every layer of the model, also before this one, is
 * computed by the same scheme, so the inputs are what the block sees when the whole model is quantised. Q, K and V share their activations.
 * @throws UserError `bad-layer` for a block that the model does not have; `zero-scale` where a chunk has nothing to quantise.
 */
export const layerProducts = ({ model, layer, tokens, bits, groups, chunk }: LayerProductsOptions): LayerProduct[] => {
  if (!Number.isInteger(layer) || layer < 0 || layer >= model.config.layers)
    throw new UserError("bad-layer", `layer ${layer} is not an integer from 0 to ${model.config.layers - 1}, the last of ${model.config.name}`);
  const prefix = `blocks.${layer}.`;
  const found: LayerProduct[] = [];
  const compute = linearOf({ name: "tender", bits, groups, chunk });
  const capture: Linear = (data, kind, layers) => {
    if (layers[0]!.name.startsWith(prefix)) {
      const channels = layers[0]!.weight.shape[1]!;
      const input = tensor([data.length / channels, channels], data.slice());
      const activations = quantizeActivations(input, { bits, groups, chunk, unsigned: kind === "rectified", bias: kind === "centred" });
      for (const one of layers) {
        const weights = quantizeWeights(one.weight, bits);
        const products = activations.chunks.map((_, position) => chunkProduct(activations, position, weights));
        const site = one.name.slice(prefix.length);
        found.push({ name: opt[site] ?? site, layer: one, input, activations, weights, products });
      }
    }
    return compute(data, kind, layers);
  };
  model.logits(tokens, capture);
  return found;
};
