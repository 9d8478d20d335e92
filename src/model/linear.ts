import { Kept } from "../base/kept.ts";
import type { Tensor } from "../base/tensor.ts";
import { tensor } from "../base/tensor.ts";
import { quantizeUngrouped } from "../golden/baselines.ts";
import { quantizeActivations } from "../golden/tender/groups.ts";
import { linearCompensation } from "../golden/tender/matmul.ts";
import { quantizeWeights } from "../golden/tender/quantize.ts";
import type { PackedMatrix } from "./gemm.ts";
import { multiply, packMatrix } from "./gemm.ts";

/** One linear layer, y = W x + b: `weight` [N, K]. */
export interface LinearLayer {
  /** Unique in the model, for example `blocks.1.attn.q`. */
  readonly name: string;
  readonly weight: Tensor;
  readonly bias: Float32Array | null;
}

/** How Tender treats an input (`research/tender.md` 1.4): signed with channel bias, signed without, or unsigned (after ReLU, without). */
export type InputKind = "centred" | "plain" | "rectified";

/**
 * Computes the linear layers of a model's blocks; models call it for each input and all layers that read it.
 * `input` [T, K]; returns [T, N] for each layer.
 */
export type Linear = (input: Float32Array, kind: InputKind, layers: readonly LinearLayer[]) => Float32Array[];

/**
 * How the linear layers are computed. All quantised schemes are dynamic, with weights rounded to nearest at one scale an output
 * channel; FC2's input (after ReLU) has unsigned codes in every scheme, the others signed ones.
 * `tensor`: one activation scale a sequence; `token`: one a token; `tender`: channel bias, power-of-two groups, row chunks.
 */
export type Scheme =
  | { readonly name: "fp32" }
  | { readonly name: "tensor" | "token"; readonly bits: number }
  | { readonly name: "tender"; readonly bits: number; readonly groups: number; readonly chunk: number };

/** Activations after quantisation, as the reals that their codes stand for. */
interface QuantizedInput {
  /** [T, K], without the channel bias. */
  readonly values: Float32Array;
  /** Channel bias of each run of `chunk` rows; empty where no bias is removed. */
  readonly biases: readonly Float32Array[];
  readonly chunk: number;
}

const addRows = (out: Float32Array, row: Float32Array, from: number, to: number): void => {
  for (let base = from * row.length; base < to * row.length; base += row.length)
    for (let column = 0; column < row.length; column++) out[base + column]! += row[column]!;
};

/** Weights as `multiply` takes them, by bits (null: not quantised): kept as long as the weights themselves, for every scheme and run. */
const packed = new Kept<number | null, PackedMatrix>();

const packWeight = (weight: Tensor, bits: number | null): PackedMatrix => {
  const [rows = 0, channels = 0] = weight.shape;
  if (bits === null) return packMatrix(weight.data, { rows, channels });
  const { codes, scales } = quantizeWeights(weight, bits);
  const values = new Float32Array(codes.length);
  for (let row = 0; row < rows; row++) for (let at = row * channels; at < (row + 1) * channels; at++) values[at] = codes[at]! * scales[row]!;
  return packMatrix(values, { rows, channels });
};

const packedWeight = (weight: Tensor, bits: number | null): PackedMatrix => packed.get(weight, bits, () => packWeight(weight, bits));

const floatLinear: Linear = (input, _kind, layers) =>
  layers.map(({ weight, bias }) => {
    const out = multiply(input, packedWeight(weight, null));
    if (bias !== null) addRows(out, bias, 0, out.length / bias.length);
    return out;
  });

const quantizeUngroupedInput = (x: Tensor, kind: InputKind, scheme: { name: "tensor" | "token"; bits: number }): QuantizedInput => {
  const { codes, scales } = quantizeUngrouped(x, scheme.name, { bits: scheme.bits, unsigned: kind === "rectified" });
  const [rows = 0, channels = 0] = x.shape;
  const values = new Float32Array(rows * channels);
  for (let row = 0; row < rows; row++) for (let at = row * channels; at < (row + 1) * channels; at++) values[at] = codes[at]! * scales[row]!;
  return { values, biases: [], chunk: rows };
};

const quantizeTenderInput = (x: Tensor, kind: InputKind, scheme: { bits: number; groups: number; chunk: number }): QuantizedInput => {
  const { bits, groups, chunk } = scheme;
  const { codes, chunks, channels } = quantizeActivations(x, {
    bits,
    groups,
    chunk,
    unsigned: kind === "rectified",
    bias: kind === "centred",
    scaleless: "zeros",
  });
  const values = new Float32Array(x.data.length);
  for (const [position, { rows, scales, groupOf }] of chunks.entries()) {
    const channelScale = Float32Array.from(groupOf, (group) => scales[group]!);
    const from = position * chunk * channels;
    for (let at = 0; at < rows * channels; at++) values[from + at] = codes[from + at]! * channelScale[at % channels]!;
  }
  return { values, biases: kind === "centred" ? chunks.map(({ bias }) => bias) : [], chunk };
};

const quantizedLinear =
  (bits: number, quantizeInput: (x: Tensor, kind: InputKind) => QuantizedInput): Linear =>
  (input, kind, layers) => {
    const channels = layers[0]!.weight.shape[1]!;
    const rows = input.length / channels;
    const { values, biases, chunk } = quantizeInput(tensor([rows, channels], input), kind);
    return layers.map((layer) => {
      const out = multiply(values, packedWeight(layer.weight, bits));
      if (biases.length === 0 && layer.bias !== null) addRows(out, layer.bias, 0, rows);
      for (const [position, bias] of biases.entries())
        addRows(out, linearCompensation(bias, layer.weight, layer.bias), position * chunk, Math.min((position + 1) * chunk, rows));
      return out;
    });
  };

/**
 * The linear layers under one scheme, for any model.
 * Quantised products are computed from the reals that the codes stand for, in binary32 (as the official code does); `layer-products.ts` has the integers.
 */
export const linearOf = (scheme: Scheme): Linear => {
  if (scheme.name === "fp32") return floatLinear;
  if (scheme.name === "tender") return quantizedLinear(scheme.bits, (x, kind) => quantizeTenderInput(x, kind, scheme));
  return quantizedLinear(scheme.bits, (x, kind) => quantizeUngroupedInput(x, kind, scheme));
};
