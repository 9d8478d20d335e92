import { type CoreParameters, geometryOf } from "../../../designs/tender/core/parameters.ts";
import type { CodesOutput } from "./job.ts";
import type { PlacedJob } from "./memory.ts";

/** Results [M, N]: floats, bfloat16 ones too, or codes. */
export type ResultValues = Float32Array | Int16Array;

const signed = (value: number, bits: number): number => (value >= 2 ** (bits - 1) ? value - 2 ** bits : value);

/** Where element [row, column] of a job's results lies: byte from the beginning of the results, and element from that byte on. */
const codeAt = (
  parameters: CoreParameters,
  { plan }: PlacedJob,
  { transpose }: CodesOutput,
  row: number,
  column: number,
): { byte: number; element: number } => {
  const { shape, layout } = plan;
  const i = Math.floor(row / shape.tileRows);
  const j = Math.floor(column / shape.tileColumns);
  const inRow = row % shape.tileRows;
  const inColumn = column % shape.tileColumns;
  const tile = i * layout.tileDown + j * layout.tileRight;
  if (!transpose) return { byte: tile + inRow * layout.rowStride, element: inColumn };
  return { byte: tile + (inColumn * geometryOf(parameters).activations.word) / 8, element: inRow };
};

const readCodes = (parameters: CoreParameters, memory: Uint8Array, job: PlacedJob, output: CodesOutput): Int16Array => {
  const { rows, columns } = job.plan.job.product;
  const values = new Int16Array(rows * columns);
  const { bits } = output;
  for (let row = 0, at = 0; row < rows; row += 1)
    for (let column = 0; column < columns; column += 1, at += 1) {
      const { byte, element } = codeAt(parameters, job, output, row, column);
      const whole = memory[job.results + byte + Math.floor((element * bits) / 8)]!;
      const value = bits === 8 ? whole : (whole >>> (element % 2 === 0 ? 0 : 4)) & 15;
      values[at] = output.unsigned ? value : signed(value, bits);
    }
  return values;
};

/** Reads a job's results back from memory; bfloat16 as the binary32 of the same value. */
export const readResults = (parameters: CoreParameters, memory: Uint8Array, job: PlacedJob): ResultValues => {
  const { job: asked, shape, layout } = job.plan;
  const { rows, columns } = asked.product;
  if (asked.output.format === "codes") return readCodes(parameters, memory, job, asked.output);
  const values = new Float32Array(rows * columns);
  const wide = asked.output.format === "binary32";
  const words = wide ? values : new Uint16Array(values.length);
  const bytes = new Uint8Array(words.buffer);
  const size = wide ? 4 : 2;
  for (let row = 0; row < rows; row += 1)
    for (let column = 0; column < columns; column += shape.tileColumns) {
      const from = job.results + row * layout.rowStride + (column / shape.tileColumns) * layout.tileRight;
      bytes.set(memory.subarray(from, from + Math.min(shape.tileColumns, columns - column) * size), (row * columns + column) * size);
    }
  if (!wide) new Uint32Array(values.buffer).set(Uint32Array.from(words, (word) => word << 16));
  return values;
};
