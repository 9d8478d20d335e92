import { Random } from "../../src/base/random.ts";
import { Bool, cat, constant, crossing, type Enum, mux, named, SInt, sint, UInt, uint } from "../../src/hdl/index.ts";
import type { LogicRecipe } from "./grid-recipe.ts";
import { cornerValue } from "./scope.ts";

export type Value = UInt | SInt;

/** Widest value that lanes hold. */
export const widest = 64;

export const cornerWidths = [1, 2, 3, 4, 7, 8, 9, 12, 15, 16, 17, 31, 32, 33, 48, 63, 64] as const;

const comparisons = ["eq", "ne", "lt", "le", "gt", "ge"] as const;
const logic = ["and", "or", "xor"] as const;

/** Draws that decide what an expression is, until its operators are used up. */
export class Draws {
  readonly #random: Random;
  #left: number;

  constructor({ seed, size }: LogicRecipe) {
    this.#random = new Random(seed);
    this.#left = size;
  }

  pick(count: number): number {
    return this.#random.integer(0, count - 1);
  }

  /** True where no operator is left; takes one otherwise. */
  isSpent(): boolean {
    this.#left -= 1;
    return this.#left < 0;
  }
}

/** Makes values of the language from draws, out of those that a cell can read. Names of parts are declared where the maker is used. */
export class Maker {
  /** Everything that has a name of its own, so that somebody reads it. */
  readonly made: Value[] = [];
  readonly #sources: readonly Value[];
  readonly #states: readonly Enum<string>[];
  readonly #prefix: string;

  constructor(sources: readonly Value[], states: readonly Enum<string>[], prefix: string) {
    this.#sources = sources;
    this.#states = states;
    this.#prefix = prefix;
  }

  /** A value with the sign and the width of a register, cut or extended. */
  like(given: Draws, shape: { readonly kind: "uint" | "sint" | "bool"; readonly width: number }): Value {
    if (shape.kind === "bool") return this.condition(given);
    const value = shape.kind === "sint" ? this.signed(given) : this.unsigned(given);
    if (value.width <= shape.width) return value;
    return given.pick(4) === 0 ? this.#name(value).sat(shape.width) : value.wrap(shape.width);
  }

  condition(given: Draws): Bool {
    const kind = given.isSpent() ? 0 : given.pick(9);
    if (kind === 0) return this.#toBool(this.#leaf(given), given.pick(64));
    if (kind === 1) {
      const [a, b] = [this.condition(given), this.condition(given)];
      return a[logic[given.pick(3)]!](b);
    }
    if (kind === 2) return this.condition(given).not();
    if (kind === 3) return this.#state(given);
    if (kind === 4) {
      const value = this.#name(this.signed(given));
      return value.fits(1 + given.pick(value.width));
    }
    if (kind === 5) return this.#toBool(this.#name(given.pick(2) === 0 ? this.unsigned(given) : this.signed(given)), given.pick(64));
    return this.#comparison(given);
  }

