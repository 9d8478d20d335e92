import type { ColumnConstants, ResultFormat } from "../vector-unit.ts";
import { vectorResult } from "../vector-unit.ts";
import { activationLayout, type CoreConfiguration, constantBytes, panelRows, tileShape, weightLayout } from "./configuration.ts";
import { type DescriptorFields, descriptorBytes, descriptorFault, readDescriptor, recordOffset, statusBits } from "./descriptor.ts";
import type { GoldenMemory } from "./memory.ts";
import { type IndexBeat, operandsOf, type TileSums, tileSums } from "./sums.ts";

export interface JobResult {
  /** Bits of `statusBits`, as the record has them. */
  readonly status: number;
  /** Why the descriptor was refused. */
  readonly fault: string | undefined;
}

/** A multiplication with what follows from its fields. */
interface Job {
  readonly fields: DescriptorFields;
  readonly wide: boolean;
  /** Of a tile. */
  readonly rows: number;
  readonly columns: number;
  readonly bits: 4 | 8;
  readonly beats: readonly IndexBeat[];
  readonly format: ResultFormat;
  /** Bits of a result in memory. */
  readonly resultBits: number;
}

const formats: Readonly<Record<number, ResultFormat>> = {
  0: "binary32",
  1: "bfloat16",
  4: { bits: 8, unsigned: false },
  5: { bits: 8, unsigned: true },
  6: { bits: 4, unsigned: false },
  7: { bits: 4, unsigned: true },
};

const widthOf = (format: ResultFormat): number => (format === "binary32" ? 32 : format === "bfloat16" ? 16 : format.bits);

/** Puts results of 4 to 32 bits one after the other, the first in the low bits; a last half byte has zeros above it. */
const packed = (results: readonly number[], bits: number): Uint8Array => {
  const out = new Uint8Array(Math.ceil((results.length * bits) / 8));
  if (bits === 4) for (const [index, result] of results.entries()) out[index >> 1]! |= result << (4 * (index % 2));
  else
    for (const [index, result] of results.entries())
      for (let byte = 0; byte < bits / 8; byte++) out[(index * bits) / 8 + byte] = Math.floor(result / 2 ** (8 * byte)) % 256;
  return out;
};

/** The lanes of the vector unit: an INT8 product on composable cells has its sums on the even ones and zeros between them. */
const laneSums = ({ values }: TileSums, row: number, columns: number, wide: boolean): readonly number[] => {
  const sums = Array.from(values.subarray(row * columns, (row + 1) * columns));
  return wide ? sums.flatMap((sum) => [sum, 0]) : sums;
};

/**
 * The tensor core as a device: takes descriptors out of memory, and leaves results and records there (docs/tender-core.md).
 *
 * Lanes beyond the matrix compute what memory holds for them, as in hardware: overflow and NaN of a row inside the matrix count in all lanes, also in the odd
 * ones of an INT8 product on composable cells, whose sums are 0. Rows beyond the matrix count nowhere, and are zeros in transposed codes, whose words are whole.
 */
export class GoldenCore {
  readonly configuration: CoreConfiguration;
  readonly memory: GoldenMemory;
  /** Jobs ended since reset. */
  #ended = 0;

  constructor(configuration: CoreConfiguration, memory: GoldenMemory) {
    this.configuration = configuration;
    this.memory = memory;
  }

  /**
   * One job; its record's word of cycles becomes 0.
   * @param slot address of the descriptor, which takes `descriptorBytes`
   * @throws UserError `bad-address` where something that the job names is not in the memory
   */
  run(slot: bigint): JobResult {
    const { memory } = this;
    memory.offset(slot, descriptorBytes);
    const fields = readDescriptor(memory, slot);
    const fault = descriptorFault(fields, this.configuration);
    const status = fault !== undefined ? statusBits.badDescriptor : fields.opcode === 0 ? 0 : this.#multiply(fields);
    const record = slot + BigInt(recordOffset);
    for (const [index, word] of [2 ** 31 + status, fields.tag, 0, this.#ended].entries()) memory.setWord(record + BigInt(4 * index), word);
    this.#ended = (this.#ended + 1) % 2 ** 32;
    return { status, fault };
  }

  /** Status of the job. */
  #multiply(fields: DescriptorFields): number {
    const { job, status: indexStatus } = this.#jobOf(fields);
    let status = indexStatus;
    const rowTiles = Math.ceil(fields.rows / job.rows);
    const columnTiles = Math.ceil(fields.columns / job.columns);
    for (let top = 0; top < rowTiles; top += fields.block) {
      const block = Array.from({ length: Math.min(fields.block, rowTiles - top) }, (_, inside) => this.#activations(job, top + inside));
      for (let right = 0; right < columnTiles; right++) {
        const weights = this.#weights(job, right);
        for (const [inside, activations] of block.entries()) {
          const sums = tileSums(activations, weights, job.beats, job, this.configuration.accWidth, job.wide);
          status |= this.#finish(job, top + inside, right, sums);
        }
      }
    }
    return status;
  }

  #jobOf(fields: DescriptorFields): { readonly job: Job; readonly status: number } {
    const wide = fields.wide === 1;
    const entries = this.memory.read(fields.index, 2 * fields.beats);
    const beats: IndexBeat[] = [];
    let status = 0;
    for (let at = 0; at < entries.length; at += 2) {
      const entry = entries[at]! + 256 * entries[at + 1]!;
      const channel = entry % 0x4000;
      const isBad = channel !== 0x3fff && channel >= fields.channels;
      if (isBad) status = statusBits.badIndex;
      beats.push({ channel: isBad || channel === 0x3fff ? -1 : channel, shift: Math.floor(entry / 0x4000) % 2 ** this.configuration.shiftBits });
    }
    const format = formats[fields.format]!;
    return { job: { fields, wide, ...tileShape(this.configuration, wide), beats, format, resultBits: widthOf(format) }, status };
  }

  #activations({ fields, beats, rows, bits }: Job, position: number): Int16Array {
    const layout = activationLayout(this.configuration);
    const bytes = panelRows(layout, fields.channels) * layout.rowBytes;
    return operandsOf(this.memory.read(fields.activations + BigInt(position) * BigInt(bytes), bytes), beats, rows, bits, fields.unsigned === 1);
  }

