import fc from "fast-check";
import { channelOrder } from "../../src/golden/tender/groups.ts";
import type { Product } from "../../src/golden/tender/matmul.ts";
import { codeRange } from "../../src/golden/tender/quantize.ts";

/** Integers of [low, high], often at the corners. */
export const corners = (low: number, high: number): fc.Arbitrary<number> =>
  fc.oneof(fc.constantFrom(...[low, low + 1, -1, 0, 1, high - 1, high].filter((value) => value >= low && value <= high)), fc.integer({ min: low, max: high }));

const codes = (length: number, bits: number, unsigned: boolean): fc.Arbitrary<Int16Array> => {
  const { low, high } = codeRange(bits, unsigned);
  return fc.array(corners(low, high), { minLength: length, maxLength: length }).map((values) => Int16Array.from(values));
};

export interface ProductLimits {
  readonly bits?: readonly number[];
  readonly groups?: number;
  readonly channels?: number;
  readonly rows?: number;
  readonly columns?: number;
}

/** Small products of any shape: 1xN and odd sizes, empty groups anywhere, signed and unsigned, extreme codes. */
export const products = ({
  bits = [4, 8],
  groups: mostGroups = 16,
  channels: mostChannels = 12,
  rows: mostRows = 3,
  columns: mostColumns = 6,
}: ProductLimits = {}): fc.Arbitrary<Product> =>
  fc
    .record({
      bits: fc.constantFrom(...bits),
      unsigned: fc.boolean(),
      rows: fc.integer({ min: 1, max: mostRows }),
      columns: fc.integer({ min: 1, max: mostColumns }),
      channels: corners(1, mostChannels),
      groups: corners(1, mostGroups),
    })
    .chain((shape) =>
      fc
        .record({
          codes: codes(shape.rows * shape.channels, shape.bits, shape.unsigned),
          weights: codes(shape.columns * shape.channels, shape.bits, false),
          groupOf: fc.array(corners(0, shape.groups - 1), { minLength: shape.channels, maxLength: shape.channels }).map((table) => Uint8Array.from(table)),
        })
        .map((operands) => ({ ...shape, ...operands, ...channelOrder(operands.groupOf, shape.groups) })),
    );

/** `sum_k 2^i(k) x w` of every element, in big integers: the definition. */
export const definition = ({ codes: x, weights: w, rows, columns, channels, groupOf }: Product): bigint[] => {
  const out: bigint[] = [];
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      let sum = 0n;
      for (let k = 0; k < channels; k++) sum += BigInt(x[row * channels + k]!) * BigInt(w[column * channels + k]!) * 2n ** BigInt(groupOf[k]!);
      out.push(sum);
    }
  return out;
};

/** Binary32 numbers of ordinary size, with zeros, ties of a unit scale, and corners. */
export const floats: fc.Arbitrary<number> = fc
  .oneof(
    fc.constantFrom(0, 1, -1, 0.5, -0.5, 1.5, -1.5, 2.5, 127.5, -128.5),
    fc.float({ min: -1000, max: 1000, noNaN: true }),
    fc.float({ min: Math.fround(-0.01), max: Math.fround(0.01), noNaN: true }),
  )
  .map((value) => (Math.abs(value) < 1e-20 ? 0 : Math.fround(value)));
