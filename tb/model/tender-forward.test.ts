import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tensor } from "../../src/base/tensor.ts";
import { readJson } from "../../src/experiments/vectors/json-value.ts";
import { readLayerSizes, readParameters } from "../../src/experiments/vectors/layer-case.ts";
import { tenderScores, tenderValues } from "../../src/golden/tender/attention.ts";
import type { CoreProduct } from "../../src/golden/tender/core-product.ts";
import { coreResult, coreWeights, linearProducts, scoreProducts, valueProducts } from "../../src/golden/tender/core-product.ts";
import { tenderLinear } from "../../src/golden/tender/matmul.ts";
import { causalSoftmax, layerNorm } from "../../src/model/layers.ts";
import { linearOf } from "../../src/model/linear.ts";
import { loadModel } from "../../src/model/model.ts";
import { optBlock } from "../../src/model/opt.ts";
import { inSoftware, type ProductBatch, tenderForward } from "../../src/model/tender-forward.ts";
import { demoTokens } from "../../src/model/tokens.ts";

const model = loadModel("opt-mini");
const forward = model.forward!;

const largest = (values: Float32Array): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const largestDifference = (one: Float32Array, other: ArrayLike<number>): number =>
  one.reduce((most, value, at) => Math.max(most, Math.abs(value - other[at]!)), 0);

const joined = (products: readonly CoreProduct[], accWidth = 48): number[] => products.flatMap((product) => Array.from(coreResult(product, accWidth)));

const value = fc.oneof(
  fc.constantFrom(0, 1, -1, 50, -50),
  fc.float({ min: -4, max: 4, noNaN: true }).map((x) => Math.fround(x)),
);
const matrix = (rows: number, columns: number): fc.Arbitrary<Float32Array> =>
  fc.array(value, { minLength: rows * columns, maxLength: rows * columns }).map((list) => Float32Array.from(list));
const shapes = fc.record({
  rows: fc.integer({ min: 1, max: 9 }),
  channels: fc.integer({ min: 1, max: 9 }),
  columns: fc.integer({ min: 1, max: 5 }),
  chunk: fc.integer({ min: 1, max: 6 }),
  groups: fc.integer({ min: 1, max: 9 }),
  bits: fc.constantFrom(4, 8),
});

