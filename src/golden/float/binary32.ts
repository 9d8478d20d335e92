/**
 * Binary32 in big integers, by the definition: a finite number is a whole number of units of 2^-149, the smallest subnormal number. A result is an exact fraction
 * of such units, rounded once. Numbers are given and returned as their 32 bits. It shares nothing with the hardware, and nothing with `Math.fround` either.
 */

const unitsPerOne = 2n ** 149n;
/** 2^128, the first number that is too large, in units. */
const beyondLargest = 2n ** 277n;
const infinity = 0x7f800000;
/** The NaN that every operation gives (IEEE 754-2019 section 6.2.3 leaves the payload open). */
export const canonicalNan = 0x7fc00000;

interface Decoded {
  readonly kind: "nan" | "infinite" | "finite";
  readonly negative: boolean;
  /** Magnitude of a finite number. */
  readonly units: bigint;
}

const decode = (bits: number): Decoded => {
  const negative = bits >= 2 ** 31;
  const exponent = Math.floor(bits / 2 ** 23) % 256;
  const fraction = BigInt(bits % 2 ** 23);
  if (exponent === 255) return { kind: fraction === 0n ? "infinite" : "nan", negative, units: 0n };
  return { kind: "finite", negative, units: exponent === 0 ? fraction : (fraction + 2n ** 23n) << BigInt(exponent - 1) };
};

/** The integer nearest to a fraction from 0, ties to even. */
const nearest = (numerator: bigint, denominator: bigint): bigint => {
  const down = numerator / denominator;
  const twiceOver = 2n * (numerator - down * denominator);
  return twiceOver > denominator || (twiceOver === denominator && down % 2n === 1n) ? down + 1n : down;
};

const bitLength = (value: bigint): number => (value === 0n ? 0 : value.toString(2).length);

/**
 * Bits of the binary32 number nearest to a fraction of units.
 * @param dropped low bits of the significand that the result does without: 16 for bfloat16
 */
const encode = (negative: boolean, numerator: bigint, denominator: bigint, dropped = 0): number => {
  const step = 2n ** BigInt(Math.max(bitLength(numerator / denominator) - 24, 0) + dropped);
  const units = nearest(numerator, denominator * step) * step;
  const sign = negative ? 2 ** 31 : 0;
  if (units >= beyondLargest) return sign + infinity;
  const exponent = Math.max(bitLength(units) - 24, 0);
  // The leading one of a normal number adds 1 to the exponent's field.
  return sign + exponent * 2 ** 23 + Number(units >> BigInt(exponent));
};

const signed = ({ negative, units }: Decoded): bigint => (negative ? -units : units);

const magnitude = (value: bigint): bigint => (value < 0n ? -value : value);

/** `a + b`. */
export const add = (a: number, b: number): number => {
  const [x, y] = [decode(a), decode(b)];
  if (x.kind === "nan" || y.kind === "nan") return canonicalNan;
  if (x.kind === "infinite" && y.kind === "infinite") return x.negative === y.negative ? a : canonicalNan;
  if (x.kind === "infinite") return a;
  if (y.kind === "infinite") return b;
  const sum = signed(x) + signed(y);
  return encode(sum === 0n ? x.negative && y.negative : sum < 0n, magnitude(sum), 1n);
};

/** `-a`, which changes a NaN's sign too. */
export const negate = (a: number): number => (a >= 2 ** 31 ? a - 2 ** 31 : a + 2 ** 31);

/** `a - b`. */
export const subtract = (a: number, b: number): number => add(a, negate(b));

/** `a * b`. */
export const multiply = (a: number, b: number): number => {
  const [x, y] = [decode(a), decode(b)];
  const negative = x.negative !== y.negative;
  if (x.kind === "nan" || y.kind === "nan") return canonicalNan;
  if (x.kind === "infinite" || y.kind === "infinite") {
    const zero = [x, y].some(({ kind, units }) => kind === "finite" && units === 0n);
    return zero ? canonicalNan : encode(negative, beyondLargest, 1n);
  }
  return encode(negative, x.units * y.units, unitsPerOne);
};

/** `a / b`. */
export const divide = (a: number, b: number): number => {
  const [x, y] = [decode(a), decode(b)];
  const negative = x.negative !== y.negative;
  if (x.kind === "nan" || y.kind === "nan") return canonicalNan;
  if (x.kind === "infinite") return y.kind === "infinite" ? canonicalNan : encode(negative, beyondLargest, 1n);
  if (y.kind === "infinite") return encode(negative, 0n, 1n);
  if (y.units === 0n) return x.units === 0n ? canonicalNan : encode(negative, beyondLargest, 1n);
  return encode(negative, x.units * unitsPerOne, y.units);
};

/** An integer of any size, rounded once. */
export const fromInteger = (value: bigint): number => encode(value < 0n, magnitude(value) * unitsPerOne, 1n);

/** Upper 16 bits of the bfloat16 number nearest to `a`. */
export const toBfloat16 = (a: number): number => {
  const { kind, negative, units } = decode(a);
  if (kind === "nan") return canonicalNan >>> 16;
  return (kind === "infinite" ? a : encode(negative, units, 1n, 16)) >>> 16;
};

/** The integer nearest to `a`, ties to even; undefined for NaN, and beyond every range for infinity. */
export const toInteger = (a: number): bigint | undefined => {
  const { kind, negative, units } = decode(a);
  if (kind === "nan") return undefined;
  const whole = kind === "infinite" ? 2n ** 128n : nearest(units, unitsPerOne);
  return negative ? -whole : whole;
};

/** `clamp(roundHalfEven(a), low, high)`, NaN giving 0: how codes are made of quotients (requantisation). */
export const toIntegerClamped = (a: number, low: bigint, high: bigint): bigint => {
  const whole = toInteger(a) ?? 0n;
  return whole < low ? low : whole > high ? high : whole;
};
