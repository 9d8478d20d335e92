/** Spreads every bit of a 32-bit integer over all others (the finaliser of MurmurHash3, by Austin Appleby). */
const mix = (value: number): number => {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
};

/** `index` -1 stands for none. */
const hash = (state: number, name: string, index: number): number => {
  let h = state;
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
  return mix(h ^ Math.imul(index + 1, 0x9e3779b1));
};

/** Words `first` to `first + count - 1` of the endless row that `start` stands for, in halves, so that the time grows little faster than the width. */
const join = (start: number, first: number, count: number): bigint => {
  if (count === 1) return BigInt(mix(start + Math.imul(first, 0x9e3779b1)) >>> 0);
  const half = count >> 1;
  return (join(start, first + half, count - half) << BigInt(32 * half)) | join(start, first, half);
};

/**
 * Undefined state of the embedded engines: registers and memory words before anything wrote them, and what a read gives that
 * the language leaves open. It is a function of a seed and of names, not of an order, so that engines agree bit for bit
 * however they walk a design, and so that another seed shows a result that depends on what is undefined.
 *
 * The scope of the top is `new Garbage(seed)`; instances are its children by name, iterations of a generate block by label and index.
 * A signal belongs to the scope that declares it. What is asked for:
 * - a register without an initial value: `bits(name, width)`;
 * - a memory word: `bits(name, width, address)`, also from `depth` on, where no write changes it;
 * - an element of a delay line: `bits(name of its output, width, age)`, age 0 for the newest;
 * - bits above a signal's top bit that a dynamic index reaches: `bits(name + " beyond", how far)`;
 * - a latency-1 read with collision "undefined" of a word that changes at the same edge: `bits(name of its output + " collision", width)`.
 */
export class Garbage {
  readonly #state: number;

  constructor(seed: number) {
    this.#state = mix(seed);
  }

  /** The scope of an instance, or of one iteration of a generate block. */
  child(name: string, index = -1): Garbage {
    return new Garbage(hash(this.#state, name, index));
  }

  /** `width` bits, unsigned. A wider request begins with the bits of a narrower one. */
  bits(name: string, width: number, index = -1): bigint {
    const start = hash(this.#state, name, index) ^ 0x5bd1e995;
    return width <= 32 ? BigInt((mix(start) << (32 - width)) >>> (32 - width)) : BigInt.asUintN(width, join(start, 0, Math.ceil(width / 32)));
  }
}
