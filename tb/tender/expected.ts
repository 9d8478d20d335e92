import type { ArrayParameters } from "../../src/designs/index.ts";
import type { ProductResult } from "../../src/driver/tender/collector.ts";
import { shiftWidthOf, tileSize } from "../../src/driver/tender/tiles.ts";
import { tileSchedule } from "../../src/golden/tender/beats.ts";
import { composableAccumulate } from "../../src/golden/tender/composable.ts";
import { type Product, shiftAccumulateWrapped } from "../../src/golden/tender/matmul.ts";

const clusterFlags = (product: Product, parameters: ArrayParameters): Uint8Array => {
  const { codes, weights, rows, columns, channels, order, groupSizes } = product;
  const { beats } = tileSchedule(order, groupSizes, { shiftWidth: shiftWidthOf(parameters) });
  return Uint8Array.from({ length: rows * columns }, (_, index) => {
    const x = codes.subarray(Math.floor(index / columns) * channels, (Math.floor(index / columns) + 1) * channels);
    const w = weights.subarray((index % columns) * channels, ((index % columns) + 1) * channels);
    return composableAccumulate(beats, x, w, parameters.accWidth).overflow ? 1 : 0;
  });
};

/** What the golden model expects of the array: accumulators, and for each element the flag of its row of results in its tile. */
const expectedOf = (product: Product, parameters: ArrayParameters): { readonly values: Float64Array; readonly overflow: Uint8Array } => {
  const golden = shiftAccumulateWrapped(product, parameters.accWidth, shiftWidthOf(parameters));
  const { cols, wide } = tileSize(parameters, product.bits);
  const flags = wide ? clusterFlags(product, parameters) : golden.overflow;
  const { columns } = product;
  const overflow = flags.map((_, index) => {
    const row = index - (index % columns);
    const tile = (index % columns) - ((index % columns) % cols);
    return flags.subarray(row + tile, row + Math.min(tile + cols, columns)).some((flag) => flag === 1) ? 1 : 0;
  });
  return { values: golden.values, overflow };
};

/** The first accumulator or overflow flag of a workload in which the array differs from the golden model, as a sentence. */
export const firstDifference = (results: readonly ProductResult[], workload: readonly Product[], parameters: ArrayParameters): string | undefined => {
  for (const [index, product] of workload.entries()) {
    const expected = expectedOf(product, parameters);
    const got = results[index];
    for (let i = 0; i < expected.values.length; i += 1) {
      const what = got?.values[i] !== expected.values[i] ? "values" : got?.overflow[i] !== expected.overflow[i] ? "overflow" : undefined;
      if (what === undefined) continue;
      const place = `product ${index}, row ${Math.floor(i / product.columns)}, column ${i % product.columns}`;
      return `${place}: ${what === "values" ? "accumulator" : "overflow flag"} ${got?.[what][i]}, not ${expected[what][i]}`;
    }
  }
  return undefined;
};
