import { UserError } from "../../../base/error.ts";
import { descriptorBytes } from "../../../designs/tender/core/descriptor.ts";
import { type Descriptor, decodeRecord, encodeDescriptor, type JobRecord } from "./descriptor.ts";

/** The ring of descriptors, at the beginning of a memory. One slot stays free, so that a full ring is not an empty one. */
export class Ring {
  readonly slots: number;
  readonly #memory: Uint8Array;
  #first = 0;
  #next = 0;

  /** @throws UserError `bad-parameter` unless `slots` is a power of two from 2 to 32768 whose bytes the memory has */
  constructor(memory: Uint8Array, slots: number) {
    if (!Number.isInteger(Math.log2(slots)) || slots < 2 || slots > 32_768)
      throw new UserError("bad-parameter", `a ring has a power of two of slots, 2 to 32768, not ${slots}`);
    if (slots * descriptorBytes > memory.length)
      throw new UserError("bad-parameter", `a ring of ${slots} slots doesn't fit a memory of ${memory.length} bytes`);
    this.#memory = memory;
    this.slots = slots;
  }

  /** Descriptors that it takes at once. */
  get room(): number {
    return this.slots - 1;
  }

  get bytes(): number {
    return this.slots * descriptorBytes;
  }

  /** The slot that is filled next, which is what the doorbell says. */
  get tail(): number {
    return this.#next;
  }

  /** Fills slots from the tail on. What was filled before has to be done. */
  fill(descriptors: readonly Descriptor[]): void {
    if (descriptors.length > this.room) throw new RangeError(`${descriptors.length} descriptors for a ring of ${this.slots} slots`);
    this.#first = this.#next;
    for (const [at, descriptor] of descriptors.entries()) this.#memory.set(encodeDescriptor(descriptor), this.#byte(at));
    this.#next = (this.#first + descriptors.length) % this.slots;
  }

  /** Record of the descriptor that was `at` in the last filling. */
  record(at: number): JobRecord {
    return decodeRecord(this.#memory, this.#byte(at));
  }

  #byte(at: number): number {
    return ((this.#first + at) % this.slots) * descriptorBytes;
  }
}
