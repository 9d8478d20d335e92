import type { CoreProduct } from "../../../golden/tender/core-product.ts";
import type { CoreJob } from "./job.ts";
import type { CoreRunner } from "./run.ts";

/** A product as a job with binary32 results, as whole models run them. */
export const jobOf = (product: CoreProduct): CoreJob => ({ product, output: { format: "binary32" } });

/** What has come of products that were queued together. */
export interface BatchRun {
  /** [M, N] of each product. */
  readonly values: readonly Float32Array[];
  /** From the doorbell to the interrupt. */
  readonly cycles: number;
  /** Cycles from the doorbell to each product's record. */
  readonly ends: readonly number[];
}

/**
 * Runs products on a core, all queued before the first result is awaited.
 * @throws UserError as `CoreRunner.run`
 */
export const runOnCore = (runner: CoreRunner, products: readonly CoreProduct[], onProgress?: (share: number) => void): BatchRun => {
  const { results, cycles } = runner.run(products.map(jobOf), onProgress === undefined ? {} : { onProgress });
  let end = 0;
  const ends = results.map(({ records }) => {
    for (const record of records) end += record.cycles;
    return end;
  });
  return { values: results.map(({ values }) => Float32Array.from(values)), cycles, ends };
};
