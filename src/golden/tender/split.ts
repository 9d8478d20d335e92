import { toBfloat16 } from "../float/binary32.ts";
import type { CoreProduct } from "./core-product.ts";
import { coreResult } from "./core-product.ts";

/** Groups of positions [from, to) of the order, largest scale first: leading ones may be empty, the last one is not. */
const groupsWithin = (groupSizes: readonly number[], from: number, to: number): number[] => {
  let start = 0;
  const sizes = groupSizes.map((size) => {
    const inside = Math.max(0, Math.min(to, start + size) - Math.max(from, start));
    start += size;
    return inside;
  });
  return sizes.slice(0, sizes.findLastIndex((size) => size > 0) + 1);
};

/** Columns `channels` of a matrix [count, K], in that order. */
const gather = (matrix: Int16Array, count: number, width: number, channels: ArrayLike<number>): Int16Array => {
  const out = new Int16Array(count * channels.length);
  for (let row = 0, at = 0; row < count; row += 1) for (let i = 0; i < channels.length; i += 1, at += 1) out[at] = matrix[row * width + channels[i]!]!;
  return out;
};

/**
 * A product cut into `parts` products of consecutive channels of its order, as equal as whole channels allow, largest scales first; their binary32 results,
 * added by `addParts`, are the product's. Channel k of a part is the k-th that it takes. A part ends with its own smallest group, so that its scales are
 * the product's times 2^i, i the code index of that group. The first part keeps the compensations; none has ReLU, which has to follow the additions.
 */
export const splitProduct = (product: CoreProduct, parts: number): CoreProduct[] => {
  const { name, rows, columns, channels, groupSizes, groupOf, scales } = product;
  const order = Uint32Array.from(product.order);
  return Array.from({ length: parts }, (_, part) => {
    const from = Math.floor((part * channels) / parts);
    const to = Math.floor(((part + 1) * channels) / parts);
    const taken = order.subarray(from, to);
    const smallest = groupOf[taken[taken.length - 1]!]!;
    return {
      ...product,
      name: `${name} channels ${from}..${to - 1}`,
      codes: gather(product.codes, rows, channels, taken),
      weights: gather(product.weights, columns, channels, taken),
      channels: to - from,
      order: taken.map((_channel, at) => at),
      groupOf: Uint8Array.from(taken, (channel) => groupOf[channel]! - smallest),
      groupSizes: groupsWithin(groupSizes, from, to),
      scales: scales.map((scale) => scale * 2 ** smallest),
      compensation: part === 0 ? product.compensation : new Float32Array(columns),
      rowCompensation: part === 0 ? product.rowCompensation : undefined,
      relu: false,
    };
  });
};

/** Results of parts added one after the other, each sum rounded to binary32, from the first on; then ReLU. All of one length. */
export const addParts = (parts: readonly Float32Array[], relu: boolean): Float32Array => {
  const sum = Float32Array.from(parts[0] ?? []);
  for (const part of parts.slice(1)) for (let at = 0; at < sum.length; at += 1) sum[at] = sum[at]! + part[at]!;
  return relu ? sum.map((value) => (value <= 0 ? 0 : value)) : sum;
};

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** Values rounded to bfloat16, as binary32 that hold them. */
export const roundToBfloat16 = (values: Float32Array): Float32Array =>
  values.map((value) => {
    float[0] = value;
    word[0] = toBfloat16(word[0]!) << 16;
    return float[0];
  });

/**
 * What the core and its driver make of a product in parts, [M, N] in binary32. With one part this is `coreResult`.
 * @throws UserError as `coreResult`
 */
export const splitResult = (product: CoreProduct, parts: number, accWidth: number): Float32Array =>
  addParts(
    splitProduct(product, parts).map((part) => coreResult(part, accWidth)),
    product.relu,
  );
