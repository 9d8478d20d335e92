import { UserError } from "../../base/error.ts";
import type { Tensor } from "../../base/tensor.ts";
import { quantizeKeys, quantizeValues, removeBias, scoreCompensation, transpose } from "./attention.ts";
import type { ActivationOptions, QuantizedActivations } from "./groups.ts";
import { channelBias, quantizeActivations } from "./groups.ts";
import type { Product } from "./matmul.ts";
import { linearCompensation, shiftAccumulateWrapped, vectorUnit } from "./matmul.ts";
import type { QuantizedWeights } from "./quantize.ts";
import { quantizeRows, rowScales, usableScales } from "./quantize.ts";

/**
 * One product as the tensor core gets it: M rows of one chunk of activations, K channels, N columns, binary32 results [M, N]
 * `fround(fround(f32(acc) * scales[n]) + c)` with `c = compensation[n]`, or `fround(compensation[n] + rowCompensation[r])`, then ReLU.
 *
 * Rows that only fill up a chunk are not in it, and groups below the smallest that has a channel are cut off, so the last of `groupSizes` is
 * never 0 and all of `groupOf` are below their number. Products that share operands share the arrays: codes, order and groups of one chunk,
 * and the codes of a layer's weights in every call, so that a driver may keep images by identity.
 */
export interface CoreProduct extends Product {
  /** Unique in a forward pass: `blocks.1.attn.q`, `blocks.1.attn.scores.3`, and from the second chunk on with its rows: `blocks.1.attn.q rows 256..511`. */
  readonly name: string;
  /** [N]: `fround(scale0 * sw[n])`, scale0 that of the smallest group. */
  readonly scales: Float32Array;
  /** [N] */
  readonly compensation: Float32Array;
  /** [M], only of QK^T. */
  readonly rowCompensation: Float32Array | undefined;
  readonly relu: boolean;
}

/** Bits of codes, number of groups and rows of a chunk, for every product of a model. */
export type Quantization = Pick<ActivationOptions, "bits" | "groups" | "chunk">;

/** The activation side of a product, and the scale of its smallest group. */
type Activations = Omit<Product, "weights" | "columns"> & { readonly scale0: number; readonly suffix: string };

const activationsOf = ({ chunks, chunk, codes, channels, bits, unsigned }: QuantizedActivations): Activations[] =>
  chunks.map(({ rows, groupOf, order, groupSizes, scales }, position) => {
    const from = position * chunk;
    const smallest = groupOf.reduce((least, index) => Math.min(least, index), groupSizes.length - 1);
    return {
      codes: codes.subarray(from * channels, (from + rows) * channels),
      rows,
      channels,
      groupOf: groupOf.map((index) => index - smallest),
      order,
      groupSizes: groupSizes.slice(0, groupSizes.length - smallest),
      bits,
      unsigned,
      scale0: scales[smallest]!,
      suffix: position === 0 ? "" : ` rows ${from}..${from + rows - 1}`,
    };
  });

const productOf = (
  name: string,
  { scale0, suffix, ...activations }: Activations,
  weights: QuantizedWeights,
  rest: Pick<CoreProduct, "compensation" | "rowCompensation" | "relu">,
): CoreProduct => ({
  ...activations,
  name: name + suffix,
  weights: weights.codes,
  columns: weights.scales.length,
  scales: weights.scales.map((scale) => scale0 * scale),
  ...rest,
});

/** Weights [N, K] for the core: as `quantizeWeights`, but a row of zeros has codes of 0. */
export const coreWeights = (weights: Tensor, bits: number): QuantizedWeights => {
  const scales = usableScales(rowScales(weights, bits));
  return { codes: quantizeRows(weights, scales, bits), scales };
};

/** A linear layer `X W^T + b` of some that read the same input. */
export interface CoreLayer {
  readonly name: string;
  /** [N, K], not quantised: the bias of the activations is compensated with them. */
  readonly weight: Tensor;
  readonly weights: QuantizedWeights;
  readonly bias: Float32Array | null;
}

/**
 * Products of linear layers that read one input [T, K], in this order: for each layer all chunks of rows.
 * @throws UserError as `quantizeActivations`, but chunks without a scale become zeros.
 */
export const linearProducts = (
  input: Tensor,
  layers: readonly CoreLayer[],
  { relu, ...options }: Quantization & { readonly unsigned: boolean; readonly bias: boolean; readonly relu: boolean },
): CoreProduct[][] => {
  const quantized = quantizeActivations(input, { ...options, scaleless: "zeros" });
  const activations = activationsOf(quantized);
  return layers.map(({ name, weight, weights, bias }) =>
    activations.map((chunk, position) =>
      productOf(name, chunk, weights, { compensation: linearCompensation(quantized.chunks[position]!.bias, weight, bias), rowCompensation: undefined, relu }),
    ),
  );
};

/** QK^T of one head in chunks of rows: Q [T, d] times 1/sqrt(d), K [S, d]. */
export const scoreProducts = (name: string, queries: Tensor, keys: Tensor, options: Quantization): CoreProduct[] => {
  const quantized = quantizeActivations(queries, { ...options, scaleless: "zeros" });
  const bias = channelBias(keys);
  const scales = usableScales(rowScales(removeBias(keys, bias), options.bits));
  const weights = quantizeKeys(keys, options.bits, { bias, scales });
  const { columns, rows } = scoreCompensation(queries, keys, quantized, bias);
  return activationsOf(quantized).map((chunk, position) =>
    productOf(name, chunk, weights, {
      compensation: columns[position]!,
      rowCompensation: rows.subarray(position * options.chunk, position * options.chunk + chunk.rows),
      relu: false,
    }),
  );
};

/** S·V of one head in chunks of rows: S [T, S] unsigned, grouped by source token, V [S, d]. Tokens that no row of a chunk sees are zeros in the smallest group. */
export const valueProducts = (name: string, scores: Tensor, values: Tensor, options: Quantization): CoreProduct[] => {
  const quantized = quantizeActivations(scores, { ...options, unsigned: true, bias: false, scaleless: "zeros" });
  const weights = quantizeValues(values, options.bits, usableScales(rowScales(transpose(values), options.bits)));
  const compensation = new Float32Array(weights.scales.length);
  return activationsOf(quantized).map((chunk) => productOf(name, chunk, weights, { compensation, rowCompensation: undefined, relu: false }));
};

/**
 * What the core makes of a product, [M, N] in binary32.
 * @throws UserError `overflow` where an accumulator of `accWidth` bits would leave its range on some beat, `bad-acc-width`
 */
export const coreResult = (product: CoreProduct, accWidth: number): Float32Array => {
  const { name, rows, columns, scales, compensation, rowCompensation, relu } = product;
  const { values, overflow } = shiftAccumulateWrapped(product, accWidth);
  const count = overflow.reduce((sum, flag) => sum + flag, 0);
  if (count > 0)
    throw new UserError("overflow", `${count} of ${rows * columns} accumulators of ${name} leave the range of ${accWidth} bits`, {
      hint: "take a wider accumulator (accWidth up to 48), or fewer groups",
    });
  const y = new Float32Array(rows * columns);
  for (let row = 0, at = 0; row < rows; row++) {
    const ofRow = rowCompensation?.[row];
    for (let column = 0; column < columns; column++, at++) {
      const c = ofRow === undefined ? compensation[column]! : Math.fround(compensation[column]! + ofRow);
      const result = vectorUnit(values[at]!, scales[column]!, c);
      y[at] = relu && result <= 0 ? 0 : result;
    }
  }
  return y;
};
