import { UserError } from "../base/error.ts";
import type { BoolShape, UIntShape } from "../hdl/index.ts";
import type { PortHandle } from "../sim/index.ts";

/** A breach of AXI4 by the design, seen at a memory. */
export const breach = (channel: string, what: string): UserError => new UserError("axi-protocol", `${channel}: ${what}`, { exitCode: 1 });

type Payload = PortHandle<UIntShape> | PortHandle<BoolShape>;

/** One channel that the design drives: says what is offered, and checks that an offer stays as it is until it is taken. */
export class Offer {
  readonly #channel: string;
  readonly #valid: PortHandle<BoolShape>;
  readonly #payload: readonly Payload[];
  readonly #offered: Uint32Array;
  readonly #now: Uint32Array;
  #waiting = false;

  constructor(channel: string, valid: PortHandle<BoolShape>, payload: readonly Payload[]) {
    this.#channel = channel;
    this.#valid = valid;
    this.#payload = payload;
    const words = payload.reduce((total, { shape }) => total + Math.ceil(shape.width / 32), 0);
    this.#offered = new Uint32Array(words);
    this.#now = new Uint32Array(words);
  }

  /** Whether the edge took an offer, given what `ready` was. @throws UserError `axi-protocol` */
  taken(ready: boolean): boolean {
    const valid = this.#valid.peekNumber() === 1;
    if (this.#waiting) this.#compare(valid);
    else if (valid && !ready) this.#read(this.#offered);
    this.#waiting = valid && !ready;
    return valid && ready;
  }

  #read(target: Uint32Array): void {
    let at = 0;
    for (const handle of this.#payload) {
      handle.peekWords(target, at);
      at += Math.ceil(handle.shape.width / 32);
    }
  }

  #compare(valid: boolean): void {
    if (!valid) throw breach(this.#channel, `\`${this.#valid.name}\` fell before the offer was taken`);
    this.#read(this.#now);
    if (this.#now.some((word, index) => word !== this.#offered[index])) throw breach(this.#channel, "the payload changed before the offer was taken");
  }
}