describe("products for the core", () => {
  const operands = shapes.chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      x: matrix(shape.rows, shape.channels),
      w: matrix(shape.columns, shape.channels),
      other: matrix(shape.rows, shape.channels),
      bias: matrix(1, shape.columns),
      unsigned: fc.boolean(),
      relu: fc.boolean(),
    }),
  );
  /** Runs the strict model, which refuses what has no scale. */
  const orRefused = (run: () => Float32Array): Float32Array | undefined => {
    try {
      return run();
    } catch (error) {
      expect(error).toMatchObject({ code: "zero-scale" });
      return undefined;
    }
  };

  test("are what the integer model computes, where that finds scales; the last group is never empty", () => {
    let compared = 0;
    fc.assert(
      fc.property(operands, ({ shape, x: data, w, other, bias, unsigned, relu }) => {
        const { rows, channels, columns, bits, groups, chunk } = shape;
        const options = { bits, groups, chunk };
        const x = tensor([rows, channels], unsigned ? data.map(Math.abs) : data);
        const weight = tensor([columns, channels], w);
        const [linear] = linearProducts(x, [{ name: "l", weight, weights: coreWeights(weight, bits), bias }], { ...options, unsigned, bias: !unsigned, relu });
        const keys = tensor([rows, channels], other);
        const scores = scoreProducts("s", x, keys, options);
        const weights = causalSoftmax(
          tensor(
            [rows, rows],
            new Float32Array(rows * rows).map((_, at) => at % 5),
          ),
        );
        const values = valueProducts("v", weights, keys, options);
        for (const [products, strict] of [
          [linear!, () => tenderLinear(x, weight, bias, { ...options, unsigned }).y.data.map((y) => (relu && y <= 0 ? 0 : y))],
          [scores, () => tenderScores(x, keys, options).y.data],
          [values, () => tenderValues(weights, keys, options).y.data],
        ] as const) {
          const expected = orRefused(strict);
          const got = joined(products);
          expect(got.every(Number.isFinite)).toBe(true);
          for (const { groupSizes, groupOf, codes, channels: all, rows: of } of products) {
            expect(groupSizes.at(-1)).toBeGreaterThan(0);
            expect(groupSizes).toEqual(groupSizes.map((_, at) => groupOf.filter((index) => index === groupSizes.length - 1 - at).length));
            expect(codes).toHaveLength(of * all);
          }
          if (expected === undefined) continue;
          expect(got).toEqual(Array.from(expected, (y) => y));
          compared += 1;
        }
      }),
    );
    expect(compared).toBeGreaterThan(100);
  });

  test("what has nothing to quantise gives its compensation: constant rows, one token, zeros", () => {
    const row = Float32Array.of(3, -2, 0.5);
    const same = tensor(
      [4, 3],
      Float32Array.from({ length: 12 }, (_, at) => row[at % 3]!),
    );
    const weight = tensor([2, 3], Float32Array.of(1, 2, 4, 0, 0, 0));
    const options = { bits: 8, groups: 4, chunk: 4 };
    const layer = { name: "l", weight, weights: coreWeights(weight, 8), bias: Float32Array.of(10, 20) };
    const signed = linearProducts(same, [layer], { ...options, unsigned: false, bias: true, relu: false })[0]!;
    expect(joined(signed)).toEqual([11, 20, 11, 20, 11, 20, 11, 20]);
    const zeros = linearProducts(tensor([2, 3], new Float32Array(6)), [layer], { ...options, unsigned: true, bias: false, relu: false })[0]!;
    expect(joined(zeros)).toEqual([10, 20, 10, 20]);
    const one = tensor([1, 3], row);
    expect(joined(scoreProducts("s", one, one, { ...options, chunk: 1 }))).toEqual([13.25]);
    expect(joined(valueProducts("v", tensor([1, 1], Float32Array.of(1)), tensor([1, 3], new Float32Array(3)), options))).toEqual([0, 0, 0]);
    const nan = tensor([1, 3], Float32Array.of(Number.POSITIVE_INFINITY, 0, 0));
    expect(() => scoreProducts("s", nan, one, options)).toThrow("no scale fits");
  });

  test("an accumulator that leaves its range is refused, with the product's name", () => {
    const x = tensor([2, 2], Float32Array.of(100, 0.004, -100, -0.004));
    const weight = tensor([1, 2], Float32Array.of(1, 1));
    const layer = { name: "wide", weight, weights: coreWeights(weight, 8), bias: null };
    const [[product]] = linearProducts(x, [layer], { bits: 8, groups: 16, chunk: 2, unsigned: false, bias: true, relu: false }) as [[CoreProduct]];
    expect(() => coreResult(product, 24)).toThrow(/accumulators of wide leave the range of 24 bits/);
    expect(coreResult(product, 32)).toHaveLength(2);
  });
});

