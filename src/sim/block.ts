import { UserError } from "../base/error.ts";
import type { InputPort, OutputPort, PortMap } from "../hdl/ports.ts";
import type { BitsShape, PortShape } from "../hdl/shape.ts";
import { outOfRange, rangeOf, readValue, writeBig, writeValue } from "./codec.ts";
import type { PortPlace, WordColumn } from "./engine.ts";
import { wordsOf } from "./engine.ts";
import { numbersOf } from "./ports.ts";

/**
 * Values of one port over many cycles, one after the other; a vector's elements follow one another within a cycle.
 * Numbers up to 32 bits are in a typed array of 32 bits or less, up to 64 bits in one of bigints, wider ones in an array of bigints.
 */
export type Column = Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | BigInt64Array | BigUint64Array | readonly bigint[];

/** One value for all cycles, or a column of them. */
export type Stimulus = Column | number | bigint | boolean;

/** Stimulus by input port, in the form of the port map; inputs that are left out keep their value. */
export type BlockInputs<P> = {
  readonly [K in keyof P as P[K] extends OutputPort ? never : K]?: P[K] extends InputPort ? Stimulus : P[K] extends PortMap ? BlockInputs<P[K]> : never;
};

/** Name of a port: keys from the port map joined with dots. */
export type PortName<P> = P extends PortMap
  ? { [K in keyof P & string]: P[K] extends InputPort | OutputPort ? K : P[K] extends { readonly port: "clock" } ? never : `${K}.${PortName<P[K]>}` }[keyof P &
      string]
  : never;

export interface BlockOptions<P extends PortMap, N extends PortName<P> = PortName<P>> {
  readonly inputs?: BlockInputs<P>;
  /** Rising edges of the clock. */
  readonly cycles: number;
  /** Ports to record, as they are just before each edge, with the inputs of the same cycle applied. */
  readonly capture?: readonly N[];
  /** 1-bit ports: only cycles in which all of them are high are recorded. */
  readonly when?: PortName<P> | readonly PortName<P>[];
}

export interface BlockResult<N extends string> {
  /** Number of cycles recorded. */
  readonly records: number;
  readonly columns: Readonly<Record<N, Column>>;
}

/** Stimulus as raw words, `wordsOf(width)` for each cycle. @throws UserError naming the port, the cycle's value and its range. */
export const encodeColumn = (name: string, shape: PortShape, stimulus: Stimulus, cycles: number): Uint32Array => {
  const words = wordsOf(shape.width);
  const numbers = shape.kind === "vec" ? shape.width / numbersOf(shape).width : 1;
  const element = numbersOf(shape);
  if (typeof stimulus !== "object") {
    if (shape.kind === "vec") throw new UserError("bad-value", `port \`${name}\` is a vector and takes a column of values, not ${String(stimulus)}`);
    const one = new Uint32Array(words);
    writeValue(name, element, one, 0, 0, typeof stimulus === "boolean" ? Number(stimulus) : stimulus);
    const all = new Uint32Array(words * cycles);
    if (words === 1) return all.fill(one[0]!);
    for (let cycle = 0; cycle < cycles; cycle++) all.set(one, cycle * words);
    return all;
  }
  if (stimulus.length !== numbers * cycles)
    throw new UserError("bad-length", `the column for port \`${name}\` needs ${numbers * cycles} values for ${cycles} cycles, not ${stimulus.length}`);
  const same = reinterpret(shape, element, stimulus);
  if (same !== undefined) return same;
  return ArrayBuffer.isView(stimulus) && typeof stimulus[0] === "number" && element.width <= 32
    ? encodeNumbers(name, element, numbers, stimulus as NumberColumn, cycles, words)
    : encodeEach(name, element, numbers, stimulus, cycles, words);
};

/** The same memory, where the elements lie in it exactly as in the port. */
const reinterpret = (shape: PortShape, element: BitsShape, column: Column): Uint32Array | undefined => {
  if (!ArrayBuffer.isView(column) || column.BYTES_PER_ELEMENT * 8 !== element.width || shape.width % 32 !== 0) return undefined;
  const signed = column instanceof Int8Array || column instanceof Int16Array || column instanceof Int32Array || column instanceof BigInt64Array;
  if (signed !== (element.kind === "sint")) return undefined;
  if (column.byteOffset % 4 !== 0) return new Uint32Array(column.slice().buffer);
  return new Uint32Array(column.buffer, column.byteOffset, column.byteLength / 4);
};

type NumberColumn = Exclude<Column, BigInt64Array | BigUint64Array | readonly bigint[]>;

