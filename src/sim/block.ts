import { UserError } from "../base/error.ts";
import type { InputPort, OutputPort, PortMap } from "../hdl/ports.ts";
import type { BitsShape, PortShape } from "../hdl/shape.ts";
import { outOfRange, rangeOf, readValue, writeBig, writeValue } from "./codec.ts";
import { bytesOf, wordsOf } from "./engine.ts";
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

/** One value for all cycles, as words. @throws UserError naming the port, the value and its range. */
export const encodeValue = (name: string, shape: PortShape, value: number | bigint | boolean): Uint32Array => {
  if (shape.kind === "vec") throw new UserError("bad-value", `port \`${name}\` is a vector and takes a column of values, not ${String(value)}`);
  const words = new Uint32Array(wordsOf(shape.width));
  writeValue(name, shape, words, 0, 0, typeof value === "boolean" ? Number(value) : value);
  return words;
};

/** Stimulus as bytes, `bytesOf(width)` for each cycle. @throws UserError naming the port, the cycle's value and its range. */
export const encodeColumn = (name: string, shape: PortShape, stimulus: Column, cycles: number): Uint8Array => {
  const element = numbersOf(shape);
  const numbers = shape.width / element.width;
  if (stimulus.length !== numbers * cycles)
    throw new UserError("bad-length", `the column for port \`${name}\` needs ${numbers * cycles} values for ${cycles} cycles, not ${stimulus.length}`);
  const same = reinterpret(name, shape, element, stimulus);
  if (same !== undefined) return same;
  const encoded =
    ArrayBuffer.isView(stimulus) && typeof stimulus[0] === "number" && element.width <= 32
      ? encodeNumbers(name, element, numbers, stimulus as NumberColumn, cycles)
      : encodeEach(name, element, numbers, stimulus, cycles);
  const bytes = bytesOf(shape.width);
  return bytesIn(bytes === 1 ? Uint8Array.from(encoded) : bytes === 2 ? Uint16Array.from(encoded) : encoded);
};

const bytesIn = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength);

/** The values of a port lie in a column without spare bits. */
const isDense = ({ width }: PortShape): boolean => width === 8 * bytesOf(width);

/** The same memory, where the elements lie in it exactly as in the port. */
const reinterpret = (name: string, shape: PortShape, element: BitsShape, column: Column): Uint8Array | undefined => {
  if (!ArrayBuffer.isView(column)) return undefined;
  if (column instanceof Uint8Array && shape.kind !== "vec" && element.kind !== "sint" && element.width <= 8) return checkedBytes(name, element, column);
  if (column.BYTES_PER_ELEMENT * 8 !== element.width || !isDense(shape)) return undefined;
  const signed = column instanceof Int8Array || column instanceof Int16Array || column instanceof Int32Array || column instanceof BigInt64Array;
  return signed === (element.kind === "sint") ? bytesIn(column) : undefined;
};

/** The most common column: flags and small numbers. */
const checkedBytes = (name: string, element: BitsShape, column: Uint8Array): Uint8Array => {
  let union = 0;
  for (let i = 0; i < column.length; i++) union |= column[i]!;
  if (union >>> element.width === 0) return column;
  throw outOfRange(
    name,
    element,
    column.find((value) => value >>> element.width !== 0),
  );
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

const encodeNumbers = (name: string, element: BitsShape, numbers: number, column: NumberColumn, cycles: number): Uint32Array => {
  const wordsPerCycle = wordsOf(numbers * element.width);
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

const encodeEach = (name: string, element: BitsShape, numbers: number, column: Column, cycles: number): Uint32Array => {
  const words = wordsOf(numbers * element.width);
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

/** Bytes of `records` cycles, of memory that begins at a multiple of 8, as a column of numbers. */
export const decodeColumn = (shape: PortShape, { buffer, byteOffset: at }: Uint8Array, records: number): Column => {
  const element = numbersOf(shape);
  const numbers = shape.width / element.width;
  const count = numbers * records;
  const signed = element.kind === "sint";
  if (isDense(shape)) {
    if (element.width === 8) return signed ? new Int8Array(buffer, at, count) : new Uint8Array(buffer, at, count);
    if (element.width === 16) return signed ? new Int16Array(buffer, at, count) : new Uint16Array(buffer, at, count);
    if (element.width === 32) return signed ? new Int32Array(buffer, at, count) : new Uint32Array(buffer, at, count);
    if (element.width === 64) return signed ? new BigInt64Array(buffer, at, count) : new BigUint64Array(buffer, at, count);
  }
  const bytes = bytesOf(shape.width);
  const words = wordsOf(shape.width);
  const raw =
    bytes === 1 ? new Uint8Array(buffer, at, records) : bytes === 2 ? new Uint16Array(buffer, at, records) : new Uint32Array(buffer, at, words * records);
  if (shape.kind !== "vec" && element.width <= 32 && !signed) return raw;
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
