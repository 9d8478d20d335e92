import { Random } from "../../../src/base/random.ts";
import { activationLayout, type CoreConfiguration, panelRows, tileShape } from "../../../src/golden/tender/core/configuration.ts";
import { type DescriptorFields, descriptorBytes, writeDescriptor } from "../../../src/golden/tender/core/descriptor.ts";
import { GoldenMemory } from "../../../src/golden/tender/core/memory.ts";
import type { Product } from "../../../src/golden/tender/matmul.ts";
import { beatsOf, constantsOf, faults, type JobConstants, type JobRecipe, productOf } from "./jobs.ts";

/** A job as it lies in the image. */
export interface ImageJob {
  readonly recipe: JobRecipe;
  readonly fields: DescriptorFields;
  /** Address of its descriptor. */
  readonly slot: bigint;
  readonly product: Product;
  readonly constants: JobConstants;
}

export interface JobImage {
  readonly memory: GoldenMemory;
  /** Address of slot 0. */
  readonly ring: bigint;
  /** Slots of the ring, a power of two and more than there are jobs. */
  readonly slots: number;
  readonly jobs: readonly ImageJob[];
}

/** Gives out ranges of addresses with a gap of some beats after each. */
class Allocator {
  readonly base: bigint;
  end: bigint;
  readonly #beat: number;
  readonly #random: Random;

  constructor(base: bigint, beat: number, random: Random) {
    this.base = base;
    this.end = base;
    this.#beat = beat;
    this.#random = random;
  }

  place(bytes: number, alignment = this.#beat): bigint {
    const address = ((this.end + BigInt(alignment - 1)) / BigInt(alignment)) * BigInt(alignment);
    const beats = Math.ceil(bytes / this.#beat) + this.#random.integer(1, 3);
    this.end = address + BigInt(beats * this.#beat);
    return address;
  }
}

/** A range of the image and what it holds; undefined where the garbage stays. */
interface Range {
  readonly bytes: Uint8Array | undefined;
  readonly length: number;
}

const garbage = (length: number, random: Random): Uint8Array => {
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let at = 0; at < words.length; at++) words[at] = random.next();
  return new Uint8Array(words.buffer, 0, length);
};

const putBits = (bytes: Uint8Array, at: number, width: 4 | 8, value: number): void => {
  const byte = at >> 3;
  if (width === 8) bytes[byte] = value & 255;
  else bytes[byte] = at % 8 === 0 ? (bytes[byte]! & 0xf0) | (value & 15) : (bytes[byte]! & 0x0f) | ((value & 15) << 4);
};

/**
 * Panels of a matrix [count, channels]: element (lane, channel) of a panel is at bit `(channel * lanes + lane) * bits` of it.
 * @param padding what stands beyond the matrix; undefined for zeros
 */
const panelsOf = (
  codes: Int16Array,
  count: number,
  channels: number,
  lanes: number,
  bits: 4 | 8,
  dataWidth: number,
  padding: Random | undefined,
): Uint8Array => {
  const row = Math.max(lanes * bits, dataWidth);
  const panel = Math.ceil((channels * lanes * bits) / row) * row;
  const length = (Math.ceil(count / lanes) * panel) / 8;
  const bytes = padding === undefined ? new Uint8Array(length) : garbage(length, padding);
  for (let index = 0; index < count; index++) {
    const start = Math.floor(index / lanes) * panel + (index % lanes) * bits;
    for (let channel = 0; channel < channels; channel++) putBits(bytes, start + channel * lanes * bits, bits, codes[index * channels + channel]!);
  }
  return bytes;
};

const indexOf = (configuration: CoreConfiguration, recipe: JobRecipe, product: Product, random: Random): Uint8Array => {
  const beats = beatsOf(configuration, product);
  const bytes = new Uint8Array(2 * beats.length);
  const view = new DataView(bytes.buffer);
  // The first beat's shift is ignored, and the high bit of a shift of one bit too.
  for (const [position, { channel, shift }] of beats.entries()) {
    const code = position === 0 ? random.integer(0, 3) : configuration.shiftBits === 1 ? shift + 2 * random.integer(0, 1) : shift;
    view.setUint16(2 * position, (channel < 0 ? 0x3fff : channel) + code * 0x4000, true);
  }
  if (recipe.badIndex) {
    const at = 2 * random.integer(0, beats.length - 1);
    const channel = random.chance(0.5) ? product.channels : random.integer(product.channels, 0x3ffe);
    view.setUint16(at, channel + (view.getUint16(at, true) & 0xc000), true);
  }
  return bytes;
};

/** Constants of all columns of tiles; lanes that the matrix lacks have zeros, and 1 as the scale of codes. */
const constantsImage = (
  { cols, requantize }: CoreConfiguration,
  recipe: JobRecipe,
  columns: JobConstants["columns"],
  padding: Random | undefined,
): Uint8Array => {
  const kinds = requantize ? (["scale", "compensation", "bias", "codeScale"] as const) : (["scale", "compensation"] as const);
  const tile = recipe.wide ? cols / 2 : cols;
  const length = Math.ceil(columns.length / tile) * kinds.length * cols * 4;
  const bytes = padding === undefined ? new Uint8Array(length) : garbage(length, padding);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < length; at += 4) {
    const [position, kind, lane] = [Math.floor(at / (kinds.length * cols * 4)), kinds[Math.floor(at / (cols * 4)) % kinds.length]!, (at / 4) % cols];
    const inTile = recipe.wide ? lane / 2 : lane;
    const column = position * tile + inTile;
    if (Number.isInteger(inTile) && column < columns.length) view.setFloat32(at, columns[column]![kind], true);
    else if (padding === undefined) view.setFloat32(at, kind === "codeScale" ? 1 : 0, true);
  }
  return bytes;
};

