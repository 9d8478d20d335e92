import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as golden from "../../src/golden/float/binary32.ts";
import { roundHalfEven } from "../../src/golden/tender/quantize.ts";
import { bitsOf, cornerPairs, corners, integers, numberOf, operands, pairs } from "./float-operands.ts";

const operations = [
  { name: "add", model: golden.add, operation: (a: number, b: number) => a + b },
  { name: "subtract", model: golden.subtract, operation: (a: number, b: number) => a - b },
  { name: "multiply", model: golden.multiply, operation: (a: number, b: number) => a * b },
  { name: "divide", model: golden.divide, operation: (a: number, b: number) => a / b },
];

describe.each(operations)("$name", ({ model, operation }) => {
  test("equals Math.fround on all pairs of corners", () => {
    const differ = [...cornerPairs.a].flatMap((a, index) => {
      const b = cornerPairs.b[index]!;
      const expected = bitsOf(Math.fround(operation(numberOf(a), numberOf(b))));
      return model(a, b) === expected ? [] : [{ a, b, expected, got: model(a, b) }];
    });
    expect(differ).toEqual([]);
  });

  test("equals Math.fround on random operands", () => {
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        expect(model(a, b)).toBe(bitsOf(Math.fround(operation(numberOf(a), numberOf(b)))));
      }),
      { numRuns: 20_000 },
    );
  });
});

test("integers up to 2^53 become what Math.fround makes of them", () => {
  fc.assert(
    fc.property(integers(54), (value) => {
      expect(golden.fromInteger(value)).toBe(bitsOf(Math.fround(Number(value))));
    }),
    { numRuns: 5000 },
  );
});

/** The usual short cut, on bits: add half of the last place, less one where it is even. */
const shortBfloat16 = (bits: number): number => (Number.isNaN(numberOf(bits)) ? 0x7fc0 : Math.floor((bits + 0x7fff + ((bits >>> 16) & 1)) / 2 ** 16));

test("bfloat16 equals the short cut on the bits", () => {
  for (const bits of corners) expect(golden.toBfloat16(bits)).toBe(shortBfloat16(bits));
  fc.assert(
    fc.property(operands, (bits) => {
      expect(golden.toBfloat16(bits)).toBe(shortBfloat16(bits));
    }),
    { numRuns: 20_000 },
  );
});

test("integers equal the rounding of the quantiser; NaN is none, and clamps to 0", () => {
  const check = (bits: number): void => {
    const value = numberOf(bits);
    const whole = golden.toInteger(bits);
    if (Number.isNaN(value)) expect(whole).toBeUndefined();
    else if (Number.isFinite(value)) expect(Number(whole)).toBe(roundHalfEven(value));
    else expect(whole! > 2n ** 127n).toBe(value > 0);
    const clamped = Math.min(Math.max(roundHalfEven(value), -128), 127);
    expect(Number(golden.toIntegerClamped(bits, -128n, 127n))).toBe(Number.isNaN(clamped) ? 0 : clamped);
  };
  for (const bits of corners) check(bits);
  fc.assert(fc.property(operands, check), { numRuns: 20_000 });
});
