import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random } from "../../src/base/random.ts";
import type { Tensor } from "../../src/base/tensor.ts";
import { tensor } from "../../src/base/tensor.ts";
import { quantizeKeys, tenderScores, tenderValues, transpose } from "../../src/golden/tender/attention.ts";
import { quantizeActivations } from "../../src/golden/tender/groups.ts";
import { tenderLinear, vectorUnit } from "../../src/golden/tender/matmul.ts";
import { matmul32, officialLinear, officialScores, officialValues } from "../../src/golden/tender/official.ts";
import { causalSoftmax, layerNorm } from "../../src/golden/tender/opt-layer.ts";
import { quantizeWeights } from "../../src/golden/tender/quantize.ts";

const random = (seed: number, rows: number, columns: number, outlier = 1): Tensor<Float32Array> => {
  const source = new Random(seed);
  return tensor(
    [rows, columns],
    Float32Array.from({ length: rows * columns }, (_, at) => (source.float() - 0.5) * (at % columns === 1 ? outlier : 1)),
  );
};

const largestDifference = (a: Float32Array, b: ArrayLike<number>): number => a.reduce((most, value, at) => Math.max(most, Math.abs(value - b[at]!)), 0);

const sizes = fc.record({
  seed: fc.nat(),
  rows: fc.integer({ min: 2, max: 9 }),
  channels: fc.integer({ min: 2, max: 19 }),
  columns: fc.integer({ min: 2, max: 9 }),
  chunk: fc.integer({ min: 2, max: 6 }),
  groups: fc.integer({ min: 1, max: 8 }),
  bits: fc.constantFrom(4, 8),
});

describe("vector unit", () => {
  test("scales, rounds, then adds: not a fused multiply-add", () => {
    const scale = Math.fround(0.1);
    expect(vectorUnit(3, scale, Math.fround(-0.3))).toBe(Math.fround(Math.fround(3 * scale) + Math.fround(-0.3)));
    expect(vectorUnit(3, scale, Math.fround(-0.3))).not.toBe(Math.fround(3 * scale + Math.fround(-0.3)));
    // The accumulator itself is rounded to binary32 first.
    expect(vectorUnit(2 ** 24 + 1, scale, 0)).toBe(1677721.625);
    expect(Math.fround((2 ** 24 + 1) * scale)).toBe(1677721.75);
  });
});