const compensationsImage = ({ rows: cells }: CoreConfiguration, recipe: JobRecipe, rows: readonly number[], padding: Random | undefined): Uint8Array => {
  const tile = recipe.wide ? cells / 2 : cells;
  const length = Math.ceil(rows.length / tile) * cells * 4;
  const bytes = padding === undefined ? new Uint8Array(length) : garbage(length, padding);
  const view = new DataView(bytes.buffer);
  for (const [row, value] of rows.entries()) view.setFloat32((Math.floor(row / tile) * cells + (row % tile)) * 4, value, true);
  return bytes;
};

/** Strides of the results and the bytes that they span. */
const placeResults = (configuration: CoreConfiguration, recipe: JobRecipe) => {
  const { format, rows, columns, layout } = recipe;
  const beat = configuration.dataWidth / 8;
  const tile = tileShape(configuration, recipe.wide);
  const [down, right] = [Math.ceil(rows / tile.rows), Math.ceil(columns / tile.columns)];
  const spare = recipe.spare * beat;
  if (recipe.transpose) {
    const pads = activationLayout(configuration);
    const tileDown = panelRows(pads, columns) * pads.rowBytes + spare;
    return { rowStride: 0, tileDown, tileRight: tile.columns * pads.wordBytes, span: down * tileDown };
  }
  const rowBytes = (tile.columns * (format === 0 ? 32 : format === 1 ? 16 : format < 6 ? 8 : 4)) / 8;
  if (layout === "matrix") {
    const rowStride = right * rowBytes + spare;
    return { rowStride, tileDown: tile.rows * rowStride, tileRight: rowBytes, span: down * tile.rows * rowStride };
  }
  const tileRight = tile.rows * rowBytes + spare;
  return { rowStride: rowBytes, tileRight, tileDown: right * tileRight, span: down * right * tileRight };
};

/** As many rows of tiles of a block as the scratchpad and the compensations' slots hold, at most those asked for. */
const blockOf = (configuration: CoreConfiguration, recipe: JobRecipe): number => {
  const pads = activationLayout(configuration);
  const most = Math.floor(pads.depth / panelRows(pads, recipe.channels));
  const all = Math.ceil(recipe.rows / tileShape(configuration, recipe.wide).rows);
  const fits = all <= most ? recipe.block : Math.min(recipe.block, most);
  return recipe.rowCompensation ? Math.min(fits, 32) : fits;
};

