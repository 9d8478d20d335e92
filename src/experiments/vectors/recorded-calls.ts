import type { LinearName } from "../../golden/tender/opt-layer.ts";
import type { JsonValue } from "./json-value.ts";

/** Inputs of the official quantiser as recorded, bias already removed, row-major; padding rows included. */
export interface RecordedInputs {
  /** Weights [N, K] as the quantiser got them. */
  readonly weights: Readonly<Record<LinearName, Float32Array>>;
  /** [chunks, chunk, H] */
  readonly h: Float32Array;
  /** [chunks, chunk, H] */
  readonly o: Float32Array;
  /** [chunks, chunk, H] */
  readonly fc1: Float32Array;
  /** Calls that give FC2's unsigned codes, one a group. */
  readonly fc2: readonly JsonValue[];
  readonly attention:
    | {
        /** [heads, T, d] */
        readonly keys: Float32Array;
        /** [heads, chunks, chunk, d] */
        readonly queries: Float32Array;
        /** [heads, T, d] */
        readonly values: Float32Array;
        /** Calls that give the unsigned codes of S, one a group. */
        readonly scores: readonly JsonValue[];
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
    if (!this.#is("sym_dequant", shape, scaleShape)) this.#list.fail(`has no sym_dequant after the sym_quant at place ${this.#next - 1}`);
    this.#next++;
    return { fp: call.get("fp").floats(shape), scale: call.get("scale").floats(scaleShape) };
  }

  /** The `sym_dequant` calls of an unsigned tensor, which is quantised without `sym_quant`. */
  unsigned(shape: readonly number[], scaleShape: readonly number[]): readonly JsonValue[] {
    const from = this.#next;
    while (this.#is("sym_dequant", shape, scaleShape)) this.#next++;
    return this.#calls.slice(from, this.#next);
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
  const weight = (outputs: number, inputs: number): Float32Array => reader.single([outputs, inputs], [outputs, 1]).fp;
  // In this order the official layer prepares its weights.
  const projections = { q_proj: weight(hidden, hidden), k_proj: weight(hidden, hidden), v_proj: weight(hidden, hidden), o_proj: weight(hidden, hidden) };
  const h = reader.groups(rows, perChunk, !quantizedAttention);
  let attention: RecordedInputs["attention"];
  if (quantizedAttention) {
    const keys = reader.single([heads, tokens, depth], [heads, tokens, 1]).fp;
    const queries = reader.groups([heads, chunks, chunk, depth], [heads, chunks, 1, 1]);
    const values = reader.single([heads, tokens, depth], [heads, 1, depth]).fp;
    attention = { keys, queries, values, scores: reader.unsigned([heads, chunks, chunk, tokens], [heads, chunks, 1, 1]) };
  }
  const o = reader.groups(rows, perChunk);
  const weights = { ...projections, fc1: weight(ffn, hidden), fc2: weight(hidden, ffn) };
  const fc1 = reader.groups(rows, perChunk);
  const fc2 = reader.unsigned([chunks, chunk, ffn], perChunk);
  reader.end();
  return { weights, h, o, fc1, fc2, attention };
};
