import type { Tensor } from "../base/tensor.ts";
import { tensor } from "../base/tensor.ts";
import { multiply, packMatrix } from "./gemm.ts";

const epsilon = 1e-5;

/** `(x - mean) / sqrt(variance + 1e-5) * gain + bias`, row by row of x [T, K]; statistics in double. */
export const layerNorm = (x: Float32Array, gain: Float32Array, bias: Float32Array): Float32Array => {
  const channels = gain.length;
  const out = new Float32Array(x.length);
  for (let base = 0; base < x.length; base += channels) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += x[base + channel]!;
    const mean = sum / channels;
    let squares = 0;
    for (let channel = 0; channel < channels; channel++) squares += (x[base + channel]! - mean) ** 2;
    const scale = 1 / Math.sqrt(squares / channels + epsilon);
    for (let channel = 0; channel < channels; channel++) out[base + channel] = (x[base + channel]! - mean) * scale * gain[channel]! + bias[channel]!;
  }
  return out;
};

/** `x / sqrt(mean square + 1e-5) * gain`, row by row of x [T, K]; statistics in double. */
export const rmsNorm = (x: Float32Array, gain: Float32Array): Float32Array => {
  const channels = gain.length;
  const out = new Float32Array(x.length);
  for (let base = 0; base < x.length; base += channels) {
    let squares = 0;
    for (let channel = 0; channel < channels; channel++) squares += x[base + channel]! ** 2;
    const scale = 1 / Math.sqrt(squares / channels + epsilon);
    for (let channel = 0; channel < channels; channel++) out[base + channel] = x[base + channel]! * scale * gain[channel]!;
  }
  return out;
};

export const relu = (x: Float32Array): Float32Array => x.map((value) => (value > 0 ? value : 0));

/** `silu(gate) * up`, element by element. */
export const swiglu = (gate: Float32Array, up: Float32Array): Float32Array => gate.map((value, index) => (value / (1 + Math.exp(-value))) * up[index]!);

/** Adds `delta` to the residual stream, in place. */
export const addInto = (residual: Float32Array, delta: Float32Array): void => {
  for (let index = 0; index < residual.length; index++) residual[index]! += delta[index]!;
};

/**
 * Rotary positions in place on x [T, heads * headDim]: channels i and i + headDim/2 of a head turn by `position * 10000^(-2i/headDim)`
 * ("half-split", as LLaMA's published code does).
 */
export const rotate = (x: Float32Array, heads: number, headDim: number): void => {
  const width = heads * headDim;
  const half = headDim / 2;
  for (let row = 0; row * width < x.length; row++) {
    for (let channel = 0; channel < half; channel++) {
      const angle = row * 10000 ** (-channel / half);
      const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
      for (let first = row * width + channel; first < (row + 1) * width; first += headDim) {
        const [one, other] = [x[first]!, x[first + half]!];
        x[first] = one * cosine - other * sine;
        x[first + half] = other * cosine + one * sine;
      }
    }
  }
};

/** Softmax of each row r of scores [T, T] over its first r + 1 columns; the others become 0. Sums in double, channels ascending; every result is rounded once to binary32. */
export const causalSoftmax = ({ shape, data }: Tensor): Tensor => {
  const tokens = shape[1] ?? 0;
  const weights = new Float32Array(data.length);
  for (let row = 0; row < tokens; row++) {
    const base = row * tokens;
    let largest = Number.NEGATIVE_INFINITY;
    for (let at = base; at <= base + row; at++) if (data[at]! > largest) largest = data[at]!;
    let sum = 0;
    for (let at = base; at <= base + row; at++) {
      const power = Math.exp(data[at]! - largest);
      weights[at] = power;
      sum += power;
    }
    for (let at = base; at <= base + row; at++) weights[at]! /= sum;
  }
  return tensor(shape, weights);
};

/** Columns of each head: [T, heads * headDim] to [T, headDim] for every head. */
export const splitHeads = (x: Float32Array, heads: number, headDim: number): Tensor[] => {
  const width = heads * headDim;
  const tokens = x.length / width;
  return Array.from({ length: heads }, (_, head) => {
    const part = new Float32Array(tokens * headDim);
    for (let row = 0; row < tokens; row++) part.set(x.subarray(row * width + head * headDim, row * width + (head + 1) * headDim), row * headDim);
    return tensor([tokens, headDim], part);
  });
};

/** The inverse of `splitHeads`, from the data of each head. */
export const joinHeads = (parts: readonly Float32Array[], headDim: number): Float32Array => {
  const width = parts.length * headDim;
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  for (const [head, part] of parts.entries())
    for (let row = 0; row * headDim < part.length; row++) out.set(part.subarray(row * headDim, (row + 1) * headDim), row * width + head * headDim);
  return out;
};

/** Queries times `fround(1/sqrt(headDim))`, as attention takes them. */
export const scaleQueries = (q: Float32Array, headDim: number): Float32Array => {
  const scale = Math.fround(headDim ** -0.5);
  return q.map((value) => value * scale);
};

/** QK^T of one head in fp32: scaled queries and keys [T, d] to [T, T]. */
export const headScores = (queries: Tensor, { shape: [tokens = 0, channels = 0], data }: Tensor): Float32Array =>
  multiply(queries.data, packMatrix(data, { rows: tokens, channels }));

/** S·V of one head in fp32: weights [T, T] and values [T, d] to [T, d]. */
export const headValues = (weights: Tensor, { shape: [tokens = 0, depth = 0], data }: Tensor): Float32Array =>
  multiply(weights.data, packMatrix(data, { rows: depth, channels: tokens, rowStride: 1, channelStride: depth }));

/** Causal attention in fp32: q, k, v [T, heads * headDim], scores scaled by 1/sqrt(headDim); returns [T, heads * headDim]. */
export const attention = (q: Float32Array, k: Float32Array, v: Float32Array, heads: number, headDim: number): Float32Array => {
  const [queries, keys, values] = [scaleQueries(q, headDim), k, v].map((x) => splitHeads(x, heads, headDim));
  const mixed = queries!.map((ofHead, head) => {
    const tokens = ofHead.shape[0]!;
    return headValues(causalSoftmax(tensor([tokens, tokens], headScores(ofHead, keys![head]!))), values![head]!);
  });
  return joinHeads(mixed, headDim);
};
