import { clog2 } from "../../base/clog2.ts";
import type { Net } from "./net.ts";

/** Bytes in which a value of `width` bits is kept: 1, 2, 4, or a multiple of 8. */
export const containerBytes = (width: number): number => (width <= 8 ? 1 : width <= 16 ? 2 : width <= 32 ? 4 : 8 * Math.ceil(width / 64));

/** Where bytes are: at a fixed address, or in the present half of the registers of a clock, whose halves change places at its edges. */
export interface Place {
  readonly clock: number | undefined;
  readonly offset: number;
}

/** Registers of one clock: two halves of `size` bytes, the present one and the one that the next edge fills. */
export interface Half {
  base: number;
  size: number;
}

const align = (at: number, to: number): number => Math.ceil(at / to) * to;

/** Hands out addresses in the module's memory. */
export class Layout {
  readonly halves: readonly Half[];
  readonly #nets = new Map<Net, Place>();
  /** Packed bits of ports, by address of their first byte and the bit in it. */
  readonly #packed = new Map<Net, { readonly address: number; readonly bit: number }>();
  #end: number;

  /** @param start first free byte */
  constructor(clocks: number, start: number) {
    this.halves = Array.from({ length: clocks }, () => ({ base: 0, size: 0 }));
    this.#end = align(start, 16);
  }

  get end(): number {
    return this.#end;
  }

  fixed(bytes: number): number {
    const at = align(this.#end, Math.min(16, 2 ** clog2(bytes)));
    this.#end = at + bytes;
    return at;
  }

  /** Room in both halves of a clock's registers. */
  inHalf(clock: number, bytes: number, alignment = Math.min(16, 2 ** clog2(bytes))): Place {
    const half = this.halves[clock]!;
    const offset = align(half.size, alignment);
    half.size = offset + bytes;
    return { clock, offset };
  }

  /** Puts the halves behind everything that is fixed so far; nothing is added to them afterwards. */
  sealHalves(): void {
    for (const half of this.halves) {
      half.size = align(half.size, 16);
      half.base = align(this.#end, 16);
      this.#end = half.base + 2 * half.size + 16;
    }
  }

  setPlace(net: Net, place: Place): void {
    this.#nets.set(net, place);
  }

  placeOf(net: Net): Place | undefined {
    return this.#nets.get(net);
  }

  setPacked(net: Net, address: number, bit: number): void {
    this.#packed.set(net, { address: address + (bit >> 3), bit: bit & 7 });
  }

  packedOf(net: Net): { readonly address: number; readonly bit: number } | undefined {
    return this.#packed.get(net);
  }
}
