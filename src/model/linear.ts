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

/** Keeps what `make` gives for each layer, by the layer's name. */
const perLayer = <T>(make: (layer: LinearLayer) => T): ((layer: LinearLayer) => T) => {
  const made = new Map<string, T>();
  return (layer) => {
    const found = made.get(layer.name) ?? make(layer);
    made.set(layer.name, found);
    return found;
  };
};

const packWeight = ({ shape: [rows = 0, channels = 0], data }: Tensor): PackedMatrix => packMatrix(data, { rows, channels });

const floatLinear = (): Linear => {
  const packed = perLayer(({ weight }) => packWeight(weight));
  return (input, _kind, layers) =>
    layers.map((layer) => {
      const out = multiply(input, packed(layer));
      if (layer.bias !== null) addRows(out, layer.bias, 0, out.length / layer.bias.length);
      return out;
    });
};

const quantizeUngroupedInput = (x: Tensor, kind: InputKind, scheme: { name: "tensor" | "token"; bits: number }): QuantizedInput => {
  const { codes, scales } = quantizeUngrouped(x, scheme.name, { bits: scheme.bits, unsigned: kind === "rectified" });
  const [rows = 0, channels = 0] = x.shape;
  const values = new Float32Array(rows * channels);
  for (let row = 0; row < rows; row++) for (let at = row * channels; at < (row + 1) * channels; at++) values[at] = codes[at]! * scales[row]!;
  return { values, biases: [], chunk: rows };
};

/** Whether every row of [T, K] equals `row`: nothing is left to quantise once it is taken away, and no scale exists. */
const isConstant = (data: Float32Array, row: Float32Array): boolean => data.every((value, at) => value === row[at % row.length]);

const quantizeTenderInput = (x: Tensor, kind: InputKind, scheme: { bits: number; groups: number; chunk: number }): QuantizedInput => {
  const [rows = 0, channels = 0] = x.shape;
  const { bits, groups, chunk } = scheme;
  const values = new Float32Array(rows * channels);
  const biases: Float32Array[] = [];
  for (let from = 0; from < rows; from += chunk) {
    const part = x.data.subarray(from * channels, Math.min(from + chunk, rows) * channels);
    const constant = kind === "centred" ? part.subarray(0, channels) : new Float32Array(channels);
    // A padded chunk always has a zero row, so only a full one, or one of zeros, can be constant.
    if (isConstant(part, constant) && (part.length === chunk * channels || constant.every((value) => value === 0))) {
      if (kind === "centred") biases.push(constant);
      continue;
    }
    const options = { bits, groups, chunk, unsigned: kind === "rectified", bias: kind === "centred" };
    const quantized = quantizeActivations(tensor([part.length / channels, channels], part), options);
    const { scales, groupOf, bias } = quantized.chunks[0]!;
    const channelScale = Float32Array.from(groupOf, (group) => scales[group]!);
    for (let at = 0; at < part.length; at++) values[from * channels + at] = quantized.codes[at]! * channelScale[at % channels]!;
    if (kind === "centred") biases.push(bias);
  }
  return { values, biases, chunk };
};

const quantizedLinear = (bits: number, quantizeInput: (x: Tensor, kind: InputKind) => QuantizedInput): Linear => {
  const packed = perLayer(({ weight }) => {
    const [rows = 0, channels = 0] = weight.shape;
    const { codes, scales } = quantizeWeights(weight, bits);
    return packMatrix(
      Float32Array.from(codes, (code, at) => code * scales[Math.floor(at / channels)]!),
      { rows, channels },
    );
  });
  return (input, kind, layers) => {
    const channels = layers[0]!.weight.shape[1]!;
    const rows = input.length / channels;
    const { values, biases, chunk } = quantizeInput(tensor([rows, channels], input), kind);
    return layers.map((layer) => {
      const out = multiply(values, packed(layer));
      if (biases.length === 0 && layer.bias !== null) addRows(out, layer.bias, 0, rows);
      for (const [position, bias] of biases.entries())
        addRows(out, linearCompensation(bias, layer.weight, layer.bias), position * chunk, Math.min((position + 1) * chunk, rows));
      return out;
    });
  };
};

/**
 * The linear layers under one scheme. Weights are prepared once for each layer name, so one `Linear` serves one model.
 * Quantised products are computed from the reals that the codes stand for, in binary32 (as the official code does); `layer-products.ts` has the integers.
 */
export const linearOf = (scheme: Scheme): Linear => {
  if (scheme.name === "fp32") return floatLinear();
  if (scheme.name === "tender") return quantizedLinear(scheme.bits, (x, kind) => quantizeTenderInput(x, kind, scheme));
  return quantizedLinear(scheme.bits, (x, kind) => quantizeUngroupedInput(x, kind, scheme));
};
