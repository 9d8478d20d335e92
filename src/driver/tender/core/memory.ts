import { UserError } from "../../../base/error.ts";
import { descriptorBytes, opcodes } from "../../../designs/tender/core/descriptor.ts";
import type { CoreParameters } from "../../../designs/tender/core/parameters.ts";
import type { Descriptor } from "./descriptor.ts";
import type { JobImages } from "./images.ts";
import { beatBytesOf, formatCode } from "./job.ts";
import type { CorePlan } from "./plan.ts";

/** A job in memory. */
export interface PlacedJob {
  readonly plan: CorePlan;
  readonly descriptor: Descriptor;
  /** Byte of the memory where its results begin. */
  readonly results: number;
}

/** Memory of a core: after what is `kept` images one after the other from its beginning on, each at a whole burst, so that all bursts but the last of a read are full. */
export class CoreMemory {
  readonly bytes: Uint8Array;
  /** Address of its first byte. */
  readonly base: number;
  readonly #alignment: number;
  readonly #placed = new Map<Uint8Array, number>();
  readonly #kept: number;
  #end: number;

  /** @throws UserError `bad-address` */
  constructor(parameters: CoreParameters, bytes: Uint8Array, base: number, kept = 0) {
    this.bytes = bytes;
    this.base = base;
    this.#alignment = Math.max(descriptorBytes, Math.min(4096, parameters.burst * beatBytesOf(parameters)));
    if (base % this.#alignment !== 0) throw new UserError("bad-address", `the memory begins at a multiple of ${this.#alignment} bytes, not at ${base}`);
    if (base + bytes.length > 2 ** parameters.addressWidth)
      throw new UserError("bad-address", `${bytes.length} bytes from address ${base} on are beyond the core's addresses of ${parameters.addressWidth} bits`);
    this.#kept = this.need([kept]);
    this.#end = this.#kept;
  }

  /** Forgets all that was placed, but for what is kept. */
  clear(): void {
    this.#placed.clear();
    this.#end = this.#kept;
  }

  /** Bytes that are taken. */
  get used(): number {
    return this.#end;
  }

  /** Bytes that `sizes` take, one after the other. */
  need(sizes: readonly number[]): number {
    return sizes.reduce((sum, size) => sum + Math.ceil(size / this.#alignment) * this.#alignment, 0);
  }

  /** Whether all of these can still be placed; images that are there take nothing. */
  fits(images: readonly Uint8Array[], bytes: number): boolean {
    const absent = [...new Set(images)].filter((image) => !this.#placed.has(image)).map(({ length }) => length);
    return this.#end + this.need([...absent, bytes]) <= this.bytes.length;
  }

  /** Byte where room for `size` bytes begins. @throws UserError `no-memory` */
  reserve(size: number): number {
    const at = this.#end;
    const room = this.need([size]);
    if (at + room > this.bytes.length)
      throw new UserError("no-memory", `${size} bytes more don't fit a memory of ${this.bytes.length} bytes, of which ${at} are taken`, {
        hint: "give the device a larger memory",
      });
    this.#end += room;
    return at;
  }

  /** Byte where an image begins, which is copied once. @throws UserError `no-memory` */
  place(image: Uint8Array): number {
    const there = this.#placed.get(image);
    if (there !== undefined) return there;
    const at = this.reserve(image.length);
    this.bytes.set(image, at);
    this.#placed.set(image, at);
    return at;
  }
}

/** Images of a job that are placed, without doubles. */
export const imagesIn = ({ index, activations, weights, constants, compensations }: JobImages): Uint8Array[] => [
  index,
  activations,
  weights,
  constants,
  ...(compensations === undefined ? [] : [compensations]),
];

/**
 * Places a job's images and room for its results, and makes its descriptor.
 * @throws UserError `no-memory`
 */
export const placeJob = (memory: CoreMemory, plan: CorePlan, images: JobImages, tag: number): PlacedJob => {
  const { job, shape, layout, block } = plan;
  const { product, output } = job;
  const address = (image: Uint8Array): number => memory.base + memory.place(image);
  const results = memory.reserve(layout.bytes);
  const descriptor: Descriptor = {
    opcode: opcodes.multiply,
    format: formatCode(output),
    relu: product.relu ? 1 : 0,
    unsigned: product.unsigned ? 1 : 0,
    wide: shape.wide ? 1 : 0,
    rowCompensation: images.compensations === undefined ? 0 : 1,
    transpose: output.format === "codes" && output.transpose ? 1 : 0,
    interrupt: 0,
    block,
    tag,
    rows: product.rows,
    columns: product.columns,
    channels: product.channels,
    beats: shape.beats,
    index: address(images.index),
    activations: address(images.activations),
    weights: address(images.weights),
    constants: address(images.constants),
    compensations: images.compensations === undefined ? 0 : address(images.compensations),
    results: memory.base + results,
    rowStride: layout.rowStride,
    tileDown: layout.tileDown,
    tileRight: layout.tileRight,
  };
  return { plan, descriptor, results };
};
