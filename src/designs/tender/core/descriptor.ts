import { vectorFormats } from "../vector-parameters.ts";

/** A field of a descriptor or record: `width` bits from bit `low` of the 32-bit word at byte `offset` on, over as many words as it needs. */
export interface DescriptorField {
  readonly offset: number;
  readonly low: number;
  readonly width: number;
  readonly doc: string;
}

const field = (offset: number, high: number, low: number, doc: string): DescriptorField => ({ offset, low, width: high - low + 1, doc });
const address = (offset: number, doc: string): DescriptorField => field(offset, 63, 0, doc);

/** Bytes of a descriptor with the place of its record: what a slot of the ring takes. */
export const descriptorBytes = 128;

/** Bytes that a record overwrites in its descriptor, from `recordOffset` on. */
export const recordBytes = 16;
export const recordOffset = 0x40;

export const opcodes = { nop: 0, multiply: 1 } as const;

/** Fields of a descriptor, little-endian. A product is Y[rows, columns] = X[rows, channels] * W[columns, channels] transposed. */
export const descriptorFields = {
  opcode: field(0x00, 3, 0, "0 nothing but a record, 1 multiply"),
  format: field(
    0x00,
    6,
    4,
    `of the results: ${Object.entries(vectorFormats)
      .map(([name, code]) => `${code} ${name}`)
      .join(", ")}`,
  ),
  relu: field(0x00, 7, 7, "negative results become 0"),
  unsigned: field(0x00, 8, 8, "the activations are unsigned"),
  wide: field(0x00, 9, 9, "composable kind: the product is INT8"),
  rowCompensation: field(0x00, 10, 10, "rows have compensations"),
  transpose: field(0x00, 11, 11, "codes are written channel by channel, as the next product reads them"),
  interrupt: field(0x00, 12, 12, "the record is followed by an interrupt"),
  block: field(0x00, 31, 16, "rows of tiles that stay in the activation scratchpad while all weights pass, at least 1"),
  tag: field(0x04, 31, 0, "comes back in the record"),
  rows: field(0x08, 15, 0, "rows of activations and of results, at least 1"),
  columns: field(0x08, 31, 16, "columns of results, at least 1"),
  channels: field(0x0c, 15, 0, "words of a panel, at least 1"),
  beats: field(0x0c, 31, 16, "entries of the index, at least 1"),
  index: address(0x10, "address of the index"),
  activations: address(0x18, "address of the first panel of activations"),
  weights: address(0x20, "address of the first panel of weights"),
  constants: address(0x28, "address of the constants of the first column of tiles"),
  compensations: address(0x30, "address of the row compensations"),
  results: address(0x38, "address of the first row of the first tile of results"),
  rowStride: field(0x50, 31, 0, "bytes from a row of a tile of results to the next"),
  tileDown: field(0x54, 31, 0, "bytes from a tile of results to the one below"),
  tileRight: field(0x58, 31, 0, "bytes from a tile of results to the one on its right"),
} as const;

/** Fields of the record that the core writes into the descriptor when all results are in memory. */
export const recordFields = {
  done: field(0x40, 31, 31, "1: the job has ended"),
  status: field(0x40, 5, 0, "0 without errors, else the bits of `jobErrors`"),
  tag: field(0x44, 31, 0, "of the descriptor"),
  cycles: field(0x48, 31, 0, "cycles in which the core was busy since the record before"),
  number: field(0x4c, 31, 0, "jobs ended before this one since reset"),
} as const;

/** Bits of a record's status, and of the register of sticky errors. */
export const jobErrors = {
  badDescriptor: { bit: 0, doc: "A field of the descriptor is illegal; nothing was done." },
  readError: { bit: 1, doc: "The bus answered a read with an error; the results are wrong." },
  writeError: { bit: 2, doc: "The bus answered a write with an error; results are missing." },
  overflow: { bit: 3, doc: "An accumulator left its range; its result is wrapped." },
  nan: { bit: 4, doc: "A result is NaN, or the code 0 in its place." },
  badIndex: { bit: 5, doc: "The index names a channel that the panels don't have; zero was taken for it." },
} as const;

/** An entry of the index, 16 bits: the channel of the beat, and the shift before it. */
export const indexEntry = { channelWidth: 14, shiftWidth: 2, zero: 0x3fff } as const;
