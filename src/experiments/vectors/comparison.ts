import type { JsonValue } from "./json-value.ts";

/** The first element that differs. */
export interface FirstDifference {
  readonly path: string;
  readonly expected: number;
  /** null where the computed value is not a number. */
  readonly got: number | null;
}

/** Counts of one group of values, usually a case of the file. */
export interface ComparisonRow {
  readonly name: string;
  readonly compared: number;
  readonly mismatches: number;
  /** Largest |expected - got| of values compared within a bound (float outputs); 0 if there were none. */
  readonly maxAbsDiff: number;
}

/** Place of element `at` of nested arrays of `shape`, as `[i][j]`. */
const elementPath = (shape: readonly number[], at: number): string => {
  let rest = at;
  const indices: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    indices.unshift(rest % shape[axis]!);
    rest = Math.floor(rest / shape[axis]!);
  }
  return indices.map((index) => `[${index}]`).join("");
};

/** Compares computed values with those of a file, and keeps counts by row and the first difference. */
export class Comparison {
  readonly rows: { -readonly [K in keyof ComparisonRow]: ComparisonRow[K] }[] = [];
  first: FirstDifference | null = null;

  /** Begins a row; what follows counts in it. */
  begin(name: string): void {
    this.rows.push({ name, compared: 0, mismatches: 0, maxAbsDiff: 0 });
  }

  #differ(path: string, expected: number, got: number): void {
    this.rows.at(-1)!.mismatches++;
    this.first ??= { path, expected, got: Number.isFinite(got) ? got : null };
  }

  /** Every element must be equal (0 and -0 are). Returns whether all were. */
  exact(file: JsonValue, shape: readonly number[], got: ArrayLike<number>): boolean {
    return this.#compare(file.path, file.numbers(shape), shape, got, () => 0, false);
  }

  /** An intermediate value: |file - got| must be at most `bound(element)`. */
  near(file: JsonValue, shape: readonly number[], got: ArrayLike<number>, bound: (at: number) => number): boolean {
    return this.#compare(file.path, file.numbers(shape), shape, got, bound, false);
  }

  /** As `near`, with expected values put together from several places of the file; `path` names them. */
  assembled(path: string, expected: ArrayLike<number>, shape: readonly number[], got: ArrayLike<number>, bound: (at: number) => number): boolean {
    return this.#compare(path, expected, shape, got, bound, false);
  }

  /** An output: as `near`, and the largest difference is kept for the row. */
  output(file: JsonValue, shape: readonly number[], got: ArrayLike<number>, bound: (at: number) => number): boolean {
    return this.#compare(file.path, file.numbers(shape), shape, got, bound, true);
  }

  #compare(
    path: string,
    expected: ArrayLike<number>,
    shape: readonly number[],
    got: ArrayLike<number>,
    bound: (at: number) => number,
    output: boolean,
  ): boolean {
    const row = this.rows.at(-1)!;
    const before = row.mismatches;
    for (let at = 0; at < expected.length; at++) {
      const value = expected[at]!;
      const computed = got[at] ?? Number.NaN;
      const difference = Math.abs(value - computed);
      row.compared++;
      if (output && difference > row.maxAbsDiff && difference < Number.POSITIVE_INFINITY) row.maxAbsDiff = difference;
      // Written so that a NaN on our side counts as a difference.
      if (!(difference <= bound(at))) this.#differ(path + elementPath(shape, at), value, computed);
    }
    return row.mismatches === before;
  }

  get compared(): number {
    return this.rows.reduce((sum, row) => sum + row.compared, 0);
  }

  get mismatches(): number {
    return this.rows.reduce((sum, row) => sum + row.mismatches, 0);
  }

  get maxAbsDiff(): number {
    return this.rows.reduce((most, row) => Math.max(most, row.maxAbsDiff), 0);
  }
}