describe("a whole pass", () => {
  const batches: ProductBatch[] = [];
  const record = (accWidth: number) => async (batch: ProductBatch) => {
    batches.push(batch);
    return inSoftware(accWidth)(batch);
  };

  test("asks for the products of each block in six batches, those of one input together", async () => {
    batches.length = 0;
    await tenderForward(forward(demoTokens(model, 6)), { bits: 8, groups: 8, chunk: 4 }, record(32));
    expect(batches).toHaveLength(36);
    expect(batches.slice(6, 12).map(({ block, products }) => [block, products.map(({ name }) => name.replace("blocks.1.", ""))])).toEqual([
      [1, ["attn.q", "attn.q rows 4..5", "attn.k", "attn.k rows 4..5", "attn.v", "attn.v rows 4..5"]],
      [1, [0, 1, 2, 3].flatMap((head) => [`attn.scores.${head}`, `attn.scores.${head} rows 4..5`])],
      [1, [0, 1, 2, 3].flatMap((head) => [`attn.values.${head}`, `attn.values.${head} rows 4..5`])],
      [1, ["attn.o", "attn.o rows 4..5"]],
      [1, ["ff.up", "ff.up rows 4..5"]],
      [1, ["ff.down", "ff.down rows 4..5"]],
    ]);
    const flat = batches.flatMap(({ products }) => products);
    expect(new Set(flat.map(({ name }) => name)).size).toBe(flat.length);
    expect(flat.filter(({ relu }) => relu).map(({ name }) => name)).toEqual(
      [0, 1, 2, 3, 4, 5].flatMap((at) => [`blocks.${at}.ff.up`, `blocks.${at}.ff.up rows 4..5`]),
    );
    // Shared operands are the same arrays.
    const [q, , k] = batches[0]!.products;
    expect([q!.order === k!.order, q!.codes.buffer === k!.codes.buffer, q!.weights === k!.weights]).toEqual([true, true, false]);
    const first = batches[0]!.products[0]!.weights;
    batches.length = 0;
    await tenderForward(forward(demoTokens(model, 3)), { bits: 8, groups: 8, chunk: 4 }, record(32));
    expect(batches[0]!.products[0]!.weights).toBe(first);
  });

  test.each([
    [15, 1, 256, 0.05],
    [15, 8, 16, 0.05],
    [8, 8, 256, 1.5],
  ])("at %d bits, %d groups, chunks of %d its logits are near those of fp32", async (bits, groups, chunk, bound) => {
    const tokens = demoTokens(model, 40);
    const exact = model.logits(tokens, linearOf({ name: "fp32" }));
    const got = await tenderForward(forward(tokens), { bits, groups, chunk }, inSoftware(48));
    expect(largestDifference(got, exact)).toBeLessThan(bound);
    expect(got).not.toEqual(exact);
    expect(await tenderForward(forward(tokens), { bits, groups, chunk }, inSoftware(48))).toEqual(got);
  });

  test("one token, which has nothing to quantise but what follows softmax and ReLU", async () => {
    const tokens = demoTokens(model, 1);
    const got = await tenderForward(forward(tokens), { bits: 8, groups: 8, chunk: 1 }, inSoftware(32));
    expect(largestDifference(got, model.logits(tokens, linearOf({ name: "fp32" })))).toBeLessThan(0.5);
  });

  test("a wrong result of any product changes the logits", async () => {
    const tokens = demoTokens(model, 3);
    const options = { bits: 8, groups: 8, chunk: 4 };
    const right = await tenderForward(forward(tokens), options, inSoftware(32));
    for (const spoiled of ["blocks.0.attn.q", "blocks.2.attn.scores.3", "blocks.3.attn.values.1", "blocks.4.ff.up", "blocks.5.ff.down"]) {
      const got = await tenderForward(forward(tokens), options, async (batch) => {
        const results = await inSoftware(32)(batch);
        return results.map((result, at) => (batch.products[at]!.name === spoiled ? result.map((y, index) => (index % 2 === 0 ? y + 3 : y)) : result));
      });
      expect(got, spoiled).not.toEqual(right);
    }
  });
});

test("the official decoder layers with attention in integers, dynamic: the same block gives their outputs", async () => {
  const file = await readJson(join(import.meta.dirname, "../vectors/tender.json.br"));
  const cases = file
    .get("cases")
    .items()
    .filter((entry) => entry.get("name").text().endsWith("_all_dyn"));
  expect(cases.length).toBeGreaterThan(0);
  for (const entry of cases) {
    const sizes = readLayerSizes(entry);
    const { norms, linear } = readParameters(entry.get("params"), sizes);
    const layer = (name: keyof typeof linear) => ({ name, ...linear[name] });
    const norm =
      ({ gain, shift }: (typeof norms)["final"]) =>
      (x: Float32Array) =>
        layerNorm(x, gain, shift);
    const block = {
      index: 0,
      heads: sizes.heads,
      headDim: sizes.depth,
      n1: norm(norms.attention),
      n2: norm(norms.final),
      qkv: [layer("q_proj"), layer("k_proj"), layer("v_proj")],
      o: layer("o_proj"),
      up: layer("fc1"),
      down: layer("fc2"),
    };
    const shape = [sizes.tokens, sizes.hidden];
    const x = entry.get("x").floats(shape).slice();
    const pass = (function* () {
      yield* optBlock(x, block);
      return x;
    })();
    const y = await tenderForward(pass, { bits: sizes.bits, groups: sizes.groups, chunk: sizes.chunk }, inSoftware(48));
    const official = entry.get("official_layer_output").floats(shape);
    expect(largestDifference(y, official)).toBeLessThan(largest(official) * 2 ** -18);
  }
});
