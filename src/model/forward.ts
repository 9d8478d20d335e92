import type { Tensor } from "../base/tensor.ts";
import { headScores, headValues, relu } from "./layers.ts";
import type { InputKind, Linear, LinearLayer } from "./linear.ts";

/** Products of one block that can be computed at once. T tokens, K channels, N outputs, d channels of a head. */
export type ProductRequest = { readonly block: number } & (
  | {
      /** Linear layers of the same input [T, K], their results through ReLU where `relu` says so: to [T, N], one a layer. */
      readonly kind: "linear";
      readonly input: Float32Array;
      readonly inputKind: InputKind;
      readonly layers: readonly LinearLayer[];
      readonly relu: boolean;
    }
  | {
      /** QK^T of all heads: queries, times 1/sqrt(d) already, and keys [T, d] to [T, T], one a head. */
      readonly kind: "scores";
      readonly queries: readonly Tensor[];
      readonly keys: readonly Tensor[];
    }
  | {
      /** S·V of all heads: softmax weights [T, T] and values [T, d] to [T, d], one a head. */
      readonly kind: "values";
      readonly weights: readonly Tensor[];
      readonly values: readonly Tensor[];
    }
);

/**
 * A forward pass that leaves its products to whoever runs it: yields a request, takes the results, returns in the end. Everything between the products is
 * binary32, each value computed in double in ascending order and rounded once (`layers.ts`), so two passes that get the same results are the same to the bit.
 */
export type Forward = Generator<ProductRequest, Float32Array, readonly Float32Array[]>;

const answer = (request: ProductRequest, linear: Linear): readonly Float32Array[] => {
  if (request.kind === "scores") return request.queries.map((queries, head) => headScores(queries, request.keys[head]!));
  if (request.kind === "values") return request.weights.map((weights, head) => headValues(weights, request.values[head]!));
  const results = linear(request.input, request.inputKind, request.layers);
  return request.relu ? results.map(relu) : results;
};

/** Runs a pass with its linear layers computed by `linear`, and its attention products in fp32. */
export const complete = (forward: Forward, linear: Linear): Float32Array => {
  let step = forward.next();
  while (step.done !== true) step = forward.next(answer(step.value, linear));
  return step.value;
};
