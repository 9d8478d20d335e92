/** Bits of a lane. */
export type LaneBits = 8 | 16 | 32 | 64;

/** Opcodes after the prefix 0xfd, of the instructions that exist for each size of lane (core specification 2.0, section 5.4.8). */
interface LaneOps {
  readonly splat: number;
  readonly neg: number;
  readonly shl: number;
  readonly shr_s: number;
  readonly shr_u: number;
  readonly add: number;
  readonly sub: number;
  /** There is none for 8 bits. */
  readonly mul: number | undefined;
  readonly eq: number;
  readonly ne: number;
  readonly lt_s: number;
  readonly gt_s: number;
  readonly le_s: number;
  readonly ge_s: number;
  /** 64-bit lanes have signed comparisons only. */
  readonly lt_u: number | undefined;
  readonly gt_u: number | undefined;
  readonly le_u: number | undefined;
  readonly ge_u: number | undefined;
  readonly loadSplat: number;
}

const comparisons = (first: number) => ({
  eq: first,
  ne: first + 1,
  lt_s: first + 2,
  lt_u: first + 3,
  gt_s: first + 4,
  gt_u: first + 5,
  le_s: first + 6,
  le_u: first + 7,
  ge_s: first + 8,
  ge_u: first + 9,
});

export const laneOps: Readonly<Record<LaneBits, LaneOps>> = {
  8: { splat: 0x0f, neg: 0x61, shl: 0x6b, shr_s: 0x6c, shr_u: 0x6d, add: 0x6e, sub: 0x71, mul: undefined, loadSplat: 0x07, ...comparisons(0x23) },
  16: { splat: 0x10, neg: 0x81, shl: 0x8b, shr_s: 0x8c, shr_u: 0x8d, add: 0x8e, sub: 0x91, mul: 0x95, loadSplat: 0x08, ...comparisons(0x2d) },
  32: { splat: 0x11, neg: 0xa1, shl: 0xab, shr_s: 0xac, shr_u: 0xad, add: 0xae, sub: 0xb1, mul: 0xb5, loadSplat: 0x09, ...comparisons(0x37) },
  64: {
    splat: 0x12,
    neg: 0xc1,
    shl: 0xcb,
    shr_s: 0xcc,
    shr_u: 0xcd,
    add: 0xce,
    sub: 0xd1,
    mul: 0xd5,
    loadSplat: 0x0a,
    eq: 0xd6,
    ne: 0xd7,
    lt_s: 0xd8,
    gt_s: 0xd9,
    le_s: 0xda,
    ge_s: 0xdb,
    lt_u: undefined,
    gt_u: undefined,
    le_u: undefined,
    ge_u: undefined,
  },
};

/** Instructions on all 128 bits. */
export const whole = {
  load: 0x00,
  store: 0x0b,
  const: 0x0c,
  shuffle: 0x0d,
  swizzle: 0x0e,
  not: 0x4d,
  and: 0x4e,
  andnot: 0x4f,
  or: 0x50,
  xor: 0x51,
  bitselect: 0x52,
} as const;

/** From lanes of this size to lanes twice as wide: the low half of the lanes, and the high half. */
export const extend: Readonly<Record<8 | 16 | 32, { readonly low_s: number; readonly high_s: number; readonly low_u: number; readonly high_u: number }>> = {
  8: { low_s: 0x87, high_s: 0x88, low_u: 0x89, high_u: 0x8a },
  16: { low_s: 0xa7, high_s: 0xa8, low_u: 0xa9, high_u: 0xaa },
  32: { low_s: 0xc7, high_s: 0xc8, low_u: 0xc9, high_u: 0xca },
};

/** Whole products of lanes of this size, in lanes twice as wide. */
export const extendedMultiply: typeof extend = {
  8: { low_s: 0x9c, high_s: 0x9d, low_u: 0x9e, high_u: 0x9f },
  16: { low_s: 0xbc, high_s: 0xbd, low_u: 0xbe, high_u: 0xbf },
  32: { low_s: 0xdc, high_s: 0xdd, low_u: 0xde, high_u: 0xdf },
};

/** From masks of lanes of this size to masks of half the size; the saturation leaves 0 and -1 as they are. */
export const narrowMask: Readonly<Record<16 | 32, number>> = { 16: 0x65, 32: 0x85 };

/** Immediate of a shuffle that takes the low half of each lane of this size from two vectors. */
export const lowHalves = (bits: 16 | 32 | 64): number[] => {
  const bytes = bits / 8;
  return Array.from({ length: 16 }, (_, at) => {
    const half = bytes / 2;
    return Math.floor(at / half) * bytes + (at % half);
  });
};

const constants = new Map<string, readonly number[]>();

/** Immediate of `v128.const` with a value in every lane. */
export const constantBytes = (bits: LaneBits, value: bigint): readonly number[] => {
  const key = `${bits} ${value}`;
  const known = constants.get(key);
  if (known !== undefined) return known;
  const lane = Array.from({ length: bits / 8 }, (_, at) => Number(BigInt.asUintN(8, value >> BigInt(8 * at))));
  const bytes = Array.from({ length: 16 }, (_, at) => lane[at % lane.length]!);
  constants.set(key, bytes);
  return bytes;
};
