import { UserError } from "../base/error.ts";
import type { ClockInput, InputPort, OutputPort, PortMap } from "../hdl/ports.ts";
import type { BitsShape, BoolShape, PortShape, VecShape } from "../hdl/shape.ts";
import { leafOf } from "../hdl/shape.ts";
import { outOfRange, readBig, readBits, readValue, writeValue } from "./codec.ts";
import type { PortPlace } from "./engine.ts";
import { wordsOf } from "./engine.ts";

/** What reading a port gives: a number up to 32 bits, a bigint above, arrays for vectors. */
export type Peeked<S> = S extends VecShape<infer E> ? Peeked<E>[] : S extends BoolShape ? number : number | bigint;

/** What a port takes: whole numbers in its range, arrays for vectors, booleans for one bit. */
export type Poked<S> = S extends VecShape<infer E> ? readonly Poked<E>[] : S extends BoolShape ? number | bigint | boolean : number | bigint;

/** A port of a running simulation. */
export interface PortHandle<S extends PortShape = PortShape> {
  readonly name: string;
  readonly shape: S;
  /** The value: as it is now, or in a task as it was just before the edge. */
  peek(): Peeked<S>;
  /** The value as a number. @throws UserError for a vector and for a value that a number can't hold exactly. */
  peekNumber(): number;
  /** The value as a bigint; all bits of a vector, element 0 lowest. */
  peekBig(): bigint;
  /** Copies the bits as 32-bit words, lowest first, into `target` from index `at`: the quickest way to read wide ports. */
  peekWords(target: Uint32Array, at?: number): void;
}

/** An input of a running simulation. Values take effect at the next evaluation, in a task just after the edge. */
export interface InputHandle<S extends PortShape = PortShape> extends PortHandle<S> {
  /** @throws UserError naming port, value and range. */
  poke(value: Poked<S>): void;
  /** Sets the bits from 32-bit words, lowest first, from index `at` of `source`. @throws UserError for bits above the width. */
  pokeWords(source: Uint32Array, at?: number): void;
}

/** Handles by name, in the form of the port map. */
export type Handles<P> =
  P extends InputPort<infer S>
    ? InputHandle<S>
    : P extends OutputPort<infer S>
      ? PortHandle<S>
      : { readonly [K in keyof P as P[K] extends ClockInput ? never : K]: Handles<P[K]> };

/** What handles share with their simulation. */
export interface PortAccess {
  readonly words: Uint32Array;
  /** Inputs were changed since the last evaluation. */
  changed: boolean;
  /** A read has to evaluate first where inputs changed; not so in tasks. */
  readonly settleOnRead: boolean;
  settle(): void;
}

/** Port of any kind; the types of `InputHandle` and `PortHandle` hide what does not apply. */
export class Handle {
  readonly name: string;
  readonly shape: PortShape;
  protected readonly access: PortAccess;
  protected readonly words: Uint32Array;
  protected readonly value: number;
  protected readonly pending: number;
  readonly #count: number;
  readonly #topMask: number;

  constructor(access: PortAccess, shape: PortShape, place: PortPlace) {
    this.name = place.name;
    this.shape = shape;
    this.access = access;
    this.words = access.words;
    this.value = place.value;
    this.pending = place.pending;
    this.#count = wordsOf(shape.width);
    this.#topMask = shape.width % 32 === 0 ? 0 : -1 << (shape.width % 32);
  }

  peek(): unknown {
    this.refresh();
    return readShape(this.shape, this.words, this.value, 0);
  }

  peekNumber(): number {
    const value = this.peek();
    if (typeof value === "number") return value;
    if (typeof value === "bigint" && value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER) return Number(value);
    const what = typeof value === "bigint" ? `holds ${value}, which is no exact number` : "is a vector and has no number";
    throw new UserError("bad-value", `port \`${this.name}\` ${what}`, { hint: "use peek() or peekBig()" });
  }

  peekBig(): bigint {
    this.refresh();
    return readBig(this.words, this.value, 0, this.shape.width, this.shape.kind === "sint");
  }

