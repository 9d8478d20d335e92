import { UserError } from "../../../base/error.ts";
import { activationLayout, type CoreConfiguration, panelRows, tileShape, weightLayout } from "./configuration.ts";
import type { GoldenMemory } from "./memory.ts";

/** Fields of up to 32 bits: the word's byte in the descriptor, its highest and its lowest bit (docs/tender-core.md, Descriptor). */
export const numberFields = {
  opcode: [0x00, 3, 0],
  format: [0x00, 6, 4],
  relu: [0x00, 7, 7],
  unsigned: [0x00, 8, 8],
  wide: [0x00, 9, 9],
  rowCompensation: [0x00, 10, 10],
  transpose: [0x00, 11, 11],
  interrupt: [0x00, 12, 12],
  block: [0x00, 31, 16],
  tag: [0x04, 31, 0],
  rows: [0x08, 15, 0],
  columns: [0x08, 31, 16],
  channels: [0x0c, 15, 0],
  beats: [0x0c, 31, 16],
  rowStride: [0x50, 31, 0],
  tileDown: [0x54, 31, 0],
  tileRight: [0x58, 31, 0],
} as const;

/** Byte of each address of 64 bits in the descriptor. */
export const addressFields = { index: 0x10, activations: 0x18, weights: 0x20, constants: 0x28, compensations: 0x30, results: 0x38 } as const;

/** Fields of a descriptor; flags are 0 or 1. */
export type DescriptorFields = { readonly [K in keyof typeof numberFields]: number } & { readonly [K in keyof typeof addressFields]: bigint };

export const descriptorBytes = 128;
export const recordOffset = 0x40;

/** Bits of a record's status. */
export const statusBits = { badDescriptor: 1, readError: 2, writeError: 4, overflow: 8, nan: 16, badIndex: 32 } as const;

const names = Object.keys as <K extends string>(record: Readonly<Record<K, unknown>>) => K[];

/** @throws UserError `bad-address` where the slot is not in the memory */
export const readDescriptor = (memory: GoldenMemory, slot: bigint): DescriptorFields => {
  const number = ([byte, high, low]: readonly [number, number, number]): number =>
    Math.floor(memory.word(slot + BigInt(byte)) / 2 ** low) % 2 ** (high - low + 1);
  const address = (byte: number): bigint => BigInt(memory.word(slot + BigInt(byte))) + (BigInt(memory.word(slot + BigInt(byte + 4))) << 32n);
  return Object.fromEntries([
    ...names(numberFields).map((name) => [name, number(numberFields[name])]),
    ...names(addressFields).map((name) => [name, address(addressFields[name])]),
  ]) as DescriptorFields;
};

/**
 * Sets the fields' bits and leaves all others of the slot as they are.
 * @throws UserError `bad-field` for a value that its field can't hold
 */
export const writeDescriptor = (memory: GoldenMemory, slot: bigint, fields: DescriptorFields): void => {
  for (const name of names(numberFields)) {
    const [byte, high, low] = numberFields[name];
    const [at, span, value] = [slot + BigInt(byte), 2 ** (high - low + 1), fields[name]];
    if (!Number.isInteger(value) || value < 0 || value >= span) throw new UserError("bad-field", `${name} is ${value}, not an integer from 0 to ${span - 1}`);
    const old = memory.word(at);
    memory.setWord(at, old + (value - (Math.floor(old / 2 ** low) % span)) * 2 ** low);
  }
  for (const name of names(addressFields)) {
    const at = slot + BigInt(addressFields[name]);
    if (fields[name] !== BigInt.asUintN(64, fields[name])) throw new UserError("bad-field", `${name} is ${fields[name]}, not an address of 64 bits`);
    memory.setWord(at, Number(fields[name] & 0xffffffffn));
    memory.setWord(at + 4n, Number(fields[name] >> 32n));
  }
};

/** Rows of tiles whose compensations the core holds at once. */
const compensationSlots = 32;

