import type { Loop } from "./circuit.ts";

/** Sum of loop variables and a constant, known when the circuit is elaborated: an index that prints as a genvar expression. */
export class Index {
  readonly constant: number;
  readonly terms: readonly { readonly loop: Loop; readonly factor: number }[];

  constructor(constant: number, terms: readonly { readonly loop: Loop; readonly factor: number }[]) {
    this.constant = constant;
    this.terms = terms;
  }

  plus(other: number | Index): Index {
    if (typeof other === "number") return new Index(this.constant + other, this.terms);
    return new Index(this.constant + other.constant, [...this.terms, ...other.terms]);
  }

  minus(other: number): Index {
    return this.plus(-other);
  }

  times(factor: number): Index {
    return new Index(
      this.constant * factor,
      this.terms.map((term) => ({ loop: term.loop, factor: term.factor * factor })),
    );
  }

  /** Smallest value over all iterations. */
  get least(): number {
    return this.terms.reduce((sum, term) => sum + Math.min(0, term.factor * (term.loop.count - 1)), this.constant);
  }

  /** Largest value over all iterations. */
  get most(): number {
    return this.terms.reduce((sum, term) => sum + Math.max(0, term.factor * (term.loop.count - 1)), this.constant);
  }
}
