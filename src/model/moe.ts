import { tensor } from "../base/tensor.ts";
import type { MoeConfig } from "./config.ts";
import { multiply, packMatrix } from "./gemm.ts";
import { addInto, attention, relu, rmsNorm, rotate, swiglu } from "./layers.ts";
import type { Linear, LinearLayer } from "./linear.ts";
import type { Weights } from "./safetensors.ts";
import { requireTensor } from "./safetensors.ts";

type FeedForward = (x: Float32Array, linear: Linear) => Float32Array;

const layerOf = (weights: Weights, name: string, rows: number, channels: number): LinearLayer => ({
  name,
  weight: requireTensor(weights, `${name}.weight`, [rows, channels]),
  bias: null,
});

const denseFeedForward = ({ d_model: d, d_ff }: MoeConfig, weights: Weights, prefix: string): FeedForward => {
  const inputs = [layerOf(weights, `${prefix}gate`, d_ff, d), layerOf(weights, `${prefix}up`, d_ff, d)];
  const down = layerOf(weights, `${prefix}down`, d, d_ff);
  return (x, linear) => {
    const [gate, up] = linear(x, "centred", inputs);
    return linear(swiglu(gate!, up!), "plain", [down])[0]!;
  };
};

/** Layer of one expert from a stack [E][in][out]. */
const expertLayer = (weights: Weights, name: string, expert: number, experts: number, channels: number, rows: number): LinearLayer => {
  const { data } = requireTensor(weights, name, [experts, channels, rows]);
  const weight = new Float32Array(rows * channels);
  const offset = expert * rows * channels;
  for (let row = 0; row < rows; row++)
    for (let channel = 0; channel < channels; channel++) weight[row * channels + channel] = data[offset + channel * rows + row]!;
  return { name: `${name}.${expert}`, weight: tensor([rows, channels], weight), bias: null };
};

/** Tokens that one expert serves, ascending, and the gate of each. */
export interface ExpertLoad {
  readonly tokens: number[];
  readonly gates: number[];
}

/**
 * Routing of router scores [T, E]: softmax over all experts, the `topK` largest (the lower index on a tie), their gates scaled to sum to 1.
 * Returns the load of each expert.
 */
export const route = (scores: Float32Array, experts: number, topK: number): ExpertLoad[] => {
  const loads = Array.from({ length: experts }, (): ExpertLoad => ({ tokens: [], gates: [] }));
  for (let token = 0; token * experts < scores.length; token++) {
    const row = scores.subarray(token * experts, (token + 1) * experts);
    const chosen = Array.from(row.keys())
      .toSorted((one, other) => (row[one] === row[other] ? one - other : row[other]! - row[one]!))
      .slice(0, topK);
    // The softmax's denominator cancels when the gates are scaled to sum to 1.
    const powers = chosen.map((expert) => Math.exp(row[expert]! - row[chosen[0]!]!));
    const sum = powers.reduce((total, power) => total + power, 0);
    for (const [place, expert] of chosen.entries()) {
      loads[expert]!.tokens.push(token);
      loads[expert]!.gates.push(Math.fround(powers[place]! / sum));
    }
  }
  return loads;
};

/** Router in fp32 under every scheme, because another choice of experts is another function; experts through `linear`, each on its own tokens. */
const expertFeedForward = ({ d_model: d, d_ff, experts, top_k }: MoeConfig, weights: Weights, prefix: string): FeedForward => {
  const router = packMatrix(requireTensor(weights, `${prefix}router.weight`, [experts, d]).data, { rows: experts, channels: d });
  const first = Array.from({ length: experts }, (_, expert) => expertLayer(weights, `${prefix}w1`, expert, experts, d, d_ff));
  const second = Array.from({ length: experts }, (_, expert) => expertLayer(weights, `${prefix}w2`, expert, experts, d_ff, d));
  return (x, linear) => {
    const out = new Float32Array(x.length);
    for (const [expert, { tokens, gates }] of route(multiply(x, router), experts, top_k).entries()) {
      if (tokens.length === 0) continue;
      const input = new Float32Array(tokens.length * d);
      for (const [row, token] of tokens.entries()) input.set(x.subarray(token * d, (token + 1) * d), row * d);
      const hidden = relu(linear(input, "centred", [first[expert]!])[0]!);
      const [result] = linear(hidden, "rectified", [second[expert]!]);
      for (const [row, token] of tokens.entries())
        for (let channel = 0; channel < d; channel++) out[token * d + channel]! += Math.fround(gates[row]! * result![row * d + channel]!);
    }
    return out;
  };
};

/**
 * The forward pass of a LLaMA-like model with expert layers up to its final norm: tokens to hidden states [T, d]; logits are their
 * product with `emb.weight`. Linear layers go through `linear`, everything else is fp32.
 * @throws UserError `bad-model` when the weights lack a tensor or have another shape.
 */
export const moeForward = (config: MoeConfig, weights: Weights): ((tokens: Uint16Array, linear: Linear) => Float32Array) => {
  const { d_model: d, heads, head_dim, vocab } = config;
  const gainOf = (name: string): Float32Array => requireTensor(weights, `${name}.weight`, [d]).data;
  const embedding = requireTensor(weights, "emb.weight", [vocab, d]).data;
  const finalGain = gainOf("nf");
  const blocks = Array.from({ length: config.layers }, (_, index) => {
    const prefix = `blocks.${index}.`;
    return {
      n1: gainOf(`${prefix}n1`),
      n2: gainOf(`${prefix}n2`),
      qkv: ["q", "k", "v"].map((name) => layerOf(weights, `${prefix}attn.${name}`, d, d)),
      o: layerOf(weights, `${prefix}attn.o`, d, d),
      feedForward: (config.moe_layers.includes(index) ? expertFeedForward : denseFeedForward)(config, weights, `${prefix}ff.`),
    };
  });
  return (tokens, linear) => {
    const x = new Float32Array(tokens.length * d);
    for (const [row, token] of tokens.entries()) x.set(embedding.subarray(token * d, (token + 1) * d), row * d);
    for (const { n1, n2, qkv, o, feedForward } of blocks) {
      const [q, k, v] = linear(rmsNorm(x, n1), "centred", qkv);
      rotate(q!, heads, head_dim);
      rotate(k!, heads, head_dim);
      addInto(x, linear(attention(q!, k!, v!, heads, head_dim), "plain", [o])[0]!);
      addInto(x, feedForward(rmsNorm(x, n2), linear));
    }
    return rmsNorm(x, finalGain);
  };
};
