/**
 * Expressions for the differential test: a tree that `build` turns into the language's values and `evaluate` into a BigInt.
 * The two share nothing but the tree, so that a wrong rewrite in the language is found like a wrong text.
 */
export interface Expression {
  readonly op: string;
  readonly width: number;
  readonly signed: boolean;
  readonly parts: readonly Expression[];
  /** Constants of the operator: a width, a shift, bit positions, a literal's value, an input's number. */
  readonly numbers: readonly bigint[];
}

export interface Input {
  readonly name: string;
  readonly width: number;
  readonly signed: boolean;
}

export const inputs: readonly Input[] = [
  { name: "b0", width: 1, signed: false },
  { name: "u2", width: 2, signed: false },
  { name: "u3", width: 3, signed: false },
  { name: "u8", width: 8, signed: false },
  { name: "u33", width: 33, signed: false },
  { name: "u64", width: 64, signed: false },
  { name: "s1", width: 1, signed: true },
  { name: "s5", width: 5, signed: true },
  { name: "s8", width: 8, signed: true },
  { name: "s32", width: 32, signed: true },
  { name: "s71", width: 71, signed: true },
];

/** Vectors that expressions index: elements of one width, read by constant and by signal. */
export const vectors = [
  { name: "vu", length: 4, width: 5, signed: false },
  { name: "vs", length: 8, width: 7, signed: true },
  { name: "vb", length: 4, width: 1, signed: false },
] as const;

const widest = 80;

export const fit = (value: bigint, width: number, signed: boolean): bigint => (signed ? BigInt.asIntN(width, value) : BigInt.asUintN(width, value));

/** A stream of choices; once it is used up, every choice is 0, which stands for the plainest thing. */
export class Choices {
  #next = 0;
  readonly #numbers: readonly number[];

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  pick(count: number): number {
    const number = this.#numbers[this.#next] ?? 0;
    this.#next += 1;
    return number % count;
  }

  get exhausted(): boolean {
    return this.#next >= this.#numbers.length;
  }
}

const make = (op: string, width: number, signed: boolean, parts: readonly Expression[] = [], numbers: readonly (number | bigint)[] = []): Expression => ({
  op,
  width,
  signed,
  parts,
  numbers: numbers.map(BigInt),
});

const leaf = (choices: Choices, signed: boolean): Expression => {
  const fitting = inputs.map((input, index) => ({ ...input, index })).filter((input) => input.signed === signed);
  const kind = choices.pick(8);
  if (kind === 7) {
    const width = 1 + choices.pick(40);
    const corners = signed
      ? [0n, -1n, 1n, -(1n << BigInt(width - 1)), (1n << BigInt(width - 1)) - 1n, 85n]
      : [0n, 1n, (1n << BigInt(width)) - 1n, 1n << BigInt(width - 1), 85n];
    return make("constant", width, signed, [], [fit(corners[choices.pick(corners.length)] ?? 0n, width, signed)]);
  }
  const vectorsHere = vectors.map((vector, index) => ({ ...vector, index })).filter((vector) => vector.signed === signed);
  const vector = vectorsHere[choices.pick(vectorsHere.length)];
  if (kind === 6 && vector !== undefined) return make("element", vector.width, signed, [], [vector.index, choices.pick(vector.length)]);
  if (kind === 5 && vector !== undefined) return make("dynamic", vector.width, signed, [bitsOf(choices, Math.log2(vector.length))], [vector.index]);
  const chosen = fitting[choices.pick(fitting.length)];
  if (chosen === undefined) throw new Error("no input of that sign");
  return make("input", chosen.width, signed, [], [chosen.index]);
};

/** An unsigned expression of exactly `width` bits. */
const bitsOf = (choices: Choices, width: number): Expression => sized(expression(choices, false), width);

const sized = (given: Expression, width: number): Expression => {
  if (given.width === width) return given;
  return make(given.width > width ? "wrap" : "extend", width, given.signed, [given], [width]);
};

const capped = (given: Expression): Expression => (given.width > widest ? make("wrap", widest, given.signed, [given], [widest]) : given);

const comparisons = ["eq", "ne", "lt", "le", "gt", "ge"];
const bitwise = ["and", "or", "xor"];

/** A small constant beside another operand, where the language takes plain numbers. */
const numberBeside = (choices: Choices, { width, signed }: Expression): bigint => {
  const most = signed ? (1n << BigInt(width - 1)) - 1n : (1n << BigInt(width)) - 1n;
  const least = signed ? -most - 1n : 0n;
  return [0n, 1n, most, least, most >> 1n, signed ? -1n : most, most + 1n, signed ? least - 1n : most][choices.pick(8)] ?? 0n;
};

const arithmetic = (choices: Choices, signed: boolean): Expression => {
  const a = expression(choices, signed);
  switch (choices.pick(7)) {
    case 6: {
      const b = expression(choices, signed);
      const sum = make("add", Math.max(a.width, b.width) + 1, signed, [a, b]);
      return signed ? sum : make(choices.pick(2) === 0 ? "addWrap" : "subWrap", sum.width - 1, false, [a, b]);
    }
    case 0: {
      const b = expression(choices, signed);
      return make("add", Math.max(a.width, b.width) + 1, signed, [a, b]);
    }
    case 1: {
      const b = expression(choices, signed);
      return make("mul", a.width + b.width, signed, [a, b]);
    }
    case 2: {
      const b = expression(choices, signed);
      return make("sub", Math.max(a.width, b.width) + 1, true, [a, b]);
    }
    case 3: {
      const value = numberBeside(choices, a);
      const bits = minimalWidth(value, signed);
      return make("addNumber", Math.max(a.width, bits) + 1, signed, [a], [value]);
    }
    case 4: {
      const value = numberBeside(choices, a);
      return make("mulNumber", a.width + minimalWidth(value, signed), signed, [a], [value]);
    }
    default: {
      if (!signed) return make("not", a.width, false, [a]);
      return make("neg", a.width + 1, true, [a]);
    }
  }
};

