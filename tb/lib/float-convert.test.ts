import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fromInteger, toBfloat16, toInteger, toIntegerClamped } from "../../src/golden/float/binary32.ts";
import { fromIntegerLatency, integerToBinary32Converter } from "../../src/lib/float/from-integer.ts";
import { binary32ToBfloat16Converter, toBfloat16Latency } from "../../src/lib/float/to-bfloat16.ts";
import { binary32ToIntegerConverter, type ToIntegerParameters, toIntegerLatency } from "../../src/lib/float/to-integer.ts";
import { simulate } from "../../src/sim/index.ts";
import { bitsOf, corners, integers, numberOf, operands } from "../golden/float-operands.ts";
import { through, wrong } from "./float-bench.ts";

const engines = ["wasm", "verilator"] as const;

const cornerColumn = { value: Uint32Array.from(corners) };

describe.each([8, 24, 25, 26, 32, 33, 40, 48, 64])("integers of %i bits to binary32", (width) => {
  const column = (values: readonly bigint[]) => ({
    value: width <= 32 ? Int32Array.from(values, Number) : BigInt64Array.from(values),
  });
  // Exact up to 2^53 and rounded once from there; wider ones only the model has.
  const expected = (value: bigint): number => (width <= 53 ? bitsOf(Math.fround(Number(value))) : fromInteger(value));

  test("equals Math.fround on random integers", async () => {
    using sim = await simulate(integerToBinary32Converter({ width }), { engine: "wasm" });
    fc.assert(
      fc.property(fc.array(integers(width), { minLength: 1, maxLength: 1000, size: "max" }), (values) => {
        const given = column(values);
        expect(wrong(given, through(sim, fromIntegerLatency, given)[0]!, (index) => expected(values[index]!))).toEqual([]);
      }),
      { numRuns: 20 },
    );
  });
});

test.each(engines)("accumulators of 48 bits at ends, powers of two and ties, on %s", async (engine) => {
  using sim = await simulate(integerToBinary32Converter({ width: 48 }), { engine });
  const most = 2n ** 47n - 1n;
  const powers = Array.from({ length: 47 }, (_, place) => 2n ** BigInt(place));
  const near = powers.flatMap((power) => [power - 1n, power, power + 1n, power + (power >> 24n), power + 3n * (power >> 24n), power + (power >> 23n)]);
  const values = [...near, most].flatMap((value) => [value, -value]).concat(-most - 1n);
  const given = { value: BigInt64Array.from(values) };
  expect(wrong(given, through(sim, fromIntegerLatency, given)[0]!, (index) => bitsOf(Math.fround(Number(values[index]!))))).toEqual([]);
});

describe.each(engines)("binary32 to bfloat16 on %s", (engine) => {
  test("equals the golden model on corners and on every upper half with every kind of lower half", async () => {
    using sim = await simulate(binary32ToBfloat16Converter(), { engine });
    const lowers = [0x0000, 0x0001, 0x7fff, 0x8000, 0x8001, 0xffff];
    const all = Uint32Array.from({ length: 65_536 * lowers.length }, (_, index) => Math.floor(index / lowers.length) * 65_536 + lowers[index % lowers.length]!);
    for (const given of [cornerColumn, { value: all }]) {
      const [got] = through(sim, toBfloat16Latency, given);
      expect(wrong(given, got!, (index) => toBfloat16(given.value[index]!))).toEqual([]);
    }
  });
});

/** These run as Verilog too. */
const printed: readonly ToIntegerParameters[] = [
  { width: 8, signed: true },
  { width: 4, signed: false },
  { width: 32, signed: true, beyond: "indefinite" },
];

const shapes: readonly ToIntegerParameters[] = [
  ...printed,
  { width: 8, signed: false },
  { width: 4, signed: true },
  { width: 2, signed: true },
  { width: 31, signed: false },
  { width: 32, signed: true },
  { width: 32, signed: false },
  { width: 16, signed: false, beyond: "indefinite" },
];

const expectedInteger =
  ({ width, signed, beyond = "clamp" }: ToIntegerParameters, { value }: { readonly value: Uint32Array }) =>
  (index: number): number => {
    const bits = value[index]!;
    const [low, high] = signed ? [-(2n ** BigInt(width - 1)), 2n ** BigInt(width - 1) - 1n] : [0n, 2n ** BigInt(width) - 1n];
    const whole = toInteger(bits);
    const outside = whole === undefined || whole < low || whole > high;
    const integer = beyond === "indefinite" && outside ? (signed ? low : high) : toIntegerClamped(bits, low, high);
    return Number(BigInt.asUintN(width, integer));
  };

describe.each(shapes.map((parameters) => ({ name: binary32ToIntegerConverter(parameters).name, parameters })))("$name", ({ parameters }) => {
  test.each(printed.includes(parameters) ? engines : (["wasm"] as const))(
    "equals the golden model on corners, and flags NaN and nothing else, on %s",
    async (engine) => {
      using sim = await simulate(binary32ToIntegerConverter(parameters), { engine });
      // Every half from -300 to 300, and its neighbours.
      const halves = Array.from({ length: 1201 }, (_, index) => bitsOf((index - 600) / 2)).flatMap((bits) => [
        bits,
        (bits + 1) % 2 ** 32,
        Math.max(bits - 1, 0),
      ]);
      const given = { value: Uint32Array.from([...corners, ...halves]) };
      const [result, nan] = through(sim, toIntegerLatency, given, ["result", "nan"]);
      expect(wrong(given, result!, expectedInteger(parameters, given))).toEqual([]);
      expect(wrong(given, nan!, (index) => Number(Number.isNaN(numberOf(given.value[index]!))))).toEqual([]);
    },
  );

  test("equals the golden model on random numbers around the range", async () => {
    using sim = await simulate(binary32ToIntegerConverter(parameters), { engine: "wasm" });
    const around = fc.float({ min: -Math.fround(1.5 * 2 ** parameters.width), max: Math.fround(1.5 * 2 ** parameters.width), noNaN: true }).map(bitsOf);
    fc.assert(
      fc.property(fc.array(fc.oneof(operands, around), { minLength: 1, maxLength: 1000, size: "max" }), (values) => {
        const given = { value: Uint32Array.from(values) };
        expect(wrong(given, through(sim, toIntegerLatency, given)[0]!, expectedInteger(parameters, given))).toEqual([]);
      }),
      { numRuns: 20 },
    );
  });
});

test("requantisation's codes: ties go to even, ends clamp, NaN is 0 and flagged", async () => {
  using sim = await simulate(binary32ToIntegerConverter({ width: 8, signed: true }), { engine: "wasm" });
  const numbers = [0.5, 1.5, -0.5, -1.5, 2.5, 126.5, 127.5, -127.5, -128.5, -128.6, 1e30, -Infinity, NaN];
  const [result, nan] = through(sim, toIntegerLatency, { value: Uint32Array.from(numbers, bitsOf) }, ["result", "nan"]);
  expect(Int8Array.from(result!)).toEqual(Int8Array.of(0, 2, 0, -2, 2, 126, 127, -128, -128, -128, 127, -128, 0));
  expect(nan).toEqual(numbers.map((value) => (Number.isNaN(value) ? 1 : 0)));
});

test.each([7, 65, 32.5])("an integer of %d bits to binary32 is refused", (width) => {
  expect(() => integerToBinary32Converter({ width })).toThrow(`8 to 64 bits, not ${width}`);
});

test.each([1, 33, 8.5])("binary32 to an integer of %d bits is refused", (width) => {
  expect(() => binary32ToIntegerConverter({ width, signed: true })).toThrow(`2 to 32 bits, not ${width}`);
});
