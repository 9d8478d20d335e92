import fc from "fast-check";
import { expect, test } from "vitest";
import { multiply, packMatrix } from "../../src/model/gemm.ts";

const extent = fc.oneof(fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 9, 16, 17), fc.integer({ min: 1, max: 40 }));
/** Products and sums of these stay below 2^24, so binary32 holds every sum exactly. */
const small = fc.oneof(fc.constantFrom(-255, -1, 0, 1, 255), fc.integer({ min: -255, max: 255 }));
const integers = (length: number): fc.Arbitrary<Float32Array> =>
  fc.array(small, { minLength: length, maxLength: length }).map((values) => Float32Array.from(values));

test("the product equals the sum over channels for any shape and layout", () => {
  const problem = fc
    .record({ tokens: extent, rows: extent, channels: extent, offset: fc.nat(3), gap: fc.nat(3), byChannel: fc.boolean() })
    .chain(({ tokens, rows, channels, offset, gap, byChannel }) => {
      const layout = byChannel ? { rowStride: 1, channelStride: rows + gap } : { rowStride: channels + gap, channelStride: 1 };
      const size = offset + (rows - 1) * layout.rowStride + (channels - 1) * layout.channelStride + 1;
      return fc.record({
        layout: fc.constant({ rows, channels, offset, ...layout }),
        tokens: fc.constant(tokens),
        x: integers(tokens * channels),
        data: integers(size),
      });
    });
  fc.assert(
    fc.property(problem, ({ layout, tokens, x, data }) => {
      const { rows, channels, offset, rowStride, channelStride } = layout;
      const expected = Array.from({ length: tokens * rows }, (_, at) => {
        const [token, row] = [Math.floor(at / rows), at % rows];
        let sum = 0;
        for (let channel = 0; channel < channels; channel++) sum += x[token * channels + channel]! * data[offset + row * rowStride + channel * channelStride]!;
        return sum;
      });
      expect(Array.from(multiply(x, packMatrix(data, layout)))).toEqual(expected);
    }),
    { numRuns: 200 },
  );
});

test("sums are binary32, channels ascending", () => {
  const x = Float32Array.of(2 ** 24, 1, 1, -(2 ** 24));
  expect(multiply(x, packMatrix(Float32Array.of(1, 1, 1, 1), { rows: 1, channels: 4 }))[0]).toBe(0);
});

test("the kernel's memory grows with the problem and keeps nothing of the one before", () => {
  const big = multiply(new Float32Array(600 * 300).fill(1), packMatrix(new Float32Array(500 * 300).fill(2), { rows: 500, channels: 300 }));
  expect(big.every((value) => value === 600)).toBe(true);
  expect(Array.from(multiply(Float32Array.of(3), packMatrix(Float32Array.of(5, 7), { rows: 2, channels: 1 })))).toEqual([15, 21]);
  expect(multiply(new Float32Array(0), packMatrix(Float32Array.of(5), { rows: 1, channels: 1 }))).toHaveLength(0);
});