const jobOf = (configuration: CoreConfiguration, recipe: JobRecipe, slot: bigint, place: (range: Range) => bigint): ImageJob => {
  const random = new Random(recipe.seed + 2);
  const product = productOf(configuration, recipe);
  const constants = constantsOf(recipe);
  const { rows, columns, bits } = tileShape(configuration, recipe.wide);
  const { dataWidth } = configuration;
  const padding = recipe.untidy ? random : undefined;
  const put = (bytes: Uint8Array): bigint => place({ bytes, length: bytes.length });
  const { span, ...strides } = placeResults(configuration, recipe);
  const flag = (value: boolean): number => (value ? 1 : 0);
  const fields: DescriptorFields = {
    opcode: recipe.work === "nop" ? 0 : 1,
    format: recipe.format,
    relu: flag(recipe.relu),
    unsigned: flag(recipe.unsigned),
    wide: flag(recipe.wide),
    rowCompensation: flag(recipe.rowCompensation),
    transpose: flag(recipe.transpose),
    interrupt: flag(recipe.interrupt),
    block: blockOf(configuration, recipe),
    tag: recipe.tag,
    rows: recipe.rows,
    columns: recipe.columns,
    channels: recipe.channels,
    beats: beatsOf(configuration, product).length,
    index: put(indexOf(configuration, recipe, product, random)),
    activations: put(panelsOf(product.codes, recipe.rows, recipe.channels, rows, bits, dataWidth, padding)),
    weights: put(panelsOf(product.weights, recipe.columns, recipe.channels, columns, bits, dataWidth, padding)),
    constants: put(constantsImage(configuration, recipe, constants.columns, padding)),
    // Without row compensations the address means nothing.
    compensations: constants.rows === undefined ? BigInt(random.next()) : put(compensationsImage(configuration, recipe, constants.rows, padding)),
    results: place({ bytes: undefined, length: span }),
    ...strides,
  };
  if (recipe.work === "multiply" || recipe.work === "nop") return { recipe, fields, slot, product, constants };
  const broken = faults[recipe.work](fields, configuration);
  if (broken === undefined) return { recipe: { ...recipe, work: "multiply" }, fields, slot, product, constants };
  return { recipe, fields: { ...fields, ...broken }, slot, product, constants };
};

/**
 * Jobs in a ring and all that they name, in ranges apart from one another; everything else, results and records included, is garbage of the seed.
 * A fault that the configuration can't have leaves the job a well-formed multiplication, which its recipe in the image then says.
 * @param base address of the image's first byte, a multiple of 128
 */
export const buildImage = (configuration: CoreConfiguration, recipes: readonly JobRecipe[], { seed = 1, base = 0x10000n } = {}): JobImage => {
  const random = new Random(seed);
  const allocator = new Allocator(base, configuration.dataWidth / 8, random);
  const slots = 2 ** Math.ceil(Math.log2(recipes.length + 1));
  const ring = allocator.place(slots * descriptorBytes, descriptorBytes);
  const contents: { readonly address: bigint; readonly bytes: Uint8Array }[] = [];
  const place = ({ bytes, length }: Range): bigint => {
    const address = allocator.place(length);
    if (bytes !== undefined) contents.push({ address, bytes });
    return address;
  };
  const jobs = recipes.map((recipe, position) => jobOf(configuration, recipe, ring + BigInt(position * descriptorBytes), place));
  // Whole bursts of the largest kind, so that a bus model of any burst length has what it reads.
  const length = Math.ceil(Number(allocator.end - base) / 4096) * 4096;
  const memory = new GoldenMemory(garbage(length, random), base);
  for (const { address, bytes } of contents) memory.write(address, bytes);
  for (const { slot, fields } of jobs) writeDescriptor(memory, slot, fields);
  return { memory, ring, slots, jobs };
};

/** The same bytes at the same addresses. */
export const copyOf = ({ bytes, base }: GoldenMemory): GoldenMemory => new GoldenMemory(bytes.slice(), base);

/** Sets the records' words of cycles to 0, which is the one thing that golden model and hardware may differ in. */
export const maskCycles = (memory: GoldenMemory, jobs: readonly ImageJob[]): void => {
  for (const { slot } of jobs) memory.setWord(slot + 0x48n, 0);
};

/** The first byte in which two memories differ, as a sentence that names the job whose range is nearest below it. */
export const firstDifference = (got: GoldenMemory, expected: GoldenMemory, { jobs, ring }: JobImage): string | undefined => {
  const at = got.bytes.findIndex((byte, index) => byte !== expected.bytes[index]);
  if (at < 0) return undefined;
  const address = got.base + BigInt(at);
  const starts = jobs.flatMap(({ fields, slot }, job) => [
    { address: slot, what: `slot of job ${job}` },
    ...(["index", "activations", "weights", "constants", "results"] as const).map((name) => ({ address: fields[name], what: `${name} of job ${job}` })),
  ]);
  const below = starts.filter((start) => start.address <= address).toSorted((a, b) => Number(b.address - a.address))[0] ?? { address: ring, what: "ring" };
  return `byte ${address - below.address} from the ${below.what} on (0x${address.toString(16)}) is ${got.bytes[at]}, not ${expected.bytes[at]}`;
};