/** Channels that an index can name, and the one that means zero. */
const mostChannels = 16384;

const sizeFault = (fields: DescriptorFields, { channels }: CoreConfiguration): string | undefined => {
  for (const name of ["rows", "columns", "channels", "beats", "block"] as const) if (fields[name] < 1) return `${name} is 0`;
  if (fields.beats > channels) return `beats, ${fields.beats}, are more than the core's ${channels}`;
  if (fields.channels > mostChannels) return `channels, ${fields.channels}, are more than ${mostChannels}`;
  if (fields.rowCompensation === 1 && fields.block > compensationSlots)
    return `a block of ${fields.block} rows of tiles has more row compensations than the core's ${compensationSlots}`;
  return undefined;
};

const placeFault = (fields: DescriptorFields, { dataWidth, addressWidth }: CoreConfiguration): string | undefined => {
  const beat = dataWidth / 8;
  for (const name of names(addressFields)) {
    if (name === "compensations" && fields.rowCompensation === 0) continue;
    if (fields[name] % BigInt(beat) !== 0n) return `address of ${name} is no multiple of ${beat}`;
    if (fields[name] >> BigInt(addressWidth) !== 0n) return `address of ${name} has more than ${addressWidth} bits`;
  }
  for (const name of ["rowStride", "tileDown", "tileRight"] as const) if (fields[name] % beat !== 0) return `${name} is no multiple of ${beat}`;
  return undefined;
};

const formatFault = ({ format, transpose, wide }: DescriptorFields, configuration: CoreConfiguration): string | undefined => {
  const { kind, requantize, dataWidth } = configuration;
  if (wide === 1 && kind !== "composable") return "wide is for the composable kind";
  if (format === 2 || format === 3) return `format ${format} is none`;
  if (format < 2) return transpose === 1 ? "only codes are transposed" : undefined;
  if (!requantize) return "the core makes no codes";
  const { bits, columns } = tileShape(configuration, wide === 1);
  const codeBits = format < 6 ? 8 : 4;
  if (codeBits !== bits) return `codes of ${codeBits} bits are not the ${bits} bits of an element`;
  if (transpose === 0 && (columns * bits) % dataWidth !== 0) return `a tile's row of codes is no whole beat, so they can only leave transposed`;
  return undefined;
};

const roomFault = (fields: DescriptorFields, configuration: CoreConfiguration): string | undefined => {
  const activations = activationLayout(configuration);
  const weights = weightLayout(configuration);
  const block = Math.min(fields.block, Math.ceil(fields.rows / tileShape(configuration, fields.wide === 1).rows));
  if (panelRows(activations, fields.channels) * block > activations.depth) return `${block} panels of activations don't fit their scratchpad`;
  if (panelRows(weights, fields.channels) > weights.depth) return "a panel of weights doesn't fit its scratchpad";
  return undefined;
};

/**
 * Why the core refuses a descriptor; undefined where it takes it. Opcode 0 has no fields. A multiplication is refused where
 * - rows, columns, channels, beats or block are 0, beats are more than the core's `channels`, or channels more than 16384;
 * - with row compensations, the block has more than 32 rows of tiles;
 * - an address (that of the row compensations only if the job has them) or a stride is no multiple of a beat, or an address has more bits than the core's;
 * - format is 2 or 3, or codes that the core doesn't make or that are not as wide as the product's elements;
 * - codes that are not transposed don't fill whole beats with a tile's row, or something else than codes is to be transposed;
 * - wide is set and the kind is not composable;
 * - a block's panels of activations (no more than the matrix has), or a panel of weights, don't fit their scratchpad.
 */
export const descriptorFault = (fields: DescriptorFields, configuration: CoreConfiguration): string | undefined => {
  if (fields.opcode === 0) return undefined;
  if (fields.opcode !== 1) return `opcode ${fields.opcode} is none`;
  return sizeFault(fields, configuration) ?? placeFault(fields, configuration) ?? formatFault(fields, configuration) ?? roomFault(fields, configuration);
};
