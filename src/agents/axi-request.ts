import type { BoolShape, UIntShape } from "../hdl/index.ts";
import type { PortHandle } from "../sim/index.ts";
import { breach, Offer } from "./axi-offer.ts";

/** The channel of requests, read or write, as the memory sees it. */
export interface RequestHandles {
  readonly id: PortHandle<UIntShape>;
  readonly address: PortHandle<UIntShape>;
  readonly length: PortHandle<UIntShape>;
  readonly size: PortHandle<UIntShape>;
  readonly burst: PortHandle<UIntShape>;
  readonly lock: PortHandle<BoolShape>;
  readonly cache: PortHandle<UIntShape>;
  readonly prot: PortHandle<UIntShape>;
  readonly valid: PortHandle<BoolShape>;
}

export interface Burst {
  readonly id: number;
  /** Byte address of its next beat. */
  address: number;
  /** Beats to come. */
  left: number;
  /** Edge before which nothing of it may move. */
  due: number;
}

const incrementing = 1;

/** Takes requests, and refuses those that AXI4 forbids or that the memory does not do. */
export class Requests {
  readonly #channel: string;
  readonly #handles: RequestHandles;
  readonly #beatBytes: number;
  readonly #offer: Offer;
  readonly #address = new Uint32Array(2);

  constructor(channel: string, handles: RequestHandles, beatBytes: number) {
    const { id, address, length, size, burst, lock, cache, prot, valid } = handles;
    this.#channel = channel;
    this.#handles = handles;
    this.#beatBytes = beatBytes;
    this.#offer = new Offer(channel, valid, [id, address, length, size, burst, lock, cache, prot]);
  }

  /** The burst that the edge took, with `due` still 0. @throws UserError `axi-protocol` */
  take(ready: boolean): Burst | undefined {
    if (!this.#offer.taken(ready)) return undefined;
    const { id, address, length, size, burst } = this.#handles;
    address.peekWords(this.#address);
    const at = this.#address[1]! * 2 ** 32 + this.#address[0]!;
    const beats = length.peekNumber() + 1;
    const where = `the burst of ${beats} beats at 0x${at.toString(16)}`;
    if (burst.peekNumber() !== incrementing) throw breach(this.#channel, `${where} has type ${burst.peekNumber()}, and the memory knows INCR (1) only`);
    if (2 ** size.peekNumber() !== this.#beatBytes)
      throw breach(this.#channel, `${where} has beats of ${2 ** size.peekNumber()} bytes, and the memory moves whole beats of ${this.#beatBytes} only`);
    if (at % this.#beatBytes !== 0) throw breach(this.#channel, `${where} does not begin at a multiple of ${this.#beatBytes}, as the memory wants`);
    if ((at % 4096) + beats * this.#beatBytes > 4096) throw breach(this.#channel, `${where} crosses a boundary of 4 KiB`);
    return { id: id.peekNumber(), address: at, left: beats, due: 0 };
  }
}
