import type { Tensor } from "../../base/tensor.ts";
import type { ActivationChunk, ActivationOptions } from "./groups.ts";
import { officialLinear, officialScores, officialValues } from "./official.ts";
import type { LayerNormParameters, LinearName } from "./opt-layer.ts";
import { decoderLayer, plainAttention } from "./opt-layer.ts";
import { quantizeWeights } from "./quantize.ts";

/** Parameters of one OPT decoder layer of width H and inner width F. */
export interface DecoderLayerParameters {
  readonly heads: number;
  readonly norms: { readonly attention: LayerNormParameters; readonly final: LayerNormParameters };
  /** weight [N, K], bias [N] */
  readonly linear: Readonly<Record<LinearName, { readonly weight: Tensor<Float32Array>; readonly bias: Float32Array }>>;
}

/** The tensors that are quantised on the activation side: one entry each, since Q, K and V share `h`. */
export const activationNames = ["h", "o", "fc1", "fc2"] as const;
export type ActivationName = (typeof activationNames)[number];

/** Which tensor a linear layer reads. */
export const inputOf: Readonly<Record<LinearName, ActivationName>> = { q_proj: "h", k_proj: "h", v_proj: "h", o_proj: "o", fc1: "fc1", fc2: "fc2" };

/** Statistics of one dynamic run, from which calibration is made. The lists by head are empty when attention is not quantised. */
export interface LayerStatistics {
  readonly output: Tensor<Float32Array>;
  readonly linear: Readonly<Record<ActivationName, readonly ActivationChunk[]>>;
  readonly queries: readonly (readonly ActivationChunk[])[];
  readonly scores: readonly (readonly ActivationChunk[])[];
  readonly keys: readonly { readonly bias: Float32Array; readonly scales: Float32Array }[];
  readonly valueScales: readonly Float32Array[];
}

/** The official layer in dynamic mode on `x` [T, H], binary32 (see official.ts for its exactness), with what each quantiser saw. */
export const officialLayer = (
  parameters: DecoderLayerParameters,
  x: Tensor<Float32Array>,
  options: Pick<ActivationOptions, "bits" | "groups" | "chunk"> & { readonly quantizedAttention: boolean },
): LayerStatistics => {
  const linear: Record<ActivationName, readonly ActivationChunk[]> = { h: [], o: [], fc1: [], fc2: [] };
  const queries: (readonly ActivationChunk[])[] = [];
  const scores: (readonly ActivationChunk[])[] = [];
  const keys: { bias: Float32Array; scales: Float32Array }[] = [];
  const valueScales: Float32Array[] = [];
  const attention: typeof plainAttention = {
    scores(_, query, key) {
      const product = officialScores(query, key, options);
      queries.push(product.activations.chunks);
      keys.push(product.keys);
      return product.output;
    },
    values(_, weights, value) {
      const product = officialValues(weights, value, options);
      scores.push(product.activations.chunks);
      valueScales.push(product.values.scales);
      return product.output;
    },
  };
  const output = decoderLayer(x, parameters.heads, parameters.norms, {
    ...(options.quantizedAttention ? attention : plainAttention),
    linear(name, input) {
      const { weight, bias } = parameters.linear[name];
      const product = officialLinear(input, weight, bias, quantizeWeights(weight, options.bits), { ...options, unsigned: name === "fc2" });
      linear[inputOf[name]] = product.activations.chunks;
      return product.output;
    },
  });
  return { output, linear, queries, scores, keys, valueScales };
};
