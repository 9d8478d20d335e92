import { UserError } from "../../../base/error.ts";
import { type CoreParameters, geometryOf } from "../../../designs/tender/core/parameters.ts";
import { vectorFormats } from "../../../designs/tender/vector-parameters.ts";
import { extraBeats } from "../../../golden/tender/beats.ts";
import type { CoreProduct } from "../../../golden/tender/core-product.ts";
import { shiftWidthOf, tileSize } from "../tiles.ts";

/** Results as codes of the next product: `clamp(roundHalfEven(fround(fround(y - bias[n]) / codeScale[n])))`. */
export interface CodesOutput {
  readonly format: "codes";
  /** Those of the array's elements in this product: 8 for INT8, 4 for INT4. */
  readonly bits: 4 | 8;
  readonly unsigned: boolean;
  /** [N] */
  readonly bias: Float32Array;
  /** [N] */
  readonly codeScale: Float32Array;
  /** In memory as panels of activations, channel by channel, which is how a next product would read them. What the driver returns is [M, N] all the same. */
  readonly transpose: boolean;
}

export type CoreOutput = { readonly format: "binary32" | "bfloat16" } | CodesOutput;

/**
 * A product for the core, and what its results shall be. The driver keeps images of codes and orders by the identity of their arrays,
 * which therefore must not change afterwards.
 */
export interface CoreJob {
  readonly product: CoreProduct;
  readonly output: CoreOutput;
}

/** Sizes of a job on a core: its tiles, and the bytes of its images (docs/tender-core.md). */
export interface JobShape {
  /** Composable kind: an element takes two nibbles, and a tile half the rows and columns. */
  readonly wide: boolean;
  /** Bits of an element as the tile sees it: 8 in a wide product. */
  readonly element: number;
  readonly tileRows: number;
  readonly tileColumns: number;
  readonly rowTiles: number;
  readonly columnTiles: number;
  readonly channels: number;
  readonly beats: number;
  /** Rows of the scratchpad that a panel takes. */
  readonly activationRows: number;
  readonly weightRows: number;
  /** Bytes of a panel. */
  readonly activationPanel: number;
  readonly weightPanel: number;
  /** Bytes of the constants of a column of tiles, and of the compensations of a row of tiles: 0 where rows have none. */
  readonly constantBytes: number;
  readonly compensationBytes: number;
  readonly indexBytes: number;
}

const roundUp = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple;

/** Bytes of a beat of the memory port. */
export const beatBytesOf = ({ dataWidth }: Pick<CoreParameters, "dataWidth">): number => dataWidth / 8;

/** Beats of a tile without those of trailing empty groups, which the driver trims. */
const beatsOf = (parameters: CoreParameters, { channels, groupSizes }: CoreProduct): number =>
  channels + extraBeats(groupSizes, { shiftWidth: shiftWidthOf(parameters), trailing: "trim" });

export const shapeOf = (parameters: CoreParameters, { product }: CoreJob): JobShape => {
  const { activations, weights, constantBeats, compensationBeats, element } = geometryOf(parameters);
  const { wide, rows, cols } = tileSize(parameters, product.bits);
  const beat = beatBytesOf(parameters);
  const beats = beatsOf(parameters, product);
  const activationRows = Math.ceil(product.channels / activations.wordsPerRow);
  const weightRows = Math.ceil(product.channels / weights.wordsPerRow);
  return {
    wide,
    element: wide ? 8 : element,
    tileRows: rows,
    tileColumns: cols,
    rowTiles: Math.ceil(product.rows / rows),
    columnTiles: Math.ceil(product.columns / cols),
    channels: product.channels,
    beats,
    activationRows,
    weightRows,
    activationPanel: (activationRows * activations.row) / 8,
    weightPanel: (weightRows * weights.row) / 8,
    constantBytes: constantBeats * beat,
    compensationBytes: product.rowCompensation === undefined ? 0 : compensationBeats * beat,
    indexBytes: roundUp(2 * beats, beat),
  };
};