/** The same numbers as 32-bit words. Going through one kind of array makes the checks ten times quicker. */
const checkedWords = (name: string, element: BitsShape, column: NumberColumn): Int32Array => {
  const { width } = element;
  const signed = element.kind === "sint";
  const words = new Int32Array(column);
  const spare = 32 - width;
  let first = -1;
  // Where sign and size of the two differ, 32 bits don't tell whether a value fits.
  if (
    signed ? column instanceof Uint32Array : width === 32 && !(column instanceof Uint8Array || column instanceof Uint16Array || column instanceof Uint32Array)
  ) {
    const [low, high] = signed ? [-(2 ** (width - 1)), 2 ** (width - 1) - 1] : [0, 2 ** width - 1];
    first = column.findIndex((value) => value < low || value > high);
  } else if (signed) first = words.findIndex((word) => (word << spare) >> spare !== word);
  else if (width < 32) for (let i = 0; i < words.length && first < 0; i++) if (words[i]! >>> width !== 0) first = i;
  if (first >= 0) throw outOfRange(name, element, column[first]);
  return words;
};

/** The most common column, flags and small numbers in bytes, in one pass of its own: three times quicker. */
const encodeBytes = (name: string, element: BitsShape, column: Uint8Array): Uint32Array => {
  const all = new Uint32Array(column.length);
  let union = 0;
  for (let i = 0; i < all.length; i++) {
    const value = column[i]!;
    union |= value;
    all[i] = value;
  }
  if (element.width >= 8 || union >>> element.width === 0) return all;
  throw outOfRange(
    name,
    element,
    column.find((value) => value >>> element.width !== 0),
  );
};

const encodeNumbers = (name: string, element: BitsShape, numbers: number, column: NumberColumn, cycles: number, wordsPerCycle: number): Uint32Array => {
  if (numbers === 1 && element.kind !== "sint" && column instanceof Uint8Array) return encodeBytes(name, element, column);
  const words = checkedWords(name, element, column);
  const all = new Uint32Array(wordsPerCycle * cycles);
  const mask = element.width === 32 ? -1 : 2 ** element.width - 1;
  if (numbers === 1) {
    for (let cycle = 0; cycle < cycles; cycle++) all[cycle] = words[cycle]! & mask;
    return all;
  }
  for (let cycle = 0, from = 0; cycle < cycles; cycle++) {
    for (let i = 0, bit = cycle * wordsPerCycle * 32; i < numbers; i++, bit += element.width) {
      const bits = words[from++]! & mask;
      const shift = bit & 31;
      all[bit >>> 5]! |= bits << shift;
      if (shift + element.width > 32) all[(bit >>> 5) + 1]! |= bits >>> (32 - shift);
    }
  }
  return all;
};

const encodeEach = (name: string, element: BitsShape, numbers: number, column: Column, cycles: number, words: number): Uint32Array => {
  const all = new Uint32Array(words * cycles);
  const { low, high } = rangeOf(element);
  for (let cycle = 0, from = 0; cycle < cycles; cycle++) {
    for (let i = 0; i < numbers; i++) {
      const value = BigInt(column[from++]!);
      if (value < low || value > high) throw outOfRange(name, element, value);
      writeBig(all, cycle * words, i * element.width, element.width, value);
    }
  }
  return all;
};

/** Words captured of one port; grows with the records. */
export class CapturedColumn {
  readonly place: PortPlace;
  words = new Uint32Array(0);

  constructor(place: PortPlace) {
    this.place = place;
  }

  /** Room for `count` records after the first `records`. */
  room(records: number, count: number): WordColumn {
    const width = wordsOf(this.place.width);
    const needed = (records + count) * width;
    if (needed > this.words.length) {
      const larger = new Uint32Array(Math.max(needed, 2 * this.words.length));
      larger.set(this.words);
      this.words = larger;
    }
    return { place: this.place, column: this.words.subarray(records * width, needed) };
  }
}

/** Raw words of `records` cycles as a column of numbers. */
export const decodeColumn = (shape: PortShape, raw: Uint32Array, records: number): Column => {
  const words = wordsOf(shape.width);
  const element = numbersOf(shape);
  const numbers = shape.width / element.width;
  const count = numbers * records;
  const signed = element.kind === "sint";
  const { buffer } = raw;
  if (shape.width % 32 === 0) {
    if (element.width === 8) return signed ? new Int8Array(buffer, 0, count) : new Uint8Array(buffer, 0, count);
    if (element.width === 16) return signed ? new Int16Array(buffer, 0, count) : new Uint16Array(buffer, 0, count);
    if (element.width === 32) return signed ? new Int32Array(buffer, 0, count) : new Uint32Array(buffer, 0, count);
    if (element.width === 64) return signed ? new BigInt64Array(buffer, 0, count) : new BigUint64Array(buffer, 0, count);
  }
  if (shape.kind !== "vec" && element.width <= 32 && !signed) return raw.subarray(0, count);
  const column = emptyColumn(element, count);
  for (let record = 0, to = 0; record < records; record++) {
    for (let i = 0; i < numbers; i++) column[to++] = readValue(element, raw, record * words, i * element.width);
  }
  return column as Column;
};

const emptyColumn = (element: BitsShape, count: number): (number | bigint)[] => {
  const signed = element.kind === "sint";
  if (element.width > 64) return Array.from({ length: count }, () => 0n);
  const column = element.width > 32 ? (signed ? new BigInt64Array(count) : new BigUint64Array(count)) : signed ? new Int32Array(count) : new Uint32Array(count);
  return column as unknown as (number | bigint)[];
};
