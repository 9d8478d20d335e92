import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Beat } from "../../src/golden/tender/beats.ts";
import { tileSchedule } from "../../src/golden/tender/beats.ts";
import { composableAccumulate, mergePlanes, splitCode } from "../../src/golden/tender/composable.ts";
import type { Product } from "../../src/golden/tender/matmul.ts";
import { columnBound, largestCode, safeWidth, shiftAccumulate, shiftAccumulateWrapped, wrap } from "../../src/golden/tender/matmul.ts";
import { traceAccumulators } from "../../src/golden/tender/trace.ts";
import { corners, definition, products } from "./arbitraries.ts";

const width = corners(24, 48);
const shiftWidth = fc.constantFrom(1 as const, 2 as const);

/** The register in big integers: value and flag of one element. */
const register = (product: Product, beats: readonly Beat[], element: number, bits: number): { value: bigint; overflow: boolean } => {
  const row = Math.floor(element / product.columns);
  const column = element % product.columns;
  let value = 0n;
  let overflow = false;
  for (const { channel, shift, first } of beats) {
    const term = channel < 0 ? 0n : BigInt(product.codes[row * product.channels + channel]!) * BigInt(product.weights[column * product.channels + channel]!);
    const exact = first ? term : value * 2n ** BigInt(shift) + term;
    value = BigInt.asIntN(bits, exact);
    overflow ||= value !== exact;
  }
  return { value, overflow };
};

