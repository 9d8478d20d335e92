import type { GemmKernel } from "./gemm-kernel.ts";
import { gemmKernel, panelColumns, tileRows } from "./gemm-kernel.ts";

/** A matrix [N, K] in panels of eight rows, [ceil(N/8)][K][8], the last one padded with zeros: the right-hand side of `multiply`. */
export interface PackedMatrix {
  readonly rows: number;
  readonly channels: number;
  readonly panels: Float32Array;
}

/** Where a matrix [N, K] lies in a larger array: element (n, k) at `offset + n * rowStride + k * channelStride`. */
export interface Layout {
  readonly rows: number;
  readonly channels: number;
  readonly offset?: number;
  /** Default: `channels`. */
  readonly rowStride?: number;
  /** Default: 1. */
  readonly channelStride?: number;
}

export const packMatrix = (data: Float32Array, { rows, channels, offset = 0, rowStride = channels, channelStride = 1 }: Layout): PackedMatrix => {
  const panels = new Float32Array(Math.ceil(rows / panelColumns) * panelColumns * channels);
  for (let row = 0; row < rows; row++) {
    let from = offset + row * rowStride;
    let to = Math.floor(row / panelColumns) * panelColumns * channels + (row % panelColumns);
    for (let channel = 0; channel < channels; channel++, from += channelStride, to += panelColumns) panels[to] = data[from]!;
  }
  return { rows, channels, panels };
};

let shared: GemmKernel | undefined;
const pageBytes = 65536;

const kernelWith = (bytes: number): GemmKernel => {
  shared ??= gemmKernel();
  const missing = bytes - shared.memory.buffer.byteLength;
  if (missing > 0) shared.memory.grow(Math.ceil(missing / pageBytes));
  return shared;
};

/**
 * x [T, K] times `matrix` [N, K] transposed: [T, N], in binary32, channels ascending.
 * Everything passes through the kernel's own memory, which is small beside the T * N * K multiplications.
 */
export const multiply = (x: Float32Array, matrix: PackedMatrix): Float32Array => {
  const { rows: columns, channels, panels } = matrix;
  const rows = x.length / channels;
  const paddedRows = Math.ceil(rows / tileRows) * tileRows;
  const paddedColumns = Math.ceil(columns / panelColumns) * panelColumns;
  const result = new Float32Array(rows * columns);
  if (result.length === 0) return result;
  const panelsAt = paddedRows * channels;
  const resultAt = panelsAt + panels.length;
  const { memory, panel } = kernelWith(4 * (resultAt + paddedRows * paddedColumns));
  const floats = new Float32Array(memory.buffer);
  floats.set(x);
  floats.set(panels, panelsAt);
  for (let column = 0; column < paddedColumns; column += panelColumns)
    panel(0, 4 * (panelsAt + column * channels), 4 * (resultAt + column), paddedRows, paddedColumns, channels);
  for (let row = 0; row < rows; row++) {
    const from = resultAt + row * paddedColumns;
    result.set(floats.subarray(from, from + columns), row * columns);
  }
  return result;
};
