import { UserError } from "../../../base/error.ts";
import { Kept } from "../../../base/kept.ts";
import { indexEntry } from "../../../designs/tender/core/descriptor.ts";
import type { CoreParameters } from "../../../designs/tender/core/parameters.ts";
import { tileSchedule } from "../../../golden/tender/beats.ts";
import type { CoreProduct } from "../../../golden/tender/core-product.ts";
import { codeRange } from "../../../golden/tender/quantize.ts";
import { shiftWidthOf } from "../tiles.ts";
import type { CoreJob, JobShape } from "./job.ts";

/** What a job reads from memory. The same image object may serve several jobs, and then lies in memory once. */
export interface JobImages {
  readonly index: Uint8Array;
  readonly activations: Uint8Array;
  readonly weights: Uint8Array;
  readonly constants: Uint8Array;
  readonly compensations: Uint8Array | undefined;
}

interface Matrix {
  /** [count, channels] */
  readonly codes: Int16Array;
  readonly count: number;
  readonly channels: number;
}

interface PanelForm {
  /** Rows of the matrix in a panel. */
  readonly lanes: number;
  /** Bits of an element: 8, or 4. */
  readonly element: number;
  /** Bytes of a panel. */
  readonly bytes: number;
}

/** Panels of a matrix: of each channel `lanes` elements, one a byte. */
const packBytes = ({ codes, count, channels }: Matrix, { lanes, bytes }: PanelForm): Uint8Array => {
  const image = new Uint8Array(Math.ceil(count / lanes) * bytes);
  for (let row = 0; row < count; row += 1) {
    const lane = row % lanes;
    let to = ((row - lane) / lanes) * bytes + lane;
    for (let from = row * channels, end = from + channels; from < end; from += 1, to += lanes) image[to] = codes[from]!;
  }
  return image;
};

/** As `packBytes`, two elements a byte, the first in the low nibble. */
const packNibbles = ({ codes, count, channels }: Matrix, { lanes, bytes }: PanelForm): Uint8Array => {
  const image = new Uint8Array(Math.ceil(count / lanes) * bytes);
  const step = lanes / 2;
  for (let row = 0; row < count; row += 2) {
    const lane = row % lanes;
    let to = ((row - lane) / lanes) * bytes + lane / 2;
    for (let channel = 0, from = row * channels; channel < channels; channel += 1, from += 1, to += step)
      image[to] = (codes[from]! & 15) | ((codes[from + channels] ?? 0) << 4);
  }
  return image;
};

/** Panels of a matrix (docs/tender-core.md), zeros where they are more than the matrix. */
export const packPanels = (matrix: Matrix, form: PanelForm): Uint8Array => (form.element === 8 ? packBytes : packNibbles)(matrix, form);

/** @throws UserError `bad-product` for codes outside their range, which the images would cut */
const checkCodes = (what: string, codes: Int16Array, bits: number, unsigned: boolean): void => {
  const { low, high } = codeRange(bits, unsigned);
  for (let at = 0; at < codes.length; at += 1)
    if (codes[at]! < low || codes[at]! > high)
      throw new UserError("bad-product", `${what} hold ${codes[at]} at place ${at}, and codes are from ${low} to ${high}`);
};

/** Index of a tile: one entry a beat, without beats for trailing empty groups. */
export const packIndex = (parameters: CoreParameters, { order, groupSizes }: Pick<CoreProduct, "order" | "groupSizes">, bytes: number): Uint8Array => {
  const { beats } = tileSchedule(order, groupSizes, { shiftWidth: shiftWidthOf(parameters), trailing: "trim" });
  const image = new Uint8Array(bytes);
  const entries = new Uint16Array(image.buffer);
  for (const [at, { channel, shift }] of beats.entries()) entries[at] = (channel < 0 ? indexEntry.zero : channel) | (shift << indexEntry.channelWidth);
  return image;
};

/** Groups below the smallest that has a channel: so many shifts the core does not do. */
export const trailingGroups = (groupSizes: readonly number[]): number => groupSizes.length - 1 - groupSizes.findLastIndex((size) => size > 0);

