import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/base/error.ts";
import { tensor } from "../../src/base/tensor.ts";
import { halfScales, roundToHalf } from "../../src/golden/tender/half.ts";
import { codeRange, dequantize, quantizeWeights, roundHalfEven, symQuant, unsignedQuant } from "../../src/golden/tender/quantize.ts";
import { floats } from "./arbitraries.ts";

describe("quantiser", () => {
  test("ties go to even, on both sides of zero", () => {
    expect([0.5, 1.5, 2.5, 3.5, -0.5, -1.5, -2.5, 0.49999997, -0.49999997].map(roundHalfEven)).toEqual([0, 2, 2, 4, 0, -2, -2, 0, 0]);
    expect([2.5, 3.5, -2.5, -3.5].map((value) => symQuant(value, 1, 4))).toEqual([2, 4, -2, -4]);
    expect([2.5, 3.5].map((value) => unsignedQuant(value, 1, 4))).toEqual([2, 4]);
  });

  test("rounding agrees with its definition on every magnitude up to 2^51", () => {
    fc.assert(
      fc.property(fc.double({ min: -(2 ** 50), max: 2 ** 50, noNaN: true }), (value) => {
        const floor = Math.floor(value);
        const fraction = value - floor;
        const even = floor % 2 === 0 ? floor : floor + 1;
        expect(roundHalfEven(value) === (fraction === 0.5 ? even : fraction < 0.5 ? floor : floor + 1)).toBe(true);
      }),
    );
  });

  test("clips to the asymmetric signed range and to the unsigned one", () => {
    expect([100, -100, 7.6, -8.4].map((value) => symQuant(value, 1, 4))).toEqual([7, -8, 7, -8]);
    expect([300, -1, 255.4].map((value) => unsignedQuant(value, 1, 8))).toEqual([255, 0, 255]);
    expect(codeRange(8, false)).toEqual({ low: -128, high: 127 });
    expect(codeRange(4, true)).toEqual({ low: 0, high: 15 });
  });

  test("divides by at least 1e-9 but dequantises with the true scale", () => {
    expect(symQuant(Math.fround(1e-9), Math.fround(1e-12), 8)).toBe(1);
    expect(symQuant(Math.fround(-3e-9), Math.fround(-1e-12), 8)).toBe(-3);
    expect(dequantize(3, Math.fround(1e-12))).toBe(Math.fround(3e-12));
  });

  test("a zero or undefined scale is refused, a NaN value gives 0", () => {
    for (const scale of [0, -0, Number.NaN]) {
      expect(() => symQuant(1, scale, 8)).toThrow(UserError);
      expect(() => unsignedQuant(1, scale, 8)).toThrow(UserError);
    }
    expect(symQuant(Number.NaN, 1, 8)).toBe(0);
    expect(() => quantizeWeights(tensor([2, 2], Float32Array.of(1, 2, 0, 0)), 8)).toThrow(/scale is 0/);
    expect(() => quantizeWeights(tensor([1, 1], Float32Array.of(1)), 1)).toThrow(/1 bits/);
  });

  test("rounds the quotient to binary32 before rounding to an integer", () => {
    // Below one and a half in double, exactly one and a half in binary32: the tie goes to 2.
    expect(symQuant(Math.fround(1.4999999), Math.fround(0.99999994), 8)).toBe(2);
    expect(roundHalfEven(Math.fround(1.4999999) / Math.fround(0.99999994))).toBe(1);
  });

  test("weights: each row by its own scale, element by element as sym_quant", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(2, 4, 5, 8, 15),
        fc.integer({ min: 1, max: 5 }),
        fc.array(floats, { minLength: 1, maxLength: 30 }),
        (bits, channels, values) => {
          const rows = Math.ceil(values.length / channels);
          const data = Float32Array.from({ length: rows * channels }, (_, at) => values[at] ?? 0);
          for (let row = 0; row < rows; row++) data[row * channels] ||= 0.25;
          const { codes, scales } = quantizeWeights(tensor([rows, channels], data), bits);
          for (const [at, code] of codes.entries()) {
            const row = data.subarray(Math.floor(at / channels) * channels, (Math.floor(at / channels) + 1) * channels);
            const scale = Math.fround(Math.max(...row.map(Math.abs)) / (2 ** (bits - 1) - 1));
            expect(scales[Math.floor(at / channels)]).toBe(scale);
            expect(code).toBe(symQuant(data[at]!, scale, bits));
            expect(Math.abs(code)).toBeLessThanOrEqual(2 ** (bits - 1) - 1);
          }
        },
      ),
    );
  });
});

describe("binary16 scales", () => {
  test("rounds to eleven bits, to even, through subnormals to infinity", () => {
    expect([2049, 2051, 1 + 2 ** -11, 2 ** -25, 3 * 2 ** -25, 65519, 65520, -0.1].map(roundToHalf)).toEqual([
      2048,
      2052,
      1,
      0,
      2 ** -23,
      65504,
      Number.POSITIVE_INFINITY,
      -0.0999755859375,
    ]);
  });

  test("scales stop being powers of two apart once they are subnormal", () => {
    expect(halfScales(20, 8, 8).ratioError).toBe(0);
    expect(halfScales(0.75, 20, 4).ratioError).toBeGreaterThan(0.1);
  });
});