const minimalWidth = (value: bigint, signed: boolean): number => {
  let width = 1;
  while (fit(value, width, signed) !== value) width += 1;
  return width;
};

const shifted = (choices: Choices, signed: boolean): Expression => {
  const a = expression(choices, signed);
  switch (choices.pick(4)) {
    case 0: {
      const amount = choices.pick(9);
      return make("shl", a.width + amount, signed, [a], [amount]);
    }
    case 1: {
      const amount = choices.pick(a.width + 2);
      return make("shr", Math.max(1, a.width - amount), signed, [a], [amount]);
    }
    case 2: {
      const amount = bitsOf(choices, 1 + choices.pick(4));
      return make("shlBy", a.width + 2 ** amount.width - 1, signed, [a, amount]);
    }
    default: {
      const amount = bitsOf(choices, 1 + choices.pick(6));
      return make("shrBy", a.width, signed, [a, amount]);
    }
  }
};

const resized = (choices: Choices, signed: boolean): Expression => {
  const a = expression(choices, signed);
  switch (choices.pick(4)) {
    case 0: {
      // Dropping the one bit that an operator added, and widening again, is where a wrong rewrite shows.
      const width = choices.pick(2) === 0 ? Math.max(1, a.width - 1) : 1 + choices.pick(a.width);
      const wrapped = make("wrap", width, signed, [a], [width]);
      return choices.pick(2) === 0 ? make("extend", a.width + 3, signed, [wrapped], [a.width + 3]) : wrapped;
    }
    case 1: {
      const width = 1 + choices.pick(a.width);
      return make("sat", width, signed, [a], [width]);
    }
    case 2: {
      const width = a.width + choices.pick(9);
      return make("extend", width, signed, [a], [width]);
    }
    default:
      return make("crossing", a.width, signed, [a]);
  }
};

const condition = (choices: Choices): Expression => {
  const signed = choices.pick(2) === 1;
  const a = expression(choices, signed);
  switch (choices.pick(6)) {
    case 0:
      return make(comparisons[choices.pick(6)] ?? "eq", 1, false, [a, expression(choices, signed)]);
    case 1:
      return make(`${comparisons[choices.pick(6)] ?? "eq"}Number`, 1, false, [a], [numberBeside(choices, a)]);
    case 2:
      return make(["any", "all", "parity"][choices.pick(3)] ?? "any", 1, false, [a]);
    case 3:
      return make("bit", 1, false, [a], [choices.pick(a.width)]);
    case 4:
      return make(`bool${bitwise[choices.pick(3)] ?? "and"}`, 1, false, [condition(choices), condition(choices)]);
    default:
      return signed ? make("fits", 1, false, [a], [1 + choices.pick(a.width)]) : make("boolnot", 1, false, [condition(choices)]);
  }
};

/** Decodes an expression of the sign asked for. */
export const expression = (choices: Choices, signed: boolean): Expression => {
  if (choices.exhausted) return leaf(choices, signed);
  const kind = choices.pick(10);
  if (kind < 2) return leaf(choices, signed);
  if (kind < 5) {
    const made = capped(arithmetic(choices, signed));
    return made.signed === signed ? made : make("asUInt", made.width, false, [made]);
  }
  if (kind === 5) return capped(shifted(choices, signed));
  if (kind === 6) return capped(resized(choices, signed));
  if (kind === 7) {
    const [sel, a, b] = [condition(choices), expression(choices, signed), expression(choices, signed)];
    return make("mux", Math.max(a.width, b.width), signed, [sel, a, b]);
  }
  if (signed) {
    const a = expression(choices, false);
    return capped(kind === 8 ? make("asSInt", a.width, true, [a]) : make("toSInt", a.width + 1, true, [a]));
  }
  return unsignedOnly(choices, kind);
};

const unsignedOnly = (choices: Choices, kind: number): Expression => {
  if (kind === 8) {
    const parts = Array.from({ length: 1 + choices.pick(3) }, () => expression(choices, choices.pick(2) === 1));
    return capped(
      make(
        "cat",
        parts.reduce((sum, part) => sum + part.width, 0),
        false,
        parts,
      ),
    );
  }
  switch (choices.pick(3)) {
    case 0:
      return condition(choices);
    case 1: {
      const [a, b] = [expression(choices, false), expression(choices, false)];
      return make(bitwise[choices.pick(3)] ?? "and", Math.max(a.width, b.width), false, [a, b]);
    }
    default: {
      const a = expression(choices, choices.pick(2) === 1);
      const low = choices.pick(a.width);
      const high = low + choices.pick(a.width - low);
      return make("bits", high - low + 1, false, [a], [high, low]);
    }
  }
};

/** Short text of an expression, for a failure's message. */
export const describe = ({ op, numbers, parts, width, signed }: Expression): string =>
  `${op}:${signed ? "s" : "u"}${width}(${[...parts.map(describe), ...numbers.map(String)].join(", ")})`;
