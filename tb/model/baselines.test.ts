import fc from "fast-check";
import { expect, test } from "vitest";
import { tensor } from "../../src/base/tensor.ts";
import { quantizeUngrouped } from "../../src/golden/baselines.ts";

const value = fc.oneof(fc.constantFrom(0, -0, 1, -1, 0.5, -127, 1e-12, -1e30), fc.float({ noNaN: true, min: -1000, max: 1000 }));
const matrix = fc
  .record({ rows: fc.integer({ min: 1, max: 5 }), channels: fc.integer({ min: 1, max: 5 }) })
  .chain(({ rows, channels }) =>
    fc.array(value, { minLength: rows * channels, maxLength: rows * channels }).map((values) => tensor([rows, channels], Float32Array.from(values))),
  );
const bits = fc.constantFrom(2, 4, 6, 8, 15);

test("every code is in range and within half a step of its value", () => {
  fc.assert(
    fc.property(matrix, bits, fc.constantFrom("tensor", "token"), fc.boolean(), (signed, bits, granularity, unsigned) => {
      const x = unsigned ? tensor(signed.shape, signed.data.map(Math.abs)) : signed;
      const { codes, scales } = quantizeUngrouped(x, granularity, { bits, unsigned });
      const [rows = 0, channels = 0] = x.shape;
      const high = unsigned ? 2 ** bits - 1 : 2 ** (bits - 1) - 1;
      const whole = Math.max(...x.data.map(Math.abs));
      for (let row = 0; row < rows; row++) {
        const values = x.data.subarray(row * channels, (row + 1) * channels);
        expect(scales[row]).toBe(Math.fround((granularity === "tensor" ? whole : Math.max(...values.map(Math.abs))) / high));
        for (const [channel, one] of values.entries()) {
          const code = codes[row * channels + channel]!;
          expect(code).toBeLessThanOrEqual(high);
          expect(code).toBeGreaterThanOrEqual(unsigned ? 0 : -high);
          if (scales[row]! > 1e-9) expect(Math.abs(one - code * scales[row]!)).toBeLessThanOrEqual(scales[row]! * (0.5 + high * 2 ** -22));
        }
      }
    }),
  );
});

test("halves go to the even code, signed and unsigned", () => {
  const x = tensor([1, 6], Float32Array.of(127, 0.5, 1.5, 2.5, 126.5, 0));
  expect(Array.from(quantizeUngrouped(x, "token", { bits: 8 }).codes)).toEqual([127, 0, 2, 2, 126, 0]);
  const y = tensor([1, 3], Float32Array.of(15, 0.5, 1.5));
  expect(Array.from(quantizeUngrouped(y, "tensor", { bits: 4, unsigned: true }).codes)).toEqual([15, 0, 2]);
});

test("a row of zeros has codes and scale 0", () => {
  const x = tensor([2, 2], Float32Array.of(0, 0, 1, -1));
  expect(quantizeUngrouped(x, "token", { bits: 4 })).toEqual({ codes: Int16Array.of(0, 0, 7, -7), scales: Float32Array.of(0, 1 / 7) });
});
