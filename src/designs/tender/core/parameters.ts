import { UserError } from "../../../base/error.ts";
import { integer, type ParameterValues, powerOfTwo } from "../../../base/parameters.ts";
import { arraySchema, cellSchema, cellSuffix, checkArray, widthsOf } from "../parameters.ts";
import { vectorSchema } from "../vector-parameters.ts";

/** Parameters of the tensor core. */
export const coreSchema = {
  rows: powerOfTwo(arraySchema.rows.doc, arraySchema.rows.default, 2, 64),
  cols: powerOfTwo(arraySchema.cols.doc, arraySchema.cols.default, 2, 64),
  ...cellSchema,
  requantize: vectorSchema.requantize,
  bitsPerStage: vectorSchema.bitsPerStage,
  dataWidth: powerOfTwo("bits of a beat of the memory port", 128, 64, 512),
  addressWidth: integer("bits of a byte address", 40, 32, 64),
  idWidth: integer("bits of a transaction's identifier", 4, 1, 16),
  outstanding: powerOfTwo("bursts in flight in each direction", 16, 2, 256),
  burst: powerOfTwo("beats of the longest burst", 16, 1, 256),
  activationKib: powerOfTwo("KiB of the activation scratchpad", 64, 1, 1024),
  weightKib: powerOfTwo("KiB of the weight scratchpad", 64, 1, 1024),
  channels: powerOfTwo("most beats of a tile, which are its channels and the zero beats of empty groups", 4096, 64, 16384),
};

export type CoreParameters = ParameterValues<typeof coreSchema>;

/** Bits of a count of bytes of one transfer: a panel is at most the largest scratchpad. */
export const lengthWidth = 21;

/** Sizes that follow from the parameters. A word is what one channel of a tile needs, a row of a scratchpad the wider of a word and a beat. */
export interface PadGeometry {
  /** Bits. */
  readonly word: number;
  /** Bits. */
  readonly row: number;
  readonly wordsPerRow: number;
  readonly beatsPerRow: number;
  /** Rows of the scratchpad, a power of two. */
  readonly depth: number;
}

export interface CoreGeometry {
  /** Bits of an activation or a weight as it lies in memory. */
  readonly element: number;
  readonly activations: PadGeometry;
  readonly weights: PadGeometry;
  /** Constants of a column: scale and compensation, and bias and scale of codes where the core requantises. */
  readonly constants: number;
  /** Beats of the constants of a column of tiles. */
  readonly constantBeats: number;
  /** Beats of the row compensations of a row of tiles. */
  readonly compensationBeats: number;
}

const padOf = (kib: number, lanes: number, element: number, dataWidth: number): PadGeometry => {
  const word = lanes * element;
  const row = Math.max(word, dataWidth);
  return { word, row, wordsPerRow: row / word, beatsPerRow: row / dataWidth, depth: (kib * 8192) / row };
};

export const geometryOf = (parameters: CoreParameters): CoreGeometry => {
  const { rows, cols, kind, requantize, dataWidth, activationKib, weightKib } = parameters;
  const { element } = widthsOf(kind);
  const constants = requantize ? 4 : 2;
  return {
    element,
    activations: padOf(activationKib, rows, element, dataWidth),
    weights: padOf(weightKib, cols, element, dataWidth),
    constants,
    constantBeats: Math.ceil((constants * cols * 32) / dataWidth),
    compensationBeats: Math.ceil((rows * 32) / dataWidth),
  };
};

/** Part of the module names that says all parameters of the core. */
export const coreSuffix = (parameters: CoreParameters): string => {
  const { rows, cols, requantize, bitsPerStage, dataWidth, addressWidth, idWidth, outstanding, burst, activationKib, weightKib, channels } = parameters;
  const array = `r${rows}_c${cols}_${cellSuffix(parameters)}${requantize ? `_q${bitsPerStage}` : ""}`;
  return `${array}_d${dataWidth}_p${addressWidth}_t${idWidth}_o${outstanding}_b${burst}_x${activationKib}_w${weightKib}_n${channels}`;
};

/** The index buffer: two halves of `channels` entries of 16 bits. */
export const indexGeometry = ({ channels, dataWidth }: CoreParameters): PadGeometry => ({
  word: 16,
  row: dataWidth,
  wordsPerRow: dataWidth / 16,
  beatsPerRow: 1,
  depth: (2 * channels * 16) / dataWidth,
});

/** Slots of constants, each for one column of tiles: prefetched while the columns before are computed. */
export const constantSlots = 4;

/** Slots of row compensations, each for one row of tiles: the most rows of tiles of a block that has them. */
export const compensationSlots = 32;

const slotGeometry = (slots: number, beats: number, dataWidth: number): PadGeometry => ({
  word: 32,
  row: dataWidth,
  wordsPerRow: dataWidth / 32,
  beatsPerRow: 1,
  depth: slots * beats,
});

export const constantGeometry = (parameters: CoreParameters): PadGeometry =>
  slotGeometry(constantSlots, geometryOf(parameters).constantBeats, parameters.dataWidth);

export const compensationGeometry = (parameters: CoreParameters): PadGeometry =>
  slotGeometry(compensationSlots, geometryOf(parameters).compensationBeats, parameters.dataWidth);

const check = (holds: boolean, what: string): void => {
  if (!holds) throw new UserError("bad-parameter", what);
};

/** @throws UserError naming the constraint that the parameters break together */
export const checkCore = (parameters: CoreParameters): void => {
  checkArray(parameters);
  const { rows, cols, kind, dataWidth } = parameters;
  const { element, activations, weights } = geometryOf(parameters);
  // An INT8 product on composable cells has half the columns, and half the rows.
  const columns = kind === "composable" ? cols / 2 : cols;
  check(
    columns * 16 >= dataWidth,
    `a row of bfloat16 results, ${columns} x 16 bits, has to fill whole beats of ${dataWidth} bits: dataWidth is at most ${columns * 16} with ${columns} columns`,
  );
  check(
    rows * columns * element >= dataWidth && rows * 32 >= dataWidth,
    `the codes of a tile, ${rows * columns} x ${element} bits, and the compensations of its rows, ${rows} x 32 bits, have to fill whole beats of ${dataWidth} bits`,
  );
  for (const [name, { depth }] of Object.entries({ activationKib: activations, weightKib: weights }))
    check(depth >= 4, `${name} has to hold at least 4 rows of the scratchpad, but holds ${depth}`);
};
