import type { JsonValue } from "./json-value.ts";

/** Inputs of the official quantiser as recorded, bias already removed, row-major; padding rows included. */
export interface RecordedInputs {
  /** [chunks, chunk, H] */
  readonly h: Float32Array;
  /** [chunks, chunk, H] */
  readonly o: Float32Array;
  /** [chunks, chunk, H] */
  readonly fc1: Float32Array;
  readonly attention:
    | {
        /** [heads, T, d] */
        readonly keys: Float32Array;
        /** [heads, chunks, chunk, d] */
        readonly queries: Float32Array;
        /** [heads, T, d] */
        readonly values: Float32Array;
      }
    | undefined;
}

export interface LayerShape {
  readonly tokens: number;
  readonly chunk: number;
  readonly chunks: number;
  readonly heads: number;
  readonly depth: number;
  readonly hidden: number;
  readonly ffn: number;
  readonly quantizedAttention: boolean;
}

/** Walks `calls[]` in the order in which the official layer makes them. */
class CallReader {
  readonly #list: JsonValue;
  readonly #calls: readonly JsonValue[];
  #next = 0;

  constructor(list: JsonValue) {
    this.#list = list;
    this.#calls = list.items();
  }

  #is(operation: string, shape: readonly number[], scaleShape: readonly number[]): boolean {
    const call = this.#calls[this.#next];
    if (call === undefined || call.get("op").text() !== operation) return false;
    return sameShape(call.get("q").shape(), shape) && sameShape(call.get("scale").shape(), scaleShape);
  }

  /** One `sym_quant` and the `sym_dequant` after it; null when the next call is another. */
  quantized(shape: readonly number[], scaleShape: readonly number[]): { fp: Float32Array; scale: Float32Array } | null {
    if (!this.#is("sym_quant", shape, scaleShape)) return null;
    const call = this.#calls[this.#next++]!;
    this.dequantized(shape, scaleShape);
    return { fp: call.get("fp").floats(shape), scale: call.get("scale").floats(scaleShape) };
  }

  dequantized(shape: readonly number[], scaleShape: readonly number[]): boolean {
    if (!this.#is("sym_dequant", shape, scaleShape)) return false;
    this.#next++;
    return true;
  }

  /**
   * One tensor quantised group by group, smallest scale first, each call holding zeros outside its group: the sum is the tensor.
   * With `followedByAlike`, the next tensor has the same shape, and begins where a scale is not a larger power-of-two multiple of the last.
   */
  groups(shape: readonly number[], scaleShape: readonly number[], followedByAlike = false): Float32Array {
    const sum = this.single(shape, scaleShape);
    for (let last = sum.scale; ; ) {
      const mark = this.#next;
      const call = this.quantized(shape, scaleShape);
      if (call === null) return sum.fp;
      if (followedByAlike && !call.scale.every((scale, at) => isPowerOfTwo(scale / last[at]!))) {
        this.#next = mark;
        return sum.fp;
      }
      for (const [at, value] of call.fp.entries()) if (value !== 0) sum.fp[at] = value;
      last = call.scale;
    }
  }

  single(shape: readonly number[], scaleShape: readonly number[]): { fp: Float32Array; scale: Float32Array } {
    return this.quantized(shape, scaleShape) ?? this.#list.fail(`has no sym_quant of shape [${shape.join(", ")}] at place ${this.#next}`);
  }

  end(): void {
    if (this.#next !== this.#calls.length) this.#list.fail(`has ${this.#calls.length} calls where the layer makes ${this.#next}`);
  }
}

const sameShape = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((length, axis) => length === b[axis]);

const isPowerOfTwo = (ratio: number): boolean => ratio >= 2 && Number.isInteger(Math.log2(ratio));

/** @throws UserError `bad-vectors` when the calls are not those of such a layer. */
export const readCalls = (list: JsonValue, { tokens, chunk, chunks, heads, depth, hidden, ffn, quantizedAttention }: LayerShape): RecordedInputs => {
  const reader = new CallReader(list);
  const rows = [chunks, chunk, hidden];
  const perChunk = [chunks, 1, 1];
  for (let projection = 0; projection < 4; projection++) reader.single([hidden, hidden], [hidden, 1]);
  const h = reader.groups(rows, perChunk, !quantizedAttention);
  let attention: RecordedInputs["attention"];
  if (quantizedAttention) {
    const keys = reader.single([heads, tokens, depth], [heads, tokens, 1]).fp;
    const queries = reader.groups([heads, chunks, chunk, depth], [heads, chunks, 1, 1]);
    const values = reader.single([heads, tokens, depth], [heads, 1, depth]).fp;
    while (reader.dequantized([heads, chunks, chunk, tokens], [heads, chunks, 1, 1])) continue;
    attention = { keys, queries, values };
  }
  const o = reader.groups(rows, perChunk);
  reader.single([ffn, hidden], [ffn, 1]);
  reader.single([hidden, ffn], [hidden, 1]);
  const fc1 = reader.groups(rows, perChunk);
  while (reader.dequantized([chunks, chunk, ffn], perChunk)) continue;
  reader.end();
  return { h, o, fc1, attention };
};
