import type { Tensor } from "../../base/tensor.ts";
import { tensor } from "../../base/tensor.ts";
import { transpose } from "./attention.ts";
import { matmul32 } from "./official.ts";

/** The six linear layers of an OPT decoder layer. */
export const linearNames = ["q_proj", "k_proj", "v_proj", "o_proj", "fc1", "fc2"] as const;
export type LinearName = (typeof linearNames)[number];

export interface LayerNormParameters {
  readonly gain: Float32Array;
  readonly shift: Float32Array;
}

/** Who multiplies: the official emulation, the integer model, or a reader of recorded outputs. All tensors are binary32. */
export interface LayerProducts {
  /** `input` [T, K] -> [T, N] */
  linear(name: LinearName, input: Tensor<Float32Array>): Tensor<Float32Array>;
  /** Q [T, d] times 1/sqrt(d), K [S, d] -> [T, S] */
  scores(head: number, queries: Tensor<Float32Array>, keys: Tensor<Float32Array>): Tensor<Float32Array>;
  /** S [T, S], V [S, d] -> [T, d] */
  values(head: number, scores: Tensor<Float32Array>, values: Tensor<Float32Array>): Tensor<Float32Array>;
}

/** Unquantised attention products, in binary32. */
export const plainAttention: Pick<LayerProducts, "scores" | "values"> = {
  scores: (_, queries, keys) => matmul32(queries, keys),
  values: (_, scores, values) => matmul32(scores, transpose(values)),
};

const lanes = 8;
const epsilon = Math.fround(1e-5);

/** Running mean and sum of squared deviations of `count` values. */
interface Moments {
  count: number;
  mean: number;
  squares: number;
}

/** Mean and variance as PyTorch's CPU kernel takes them: Welford in eight lanes, a scalar tail, then the lanes merged one by one. */
const moments = (row: Float32Array): { mean: number; variance: number } => {
  const blocks = Math.floor(row.length / lanes);
  const means = new Float32Array(lanes);
  const squares = new Float32Array(lanes);
  for (let block = 0; block < blocks; block++) {
    const weight = Math.fround(1 / (block + 1));
    for (let lane = 0; lane < lanes; lane++) {
      const value = row[block * lanes + lane]!;
      const delta = Math.fround(value - means[lane]!);
      means[lane] = means[lane]! + Math.fround(delta * weight);
      squares[lane] = squares[lane]! + Math.fround(delta * Math.fround(value - means[lane]!));
    }
  }
  const total: Moments = { count: 0, mean: 0, squares: 0 };
  for (const value of row.subarray(blocks * lanes)) {
    const delta = Math.fround(value - total.mean);
    total.count++;
    total.mean = Math.fround(total.mean + Math.fround(delta / total.count));
    total.squares = Math.fround(total.squares + Math.fround(delta * Math.fround(value - total.mean)));
  }
  if (blocks === 0) return { mean: total.mean, variance: Math.fround(total.squares / row.length) };
  for (let lane = 0; lane < lanes; lane++) {
    const share = Math.fround(blocks / (total.count + blocks));
    const delta = Math.fround(means[lane]! - total.mean);
    const between = Math.fround(Math.fround(Math.fround(delta * delta) * share) * total.count);
    total.mean = Math.fround(total.mean + Math.fround(share * delta));
    total.squares = Math.fround(total.squares + Math.fround(squares[lane]! + between));
    total.count += blocks;
  }
  return { mean: total.mean, variance: Math.fround(total.squares / row.length) };
};

/**
 * LayerNorm over rows of [T, H] in binary32, each multiply-add fused as in the run that made the vectors:
 * exact to the bit up to 128 channels; wider rows are summed by PyTorch in a cascade and differ in the last bits.
 */
