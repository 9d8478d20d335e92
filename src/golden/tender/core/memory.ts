import { UserError } from "../../../base/error.ts";

/** Bytes that stand at the addresses from `base` on. */
export class GoldenMemory {
  readonly bytes: Uint8Array;
  readonly base: bigint;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, base: bigint | number) {
    this.bytes = bytes;
    this.base = BigInt(base);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /**
   * Place of an address in `bytes`.
   * @throws UserError `bad-address` where `length` bytes from it on are not all there
   */
  offset(address: bigint, length: number): number {
    const offset = address - this.base;
    if (offset < 0n || offset + BigInt(length) > BigInt(this.bytes.length))
      throw new UserError(
        "bad-address",
        `${length} bytes at 0x${address.toString(16)} are not in the memory's ${this.bytes.length} from 0x${this.base.toString(16)} on`,
      );
    return Number(offset);
  }

  read(address: bigint, length: number): Uint8Array {
    const offset = this.offset(address, length);
    return this.bytes.subarray(offset, offset + length);
  }

  write(address: bigint, bytes: Uint8Array): void {
    this.bytes.set(bytes, this.offset(address, bytes.length));
  }

  word(address: bigint): number {
    return this.#view.getUint32(this.offset(address, 4), true);
  }

  setWord(address: bigint, value: number): void {
    this.#view.setUint32(this.offset(address, 4), value, true);
  }

  /** Binary32 numbers. */
  floats(address: bigint, count: number): Float32Array {
    const offset = this.offset(address, 4 * count);
    return Float32Array.from({ length: count }, (_, index) => this.#view.getFloat32(offset + 4 * index, true));
  }
}
