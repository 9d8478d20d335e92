import type { Tensor } from "../base/tensor.ts";
import { tensor } from "../base/tensor.ts";
import type { OptConfig } from "./config.ts";
import type { Forward, ProductRequest } from "./forward.ts";
import { addInto, causalSoftmax, joinHeads, layerNorm, scaleQueries, splitHeads } from "./layers.ts";
import type { InputKind, LinearLayer } from "./linear.ts";
import type { Weights } from "./safetensors.ts";
import { requireTensor } from "./safetensors.ts";

type Norm = (x: Float32Array) => Float32Array;

/** One block, with what its attention needs to know. */
export interface OptBlock {
  readonly index: number;
  readonly heads: number;
  readonly headDim: number;
  readonly n1: Norm;
  readonly n2: Norm;
  /** Q, K and V. */
  readonly qkv: readonly LinearLayer[];
  readonly o: LinearLayer;
  readonly up: LinearLayer;
  readonly down: LinearLayer;
}

const blockOf = (config: OptConfig, weights: Weights, index: number): OptBlock => {
  const { d_model: d, d_ff } = config;
  const vector = (name: string, length: number): Float32Array => requireTensor(weights, name, [length]).data;
  const prefix = `blocks.${index}.`;
  const layer = (name: string, rows: number, channels: number): LinearLayer => ({
    name: prefix + name,
    weight: requireTensor(weights, `${prefix}${name}.weight`, [rows, channels]),
    bias: vector(`${prefix}${name}.bias`, rows),
  });
  return {
    index,
    heads: config.heads,
    headDim: config.head_dim,
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

/** Results of a request, which are as many as it asked for. */
type Results = readonly Float32Array[];

/** One block on the residual stream x [T, d], which it changes in place. */
export const optBlock = function* (
  x: Float32Array,
  { index: block, heads, headDim, n1, n2, qkv, o, up, down }: OptBlock,
): Generator<ProductRequest, void, Results> {
  const linear = (input: Float32Array, layer: LinearLayer, inputKind: InputKind = "centred", relu = false): ProductRequest => ({
    block,
    kind: "linear",
    input,
    inputKind,
    layers: [layer],
    relu,
  });
  const [q, k, v] = yield { block, kind: "linear", input: n1(x), inputKind: "centred", layers: qkv, relu: false };
  const [queries, keys, values] = [scaleQueries(q!, headDim), k!, v!].map((part) => splitHeads(part, heads, headDim)) as [Tensor[], Tensor[], Tensor[]];
  const tokens = queries[0]!.shape[0]!;
  const scores = yield { block, kind: "scores", queries, keys };
  const weights = scores.map((ofHead) => causalSoftmax(tensor([tokens, tokens], ofHead)));
  const mixed = yield { block, kind: "values", weights, values };
  addInto(x, (yield linear(joinHeads(mixed, headDim), o))[0]!);
  const hidden = (yield linear(n2(x), up, "centred", true))[0]!;
  addInto(x, (yield linear(hidden, down, "rectified"))[0]!);
};

/**
 * The forward pass of an OPT-like model up to its final norm: tokens to hidden states [T, d]; logits are their product with `emb.weight`.
 * @throws UserError `bad-model` when the weights lack a tensor or have another shape.
 */
export const optForward = (config: OptConfig, weights: Weights): ((tokens: Uint16Array) => Forward) => {
  const { d_model: d, vocab, context } = config;
  const embedding = requireTensor(weights, "emb.weight", [vocab, d]).data;
  const positions = requireTensor(weights, "pos.weight", [context, d]).data;
  const blocks = Array.from({ length: config.layers }, (_, index) => blockOf(config, weights, index));
  const finalNorm = normOf(weights, "nf", d);
  return function* (tokens) {
    const x = new Float32Array(tokens.length * d);
    for (const [row, token] of tokens.entries())
      for (let channel = 0; channel < d; channel++) x[row * d + channel] = embedding[token * d + channel]! + positions[row * d + channel]!;
    for (const block of blocks) yield* optBlock(x, block);
    return finalNorm(x);
  };
};