export const layerNorm = (x: Tensor<Float32Array>, { gain, shift }: LayerNormParameters): Tensor<Float32Array> => {
  const [rows = 0, channels = 0] = x.shape;
  const out = new Float32Array(x.data.length);
  for (let row = 0; row < rows; row++) {
    const values = x.data.subarray(row * channels, (row + 1) * channels);
    const { mean, variance } = moments(values);
    const inverse = Math.fround(1 / Math.fround(Math.sqrt(Math.fround(variance + epsilon))));
    const offset = Math.fround(-inverse * mean);
    for (let channel = 0; channel < channels; channel++)
      out[row * channels + channel] = Math.fround(values[channel]! * inverse + offset) * gain[channel]! + shift[channel]!;
  }
  return tensor(x.shape, out);
};

/** Softmax over the source tokens 0..t of each row t of [T, T]; later tokens get exactly 0. */
export const causalSoftmax = (scores: Tensor<Float32Array>): Tensor<Float32Array> => {
  const [rows = 0, tokens = 0] = scores.shape;
  const out = new Float32Array(scores.data.length);
  for (let row = 0; row < rows; row++) {
    const visible = scores.data.subarray(row * tokens, row * tokens + row + 1);
    const largest = visible.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
    const powers = visible.map((value) => Math.exp(Math.fround(value - largest)));
    const inverse = Math.fround(1 / sumLanes(powers, tokens));
    for (let token = 0; token <= row; token++) out[row * tokens + token] = powers[token]! * inverse;
  }
  return tensor(scores.shape, out);
};

/** Sum in binary32 as PyTorch's vector reduction adds a row of `length` (the rest zeros): eight lanes, then halves; one by one below eight. */
const sumLanes = (values: Float32Array, length: number): number => {
  if (length < lanes) return values.reduce((sum, value) => Math.fround(sum + value), 0);
  const partial = new Float32Array(lanes);
  for (const [at, value] of values.entries()) partial[at % lanes]! += value;
  for (let half = lanes / 2; half >= 1; half /= 2) for (let lane = 0; lane < half; lane++) partial[lane]! += partial[lane + half]!;
  return partial[0]!;
};

/** Columns [from, from + width) of [T, H]. */
const columns = ({ shape: [rows = 0, channels = 0], data }: Tensor<Float32Array>, from: number, width: number): Tensor<Float32Array> => {
  const out = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) out.set(data.subarray(row * channels + from, row * channels + from + width), row * width);
  return tensor([rows, width], out);
};

const add = (a: Tensor<Float32Array>, b: Tensor<Float32Array>): Tensor<Float32Array> =>
  tensor(
    a.shape,
    a.data.map((value, at) => value + b.data[at]!),
  );

/**
 * OPT decoder layer (LayerNorm before, causal mask, ReLU) over `x` [T, H] in binary32, every matrix product left to `products`.
 * Source: `OPTDecoderLayer` and `OPTAttention`, `modeling_opt_tender.py:254-1000`.
 */
export const decoderLayer = (
  x: Tensor<Float32Array>,
  heads: number,
  norms: { readonly attention: LayerNormParameters; readonly final: LayerNormParameters },
  products: LayerProducts,
): Tensor<Float32Array> => {
  const [rows = 0, channels = 0] = x.shape;
  const depth = channels / heads;
  const input = layerNorm(x, norms.attention);
  const factor = Math.fround(depth ** -0.5);
  const projected = products.linear("q_proj", input);
  const queries = tensor(
    projected.shape,
    projected.data.map((value) => value * factor),
  );
  const keys = products.linear("k_proj", input);
  const values = products.linear("v_proj", input);
  const context = new Float32Array(rows * channels);
  for (let head = 0; head < heads; head++) {
    const from = head * depth;
    const weights = causalSoftmax(products.scores(head, columns(queries, from, depth), columns(keys, from, depth)));
    const mixed = products.values(head, weights, columns(values, from, depth));
    for (let row = 0; row < rows; row++) context.set(mixed.data.subarray(row * depth, (row + 1) * depth), row * channels + from);
  }
  const residual = add(x, products.linear("o_proj", tensor([rows, channels], context)));
  const hidden = products.linear("fc1", layerNorm(residual, norms.final));
  const active = tensor(
    hidden.shape,
    hidden.data.map((value) => Math.max(value, 0)),
  );
  return add(residual, products.linear("fc2", active));
};
