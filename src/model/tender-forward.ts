import { Kept } from "../base/kept.ts";
import type { Tensor } from "../base/tensor.ts";
import { tensor } from "../base/tensor.ts";
import type { CoreProduct, Quantization } from "../golden/tender/core-product.ts";
import { coreResult, coreWeights, linearProducts, scoreProducts, valueProducts } from "../golden/tender/core-product.ts";
import type { QuantizedWeights } from "../golden/tender/quantize.ts";
import type { Forward, ProductRequest } from "./forward.ts";

/** Products that can be queued at once; in a block: Q, K and V; QK^T of all heads; S·V of all heads; O; FC1; FC2. */
export interface ProductBatch {
  readonly block: number;
  readonly products: readonly CoreProduct[];
}

/** Whoever computes a batch: results [M, N] in the order of its products. */
export type RunBatch = (batch: ProductBatch) => Promise<readonly Float32Array[]>;

/** Codes of a layer's weights, by bits: kept as long as the weights themselves, so that they are the same arrays in every pass. */
const quantized = new Kept<number, QuantizedWeights>();

const weightsOf = (weight: Tensor, bits: number): QuantizedWeights => quantized.get(weight, bits, () => coreWeights(weight, bits));

/** The chunks of each result that a request asks for. */
const productsOf = (request: ProductRequest, quantization: Quantization): CoreProduct[][] => {
  const { block, kind } = request;
  if (kind === "scores")
    return request.queries.map((queries, head) => scoreProducts(`blocks.${block}.attn.scores.${head}`, queries, request.keys[head]!, quantization));
  if (kind === "values")
    return request.weights.map((weights, head) => valueProducts(`blocks.${block}.attn.values.${head}`, weights, request.values[head]!, quantization));
  const channels = request.layers[0]!.weight.shape[1]!;
  const input = tensor([request.input.length / channels, channels], request.input);
  const layers = request.layers.map(({ name, weight, bias }) => ({ name, weight, bias, weights: weightsOf(weight, quantization.bits) }));
  const { inputKind, relu } = request;
  return linearProducts(input, layers, { ...quantization, unsigned: inputKind === "rectified", bias: inputKind === "centred", relu });
};

const joined = (chunks: readonly Float32Array[]): Float32Array => {
  if (chunks.length === 1) return chunks[0]!;
  const out = new Float32Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
};

/**
 * A forward pass with every product quantised dynamically Tender's way (`research/tender.md` 1.4, attention too) and computed by `run`; returns logits [T, vocab].
 * Softmax, LayerNorm and residuals stay with the host, and so does quantising: a departure from the paper, whose vector unit does them.
 * What has nothing to quantise (a constant chunk, a row of zeros) has codes of 0, and its results are the compensation, which is then exact but for rounding.
 * @throws UserError `zero-scale` where a value is not finite, `bad-*` for options out of range, and as `run` does
 */
export const tenderForward = async (forward: Forward, quantization: Quantization, run: RunBatch): Promise<Float32Array> => {
  let step = forward.next();
  while (step.done !== true) {
    const parts = productsOf(step.value, quantization);
    const results = await run({ block: step.value.block, products: parts.flat() });
    let from = 0;
    step = forward.next(parts.map(({ length }) => joined(results.slice(from, (from += length)))));
  }
  return step.value;
};

/** The core in software, with accumulators of so many bits. @throws UserError `overflow` as `coreResult` */
export const inSoftware =
  (accWidth: number): RunBatch =>
  async ({ products }) =>
    Promise.resolve(products.map((product) => coreResult(product, accWidth)));
