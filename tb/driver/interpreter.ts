import { type DescriptorField, descriptorFields, recordOffset } from "../../src/designs/tender/core/descriptor.ts";
import type { CoreParameters } from "../../src/designs/tender/core/parameters.ts";
import { runBeats } from "../../src/golden/tender/matmul.ts";
import { type ColumnConstants, type ResultFormat, vectorResult } from "../../src/golden/tender/vector-unit.ts";

const formats: Readonly<Record<number, ResultFormat>> = {
  0: "binary32",
  1: "bfloat16",
  4: { bits: 8, unsigned: false },
  5: { bits: 8, unsigned: true },
  6: { bits: 4, unsigned: false },
  7: { bits: 4, unsigned: true },
};

type Fields = Record<keyof typeof descriptorFields, number>;

/**
 * Does what a descriptor in memory says, element by element and bit by bit, from docs/tender-core.md alone: what images of the driver are judged by.
 * Its tiles have no order, since none of their results depends on another.
 */
export class Interpreter {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #base: number;
  readonly #parameters: CoreParameters;

  constructor(parameters: CoreParameters, bytes: Uint8Array, base: number) {
    this.#parameters = parameters;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#base = base;
  }

  /** Does the job in the slot at an address, and writes its record. */
  run(address: number): void {
    const at = address - this.#base;
    const job = this.#fields(at);
    const tileRows = job.wide === 1 ? this.#parameters.rows / 2 : this.#parameters.rows;
    const tileColumns = job.wide === 1 ? this.#parameters.cols / 2 : this.#parameters.cols;
    let status = 0;
    for (let row = 0; row < job.rows; row += 1)
      for (let column = 0; column < job.columns; column += 1) {
        const i = Math.floor(row / tileRows);
        const j = Math.floor(column / tileColumns);
        status |= this.#element(job, { i, j, row: row % tileRows, column: column % tileColumns });
      }
    // done, status; tag; cycles; number
    for (const [word, value] of [(0x80000000 | status) >>> 0, job.tag, 1, 0].entries()) this.#view.setUint32(at + recordOffset + 4 * word, value, true);
  }

  #fields(at: number): Fields {
    const read = ({ offset, low, width }: DescriptorField): number =>
      width === 64 ? Number(this.#view.getBigUint64(at + offset, true)) : Math.floor(this.#view.getUint32(at + offset, true) / 2 ** low) % 2 ** width;
    return Object.fromEntries(Object.entries(descriptorFields).map(([name, field]) => [name, read(field)])) as Fields;
  }

  #nibble(at: number): number {
    return (this.#bytes[Math.floor(at / 2)]! >> (at % 2 === 0 ? 0 : 4)) & 15;
  }

  /** Element of a channel's word in a panel. */
  #operand(panel: number, channel: number, lanes: number, lane: number, bits: number, signed: boolean): number {
    const at = 2 * (panel - this.#base) + (channel * lanes + lane) * (bits / 4);
    const value = bits === 8 ? this.#nibble(at) + 16 * this.#nibble(at + 1) : this.#nibble(at);
    return signed && value >= 2 ** (bits - 1) ? value - 2 ** bits : value;
  }

  #element(job: Fields, place: { i: number; j: number; row: number; column: number }): number {
    const { rows, cols, kind, dataWidth, accWidth, activationKib, weightKib, requantize } = this.#parameters;
    const bits = kind === "int8" || job.wide === 1 ? 8 : 4;
    const lanes = { x: job.wide === 1 ? rows / 2 : rows, w: job.wide === 1 ? cols / 2 : cols };
    const panelBytes = (count: number): number => {
      const row = Math.max(count * bits, dataWidth);
      return (Math.ceil((job.channels * count * bits) / row) * row) / 8;
    };
    if (panelBytes(lanes.x) > activationKib * 1024 || panelBytes(lanes.w) > weightKib * 1024) throw new Error("a panel is larger than its scratchpad");
    const x = job.activations + place.i * panelBytes(lanes.x);
    const w = job.weights + place.j * panelBytes(lanes.w);
    const beats = Array.from({ length: job.beats }, (_, at) => {
      const entry = this.#view.getUint16(job.index - this.#base + 2 * at, true);
      const channel = entry & 0x3fff;
      if (channel !== 0x3fff && channel >= job.channels) throw new Error(`the index names channel ${channel}`);
      return { channel: channel === 0x3fff ? -1 : channel, shift: at === 0 ? 0 : entry >> 14, first: at === 0, last: at === job.beats - 1 };
    });
    const product = (channel: number): number =>
      this.#operand(x, channel, lanes.x, place.row, bits, job.unsigned === 0) * this.#operand(w, channel, lanes.w, place.column, bits, true);
    const { value, overflow } = runBeats(beats, product, accWidth);
    const float = (address: number): number => this.#view.getFloat32(address - this.#base, true);
    const sets = requantize ? 4 : 2;
    const tile = job.constants + place.j * Math.ceil((sets * cols * 32) / dataWidth) * (dataWidth / 8);
    const lane = place.column * (job.wide === 1 ? 2 : 1);
    const constant = (set: number): number => (set < sets ? float(tile + 4 * (set * cols + lane)) : 1);
    const constants: ColumnConstants = { scale: constant(0), compensation: constant(1), bias: constant(2), codeScale: constant(3) };
    const ofRow = job.rowCompensation === 1 ? float(job.compensations + 4 * (place.i * rows + place.row)) : undefined;
    const result = vectorResult(value, constants, ofRow, job.relu === 1, formats[job.format]!);
    this.#write(job, place, result.bits, bits * lanes.x);
    return (overflow ? 8 : 0) | (result.nan ? 16 : 0);
  }

  #write(job: Fields, { i, j, row, column }: { i: number; j: number; row: number; column: number }, value: number, word: number): void {
    const size = job.format === 0 ? 32 : job.format === 1 ? 16 : job.format < 6 ? 8 : 4;
    const tile = job.results - this.#base + i * job.tileDown + j * job.tileRight;
    const bit = job.transpose === 1 ? 8 * tile + column * word + row * size : 8 * (tile + row * job.rowStride) + column * size;
    if (size === 4) this.#bytes[bit >> 3] = (this.#bytes[bit >> 3]! & (bit % 8 === 0 ? 0xf0 : 0x0f)) | (value << (bit % 8));
    else for (let byte = 0; byte < size / 8; byte += 1) this.#bytes[bit / 8 + byte] = (value >>> (8 * byte)) & 255;
  }
}