/**
 * Scales of the columns for accumulators without the shifts of trailing empty groups: `scales[n] * 2^t`.
 *
 * Results are those of the untrimmed product, bit for bit: its accumulator is `acc * 2^t`, whose rounding to binary32 is that of `acc` times 2^t, and
 * `(a * 2^t) * s = a * (s * 2^t)` exactly, before the one rounding of that product. For that the power of two goes to the scale AFTER `fround(scale0 * sw)`:
 * a subnormal scale has lost bits there, and `fround(scale0 * 2^t * sw)` would not have lost them. `s * 2^t` itself is exact, subnormal or not, unless it overflows.
 * @throws UserError `bad-product` where it does
 */
export const trimmedScales = ({ name, scales, groupSizes }: Pick<CoreProduct, "name" | "scales" | "groupSizes">): Float32Array => {
  const trailing = trailingGroups(groupSizes);
  if (trailing === 0) return scales;
  const trimmed = scales.map((scale) => scale * 2 ** trailing);
  const column = trimmed.findIndex((scale, at) => !Number.isFinite(scale) && Number.isFinite(scales[at]!));
  if (column >= 0) throw new UserError("bad-product", `${name}: the scale ${scales[column]} of column ${column} times 2^${trailing} is beyond binary32`);
  return trimmed;
};

/** For each column of tiles, `cols` values of each constant; composable INT8 has its columns on the even lanes. */
export const packConstants = (
  parameters: CoreParameters,
  { product, output }: CoreJob,
  { wide, tileColumns, columnTiles, constantBytes }: JobShape,
): Uint8Array => {
  const { cols, requantize } = parameters;
  const image = new Uint8Array(columnTiles * constantBytes);
  const words = new Float32Array(image.buffer);
  const codes = output.format === "codes" ? output : undefined;
  const step = wide ? 2 : 1;
  const put = (constant: number, values: Float32Array): void => {
    for (let column = 0; column < product.columns; column += 1) {
      const lane = column % tileColumns;
      words[((column - lane) / tileColumns) * (constantBytes / 4) + constant * cols + lane * step] = values[column]!;
    }
  };
  // Lanes without a column divide by 1: 0/0 would flag a NaN.
  if (requantize) for (let tile = 0; tile < columnTiles; tile += 1) words.fill(1, (tile * constantBytes) / 4 + 3 * cols, (tile * constantBytes) / 4 + 4 * cols);
  put(0, trimmedScales(product));
  put(1, product.compensation);
  if (codes !== undefined) put(2, codes.bias);
  if (codes !== undefined) put(3, codes.codeScale);
  return image;
};

/** For each row of tiles, `rows` values. */
export const packCompensations = (values: Float32Array, { tileRows, rowTiles, compensationBytes }: JobShape): Uint8Array => {
  const image = new Uint8Array(rowTiles * compensationBytes);
  const words = new Float32Array(image.buffer);
  for (let tile = 0; tile < rowTiles; tile += 1) words.set(values.subarray(tile * tileRows, (tile + 1) * tileRows), (tile * compensationBytes) / 4);
  return image;
};

/** Makes images for one core, each once for each array that it is made of: weights for all jobs that use them, activations and their index for Q, K and V. */
export class ImageMaker {
  readonly #parameters: CoreParameters;
  readonly #kept = new Kept<string, Uint8Array>();

  constructor(parameters: CoreParameters) {
    this.#parameters = parameters;
  }

  /** @throws UserError `bad-product` for codes or scales out of range */
  make(job: CoreJob, shape: JobShape): JobImages {
    const { name, codes, weights, order, groupSizes, rows, columns, channels, bits, unsigned, rowCompensation } = job.product;
    const { element, tileRows, tileColumns, activationPanel, weightPanel, indexBytes } = shape;
    return {
      index: this.#kept.get(order, `index ${groupSizes.join()}`, () => packIndex(this.#parameters, job.product, indexBytes)),
      activations: this.#kept.get(codes, `activations ${rows} ${channels} ${element} ${bits} ${unsigned}`, () => {
        checkCodes(`activations of ${name}`, codes, bits, unsigned);
        return packPanels({ codes, count: rows, channels }, { lanes: tileRows, element, bytes: activationPanel });
      }),
      weights: this.#kept.get(weights, `weights ${columns} ${channels} ${element}`, () => {
        checkCodes(`weights of ${name}`, weights, element, false);
        return packPanels({ codes: weights, count: columns, channels }, { lanes: tileColumns, element, bytes: weightPanel });
      }),
      constants: packConstants(this.#parameters, job, shape),
      compensations: rowCompensation === undefined ? undefined : packCompensations(rowCompensation, shape),
    };
  }
}
