import type { Product } from "./matmul.ts";

export interface AccumulatorTrace {
  /** [G, rows, columns]: accumulators after each group, largest scale first; an empty group holds the shifted value. Exact below 2^53. */
  readonly afterGroup: Float64Array;
  /** [rows, columns] */
  readonly final: Float64Array;
  /** Largest |accumulator| after any product or shift, over all rows. */
  readonly peak: number;
}

/** Group by group, in doubles: `A_1 = P_1`, `A_{g+1} = 2 A_g + P_{g+1}` (research 1.3), shifting at empty groups too. */
export const traceAccumulators = ({
  codes,
  rows,
  weights,
  columns,
  channels,
  order,
  groupSizes,
}: Omit<Product, "groupOf" | "bits" | "unsigned">): AccumulatorTrace => {
  const cells = rows * columns;
  const afterGroup = new Float64Array(groupSizes.length * cells);
  let peak = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let acc = 0;
      let position = 0;
      for (const [group, size] of groupSizes.entries()) {
        if (group > 0) acc *= 2;
        peak = Math.max(peak, Math.abs(acc));
        for (const end = position + size; position < end; position++) {
          const channel = order[position]!;
          acc += codes[row * channels + channel]! * weights[column * channels + channel]!;
          peak = Math.max(peak, Math.abs(acc));
        }
        afterGroup[group * cells + row * columns + column] = acc;
      }
    }
  }
  return { afterGroup, final: afterGroup.slice((groupSizes.length - 1) * cells), peak };
};
