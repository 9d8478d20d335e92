import type { ArrayParameters } from "../../designs/index.ts";
import type { Product } from "../../golden/tender/matmul.ts";
import { shiftAccumulateWrapped } from "../../golden/tender/matmul.ts";
import type { ProductResult } from "./collector.ts";
import { shiftWidthOf } from "./tiles.ts";

/** First element of a product where the array and the golden model differ. */
export interface ElementMismatch {
  readonly row: number;
  readonly column: number;
  readonly expected: number;
  readonly got: number;
  /** Cycle in which the element left the array. */
  readonly cycle: number;
}

export interface ProductComparison {
  readonly compared: number;
  readonly mismatches: number;
  readonly first: ElementMismatch | undefined;
}

/** Compares every accumulator of a product with the golden model, which starts from the operands on its own. */
export const compareProduct = (product: Product, result: ProductResult, parameters: ArrayParameters): ProductComparison => {
  const expected = shiftAccumulateWrapped(product, parameters.accWidth, shiftWidthOf(parameters)).values;
  let mismatches = 0;
  let first: ElementMismatch | undefined;
  expected.forEach((value, index) => {
    const got = result.values[index] ?? Number.NaN;
    if (got === value) return;
    mismatches += 1;
    first ??= { row: Math.floor(index / product.columns), column: index % product.columns, expected: value, got, cycle: result.cycle[index] ?? 0 };
  });
  return { compared: expected.length, mismatches, first };
};
