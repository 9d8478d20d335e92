import type { ArrayParameters } from "../../src/designs/index.ts";
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
export const expectedOf = (product: Product, parameters: ArrayParameters): { readonly values: Float64Array; readonly overflow: Uint8Array } => {
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
