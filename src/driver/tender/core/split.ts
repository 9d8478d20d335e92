import { UserError } from "../../../base/error.ts";
import type { CoreParameters } from "../../../designs/tender/core/parameters.ts";
import type { CoreProduct } from "../../../golden/tender/core-product.ts";
import { columnBound, safeWidth } from "../../../golden/tender/matmul.ts";
import { splitProduct } from "../../../golden/tender/split.ts";
import { tileSize } from "../tiles.ts";
import { trailingGroups } from "./images.ts";
import { type CoreJob, checkJob, shapeOf } from "./job.ts";
import { type CorePlan, type MemoryTiming, misfit, plan } from "./plan.ts";

/** The column that needs the widest accumulator. */
interface Bound {
  readonly column: number;
  readonly value: bigint;
  /** Signed accumulator that can't overflow, in bits. */
  readonly width: number;
}

/**
 * Largest |accumulator| that a product's weights and groups allow, over any activations and beats. Composable INT8 adds up nibbles in planes of the same width, and there the
 * low nibble of a weight, which is not negative, can be more than the weight: -1 is 16 * -1 + 15. So the bound is the most of the whole and of its planes.
 */
export const accumulatorBound = (product: CoreProduct, wide: boolean): Bound => {
  const nibbles = { ...product, bits: 4, unsigned: true };
  const bounds = [columnBound(product)];
  if (wide)
    for (const nibble of [(code: number) => code & 15, (code: number) => code >> 4])
      bounds.push(columnBound({ ...nibbles, weights: product.weights.map(nibble) }));
  const trailing = BigInt(trailingGroups(product.groupSizes));
  let most = { column: 0, value: 0n };
  for (const values of bounds) for (const [column, value] of values.entries()) if (value > most.value) most = { column, value };
  const value = most.value >> trailing;
  return { column: most.column, value, width: safeWidth(value) };
};

/** Plans of a product, one a part, with the arithmetic of `splitProduct`. */
export interface SplitPlan {
  readonly job: CoreJob;
  readonly parts: readonly CorePlan[];
}

export interface PlanOptions {
  readonly memory: MemoryTiming;
  /** Whether a product that the core can't hold, or whose accumulators could overflow, is cut into parts that the host adds up. */
  readonly splitK: boolean;
}

/** What keeps a product from this core, and the error's code. */
const obstacle = (parameters: CoreParameters, job: CoreJob): { readonly code: string; readonly what: string } | undefined => {
  const { product } = job;
  const tooLarge = misfit(parameters, product, shapeOf(parameters, job));
  if (tooLarge !== undefined) return { code: "too-large", what: tooLarge };
  const { column, value, width } = accumulatorBound(product, tileSize(parameters, product.bits).wide);
  if (width <= parameters.accWidth) return undefined;
  return {
    code: "may-overflow",
    what: `accumulators of column ${column} of ${product.name} can reach ${value}, which needs ${width} bits, and the core's have ${parameters.accWidth}`,
  };
};

const hints = {
  "too-large": "splitK: true cuts it into products of fewer channels; or build a core with larger scratchpads and `channels`",
  "may-overflow": "splitK: true cuts it into products that can't overflow; or take a wider accumulator (accWidth up to 48), or fewer groups",
} as const;

/**
 * Plans a job: as one product where the core holds it and no accumulator can overflow, else, with `splitK`, in the fewest equal parts for which that is so.
 * @throws UserError `bad-product`; `too-large` or `may-overflow` without `splitK`, or where results are codes, which can't be added up
 */
export const planJob = (parameters: CoreParameters, job: CoreJob, { memory, splitK }: PlanOptions): SplitPlan => {
  checkJob(parameters, job);
  const { product, output } = job;
  const whole = obstacle(parameters, job);
  if (whole === undefined) return { job, parts: [plan(parameters, job, memory)] };
  if (!splitK) throw new UserError(whole.code, whole.what, { hint: hints[whole.code as keyof typeof hints] });
  if (output.format === "codes")
    throw new UserError(whole.code, `${whole.what}; it can't be cut into parts, because its results are codes`, { hint: "take binary32 results" });
  for (let count = 2; count <= product.channels; count += 1) {
    const parts = splitProduct(product, count).map((part): CoreJob => ({ product: part, output: { format: "binary32" } }));
    if (parts.every((part) => obstacle(parameters, part) === undefined)) return { job, parts: parts.map((part) => plan(parameters, part, memory)) };
  }
  throw new UserError(whole.code, `${whole.what}; no number of parts mends it`);
};