  peekWords(target: Uint32Array, at = 0): void {
    this.refresh();
    const { words, value } = this;
    for (let i = 0; i < this.#count; i++) target[at + i] = words[value + i]!;
  }

  poke(value: unknown): void {
    // Aside first, so that a refused element leaves the port as it was.
    const aside = new Uint32Array(this.#count);
    writeShape(this.name, this.shape, aside, 0, 0, value);
    this.words.set(aside, this.pending);
    this.access.changed = true;
  }

  pokeWords(source: Uint32Array, at = 0): void {
    const { words, pending } = this;
    const last = this.#count - 1;
    if (at + last >= source.length || at < 0)
      throw new UserError("bad-value", `port \`${this.name}\` takes ${last + 1} words from index ${at}, and there are ${source.length}`);
    if ((source[at + last]! & this.#topMask) !== 0)
      throw new UserError("bad-value", `the words for port \`${this.name}\` have bits above its ${this.shape.width}`);
    for (let i = 0; i <= last; i++) words[pending + i] = source[at + i]!;
    this.access.changed = true;
  }

  protected refresh(): void {
    if (this.access.changed && this.access.settleOnRead) this.access.settle();
  }
}

/** Port of at most 32 bits. */
class NarrowHandle extends Handle {
  readonly #low: number;
  readonly #high: number;
  readonly #spare: number;
  readonly #signed: boolean;

  constructor(access: PortAccess, shape: BitsShape, place: PortPlace) {
    super(access, shape, place);
    this.#signed = shape.kind === "sint";
    this.#low = this.#signed ? -(2 ** (shape.width - 1)) : 0;
    this.#high = this.#low + 2 ** shape.width - 1;
    this.#spare = 32 - shape.width;
  }

  override peek(): number {
    this.refresh();
    const bits = this.words[this.value]!;
    return this.#signed ? (bits << this.#spare) >> this.#spare : bits;
  }

  override peekNumber(): number {
    return this.peek();
  }

  override poke(value: unknown): void {
    const number = Number(value);
    if (!(number >= this.#low && number <= this.#high) || !Number.isInteger(number) || !isNumeric(value))
      throw outOfRange(this.name, this.shape as BitsShape, value);
    this.words[this.pending] = (number << this.#spare) >>> this.#spare;
    this.access.changed = true;
  }
}

const isNumeric = (value: unknown): value is number | bigint | boolean => typeof value === "number" || typeof value === "bigint" || typeof value === "boolean";

/** Vector of elements of at most 32 bits. */
class VectorHandle extends Handle {
  readonly #leaf: BitsShape;
  readonly #length: number;

  constructor(access: PortAccess, shape: VecShape<BitsShape>, place: PortPlace) {
    super(access, shape, place);
    this.#leaf = shape.element;
    this.#length = shape.length;
  }

  override peek(): number[] {
    this.refresh();
    const { width, kind } = this.#leaf;
    const spare = kind === "sint" ? 32 - width : 0;
    const values: number[] = [];
    for (let i = 0; i < this.#length; i++) {
      const bits = readBits(this.words, this.value, i * width, width);
      values.push(kind === "sint" ? (bits << spare) >> spare : bits);
    }
    return values;
  }
}

/** The handle for a port, of the quickest kind. */
export const handleOf = (access: PortAccess, shape: PortShape, place: PortPlace): Handle => {
  if (shape.kind !== "vec") return shape.width <= 32 ? new NarrowHandle(access, shape, place) : new Handle(access, shape, place);
  const { element } = shape;
  if (element.kind === "vec" || element.width > 32) return new Handle(access, shape, place);
  return new VectorHandle(access, shape as VecShape<BitsShape>, place);
};

const readShape = (shape: PortShape, words: Uint32Array, base: number, offset: number): unknown => {
  if (shape.kind !== "vec") return readValue(shape, words, base, offset);
  return Array.from({ length: shape.length }, (_, i) => readShape(shape.element, words, base, offset + i * shape.element.width));
};

const writeShape = (name: string, shape: PortShape, words: Uint32Array, base: number, offset: number, value: unknown): void => {
  if (shape.kind !== "vec") return writeValue(name, shape, words, base, offset, (typeof value === "boolean" ? Number(value) : value) as number | bigint);
  if (!Array.isArray(value) || value.length !== shape.length) {
    const got = Array.isArray(value) ? `${value.length} values` : String(value);
    throw new UserError("bad-value", `port \`${name}\` takes an array of ${shape.length} values, not ${got}`);
  }
  for (let i = 0; i < shape.length; i++) writeShape(`${name}[${i}]`, shape.element, words, base, offset + i * shape.element.width, value[i]);
};

/** The handles of all ports, nested as in the port map. */
export const buildHandles = <P extends PortMap>(ports: readonly { readonly path: readonly string[]; readonly handle: Handle }[]): Handles<P> => {
  const root: Record<string, unknown> = {};
  for (const { path, handle } of ports) {
    let folder = root;
    for (const key of path.slice(0, -1)) folder = (folder[key] ??= {}) as Record<string, unknown>;
    folder[path.at(-1)!] = handle;
  }
  return root as Handles<P>;
};

/** Shape of the numbers in a port: for a vector the innermost element's. */
export const numbersOf = (shape: PortShape): BitsShape => leafOf(shape) as BitsShape;
