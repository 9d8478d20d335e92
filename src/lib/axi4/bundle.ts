import { UserError } from "../../base/error.ts";
import { assert, type Bool, type BoolShape, bool, input, output, reg, sync, type Target, type UInt, type UIntShape, uint } from "../../hdl/index.ts";

/** Widths of an AXI4 port. */
export interface Axi4Widths {
  /** Bits of a byte address, 32 to 64. */
  readonly addressWidth: number;
  /** Bits of a beat: 64, 128, 256 or 512. */
  readonly dataWidth: number;
  /** Bits of a transaction's identifier, 1 to 16. */
  readonly idWidth: number;
}

const whole = (value: number, low: number, high: number): boolean => Number.isInteger(value) && value >= low && value <= high;

/** @throws UserError `bad-parameter` for widths that the library's AXI4 blocks don't have */
export const checkAxi4 = ({ addressWidth, dataWidth, idWidth }: Axi4Widths): void => {
  if (![64, 128, 256, 512].includes(dataWidth)) throw new UserError("bad-parameter", `an AXI4 port has 64, 128, 256 or 512 bits of data, not ${dataWidth}`);
  if (!whole(addressWidth, 32, 64)) throw new UserError("bad-parameter", `an AXI4 address has 32 to 64 bits, not ${addressWidth}`);
  if (!whole(idWidth, 1, 16)) throw new UserError("bad-parameter", `an AXI4 identifier has 1 to 16 bits, not ${idWidth}`);
};

/** Read channels of AXI4 (AMBA AXI, ARM IHI 0022) as their manager sees them. */
export const axi4Read = ({ addressWidth, dataWidth, idWidth }: Axi4Widths) => ({
  arid: output(uint(idWidth)),
  araddr: output(uint(addressWidth)),
  arlen: output(uint(8)),
  arsize: output(uint(3)),
  arburst: output(uint(2)),
  arlock: output(bool),
  arcache: output(uint(4)),
  arprot: output(uint(3)),
  arvalid: output(bool),
  arready: input(bool),
  rid: input(uint(idWidth)),
  rdata: input(uint(dataWidth)),
  rresp: input(uint(2)),
  rlast: input(bool),
  rvalid: input(bool),
  rready: output(bool),
});

/** Write channels of AXI4 as their manager sees them. */
export const axi4Write = ({ addressWidth, dataWidth, idWidth }: Axi4Widths) => ({
  awid: output(uint(idWidth)),
  awaddr: output(uint(addressWidth)),
  awlen: output(uint(8)),
  awsize: output(uint(3)),
  awburst: output(uint(2)),
  awlock: output(bool),
  awcache: output(uint(4)),
  awprot: output(uint(3)),
  awvalid: output(bool),
  awready: input(bool),
  wdata: output(uint(dataWidth)),
  wstrb: output(uint(dataWidth / 8)),
  wlast: output(bool),
  wvalid: output(bool),
  wready: input(bool),
  bid: input(uint(idWidth)),
  bresp: input(uint(2)),
  bvalid: input(bool),
  bready: output(bool),
});

/** All five channels of AXI4 as their manager sees them. */
export const axi4 = (widths: Axi4Widths) => ({ ...axi4Write(widths), ...axi4Read(widths) });

/** What a request says besides address and length. */
interface RequestFields {
  readonly id: Target<UIntShape>;
  readonly size: Target<UIntShape>;
  readonly burst: Target<UIntShape>;
  readonly lock: Target<BoolShape>;
  readonly cache: Target<UIntShape>;
  readonly prot: Target<UIntShape>;
}

/** What the library's managers say in every request: identifier 0, INCR bursts of whole beats, normal memory (bufferable, modifiable), unprivileged, secure, data. */
export const driveRequest = ({ id, size, burst, lock, cache, prot }: RequestFields, dataWidth: number): void => {
  id.set(0);
  size.set(Math.log2(dataWidth / 8));
  burst.set(1);
  lock.set(0);
  cache.set(0b0011);
  prot.set(0);
};

/** How a command of a DMA ended. The last two are AXI's own codes. */
export const status = { okay: 0, refused: 1, subordinateError: 2, decodeError: 3 } as const;

/** Commands of a DMA: `bytes` bytes of memory from byte address `address` on. */
export const dmaCommand = (addressWidth: number, lengthWidth: number) => ({
  valid: output(bool),
  ready: input(bool),
  address: output(uint(addressWidth)),
  bytes: output(uint(lengthWidth), "0 is an empty transfer"),
});

/**
 * The rule of every AXI channel, as two assertions: what is offered stays, unchanged, until it is taken.
 * @param withdrawn where an offer may go, as a stop of a DMA takes back what only its own side has seen
 */
export const assertStable = (channel: string, valid: Bool, ready: Bool, payload: UInt, withdrawn?: Bool): void => {
  const waited = reg(`${channel}Waited`, bool, { reset: 0, doc: "for assertions only" });
  const offered = reg(`${channel}Offered`, uint(payload.width), { doc: "for assertions only" });
  sync(() => waited.set(valid.and(ready.not())));
  sync(() => offered.set(payload));
  const due = withdrawn === undefined ? waited : waited.and(withdrawn.not());
  assert(`${channel}_stays`, due.not().or(valid));
  assert(`${channel}_does_not_change`, due.not().or(payload.eq(offered)));
};
