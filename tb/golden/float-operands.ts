import fc from "fast-check";

const view = new DataView(new ArrayBuffer(4));

/** A binary32 number as its bits; NaN as the canonical one. */
export const bitsOf = (value: number): number => {
  if (Number.isNaN(value)) return 0x7fc00000;
  view.setFloat32(0, value);
  return view.getUint32(0);
};

/** The number that bits stand for. */
export const numberOf = (bits: number): number => {
  view.setUint32(0, bits);
  return view.getFloat32(0);
};

const magnitudes = [
  // Zero, subnormal numbers, the smallest normal ones.
  0x00000000, 0x00000001, 0x00000002, 0x003fffff, 0x00400000, 0x007ffffe, 0x007fffff, 0x00800000, 0x00800001, 0x00ffffff, 0x01000000,
  // Where products of two of them become subnormal or vanish, and where their quotients do.
  0x1f800000, 0x1fffffff, 0x20000000, 0x33800000, 0x34000000,
  // One, its neighbours, odd and even significands, halves, and powers of two.
  0x3f000000, 0x3effffff, 0x3f000001, 0x3f7fffff, 0x3f800000, 0x3f800001, 0x3f800002, 0x3fc00000, 0x3fffffff, 0x40000000, 0x40400000, 0x40200000,
  // Ends of integer ranges with their ties: 7.5, 8, 127.5, 128, 255.5, 2^23, 2^24, 2^31.
  0x40f00000, 0x41000000, 0x42ff0000, 0x43000000, 0x437f8000, 0x43800000, 0x4b000000, 0x4b7fffff, 0x4b800000, 0x4effffff, 0x4f000000, 0x4f7fffff,
  // Halves of bfloat16's last place, even and odd.
  0x3f808000, 0x3f818000, 0x3f808001, 0x3f807fff, 0x7f7f8000, 0x7f7f7fff,
  // The largest, infinity, quiet and signalling NaN.
  0x7effffff, 0x7f000000, 0x7f7ffffe, 0x7f7fffff, 0x7f800000, 0x7fc00000, 0x7f800001, 0x7fffffff,
];

/** Values at which units for binary32 go wrong, of both signs. */
export const corners: readonly number[] = magnitudes.flatMap((bits) => [bits, bits + 2 ** 31]);

/** All pairs of corners, as two columns. */
export const cornerPairs = {
  a: Uint32Array.from(corners.flatMap((a) => corners.map(() => a))),
  b: Uint32Array.from(corners.flatMap(() => corners)),
};

const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });

/** Fractions with long runs of ones or zeros: near ties, and near carries through the whole significand. */
const runs = fc
  .tuple(fc.integer({ min: 0, max: 511 }), fc.integer({ min: 0, max: 23 }), fc.boolean(), fc.integer({ min: 0, max: 3 }))
  .map(([signAndExponent, ones, above, last]) => signAndExponent * 2 ** 23 + (((above ? 2 ** 23 - 2 ** ones : 2 ** ones - 1) ^ last) & (2 ** 23 - 1)));

/** Any bits of binary32, corners and long runs often. */
export const operands: fc.Arbitrary<number> = fc.oneof({ weight: 2, arbitrary: fc.constantFrom(...corners) }, { weight: 3, arbitrary: runs }, word);

/** A second operand beside the first: near in magnitude, so that sums cancel, or some binary places away, so that they round. */
const beside = (a: number): fc.Arbitrary<number> =>
  fc.tuple(fc.integer({ min: -3, max: 3 }), fc.integer({ min: -27, max: 27 }), fc.boolean(), fc.boolean()).map(([places, exponents, far, negative]) => {
    const moved = (a % 2 ** 31) + places + (far ? exponents * 2 ** 23 : 0);
    return (moved < 0 || moved >= 2 ** 31 ? a % 2 ** 31 : moved) + (negative ? 2 ** 31 : 0);
  });

/** Two operands: independent, or near each other. */
export const pairs: fc.Arbitrary<readonly [number, number]> = fc.oneof(
  fc.tuple(operands, operands),
  operands.chain((a) => fc.tuple(fc.constant(a), beside(a))),
);

/** Signed integers of `width` bits: ends, small ones, powers of two and their neighbours, ties of binary32. */
export const integers = (width: number): fc.Arbitrary<bigint> => {
  const [low, high] = [-(2n ** BigInt(width - 1)), 2n ** BigInt(width - 1) - 1n];
  const nearPower = fc
    .tuple(fc.integer({ min: 0, max: width - 1 }), fc.integer({ min: 0, max: width - 1 }), fc.bigInt({ min: -2n, max: 2n }), fc.boolean())
    .map(([first, second, offset, negative]) => (negative ? -1n : 1n) * (2n ** BigInt(first) + 2n ** BigInt(second) + offset));
  return fc
    .oneof(fc.constantFrom(low, low + 1n, -1n, 0n, 1n, high - 1n, high), nearPower, fc.bigInt({ min: low, max: high }))
    .map((value) => (value < low ? low : value > high ? high : value));
};
