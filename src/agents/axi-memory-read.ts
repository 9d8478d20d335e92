import type { AxiReadHandles, AxiStore, Budget } from "./axi-memory.ts";
import { type Burst, Requests } from "./axi-request.ts";

/** What the data of a beat that answers with an error look like. */
const poison = new Uint32Array(16).fill(0xdeadbeef);

/** The read channels of a memory. `see` looks at what an edge did, `offer` drives what the next one sees. */
export class ReadSide {
  readonly #store: AxiStore;
  readonly #handles: AxiReadHandles;
  readonly #budget: Budget;
  readonly #beatBytes: number;
  readonly #requests: Requests;
  readonly #queue: Burst[] = [];
  readonly #most: number;
  #ready = false;
  /** The beat that shows at R belongs to this burst of the queue. */
  #shown: Burst | undefined;
  /** A burst is not interleaved with others once it has begun. */
  #current: Burst | undefined;

  constructor(store: AxiStore, handles: AxiReadHandles, budget: Budget) {
    const { arid, araddr, arlen, arsize, arburst, arlock, arcache, arprot, arvalid, rdata } = handles;
    this.#store = store;
    this.#handles = handles;
    this.#budget = budget;
    this.#beatBytes = rdata.shape.width / 8;
    this.#most = store.options.outstanding ?? Number.POSITIVE_INFINITY;
    const request = { id: arid, address: araddr, length: arlen, size: arsize, burst: arburst, lock: arlock, cache: arcache, prot: arprot, valid: arvalid };
    this.#requests = new Requests("AR", request, this.#beatBytes);
    this.end();
  }

  see(cycle: number): void {
    const { counts } = this.#store;
    if (this.#shown !== undefined && this.#handles.rready.peekNumber() === 1) {
      counts.readBeats += 1;
      counts.readBytes += this.#beatBytes;
      this.#advance(this.#shown);
      this.#shown = undefined;
    }
    const burst = this.#requests.take(this.#ready);
    if (burst === undefined) return;
    burst.due = cycle + this.#store.latency();
    counts.readBursts += 1;
    this.#queue.push(burst);
  }

  offer(cycle: number): void {
    const { stalls } = this.#store.options;
    const { rvalid, arready } = this.#handles;
    if (this.#shown === undefined) {
      const burst = (this.#current ??= this.#queue[this.#store.choose(this.#queue)]);
      if (burst !== undefined && burst.due <= cycle + 1 && stalls?.r?.() !== true && this.#budget.take()) this.#show(burst);
      else rvalid.poke(0);
    }
    this.#ready = this.#queue.length < this.#most && stalls?.ar?.() !== true;
    arready.poke(this.#ready ? 1 : 0);
  }

  /** Nothing is offered and nothing taken. */
  end(): void {
    this.#handles.rvalid.poke(0);
    this.#handles.arready.poke(0);
  }

  #advance(burst: Burst): void {
    burst.left -= 1;
    burst.address += this.#beatBytes;
    if (burst.left > 0) return;
    this.#queue.splice(this.#queue.indexOf(burst), 1);
    this.#current = undefined;
  }

  #show(burst: Burst): void {
    const { rid, rdata, rresp, rlast, rvalid } = this.#handles;
    const { words, base } = this.#store;
    const response = this.#store.respond(burst.address, this.#beatBytes, "read");
    if (response === 0) rdata.pokeWords(words, (burst.address - base) / 4);
    else rdata.pokeWords(poison);
    rid.poke(burst.id);
    rresp.poke(response);
    rlast.poke(burst.left === 1 ? 1 : 0);
    rvalid.poke(1);
    this.#shown = burst;
  }
}