  #comparison(given: Draws): Bool {
    const op = comparisons[given.pick(6)]!;
    if (given.pick(2) === 0) {
      const a = this.unsigned(given);
      return given.pick(3) === 0 ? a[op](cornerValue(given.pick(500), a.width, false)) : a[op](this.unsigned(given));
    }
    const a = this.signed(given);
    return given.pick(3) === 0 ? a[op](cornerValue(given.pick(500), a.width, true)) : a[op](this.signed(given));
  }

  #state(given: Draws): Bool {
    const state = this.#states[given.pick(Math.max(1, this.#states.length))];
    return state === undefined ? this.condition(given) : state.is(state.shape.cases[given.pick(state.shape.cases.length)]!);
  }

  unsigned(given: Draws): UInt {
    return this.#maybeNamed(this.#capped(this.#unsigned(given), given) as UInt, given);
  }

  signed(given: Draws): SInt {
    return this.#maybeNamed(this.#capped(this.#signed(given), given) as SInt, given);
  }

  #unsigned(given: Draws): UInt {
    const kind = given.isSpent() ? 1 : 1 + given.pick(13);
    if (kind === 1) return this.#toUnsigned(this.#leaf(given));
    if (kind === 3) return this.#constant(given, false) as UInt;
    if (kind === 4) return this.condition(given);
    if (kind === 5) return this.signed(given).asUInt();
    if (kind === 6) return cat(...Array.from({ length: 1 + given.pick(3) }, () => (given.pick(2) === 0 ? this.unsigned(given) : this.signed(given))));
    const a = this.unsigned(given);
    if (kind === 7) return this.#slice(given, a);
    if (kind === 8) return this.#shift(given, a) as UInt;
    if (kind === 9) return this.#resized(given, a) as UInt;
    const b = this.unsigned(given);
    if (kind === 10) return mux(this.condition(given), a, b);
    switch (given.pick(7)) {
      case 0:
        return a.addWrap(b);
      case 1:
        return a.subWrap(b);
      case 2:
        return a.mul(b);
      case 3:
        return a.not();
      case 4:
      case 5:
        return a.bits(a.width - 1, 0)[logic[given.pick(3)]!](b.bits(b.width - 1, 0));
      default:
        return a.add(b);
    }
  }

  #signed(given: Draws): SInt {
    const kind = given.isSpent() ? 1 : 1 + given.pick(11);
    if (kind === 1) return this.#toSigned(this.#leaf(given));
    if (kind === 3) return this.#constant(given, true) as SInt;
    if (kind === 4) return this.unsigned(given).asSInt();
    if (kind === 5) return this.unsigned(given).toSInt();
    if (kind === 6) return this.unsigned(given).sub(this.unsigned(given));
    const a = this.signed(given);
    if (kind === 7) return this.#shift(given, a) as SInt;
    if (kind === 8) return this.#resized(given, a) as SInt;
    const b = this.signed(given);
    if (kind === 9) return mux(this.condition(given), a, b);
    switch (given.pick(4)) {
      case 0:
        return a.sub(b);
      case 1:
        return a.mul(b);
      case 2:
        return a.neg();
      default:
        return a.add(b);
    }
  }

  #leaf(given: Draws): Value {
    return this.#sources[given.pick(this.#sources.length)]!;
  }

  #constant(given: Draws, signed: boolean): Value {
    const width = cornerWidths[given.pick(cornerWidths.length)]!;
    return constant(signed ? sint(width) : uint(width), cornerValue(given.pick(500), width, signed));
  }

  #slice(given: Draws, a: Value): UInt {
    const low = given.pick(a.width);
    return a.bits(low + given.pick(a.width - low), low);
  }

  #shift(given: Draws, a: Value): Value {
    const by = given.pick(66);
    const way = given.pick(4);
    if (way === 0) return a.shl(Math.min(by, 40));
    if (way === 1) return a.shr(by);
    const amount = sizedUnsigned(this.unsigned(given), 1 + given.pick(way === 2 ? 5 : 6));
    return way === 2 ? a.shl(amount) : a.shr(amount);
  }

  #resized(given: Draws, a: Value): Value {
    const width = 1 + given.pick(widest);
    switch (given.pick(4)) {
      case 0:
        return width < a.width ? this.#name(a).sat(width) : a.extend(width);
      case 1:
        return crossing(a);
      default:
        return width < a.width ? a.wrap(width) : a.extend(width);
    }
  }

  #toBool(value: Value, n: number): Bool {
    if (value instanceof Bool) return value;
    if (n % 4 === 0) return value.any();
    if (n % 4 === 1) return value.all();
    return n % 4 === 2 ? value.parity() : value.bit((n >> 2) % value.width);
  }

  #toUnsigned(value: Value): UInt {
    return value instanceof UInt ? value : value.asUInt();
  }

  #toSigned(value: Value): SInt {
    return value instanceof SInt ? value : value.asSInt();
  }

  #capped(value: Value, given: Draws): Value {
    return value.width <= widest ? value : value.wrap(given.pick(2) === 0 ? widest : 1 + given.pick(widest));
  }

  #maybeNamed<T extends Value>(value: T, given: Draws): T {
    return given.pick(3) === 0 ? this.#name(value) : value;
  }

  /** What is read several times has a name, since the language refuses to print it as often. */
  #name<T extends Value>(value: T): T {
    const { op } = value.node;
    if (op === "lit" || op === "ref") return value;
    const signal = named(`${this.#prefix}${this.made.length}`, value);
    this.made.push(signal);
    return signal;
  }
}

const sizedUnsigned = (value: UInt, width: number): UInt => (value.width > width ? value.wrap(width) : value.extend(width));
