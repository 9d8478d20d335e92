import { UserError } from "../base/error.ts";
import { Random } from "../base/random.ts";
import type { axi4Read, axi4Write } from "../lib/axi4/bundle.ts";
import { background, type Handles, type Task, type TaskSpec } from "../sim/index.ts";
import { ReadSide } from "./axi-memory-read.ts";
import { WriteSide } from "./axi-memory-write.ts";

export type AxiReadHandles = Handles<ReturnType<typeof axi4Read>>;
export type AxiWriteHandles = Handles<ReturnType<typeof axi4Write>>;

export interface AxiMemoryOptions {
  /** The contents, or their size in bytes; a multiple of 64. Addresses outside answer DECERR. */
  readonly bytes: number | Uint8Array<ArrayBuffer>;
  /** Address of the first byte, a multiple of 4096. Default 0. */
  readonly base?: number;
  /** Edges from a request to its first data, and from the last data to the answer: one number, or the least and the most of a random one. Default 1. */
  readonly latency?: number | readonly [number, number];
  /** Bursts in flight that reads, and writes, may have. Default: no limit. */
  readonly outstanding?: number;
  /** Beats a cycle, at most 1, that reads, and writes, get. Default 1. */
  readonly beatsPerCycle?: number;
  /** Reads and writes share the beats of a cycle, in turn. */
  readonly shared?: boolean;
  /** Whether to hold back, asked once a cycle. */
  readonly stalls?: Partial<Readonly<Record<"ar" | "r" | "aw" | "w" | "b", () => boolean>>>;
  /** AXI's response to a beat: 0, or 2 (SLVERR) or 3 (DECERR), which gives no data and writes none. */
  readonly respond?: (address: number, kind: "read" | "write") => number;
  /** Bursts of different identifiers overtake each other at random. */
  readonly reorder?: boolean;
  /** For random latencies and orders. */
  readonly random?: Random;
}

/** The channels of one AXI4 port, or of two. */
export interface AxiPort {
  readonly read?: AxiReadHandles;
  readonly write?: AxiWriteHandles;
}

/** Shares of the beats that a memory can move; `take` in the cycle before the beat. */
export interface Budget {
  take(): boolean;
  refund(): void;
}

/** What both directions need to know of the memory. */
export interface AxiStore {
  readonly options: AxiMemoryOptions;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly words: Uint32Array<ArrayBuffer>;
  readonly base: number;
  readonly counts: { readBursts: number; readBeats: number; readBytes: number; writeBursts: number; writeBeats: number; writeBytes: number };
  latency(): number;
  /** Which of the bursts, oldest first, is served next. */
  choose(bursts: readonly { readonly id: number }[]): number;
  respond(address: number, bytes: number, kind: "read" | "write"): number;
}

class Bucket implements Budget {
  readonly #rate: number;
  #left = 0;

  constructor(rate: number) {
    this.#rate = rate;
  }

  refill(): void {
    this.#left = Math.min(1, this.#left + this.#rate);
  }

  take(): boolean {
    if (this.#left < 1 - 1e-9) return false;
    this.#left -= 1;
    return true;
  }

  refund(): void {
    this.#left += 1;
  }
}

const check = (holds: boolean, what: string): void => {
  if (!holds) throw new UserError("bad-parameter", what);
};

const checkOptions = ({ base = 0, latency = 1, outstanding = 1, beatsPerCycle = 1 }: AxiMemoryOptions, bytes: number): void => {
  const [least, most] = typeof latency === "number" ? [latency, latency] : latency;
  check(Number.isInteger(bytes) && bytes > 0 && bytes % 64 === 0, `a memory has a multiple of 64 bytes, not ${bytes}`);
  check(Number.isSafeInteger(base + bytes) && base >= 0 && base % 4096 === 0, `a memory begins at a multiple of 4096, not ${base}`);
  check(Number.isInteger(least) && Number.isInteger(most) && least >= 1 && most >= least, `a latency is a whole number from 1, not ${String(latency)}`);
  check(outstanding >= 1, `at least one burst is in flight, not ${outstanding}`);
  check(beatsPerCycle > 0 && beatsPerCycle <= 1, `a memory moves more than 0 and at most 1 beat a cycle, not ${beatsPerCycle}`);
};

/**
 * Memory on AXI4, for test benches: INCR bursts of whole beats, with latency, limits, stalls and errors. It checks the design's side of the protocol and counts
 * what is moved. A read sees memory as it is when its beat is offered; a write is in memory when its answer is offered, no earlier.
 */
export class AxiMemory implements AxiStore {
  readonly options: AxiMemoryOptions;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly words: Uint32Array<ArrayBuffer>;
  readonly base: number;
  readonly counts = { readBursts: 0, readBeats: 0, readBytes: 0, writeBursts: 0, writeBeats: 0, writeBytes: 0 };
  readonly #random: Random;

  /** @throws UserError `bad-parameter` */
  constructor(options: AxiMemoryOptions) {
    checkOptions(options, typeof options.bytes === "number" ? options.bytes : options.bytes.length);
    this.options = options;
    this.bytes = typeof options.bytes === "number" ? new Uint8Array(options.bytes) : options.bytes;
    check(this.bytes.byteOffset % 4 === 0, "the contents of a memory begin at a multiple of 4 bytes of their buffer");
    this.words = new Uint32Array(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length / 4);
    this.base = options.base ?? 0;
    this.#random = options.random ?? new Random(1);
  }

  /**
   * Serves a port as a task in the background. Each run begins with nothing in flight: a design that was reset needs a new one.
   * The task throws UserError `axi-protocol` where the design breaks the protocol.
   */
  serve(port: AxiPort): TaskSpec {
    return background(() => this.#serve(port), "axi memory");
  }

  *#serve({ read, write }: AxiPort): Task {
    const { beatsPerCycle = 1, shared = false } = this.options;
    const forReads = new Bucket(beatsPerCycle);
    const forWrites = shared ? forReads : new Bucket(beatsPerCycle);
    const reads = read === undefined ? undefined : new ReadSide(this, read, forReads);
    const writes = write === undefined ? undefined : new WriteSide(this, write, forWrites);
    try {
      for (let cycle = 0; ; cycle += 1) {
        yield;
        reads?.see(cycle);
        writes?.see(cycle);
        forReads.refill();
        if (!shared) forWrites.refill();
        if (cycle % 2 === 0) reads?.offer(cycle);
        writes?.offer(cycle);
        if (cycle % 2 === 1) reads?.offer(cycle);
      }
    } finally {
      reads?.end();
      writes?.end();
    }
  }

  latency(): number {
    const { latency = 1 } = this.options;
    return typeof latency === "number" ? latency : this.#random.integer(latency[0], latency[1]);
  }

  choose(bursts: readonly { readonly id: number }[]): number {
    if (this.options.reorder !== true || bursts.length < 2) return 0;
    const first = bursts.flatMap(({ id }, index) => (bursts.findIndex((earlier) => earlier.id === id) === index ? [index] : []));
    return first[this.#random.integer(0, first.length - 1)] ?? 0;
  }

  respond(address: number, bytes: number, kind: "read" | "write"): number {
    const response = this.options.respond?.(address, kind) ?? 0;
    const inside = address >= this.base && address + bytes <= this.base + this.bytes.length;
    return response === 0 && !inside ? 3 : response;
  }
}