describe("integer path against the float emulation", () => {
  test("a linear layer, signed and unsigned, with and without accumulator width", () => {
    fc.assert(
      fc.property(sizes, fc.boolean(), ({ seed, rows, channels, columns, chunk, groups, bits }, unsigned) => {
        const raw = random(seed, rows, channels, 50);
        const x = unsigned ? tensor(raw.shape, raw.data.map(Math.abs)) : raw;
        const weight = random(seed + 1, columns, channels);
        const bias = random(seed + 2, 1, columns).data;
        const options = { bits, groups, chunk, unsigned };
        const { y, acc } = tenderLinear(x, weight, bias, options);
        const official = officialLinear(x, weight, bias, quantizeWeights(weight, bits), options).output;
        expect(largestDifference(y.data, official.data)).toBeLessThan(1e-3);
        expect(y.shape).toEqual([rows, columns]);
        const narrow = tenderLinear(x, weight, bias, { ...options, accWidth: 40 });
        expect(narrow.acc).toEqual(acc);
        expect(narrow.overflow!.every((flags) => flags.every((flag) => flag === 0))).toBe(true);
      }),
    );
  });

  test("an accumulator too narrow is flagged", () => {
    const x = tensor([2, 2], Float32Array.of(100, 1, -100, 0.01));
    const weight = tensor([1, 2], Float32Array.of(1, 1));
    expect(tenderLinear(x, weight, null, { bits: 8, groups: 16, chunk: 2, accWidth: 24 }).overflow![0]).toEqual(Uint8Array.of(1, 1));
    expect(tenderLinear(x, weight, null, { bits: 8, groups: 16, chunk: 2, accWidth: 32 }).overflow![0]).toEqual(Uint8Array.of(0, 0));
  });

  test("QK^T with both biases folded, and S·V", () => {
    fc.assert(
      fc.property(sizes, ({ seed, rows, channels, chunk, groups, bits }) => {
        const shifted = random(seed, rows, channels, 20);
        const queries = tensor(
          shifted.shape,
          shifted.data.map((value) => value + 3),
        );
        const keys = random(seed + 1, rows, channels, 10);
        const options = { bits, groups, chunk };
        const { y } = tenderScores(queries, keys, options);
        const official = officialScores(queries, keys, options);
        expect(largestDifference(y.data, official.output.data)).toBeLessThan(1e-3);

        const scores = causalSoftmax(matmul32(queries, keys));
        const values = random(seed + 2, rows, channels);
        const mixed = tenderValues(scores, values, options);
        expect(largestDifference(mixed.y.data, officialValues(scores, values, options).output.data)).toBeLessThan(1e-5);
      }),
    );
  });

  test("eight bits stay close to the unquantised product", () => {
    const x = random(5, 12, 16, 30);
    const weight = random(6, 7, 16);
    const { y } = tenderLinear(x, weight, null, { bits: 8, groups: 8, chunk: 4 });
    expect(largestDifference(y.data, matmul32(x, weight).data)).toBeLessThan(0.1);
    const scores = tenderScores(x, random(7, 12, 16), { bits: 8, groups: 8, chunk: 4 }).y;
    expect(largestDifference(scores.data, matmul32(x, random(7, 12, 16)).data)).toBeLessThan(0.1);
    const unit = causalSoftmax(random(8, 12, 12));
    const values = random(9, 12, 5);
    expect(largestDifference(tenderValues(unit, values, { bits: 8, groups: 8, chunk: 4 }).y.data, matmul32(unit, transpose(values)).data)).toBeLessThan(0.01);
  });

  test("weights that don't fit are refused", () => {
    expect(() => tenderLinear(random(1, 2, 3), random(2, 2, 4), null, { bits: 8, groups: 1, chunk: 2 })).toThrow(/4 channels do not fit activations of 3/);
  });

  test("keys lose their midrange per channel, then take a scale a token", () => {
    const { bias, scales, codes } = quantizeKeys(tensor([2, 2], Float32Array.of(1, 10, 3, -10)), 8);
    expect([...bias]).toEqual([2, 0]);
    expect([...scales]).toEqual([Math.fround(10 / 127), Math.fround(10 / 127)]);
    expect([...codes]).toEqual([-13, 127, 13, -127]);
  });

  test("static calibration by chunk position reaches the product", () => {
    const x = random(3, 5, 6, 10);
    const dynamic = quantizeActivations(x, { bits: 8, groups: 4, chunk: 2 });
    const calibration = dynamic.chunks.map(({ bias, tmax, groupOf }) => ({ bias, tmax, groupOf }));
    const weight = random(4, 3, 6);
    const options = { bits: 8, groups: 4, chunk: 2 };
    expect(tenderLinear(x, weight, null, { ...options, calibration })).toEqual(tenderLinear(x, weight, null, options));
    const doubled = calibration.map((chunk) => ({ ...chunk, tmax: 2 * chunk.tmax }));
    expect(tenderLinear(x, weight, null, { ...options, calibration: doubled }).acc).not.toEqual(tenderLinear(x, weight, null, options).acc);
  });
});

describe("float parts of the layer", () => {
  test("LayerNorm agrees with its definition in double, whatever the width", () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 2, max: 300 }), (seed, rows, channels) => {
        const x = random(seed, rows, channels, 20);
        const gain = random(seed + 1, 1, channels).data;
        const shift = random(seed + 2, 1, channels).data;
        const expected = Array.from(x.data, (value, at) => {
          const row = x.data.subarray(Math.floor(at / channels) * channels, (Math.floor(at / channels) + 1) * channels);
          const mean = row.reduce((sum, item) => sum + item, 0) / channels;
          const variance = row.reduce((sum, item) => sum + (item - mean) ** 2, 0) / channels;
          return ((value - mean) / Math.sqrt(variance + 1e-5)) * gain[at % channels]! + shift[at % channels]!;
        });
        expect(largestDifference(layerNorm(x, { gain, shift }).data, expected)).toBeLessThan(2e-5);
      }),
    );
  });

  test("softmax rows sum to one over the tokens so far, and later tokens get exactly zero", () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 20 }), (seed, tokens) => {
        const weights = causalSoftmax(random(seed, tokens, tokens, 30));
        for (let row = 0; row < tokens; row++) {
          const line = weights.data.subarray(row * tokens, (row + 1) * tokens);
          expect(line.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
          expect(line.subarray(row + 1).every((value) => value === 0)).toBe(true);
        }
        expect(weights.data[0]).toBe(1);
      }),
    );
  });
});
