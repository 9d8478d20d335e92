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

/** Softmax of each row r of scores [T, T] over its first r + 1 columns, in place; the others become 0. */
const causalSoftmax = (scores: Float32Array, tokens: number): void => {
  for (let row = 0; row < tokens; row++) {
    const base = row * tokens;
    let largest = Number.NEGATIVE_INFINITY;
    for (let at = base; at <= base + row; at++) if (scores[at]! > largest) largest = scores[at]!;
    let sum = 0;
    for (let at = base; at <= base + row; at++) {
      const power = Math.exp(scores[at]! - largest);
      scores[at] = power;
      sum += power;
    }
    for (let at = base; at <= base + row; at++) scores[at]! /= sum;
    scores.fill(0, base + row + 1, base + tokens);
  }
};

/** Causal attention in fp32: q, k, v [T, heads * headDim], scores scaled by 1/sqrt(headDim); returns [T, heads * headDim]. */
export const attention = (q: Float32Array, k: Float32Array, v: Float32Array, heads: number, headDim: number): Float32Array => {
  const width = heads * headDim;
  const tokens = q.length / width;
  const scale = 1 / Math.sqrt(headDim);
  const out = new Float32Array(q.length);
  for (let head = 0; head < heads; head++) {
    const offset = head * headDim;
    const query = new Float32Array(tokens * headDim);
    for (let row = 0; row < tokens; row++)
      for (let channel = 0; channel < headDim; channel++) query[row * headDim + channel] = q[row * width + offset + channel]! * scale;
    const scores = multiply(query, packMatrix(k, { rows: tokens, channels: headDim, offset, rowStride: width }));
    causalSoftmax(scores, tokens);
    const mixed = multiply(scores, packMatrix(v, { rows: headDim, channels: tokens, offset, rowStride: 1, channelStride: width }));
    for (let row = 0; row < tokens; row++) out.set(mixed.subarray(row * headDim, (row + 1) * headDim), row * width + offset);
  }
  return out;
};
