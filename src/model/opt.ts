import type { OptConfig } from "./config.ts";
import { addInto, attention, layerNorm, relu } from "./layers.ts";
import type { Linear, LinearLayer } from "./linear.ts";
import type { Weights } from "./safetensors.ts";
import { requireTensor } from "./safetensors.ts";

type Norm = (x: Float32Array) => Float32Array;

const blockOf = (config: OptConfig, weights: Weights, index: number) => {
  const { d_model: d, d_ff } = config;
  const vector = (name: string, length: number): Float32Array => requireTensor(weights, name, [length]).data;
  const prefix = `blocks.${index}.`;
  const layer = (name: string, rows: number, channels: number): LinearLayer => ({
    name: prefix + name,
    weight: requireTensor(weights, `${prefix}${name}.weight`, [rows, channels]),
    bias: vector(`${prefix}${name}.bias`, rows),
  });
  return {
    n1: normOf(weights, `${prefix}n1`, d),
    n2: normOf(weights, `${prefix}n2`, d),
    qkv: [layer("attn.q", d, d), layer("attn.k", d, d), layer("attn.v", d, d)],
    o: layer("attn.o", d, d),
    up: layer("ff.up", d_ff, d),
    down: layer("ff.down", d, d_ff),
  };
};

const normOf = (weights: Weights, name: string, channels: number): Norm => {
  const gain = requireTensor(weights, `${name}.weight`, [channels]).data;
  const bias = requireTensor(weights, `${name}.bias`, [channels]).data;
  return (x) => layerNorm(x, gain, bias);
};

/**
 * The forward pass of an OPT-like model up to its final norm: tokens to hidden states [T, d]; logits are their product with `emb.weight`.
 * Linear layers go through `linear`, everything else is fp32.
 * @throws UserError `bad-model` when the weights lack a tensor or have another shape.
 */
export const optForward = (config: OptConfig, weights: Weights): ((tokens: Uint16Array, linear: Linear) => Float32Array) => {
  const { d_model: d, heads, head_dim, vocab, context } = config;
  const embedding = requireTensor(weights, "emb.weight", [vocab, d]).data;
  const positions = requireTensor(weights, "pos.weight", [context, d]).data;
  const blocks = Array.from({ length: config.layers }, (_, index) => blockOf(config, weights, index));
  const finalNorm = normOf(weights, "nf", d);
  return (tokens, linear) => {
    const x = new Float32Array(tokens.length * d);
    for (const [row, token] of tokens.entries())
      for (let channel = 0; channel < d; channel++) x[row * d + channel] = embedding[token * d + channel]! + positions[row * d + channel]!;
    for (const { n1, n2, qkv, o, up, down } of blocks) {
      const [q, k, v] = linear(n1(x), "centred", qkv);
      addInto(x, linear(attention(q!, k!, v!, heads, head_dim), "centred", [o])[0]!);
      addInto(x, linear(relu(linear(n2(x), "centred", [up])[0]!), "rectified", [down])[0]!);
    }
    return finalNorm(x);
  };
};
