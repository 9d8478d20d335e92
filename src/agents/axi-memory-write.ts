import type { AxiStore, AxiWriteHandles, Budget } from "./axi-memory.ts";
import { breach, Offer } from "./axi-offer.ts";
import { type Burst, Requests } from "./axi-request.ts";

interface WriteBurst extends Burst {
  readonly start: number;
  /** Its beats' data, and strobes, one bit a byte. */
  readonly data: Uint32Array;
  readonly strobes: Uint32Array;
  beats: number;
  response: number;
}

/** The write channels of a memory. `see` looks at what an edge did, `offer` drives what the next one sees. */
export class WriteSide {
  readonly #store: AxiStore;
  readonly #handles: AxiWriteHandles;
  readonly #budget: Budget;
  readonly #beatBytes: number;
  readonly #requests: Requests;
  readonly #data: Offer;
  readonly #most: number;
  /** Bursts whose data are to come. */
  readonly #open: WriteBurst[] = [];
  readonly #answers: WriteBurst[] = [];
  #awReady = false;
  #wReady = false;
  #shown: WriteBurst | undefined;

  constructor(store: AxiStore, handles: AxiWriteHandles, budget: Budget) {
    const { awid, awaddr, awlen, awsize, awburst, awlock, awcache, awprot, awvalid, wdata, wstrb, wlast, wvalid } = handles;
    this.#store = store;
    this.#handles = handles;
    this.#budget = budget;
    this.#beatBytes = wdata.shape.width / 8;
    this.#most = store.options.outstanding ?? Number.POSITIVE_INFINITY;
    const request = { id: awid, address: awaddr, length: awlen, size: awsize, burst: awburst, lock: awlock, cache: awcache, prot: awprot, valid: awvalid };
    this.#requests = new Requests("AW", request, this.#beatBytes);
    this.#data = new Offer("W", wvalid, [wdata, wstrb, wlast]);
    this.end();
  }

  see(cycle: number): void {
    if (this.#shown !== undefined && this.#handles.bready.peekNumber() === 1) {
      this.#answers.splice(this.#answers.indexOf(this.#shown), 1);
      this.#shown = undefined;
    }
    if (this.#data.taken(this.#wReady)) this.#keep(cycle);
    else if (this.#wReady) this.#budget.refund();
    this.#wReady = false;
    const burst = this.#requests.take(this.#awReady);
    if (burst === undefined) return;
    this.#store.counts.writeBursts += 1;
    const words = (this.#beatBytes / 4) * burst.left;
    this.#open.push({ ...burst, start: burst.address, data: new Uint32Array(words), strobes: new Uint32Array(2 * burst.left), beats: 0, response: 0 });
  }

  offer(cycle: number): void {
    const { stalls } = this.#store.options;
    const { awready, wready, bvalid } = this.#handles;
    if (this.#shown === undefined) {
      const burst = this.#answers[this.#store.choose(this.#answers)];
      if (burst !== undefined && burst.due <= cycle + 1 && stalls?.b?.() !== true) this.#answer(burst);
      else bvalid.poke(0);
    }
    this.#wReady = this.#open.length > 0 && stalls?.w?.() !== true && this.#budget.take();
    wready.poke(this.#wReady ? 1 : 0);
    this.#awReady = this.#open.length + this.#answers.length < this.#most && stalls?.aw?.() !== true;
    awready.poke(this.#awReady ? 1 : 0);
  }

  /** Nothing is offered and nothing taken. */
  end(): void {
    this.#handles.bvalid.poke(0);
    this.#handles.awready.poke(0);
    this.#handles.wready.poke(0);
  }

  /** A beat of the oldest open burst. */
  #keep(cycle: number): void {
    const burst = this.#open[0]!;
    const { wdata, wstrb, wlast } = this.#handles;
    const response = this.#store.respond(burst.address, this.#beatBytes, "write");
    wdata.peekWords(burst.data, (this.#beatBytes / 4) * burst.beats);
    if (response === 0) wstrb.peekWords(burst.strobes, 2 * burst.beats);
    else if (burst.response === 0) burst.response = response;
    burst.beats += 1;
    burst.left -= 1;
    burst.address += this.#beatBytes;
    this.#store.counts.writeBeats += 1;
    if ((wlast.peekNumber() === 1) !== (burst.left === 0))
      throw breach("W", `\`${wlast.name}\` is ${wlast.peekNumber()} with beat ${burst.beats} of ${burst.beats + burst.left}`);
    if (burst.left > 0) return;
    burst.due = cycle + this.#store.latency();
    this.#open.shift();
    this.#answers.push(burst);
  }

  #answer(burst: WriteBurst): void {
    const { bid, bresp, bvalid } = this.#handles;
    this.#write(burst);
    bid.poke(burst.id);
    bresp.poke(burst.response);
    bvalid.poke(1);
    this.#shown = burst;
  }

  #write({ start, data, strobes, beats }: WriteBurst): void {
    const { bytes, base, counts } = this.#store;
    const from = new Uint8Array(data.buffer);
    for (let beat = 0; beat < beats; beat += 1) {
      const at = start - base + beat * this.#beatBytes;
      for (let byte = 0; byte < this.#beatBytes; byte += 1) {
        if (((strobes[2 * beat + (byte >> 5)]! >>> (byte & 31)) & 1) === 0) continue;
        bytes[at + byte] = from[beat * this.#beatBytes + byte]!;
        counts.writeBytes += 1;
      }
    }
  }
}
