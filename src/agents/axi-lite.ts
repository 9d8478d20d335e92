import { UserError } from "../base/error.ts";
import type { BoolShape, Flip } from "../hdl/index.ts";
import type { axiLite } from "../lib/axi.ts";
import type { Handles, InputHandle, PortHandle } from "../sim/index.ts";

/** The ports of a block that answers on AXI4-Lite. */
export type AxiLiteBus = Handles<Flip<ReturnType<typeof axiLite>>>;

export type AxiResponse = "OKAY" | "EXOKAY" | "SLVERR" | "DECERR";
const responses: readonly AxiResponse[] = ["OKAY", "EXOKAY", "SLVERR", "DECERR"];

export interface AxiLiteManagerOptions {
  /** Says, channel by channel and cycle by cycle, whether to hold back. Default: never. */
  readonly stall?: () => boolean;
}

export interface AxiLiteAccess {
  /** What must be answered. Default `OKAY`. */
  readonly response?: AxiResponse;
}

/** Part of a task, for `yield*`, that gives a value. */
export type SubTask<R> = Generator<void, R, void>;

const hex = (value: number): string => `0x${value.toString(16)}`;

const checkResponse = (what: string, got: number, { response = "OKAY" }: AxiLiteAccess): void => {
  if (responses[got] === response) return;
  throw new UserError("axi-response", `the ${what} was answered with ${responses[got] ?? got}, not ${response}`, { exitCode: 1 });
};

/** Offers one beat: nothing while stalled, then until it is taken. */
class Offer {
  readonly #valid: InputHandle<BoolShape>;
  readonly #ready: PortHandle<BoolShape>;
  #offered = false;
  #taken = false;

  constructor(valid: InputHandle<BoolShape>, ready: PortHandle<BoolShape>) {
    this.#valid = valid;
    this.#ready = ready;
  }

  /** Before an edge. */
  drive(stall: () => boolean): void {
    this.#offered = !this.#taken && (this.#offered || !stall());
    this.#valid.poke(this.#offered);
  }

  /** After an edge. */
  observe(): void {
    if (!this.#offered || this.#ready.peek() !== 1) return;
    this.#taken = true;
    this.#offered = false;
    this.#valid.poke(0);
  }
}

/** Offers requests and waits for their response: after it, all channels rest. */
const transfer = function* (offers: readonly Offer[], valid: PortHandle<BoolShape>, ready: InputHandle<BoolShape>, stall: () => boolean): SubTask<void> {
  for (let answered = false; !answered; ) {
    for (const offer of offers) offer.drive(stall);
    const willing = !stall();
    ready.poke(willing);
    yield;
    for (const offer of offers) offer.observe();
    answered = willing && valid.peek() === 1;
  }
  ready.poke(0);
};

/**
 * Software on AXI4-Lite, one access after the other: `yield* manager.write(4, 1)` and `const word = yield* manager.read(4)` in a task.
 * Address, data and response each stall on their own. Reads and writes use different channels, so two tasks may read and write at once.
 */
export const axiLiteManager = (bus: AxiLiteBus, { stall = () => false }: AxiLiteManagerOptions = {}) => ({
  /** @throws UserError `axi-response` for another response than the one expected */
  *write(address: number, data: number, access: AxiLiteAccess & { readonly strobes?: number } = {}): SubTask<void> {
    bus.awaddr.poke(address);
    bus.wdata.poke(data);
    bus.wstrb.poke(access.strobes ?? 2 ** bus.wstrb.shape.width - 1);
    yield* transfer([new Offer(bus.awvalid, bus.awready), new Offer(bus.wvalid, bus.wready)], bus.bvalid, bus.bready, stall);
    checkResponse(`write of ${hex(data)} to address ${hex(address)}`, bus.bresp.peekNumber(), access);
  },
  /** The word read. @throws UserError `axi-response` for another response than the one expected */
  *read(address: number, access: AxiLiteAccess = {}): SubTask<number> {
    bus.araddr.poke(address);
    yield* transfer([new Offer(bus.arvalid, bus.arready)], bus.rvalid, bus.rready, stall);
    checkResponse(`read of address ${hex(address)}`, bus.rresp.peekNumber(), access);
    return bus.rdata.peekNumber();
  },
});
