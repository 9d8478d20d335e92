import { UserError } from "../base/error.ts";
import type { BitsShape } from "../hdl/shape.ts";
import { describeShape } from "../hdl/shape.ts";

/** Smallest and largest value of a shape. */
export const rangeOf = (shape: BitsShape): { low: bigint; high: bigint } => {
  const width = BigInt(shape.width);
  return shape.kind === "sint" ? { low: -(1n << (width - 1n)), high: (1n << (width - 1n)) - 1n } : { low: 0n, high: (1n << width) - 1n };
};

export const outOfRange = (name: string, shape: BitsShape, value: unknown): UserError => {
  const { low, high } = rangeOf(shape);
  const span = shape.width > 64 ? (shape.kind === "sint" ? `-2^${shape.width - 1} to 2^${shape.width - 1}-1` : `0 to 2^${shape.width}-1`) : `${low} to ${high}`;
  return new UserError("bad-value", `port \`${name}\` is ${describeShape(shape)} and takes whole numbers from ${span}, not ${String(value)}`);
};

/** Words of 32 bits, or of less where no value has more. */
type Words = Uint32Array | Uint16Array | Uint8Array;

/** Reads `width` bits that start at bit `offset` of `words`, as an unsigned number; at most 32 bits. */
export const readBits = (words: Words, base: number, offset: number, width: number): number => {
  const first = base + (offset >>> 5);
  const shift = offset & 31;
  const low = words[first]! >>> shift;
  const high = shift + width > 32 ? words[first + 1]! << (32 - shift) : 0;
  const value = (low | high) >>> 0;
  return width === 32 ? value : value & ((1 << width) - 1);
};

/** Writes the low `width` bits of `value` at bit `offset`; at most 32 bits. */
export const writeBits = (words: Uint32Array, base: number, offset: number, width: number, value: number): void => {
  const first = base + (offset >>> 5);
  const shift = offset & 31;
  const mask = width === 32 ? 0xffffffff : (1 << width) - 1;
  words[first] = (words[first]! & ~(mask << shift)) | ((value & mask) << shift);
  if (shift + width <= 32) return;
  const rest = 32 - shift;
  words[first + 1] = (words[first + 1]! & ~(mask >>> rest)) | ((value & mask) >>> rest);
};

/** Bits of any width as a bigint, signed or not. */
export const readBig = (words: Words, base: number, offset: number, width: number, signed: boolean): bigint => {
  let value = 0n;
  for (let done = 0; done < width; done += 32) {
    const part = Math.min(32, width - done);
    value |= BigInt(readBits(words, base, offset + done, part)) << BigInt(done);
  }
  return signed ? BigInt.asIntN(width, value) : value;
};

export const writeBig = (words: Uint32Array, base: number, offset: number, width: number, value: bigint): void => {
  const bits = BigInt.asUintN(width, value);
  for (let done = 0; done < width; done += 32) {
    const part = Math.min(32, width - done);
    writeBits(words, base, offset + done, part, Number((bits >> BigInt(done)) & 0xffffffffn));
  }
};

/** A value of `shape` that starts at bit `offset`: number up to 32 bits, bigint above. */
export const readValue = (shape: BitsShape, words: Words, base: number, offset: number): number | bigint => {
  const { width } = shape;
  if (width > 32) return readBig(words, base, offset, width, shape.kind === "sint");
  const bits = readBits(words, base, offset, width);
  return shape.kind === "sint" ? (bits << (32 - width)) >> (32 - width) : bits;
};

/** @throws UserError naming `name`, the value and the range. */
export const writeValue = (name: string, shape: BitsShape, words: Uint32Array, base: number, offset: number, value: number | bigint): void => {
  const { width } = shape;
  if (typeof value === "number" && width <= 32) {
    const low = shape.kind === "sint" ? -(2 ** (width - 1)) : 0;
    if (!(value >= low && value < low + 2 ** width) || !Number.isInteger(value)) throw outOfRange(name, shape, value);
    writeBits(words, base, offset, width, value);
    return;
  }
  if (typeof value === "number" && !Number.isSafeInteger(value)) throw outOfRange(name, shape, value);
  if (typeof value !== "number" && typeof value !== "bigint") throw outOfRange(name, shape, value);
  const { low, high } = rangeOf(shape);
  const big = BigInt(value);
  if (big < low || big > high) throw outOfRange(name, shape, value);
  writeBig(words, base, offset, width, big);
};