/** Where results lie in memory, from the job's `results` on. */
export interface ResultLayout {
  readonly rowStride: number;
  readonly tileDown: number;
  readonly tileRight: number;
  readonly bytes: number;
  /** Bytes that the core writes. */
  readonly written: number;
}

const resultBits = (output: CoreOutput): number => (output.format === "codes" ? output.bits : output.format === "binary32" ? 32 : 16);

export const resultLayout = (parameters: CoreParameters, shape: JobShape, { product, output }: CoreJob): ResultLayout => {
  const { rowTiles, columnTiles, tileRows, tileColumns, element } = shape;
  const beat = beatBytesOf(parameters);
  if (output.format === "codes" && output.transpose) {
    const { row, word } = geometryOf(parameters).activations;
    const tileRight = (tileRows * tileColumns * element) / 8;
    // A next product reads whole rows of its scratchpad.
    const tileDown = roundUp((columnTiles * tileColumns * word) / 8, row / 8);
    return { rowStride: 0, tileDown, tileRight, bytes: rowTiles * tileDown, written: rowTiles * columnTiles * tileRight };
  }
  const rowBytes = (tileColumns * resultBits(output)) / 8;
  const tileRight = roundUp(rowBytes, beat);
  const rowStride = columnTiles * tileRight;
  return { rowStride, tileDown: tileRows * rowStride, tileRight, bytes: product.rows * rowStride, written: product.rows * columnTiles * rowBytes };
};

/** Code of the descriptor's field `format`. */
export const formatCode = (output: CoreOutput): number =>
  output.format === "codes" ? vectorFormats[`${output.unsigned ? "u" : ""}int${output.bits}`] : vectorFormats[output.format];

const refuse = (what: string, hint?: string): never => {
  throw new UserError("bad-product", what, { hint });
};

const checkOutput = (parameters: CoreParameters, { product, output }: CoreJob, { element, tileColumns }: JobShape): void => {
  if (output.format !== "codes") return;
  if (!parameters.requantize) refuse(`${product.name}: this core has no dividers, so its results can't be codes`, "build it with requantize=true");
  if (output.bits !== element) refuse(`${product.name}: codes of results have the ${element} bits of this product's elements, not ${output.bits}`);
  if (!output.transpose && (tileColumns * element) % parameters.dataWidth !== 0)
    refuse(
      `${product.name}: rows of ${tileColumns} codes of ${element} bits don't fill whole beats of ${parameters.dataWidth} bits`,
      "transpose: true writes them channel by channel; or build the core with a smaller dataWidth",
    );
  for (const [name, { length }] of Object.entries({ bias: output.bias, codeScale: output.codeScale }))
    if (length !== product.columns) refuse(`${product.name}: ${name} has ${length} values for ${product.columns} columns`);
};

/**
 * Checks what the core's images and formats can't express; whether the product fits is `plan`'s question.
 * @throws UserError `bad-product`
 */
export const checkJob = (parameters: CoreParameters, job: CoreJob): JobShape => {
  const { name, rows, columns, channels, codes, weights, order, groupOf, scales, compensation, rowCompensation, bits } = job.product;
  const most = parameters.kind === "int4" ? 4 : 8;
  if (bits > most) refuse(`${name}: elements of kind ${parameters.kind} have ${most} bits, and its codes ${bits}`);
  for (const [what, value] of Object.entries({ rows, columns, channels }))
    if (!Number.isInteger(value) || value < 1 || value > 0xffff) refuse(`${name}: ${what} are from 1 to 65535, not ${value}`);
  const sizes: [string, number, number][] = [
    ["activation codes", codes.length, rows * channels],
    ["weight codes", weights.length, columns * channels],
    ["channels in order", order.length, channels],
    ["group numbers", groupOf.length, channels],
    ["scales", scales.length, columns],
    ["compensations", compensation.length, columns],
    ["row compensations", rowCompensation?.length ?? rows, rows],
  ];
  for (const [what, length, wanted] of sizes) if (length !== wanted) refuse(`${name} has ${length} ${what} where its shape needs ${wanted}`);
  const shape = shapeOf(parameters, job);
  checkOutput(parameters, job, shape);
  return shape;
};
