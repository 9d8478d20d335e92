import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tensor } from "../../src/base/tensor.ts";
import { calibrate, maxima, meanBias } from "../../src/golden/tender/calibration.ts";
import { channelOrder, groupScales, groupTable, quantizeActivations, thresholds } from "../../src/golden/tender/groups.ts";
import { symQuant, unsignedQuant } from "../../src/golden/tender/quantize.ts";
import { corners, floats } from "./arbitraries.ts";

/** Mantissa in [1, 2) and exponent of a positive number. */
const split = (value: number): { mantissa: number; exponent: number } => {
  const exponent = Math.floor(Math.log2(value));
  return { mantissa: value / 2 ** exponent, exponent };
};

const activations = fc
  .record({ rows: corners(1, 7), channels: corners(1, 6), chunk: fc.integer({ min: 2, max: 5 }), groups: corners(1, 10), bits: fc.constantFrom(4, 5, 8) })
  .chain((shape) =>
    fc
      .array(floats, { minLength: shape.rows * shape.channels, maxLength: shape.rows * shape.channels })
      .filter((values) => values.some((value) => value !== 0))
      .map((values) => ({ ...shape, x: tensor([shape.rows, shape.channels], Float32Array.from(values)) })),
  );

describe("groups", () => {
  test("a channel exactly at a threshold takes the smaller scale that still covers it", () => {
    expect([...thresholds(8, 4)]).toEqual([1, 2, 4, 8]);
    expect([...groupTable(8, Float32Array.of(0, 1, 1.0000001, 2, 2.5, 4, 4.5, 8), 4)]).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
  });

  test("rounding down takes one scale less, never below the smallest; beyond the maximum is the largest", () => {
    expect([...groupTable(8, Float32Array.of(0.5, 1.5, 3, 8, 9), 4, "rdn")]).toEqual([0, 0, 1, 2, 2]);
    expect([...groupTable(8, Float32Array.of(9), 4)]).toEqual([3]);
  });

  test("the index is a difference of exponents (research 5, idea 7)", () => {
    fc.assert(
      fc.property(
        fc.float({ min: Math.fround(1e-3), max: 1000, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        corners(1, 20),
        (tmax, part, groups) => {
          const cmax = Math.fround(tmax * part);
          const top = split(tmax);
          const own = split(cmax);
          const index = cmax === 0 ? 0 : Math.max(0, groups - 1 - (top.exponent - own.exponent - (own.mantissa > top.mantissa ? 1 : 0)));
          expect(groupTable(tmax, Float32Array.of(cmax), groups)[0]).toBe(index);
        },
      ),
    );
  });

  test("each scale is twice the one before", () => {
    const scales = groupScales(Math.fround(13.7), 8, 8, false);
    for (let index = 1; index < scales.length; index++) expect(scales[index]).toBe(2 * scales[index - 1]!);
    expect(scales[7]).toBe(Math.fround(Math.fround(13.7) / 127));
  });

  test("the order is by group, largest first, ascending inside", () => {
    expect(channelOrder(Uint8Array.of(0, 2, 0, 2, 3), 5)).toEqual({ order: Uint32Array.of(4, 1, 3, 0, 2), groupSizes: [0, 1, 2, 0, 2] });
  });
});

describe("activations", () => {
  test("zero padding takes part in bias and maxima, and padded rows carry the code of minus the bias", () => {
    const { chunks, codes } = quantizeActivations(tensor([1, 2], Float32Array.of(8, -2)), { bits: 8, groups: 2, chunk: 2 });
    expect([...chunks[0]!.bias]).toEqual([4, -1]);
    expect([...chunks[0]!.cmax]).toEqual([4, 1]);
    expect(chunks[0]!.rows).toBe(1);
    expect([...codes]).toEqual([127, symQuant(-1, 2 / 127, 8), -127, symQuant(1, 2 / 127, 8)]);
  });

  test("codes are sym_quant of x minus bias at the channel's scale, for any shape", () => {
    fc.assert(
      fc.property(activations, fc.boolean(), ({ x, rows, channels, chunk, groups, bits }, unsigned) => {
        const data = unsigned ? x.data.map(Math.abs) : x.data;
        // A chunk whose values equal its bias has no scale: give each one two values that differ (or differ from the padding).
        for (let from = 0; from < rows; from += chunk) {
          data[from * channels] = 3;
          if (from + 1 < Math.min(rows, from + chunk)) data[(from + 1) * channels] = unsigned ? 5 : -3;
        }
        const options = { bits, groups, chunk, unsigned, bias: unsigned ? false : rows % 2 === 0 };
        const quantized = quantizeActivations(tensor([rows, channels], data), options);
        const at = (row: number, channel: number): number => (row < rows ? data[row * channels + channel]! : 0);
        for (const [position, entry] of quantized.chunks.entries()) {
          for (let channel = 0; channel < channels; channel++) {
            const column = Array.from({ length: chunk }, (_, row) => at(position * chunk + row, channel));
            const seen = column.slice(0, entry.rows < chunk ? chunk : entry.rows);
            const bias = options.bias ? Math.fround(Math.fround(Math.max(...seen) + Math.min(...seen)) / 2) : 0;
            expect(entry.bias[channel]! - bias).toBe(0);
            expect(entry.cmax[channel]).toBe(Math.max(...seen.map((value) => Math.abs(Math.fround(value - bias)))));
            const scale = entry.scales[entry.groupOf[channel]!]!;
            const quantize = unsigned ? unsignedQuant : symQuant;
            for (const [row, value] of column.entries())
              expect(quantized.codes[(position * chunk + row) * channels + channel]).toBe(quantize(Math.fround(value - bias), scale, bits));
          }
          expect(entry.tmax).toBe(Math.max(...entry.cmax));
        }
      }),
    );
  });

  test("options out of range are refused with the value", () => {
    const x = tensor([2, 1], Float32Array.of(1, 2));
    const options = { bits: 8, groups: 4, chunk: 2 };
    expect(() => quantizeActivations(x, { ...options, bits: 16 })).toThrow(/16 bits/);
    expect(() => quantizeActivations(x, { ...options, groups: 0 })).toThrow(/0 groups/);
    expect(() => quantizeActivations(x, { ...options, chunk: 0 })).toThrow(/chunk of 0 rows/);
    expect(() => quantizeActivations(tensor([2, 1], new Float32Array(2)), options)).toThrow(/largest magnitude 0/);
    expect(() => quantizeActivations(x, { ...options, calibration: [] })).toThrow(/0 chunk positions/);
    expect(() => quantizeActivations(x, { ...options, calibration: [{ tmax: 1, groupOf: Uint8Array.of(4) }] })).toThrow(/beyond 4/);
    expect(() => quantizeActivations(x, { ...options, calibration: [{ tmax: 1, groupOf: Uint8Array.of(0, 1) }] })).toThrow(/1 channels/);
    expect(() => quantizeActivations(x, { ...options, calibration: [{ tmax: 0, groupOf: Uint8Array.of(0) }] })).toThrow(/maximum 0/);
  });
});

describe("static calibration", () => {
  const sample = (bias: number[], tmax: number, cmax: number[]) => ({ bias: Float32Array.from(bias), tmax, cmax: Float32Array.from(cmax) });

  test("bias is the mean over samples, tmax and cmax are maxima, tables follow from the maxima", () => {
    const samples = [[sample([1, -2], 4, [4, 0.5])], [sample([2, 0], 8, [2, 3])], [sample([6, 5], 5, [1, 5])]];
    const [up] = calibrate(samples, 4, "rup");
    const [down] = calibrate(samples, 4, "rdn");
    expect([...up!.bias]).toEqual([3, 1]);
    expect(up!.tmax).toBe(8);
    expect([...up!.cmax]).toEqual([4, 5]);
    expect([...up!.groupOf]).toEqual([2, 3]);
    expect([...down!.groupOf]).toEqual([1, 2]);
    expect(() => calibrate([[sample([1], 1, [1])], []], 4, "rup")).toThrow(/differ in rows/);
    expect(() => calibrate([[sample([1], 1, [1])], [sample([1], 1, [1]), sample([1], 1, [1])]], 4, "rup")).toThrow(/differ in rows/);
    expect(() => calibrate([], 4, "rup")).toThrow(/at least one/);
  });

  test("the mean is taken in binary32, in the order of the samples", () => {
    const values = [1, 2 ** -24, 2 ** -24].map((value) => Float32Array.of(value));
    expect(meanBias(values)[0]).toBe(Math.fround(1 / 3));
    expect(meanBias(values.toReversed())[0]).toBe(Math.fround((1 + 2 ** -23) / 3));
    expect([...maxima([Float32Array.of(1, 5), Float32Array.of(3, 2)])]).toEqual([3, 5]);
  });

  test("data beyond the calibration saturate at both ends", () => {
    const calibration = [{ bias: Float32Array.of(1), tmax: 7, groupOf: Uint8Array.of(0) }];
    const { codes, chunks } = quantizeActivations(tensor([3, 1], Float32Array.of(100, -100, 2)), { bits: 4, groups: 1, chunk: 3, calibration });
    expect([...codes]).toEqual([7, -8, 1]);
    expect(chunks[0]!.tmax).toBe(7);
  });
});