  #weights({ fields, beats, columns, bits }: Job, position: number): Int16Array {
    const layout = weightLayout(this.configuration);
    const bytes = panelRows(layout, fields.channels) * layout.rowBytes;
    return operandsOf(this.memory.read(fields.weights + BigInt(position) * BigInt(bytes), bytes), beats, columns, bits, false);
  }

  /** Constants of the vector unit's lanes for a column of tiles. */
  #constants({ fields }: Job, position: number): readonly ColumnConstants[] {
    const { cols, requantize } = this.configuration;
    const { each, all } = constantBytes(this.configuration);
    const kind = (number: number): Float32Array => this.memory.floats(fields.constants + BigInt(position * all + number * each), cols);
    const [scales, compensations] = [kind(0), kind(1)];
    const [biases, codeScales] = requantize ? [kind(2), kind(3)] : [undefined, undefined];
    return Array.from(scales, (scale, lane) => ({ scale, compensation: compensations[lane]!, bias: biases?.[lane] ?? 0, codeScale: codeScales?.[lane] ?? 1 }));
  }

  /** Makes a tile's results and writes them; returns the bits of its status. */
  #finish(job: Job, down: number, right: number, sums: TileSums): number {
    const { fields, rows, columns, wide, format } = job;
    const constants = this.#constants(job, right);
    const compensations =
      fields.rowCompensation === 1 ? this.memory.floats(fields.compensations + BigInt(4 * this.configuration.rows * down), rows) : undefined;
    const valid = Math.min(rows, fields.rows - down * rows);
    const tile: number[][] = [];
    let status = 0;
    for (let row = 0; row < rows; row++) {
      const lanes = laneSums(sums, row, columns, wide).map((sum, lane) => vectorResult(sum, constants[lane]!, compensations?.[row], fields.relu === 1, format));
      // Words of a transposed tile have zeros for rows beyond the matrix, as every image has.
      tile.push(lanes.filter((_, lane) => !wide || lane % 2 === 0).map(({ bits }) => (row < valid ? bits : 0)));
      if (row >= valid) continue;
      if (sums.overflow[row] === 1) status |= statusBits.overflow;
      if (lanes.some(({ nan }) => nan)) status |= statusBits.nan;
    }
    const base = fields.results + BigInt(down) * BigInt(fields.tileDown) + BigInt(right) * BigInt(fields.tileRight);
    const used = Math.min(columns, fields.columns - right * columns);
    if (fields.transpose === 1) this.#writeColumns(job, base, tile, used);
    else this.#writeRows(job, base, tile.slice(0, valid), used);
    return status;
  }

  /** From the last row to the first; an odd number of INT4 codes fills its last byte with the code of the lane beyond. */
  #writeRows({ fields, resultBits }: Job, base: bigint, tile: readonly (readonly number[])[], used: number): void {
    const bytes = Math.ceil((used * resultBits) / 8);
    for (let row = tile.length - 1; row >= 0; row--)
      this.memory.write(base + BigInt(row) * BigInt(fields.rowStride), packed(tile[row]!, resultBits).subarray(0, bytes));
  }

  /** Words of a tile's rows, one for each column that the matrix has. */
  #writeColumns({ rows, resultBits }: Job, base: bigint, tile: readonly (readonly number[])[], used: number): void {
    const codes = Array.from({ length: used * rows }, (_, at) => tile[at % rows]![Math.floor(at / rows)]!);
    this.memory.write(base, packed(codes, resultBits));
  }
}
