import { composableAccumulate } from "../../../src/golden/tender/composable.ts";
import { type CoreConfiguration, tileShape } from "../../../src/golden/tender/core/configuration.ts";
import { statusBits } from "../../../src/golden/tender/core/descriptor.ts";
import type { GoldenMemory } from "../../../src/golden/tender/core/memory.ts";
import { shiftAccumulateWrapped } from "../../../src/golden/tender/matmul.ts";
import { type ResultFormat, type VectorResult, vectorResult } from "../../../src/golden/tender/vector-unit.ts";
import type { ImageJob } from "./images.ts";
import { beatsOf } from "./jobs.ts";

const formats: Readonly<Record<number, ResultFormat>> = {
  0: "binary32",
  1: "bfloat16",
  4: { bits: 8, unsigned: false },
  5: { bits: 8, unsigned: true },
  6: { bits: 4, unsigned: false },
  7: { bits: 4, unsigned: true },
};

/** Accumulators of a product [rows, columns] from its matrices, by other functions than the golden core's, and whether any overflowed. */
const sumsOf = (configuration: CoreConfiguration, { recipe, product }: ImageJob): { readonly values: Float64Array; readonly overflow: boolean } => {
  const { accWidth, shiftBits } = configuration;
  const plain = shiftAccumulateWrapped(product, accWidth, shiftBits === 1 ? 1 : 2);
  if (!recipe.wide) return { values: plain.values, overflow: plain.overflow.includes(1) };
  const { codes, weights, rows, columns, channels } = product;
  const cells = Array.from({ length: rows * columns }, (_, at) => {
    const [row, column] = [Math.floor(at / columns), at % columns];
    const x = codes.subarray(row * channels, (row + 1) * channels);
    return composableAccumulate(beatsOf(configuration, product), x, weights.subarray(column * channels, (column + 1) * channels), accWidth);
  });
  return { values: Float64Array.from(cells, ({ value }) => value), overflow: cells.some(({ overflow }) => overflow) };
};

/**
 * Writes what a well-formed job leaves in memory, element by element from its matrices: results, and the record.
 * The job must be tidy and its index good, since lanes beyond the matrix and beats without a channel are not modelled.
 */
export const writeExpected = (configuration: CoreConfiguration, job: ImageJob, number: number, memory: GoldenMemory): void => {
  const { recipe, fields, constants, slot } = job;
  const tile = tileShape(configuration, recipe.wide);
  const { values, overflow } = sumsOf(configuration, job);
  const format = formats[recipe.format]!;
  const bits = format === "binary32" ? 32 : format === "bfloat16" ? 16 : format.bits;
  const none = { scale: 0, compensation: 0, bias: 0, codeScale: 1 };
  const result = (row: number, column: number): VectorResult => {
    const inside = column < recipe.columns;
    const compensation = constants.rows === undefined || row < recipe.rows ? constants.rows?.[row] : 0;
    return vectorResult(
      inside && row < recipe.rows ? values[row * recipe.columns + column]! : 0,
      inside ? constants.columns[column]! : none,
      compensation,
      recipe.relu,
      format,
    );
  };
  let nan = false;
  const bytes = new DataView(memory.bytes.buffer);
  const put = (at: number, value: VectorResult): void => {
    if (bits === 32) bytes.setUint32(at, value.bits, true);
    else if (bits === 16) bytes.setUint16(at, value.bits, true);
    else bytes.setUint8(at, value.bits);
  };
  // Transposed words are whole: rows beyond the matrix are zeros.
  const rows = recipe.transpose ? Math.ceil(recipe.rows / tile.rows) * tile.rows : recipe.rows;
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < recipe.columns; column++) {
      const [inRow, inColumn] = [row % tile.rows, column % tile.columns];
      const base = fields.results + BigInt(Math.floor(row / tile.rows) * fields.tileDown + Math.floor(column / tile.columns) * fields.tileRight);
      const word = Number(base - memory.base);
      const start = recipe.transpose ? (word + (inColumn * tile.rows * bits) / 8) * 8 + inRow * bits : (word + inRow * fields.rowStride) * 8 + inColumn * bits;
      const value = row < recipe.rows ? result(row, column) : { bits: 0, nan: false };
      nan ||= row < recipe.rows && value.nan;
      if (bits !== 4) put(start / 8, value);
      else {
        const at = start >> 3;
        // The byte's other half: kept where it was written, else the lane's beyond the matrix.
        const beyond = recipe.transpose ? 0 : result(row, column + 1).bits;
        bytes.setUint8(at, start % 8 === 0 ? value.bits + 16 * beyond : (bytes.getUint8(at) & 15) + 16 * value.bits);
      }
    }
  const status = (overflow ? statusBits.overflow : 0) + (nan ? statusBits.nan : 0);
  for (const [index, value] of [2 ** 31 + status, recipe.tag, 0, number].entries()) memory.setWord(slot + 0x40n + BigInt(4 * index), value);
};