describe("shift-accumulate", () => {
  test("equals the sum of 2^i x w, in doubles and in big integers", () => {
    fc.assert(
      fc.property(products({ groups: 64 }), (product) => {
        expect(Array.from(shiftAccumulate(product), BigInt)).toEqual(definition(product));
      }),
    );
  });

  test("goes over to big integers where doubles would round", () => {
    const product: Product = {
      codes: Int16Array.of(127, 1),
      weights: Int16Array.of(127, 1),
      groupOf: Uint8Array.of(45, 0),
      order: [0, 1],
      groupSizes: [1, ...Array.from({ length: 44 }, () => 0), 1],
      rows: 1,
      columns: 1,
      channels: 2,
      bits: 8,
      unsigned: false,
    };
    expect(shiftAccumulate(product)).toEqual([127n * 127n * 2n ** 45n + 1n]);
  });

  test("any order inside a group gives the same accumulators", () => {
    fc.assert(
      fc.property(products(), fc.infiniteStream(fc.nat()), width, (product, numbers, bits) => {
        const order = Array.from(product.order);
        for (let from = 0, group = 0; group < product.groupSizes.length; from += product.groupSizes[group++]!)
          for (let last = product.groupSizes[group]! - 1; last > 0; last--) {
            const other = from + (numbers.next().value % (last + 1));
            [order[from + last], order[other]] = [order[other]!, order[from + last]!];
          }
        expect(shiftAccumulateWrapped({ ...product, order }, bits).values).toEqual(shiftAccumulateWrapped(product, bits).values);
        expect(traceAccumulators({ ...product, order }).final).toEqual(traceAccumulators(product).final);
      }),
    );
  });

  test("wrapped is exact modulo 2^width, and the flag is raised by exactly the beats that don't fit", () => {
    fc.assert(
      fc.property(products({ groups: 20, bits: [8, 15] }), width, shiftWidth, (product, bits, code) => {
        const wrapped = shiftAccumulateWrapped(product, bits, code);
        const { beats } = tileSchedule(product.order, product.groupSizes, { shiftWidth: code });
        for (const [element, exact] of definition(product).entries()) {
          const expected = register(product, beats, element, bits);
          expect(BigInt(wrapped.values[element]!)).toBe(BigInt.asIntN(bits, exact));
          expect(BigInt(wrapped.values[element]!)).toBe(expected.value);
          expect(wrapped.overflow[element] === 1).toBe(expected.overflow);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("an overflow that is taken back leaves the value right and the flag up", () => {
    const [rows, columns, channels, bits, unsigned] = [1, 1, 3, 15, false] as const;
    const operands = { codes: Int16Array.of(-16384, -16384, 16383), weights: Int16Array.of(-16384, -16384, -16384), groupOf: Uint8Array.of(0, 0, 0) };
    const product = { ...operands, order: [0, 1, 2], groupSizes: [3], rows, columns, channels, bits, unsigned };
    expect(shiftAccumulateWrapped(product, 30)).toEqual({ values: Float64Array.of(268451840), overflow: Uint8Array.of(1) });
    expect(shiftAccumulateWrapped(product, 31)).toEqual({ values: Float64Array.of(268451840), overflow: Uint8Array.of(0) });
  });

  test("accumulator widths outside 24..48 are refused", () => {
    const [product] = fc.sample(products(), 1);
    for (const bits of [23, 49, 32.5]) expect(() => shiftAccumulateWrapped(product!, bits)).toThrow(/not an integer from 24 to 48/);
  });

  test("wraps to signed numbers", () => {
    expect([2 ** 23, -(2 ** 23) - 1, 2 ** 24 + 5, -1].map((value) => wrap(value, 24))).toEqual([-(2 ** 23), 2 ** 23 - 1, 5, -1]);
  });
});

describe("accumulator bound", () => {
  test("covers every beat of every activation, and full-scale activations reach it", () => {
    fc.assert(
      fc.property(products(), (product) => {
        const bound = columnBound(product);
        expect(traceAccumulators(product).peak <= Number(bound.reduce((most, value) => (value > most ? value : most)))).toBe(true);
        const full = largestCode(product.bits, product.unsigned);
        const codes = new Int16Array(product.codes.length).fill(product.unsigned ? full : -full);
        const weights = product.weights.map(Math.abs);
        const reached = Array.from(shiftAccumulate({ ...product, codes, weights }), BigInt).map((value) => (value < 0n ? -value : value));
        expect(reached.slice(0, product.columns)).toEqual(bound);
        expect(bound).toEqual(columnBound({ ...product, weights }));
      }),
    );
  });

  test("no flag at the safe width, whatever the activations", () => {
    fc.assert(
      fc.property(products({ groups: 12 }), (product) => {
        const bits = Math.max(24, ...columnBound(product).map(safeWidth));
        const { beats } = tileSchedule(product.order, product.groupSizes, { shiftWidth: 2 });
        for (let element = 0; element < product.rows * product.columns; element++) expect(register(product, beats, element, bits).overflow).toBe(false);
        expect([0n, 1n, 127n, 128n].map(safeWidth)).toEqual([2, 2, 8, 9]);
      }),
    );
  });

  test("products that overflow 32 bits, as research 2.5 counts them", () => {
    const count = (groups: number, bits: number, unsigned: boolean): number =>
      Math.floor(2 ** 31 / ((unsigned ? 2 ** bits - 1 : 2 ** (bits - 1)) * (2 ** (bits - 1) - 1) * 2 ** (groups - 1))) + 1;
    for (const [groups, bits, unsigned] of [
      [16, 8, false],
      [8, 8, true],
      [14, 4, false],
    ] as const) {
      const channels = count(groups, bits, unsigned);
      const operand = {
        weights: new Int16Array(channels).fill(2 ** (bits - 1) - 1),
        columns: 1,
        groupOf: new Uint8Array(channels).fill(groups - 1),
        bits,
        unsigned,
      };
      expect(columnBound({ ...operand, channels })[0]! >= 2n ** 31n).toBe(true);
      expect(columnBound({ ...operand, weights: operand.weights.slice(1), groupOf: operand.groupOf.slice(1), channels: channels - 1 })[0]! < 2n ** 31n).toBe(
        true,
      );
    }
  });
});

describe("trace", () => {
  test("after each group it holds that group's accumulator, empty groups doubled", () => {
    const operands = { codes: Int16Array.of(3, -5), weights: Int16Array.of(7, 2), order: [0, 1], groupSizes: [1, 0, 1], rows: 1, columns: 1, channels: 2 };
    expect(traceAccumulators(operands)).toEqual({ afterGroup: Float64Array.of(21, 42, 74), final: Float64Array.of(74), peak: 84 });
  });
});

describe("composable cluster", () => {
  test("all 65,536 pairs of codes, signed and unsigned activations: the merge is the product", () => {
    const beats: Beat[] = [{ channel: 0, shift: 0, first: true, last: true }];
    let wrong = 0;
    for (let weight = -128; weight < 128; weight++)
      for (let code = -128; code < 256; code++) if (composableAccumulate(beats, [code], [weight], 32).value !== code * weight) wrong++;
    expect(wrong).toBe(0);
  });

  test("halves are five-bit signed numbers", () => {
    for (let code = -128; code < 256; code++) {
      const { high, low } = splitCode(code);
      expect(16 * high + low).toBe(code);
      expect(high >= -8 && high <= 15 && low >= 0 && low <= 15).toBe(true);
    }
  });

  test("equals the plain accumulator modulo 2^width for any product, and every loss is flagged", () => {
    fc.assert(
      fc.property(products({ bits: [8], groups: 20 }), width, shiftWidth, (product, bits, code) => {
        const { beats } = tileSchedule(product.order, product.groupSizes, { shiftWidth: code });
        for (const [element, exact] of definition(product).entries()) {
          const row = Math.floor(element / product.columns) * product.channels;
          const column = (element % product.columns) * product.channels;
          const merged = composableAccumulate(
            beats,
            product.codes.subarray(row, row + product.channels),
            product.weights.subarray(column, column + product.channels),
            bits,
          );
          expect(BigInt(merged.value)).toBe(BigInt.asIntN(bits, exact));
          if (BigInt(merged.value) !== exact) expect(merged.overflow).toBe(true);
        }
      }),
    );
  });

  test("flags a plane and the merge separately", () => {
    expect(mergePlanes({ hh: 2 ** 15, hl: 0, lh: 0, ll: 0 }, 24)).toEqual({ value: -(2 ** 23), overflow: true });
    expect(mergePlanes({ hh: 2 ** 15 - 1, hl: 15, lh: 0, ll: 0 }, 24)).toEqual({ value: 2 ** 23 - 16, overflow: false });
    const beats: Beat[] = Array.from({ length: 13 }, (_, at) => ({
      channel: at === 0 || at === 12 ? 0 : -1,
      shift: at === 0 ? 0 : 2,
      first: at === 0,
      last: at === 12,
    }));
    const wide = composableAccumulate(beats, [15], [15], 24);
    expect(wide.planeValues).toEqual({ hh: 0, hl: 0, lh: 0, ll: 225 });
    expect(wide.overflow).toBe(true);
  });
});
