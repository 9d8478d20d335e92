import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CoreProduct } from "../../src/golden/tender/core-product.ts";
import { coreResult } from "../../src/golden/tender/core-product.ts";
import { addParts, roundToBfloat16, splitProduct, splitResult } from "../../src/golden/tender/split.ts";
import { definition, products } from "./arbitraries.ts";

const withUnitScales = (product: Parameters<typeof definition>[0], scale = 1): CoreProduct => ({
  ...product,
  name: "a product",
  scales: new Float32Array(product.columns).fill(scale),
  compensation: Float32Array.from({ length: product.columns }, (_, column) => column - 1),
  rowCompensation: undefined,
  relu: false,
});

/** Products of several channels, with a number of parts. */
const cut = products({ channels: 12, groups: 8 }).chain((product) =>
  fc.record({ product: fc.constant(product), parts: fc.integer({ min: 1, max: product.channels }) }),
);

describe("a product in parts", () => {
  it("has their accumulators, times the power of two of each part's smallest group, as its own", () => {
    fc.assert(
      fc.property(cut, ({ product, parts }) => {
        const pieces = splitProduct(withUnitScales(product), parts);
        const sums = pieces.map((piece) => definition(piece).map((value) => value * BigInt(piece.scales[0]!)));
        expect(definition(product)).toEqual(sums[0]!.map((_, at) => sums.reduce((sum, values) => sum + values[at]!, 0n)));
      }),
    );
  });

  it("has parts that are products of the core: equal, their last group not empty, no channel left out", () => {
    fc.assert(
      fc.property(cut, ({ product, parts }) => {
        const pieces = splitProduct(withUnitScales(product), parts);
        const sizes = pieces.map(({ channels }) => channels);
        expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(product.channels);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        for (const { groupSizes, groupOf, order, channels, codes, weights, rows, columns } of pieces) {
          expect(groupSizes.at(-1)).toBeGreaterThan(0);
          expect(groupSizes.map((_, group) => groupOf.filter((index) => index === groupSizes.length - 1 - group).length)).toEqual(groupSizes);
          expect(Array.from(order)).toEqual([...groupOf].map((_, at) => at));
          expect([codes.length, weights.length]).toEqual([rows * channels, columns * channels]);
        }
      }),
    );
  });

  it("adds up to the product where no sum rounds, and is the product where it is one part", () => {
    fc.assert(
      fc.property(products({ channels: 12, groups: 3, bits: [4] }), (product) => {
        const whole = withUnitScales(product, 0.25);
        expect([...splitResult(whole, product.channels, 32)]).toEqual([...coreResult(whole, 32)]);
      }),
    );
    fc.assert(
      fc.property(products({ channels: 12, groups: 8 }), (product) => {
        const whole = { ...withUnitScales(product, Math.fround(0.1)), relu: true };
        expect([...splitResult(whole, 1, 48)]).toEqual([...coreResult(whole, 48)]);
      }),
    );
  });

  it("rounds each sum, from the first part on, and has ReLU last", () => {
    const large = Float32Array.of(2 ** 24, -1, -0);
    const one = Float32Array.of(1, 3, -0);
    expect([...addParts([large, one, one], false)]).toEqual([2 ** 24, 5, -0]);
    expect([...addParts([one, one, large], true)]).toEqual([2 ** 24 + 2, 5, 0]);
  });

  it("rounds to bfloat16, ties to even", () => {
    expect([...roundToBfloat16(Float32Array.of(1 + 2 ** -8, 1 + 3 * 2 ** -8, -3, Number.NaN, Number.NEGATIVE_INFINITY))]).toEqual([
      1,
      1 + 2 ** -6,
      -3,
      Number.NaN,
      Number.NEGATIVE_INFINITY,
    ]);
  });
});
