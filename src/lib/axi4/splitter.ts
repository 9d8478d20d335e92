import { UserError } from "../../base/error.ts";
import {
  type About,
  assert,
  type Bool,
  bool,
  cat,
  constant,
  flip,
  type Inside,
  input,
  type Module,
  module,
  mux,
  named,
  output,
  reg,
  sync,
  type UInt,
  uint,
  when,
  wire,
} from "../../hdl/index.ts";
import { type Axi4Widths, assertStable, checkAxi4, dmaCommand } from "./bundle.ts";

/** What both DMAs have in common. */
export interface DmaParameters extends Axi4Widths {
  /** Bits of a command's byte count, 12 to 32. */
  readonly lengthWidth: number;
  /** Beats of the longest burst: a power of two, at most 256 and at most 4 KiB. */
  readonly burst: number;
  /** Bursts in flight: a power of two from 2 to 256. */
  readonly outstanding: number;
}

export interface SplitterParameters extends DmaParameters {
  /** Bytes; addresses that are no multiple of it are refused. A power of two up to a beat. */
  readonly alignment: number;
}

const powerOfTwo = (value: number, low: number, high: number): boolean => Number.isInteger(Math.log2(value)) && value >= low && value <= high;

/** @throws UserError `bad-parameter` naming the value and what is legal */
export const checkDma = (parameters: SplitterParameters): void => {
  checkAxi4(parameters);
  const { dataWidth, lengthWidth, burst, outstanding, alignment } = parameters;
  const most = Math.min(256, 4096 / (dataWidth / 8));
  if (!Number.isInteger(lengthWidth) || lengthWidth < 12 || lengthWidth > 32)
    throw new UserError("bad-parameter", `a DMA counts bytes in 12 to 32 bits, not ${lengthWidth}`);
  if (!powerOfTwo(burst, 1, most)) throw new UserError("bad-parameter", `a burst of ${dataWidth}-bit beats has a power of two from 1 to ${most}, not ${burst}`);
  if (!powerOfTwo(outstanding, 2, 256)) throw new UserError("bad-parameter", `a power of two from 2 to 256 bursts can be in flight, not ${outstanding}`);
  if (!powerOfTwo(alignment, 1, dataWidth / 8))
    throw new UserError("bad-parameter", `addresses are aligned to a power of two from 1 to ${dataWidth / 8} bytes, not ${alignment}`);
};

/** Name of a DMA's module: every parameter that its text depends on. */
export const dmaName = (kind: string, { addressWidth, dataWidth, idWidth, lengthWidth, burst, outstanding, alignment }: SplitterParameters): string =>
  `${kind}_a${addressWidth}_d${dataWidth}_i${idWidth}_l${lengthWidth}_b${burst}_o${outstanding}_e${alignment}`;

/** The parameters for a module's header. */
export const parameterRows = ({
  addressWidth,
  dataWidth,
  idWidth,
  lengthWidth,
  burst,
  outstanding,
  alignment,
}: SplitterParameters): NonNullable<About["parameters"]> => [
  { name: "addressWidth", value: addressWidth, legal: "32 to 64" },
  { name: "dataWidth", value: dataWidth, legal: "64, 128, 256 or 512" },
  { name: "idWidth", value: idWidth, legal: "1 to 16" },
  { name: "lengthWidth", value: lengthWidth, legal: "12 to 32" },
  { name: "burst", value: burst, legal: "a power of two up to 256 beats and 4 KiB" },
  { name: "outstanding", value: outstanding, legal: "a power of two, 2 to 256" },
  { name: "alignment", value: alignment, legal: "a power of two up to a beat's bytes" },
];

const splitterPorts = ({ addressWidth, dataWidth, lengthWidth }: SplitterParameters) => {
  const laneWidth = Math.log2(dataWidth / 8);
  return {
    command: flip(dmaCommand(addressWidth, lengthWidth)),
    halt: input(bool, "the command is forgotten; a request that shows stays until it is taken"),
    room: input(bool, "one more burst can be kept track of"),
    busy: output(bool, "a command is being split"),
    burst: {
      issue: output(bool, "a burst, or a command that needs none, begins in this cycle"),
      final: output(bool, "nothing of the command follows"),
      empty: output(bool, "the command has 0 bytes"),
      refused: output(bool, "the command is not aligned or reaches beyond the address space"),
      beats: output(uint(8), "beats of the burst, less 1"),
      offset: output(uint(laneWidth), "lane of the command's first byte"),
      missing: output(uint(laneWidth), "bytes that fill the command up to whole beats"),
    },
    request: { valid: output(bool), ready: input(bool), address: output(uint(addressWidth)), beats: output(uint(8)) },
  };
};

const about = ({ burst, alignment }: SplitterParameters): About => ({
  doc: "Splits commands into INCR bursts that end at multiples of the longest burst, so that none crosses 4 KiB.",
  parameters: [
    { name: "burst", value: burst, legal: "a power of two up to 256 beats and 4 KiB" },
    { name: "alignment", value: alignment, legal: "a power of two up to a beat's bytes" },
  ],
  latency: "a command's first request shows two cycles after the command; one request a cycle, across commands too.",
});

type Splitter = Inside<ReturnType<typeof splitterPorts>>;

/** What a command that is taken says. */
const read = ({ address, bytes }: Splitter["command"], { addressWidth, dataWidth, lengthWidth, alignment }: SplitterParameters) => {
  const laneWidth = Math.log2(dataWidth / 8);
  const lane = named("lane", address.wrap(laneWidth), "of the command's first byte");
  const limit = named("limit", address.add(bytes));
  const span = lane.add(bytes).add(2 ** laneWidth - 1);
  const beyond = limit.bit(addressWidth).and(limit.wrap(addressWidth).any());
  const skewed = alignment === 1 ? constant(bool, 0) : lane.wrap(Math.log2(alignment)).any();
  return {
    empty: bytes.eq(0),
    refused: named("refusal", bytes.ne(0).and(skewed.or(beyond))),
    offset: lane,
    missing: bytes.wrap(laneWidth).not().addWrap(1),
    next: address.bits(addressWidth - 1, laneWidth),
    remaining: named("span", span.bits(lengthWidth, laneWidth), "beats of the command"),
  };
};

/** The burst that comes next: up to a multiple of the longest, or to the end of the command. */
const cut = (next: UInt, remaining: UInt, burst: number) => {
  const width = Math.log2(burst) + 1;
  const chunk = named(
    "chunk",
    burst === 1
      ? constant(uint(1), 1)
      : next
          .wrap(width - 1)
          .not()
          .add(1),
    "beats up to the next multiple",
  );
  const fits = named("fits", remaining.le(chunk));
  const length = named("length", mux(fits, remaining.wrap(width), chunk));
  return { fits, length, shown: named("shown", length.sub(1).asUInt().wrap(Math.min(width, 8)), "the length as AXI counts") };
};

/** The register in front of the bus. */
const send = ({ request }: Splitter, { addressWidth, dataWidth }: SplitterParameters, load: Bool, next: UInt, length: UInt): Bool => {
  const laneWidth = Math.log2(dataWidth / 8);
  const pageWidth = 12 - laneWidth;
  const valid = reg("valid", bool, { reset: 0 });
  const address = reg("address", uint(addressWidth - laneWidth));
  const beats = reg("beats", uint(8));
  request.valid.set(valid);
  request.address.set(cat(address, constant(uint(laneWidth), 0)));
  request.beats.set(beats);
  sync(() => {
    when(load, () => valid.set(1)).elsewhen(request.ready, () => valid.set(0));
  });
  sync(() => {
    when(load, () => {
      address.set(next);
      beats.set(length);
    });
  });
  const lastOfPage = named("reach", address.wrap(pageWidth).add(beats), "beat of the 4 KiB in which the burst ends");
  assert("burst_within_4_kib", valid.not().or(lastOfPage.lt(2 ** pageWidth)));
  assertStable("request", valid, request.ready, cat(address, beats));
  return valid;
};

/**
 * Splits commands into INCR bursts that end at multiples of the longest burst, so that none crosses 4 KiB.
 * @throws UserError `bad-parameter`
 */
export const burstSplitter = (parameters: SplitterParameters): Module<ReturnType<typeof splitterPorts>> => {
  checkDma(parameters);
  const { addressWidth, dataWidth, lengthWidth, burst, alignment } = parameters;
  const laneWidth = Math.log2(dataWidth / 8);
  return module(
    `axi4_splitter_a${addressWidth}_d${dataWidth}_l${lengthWidth}_b${burst}_e${alignment}`,
    splitterPorts(parameters),
    (io) => {
      const { command, request, halt, burst: out } = io;
      const working = reg("working", bool, { reset: 0 });
      const empty = reg("empty", bool);
      const refused = reg("refused", bool);
      const offset = reg("offset", uint(laneWidth));
      const missing = reg("missing", uint(laneWidth));
      const next = reg("next", uint(addressWidth - laneWidth), { doc: "first beat not yet asked for" });
      const remaining = reg("remaining", uint(lengthWidth + 1 - laneWidth), { doc: "beats not yet asked for" });
      const load = wire("load", bool, "a burst goes to the bus");

      const none = named("none", empty.or(refused), "nothing goes to the bus");
      const { fits, length, shown } = cut(next, remaining, burst);
      const valid = send(io, parameters, load, next, shown);
      const issue = named("issue", working.and(io.room).and(halt.not()).and(none.or(valid.not()).or(request.ready)));
      const closing = named("closing", issue.and(none.or(fits)));
      const take = named("take", command.valid.and(command.ready));

      load.set(issue.and(none.not()));
      command.ready.set(halt.not().and(working.not().or(closing)));
      out.issue.set(issue);
      out.final.set(none.or(fits));
      out.empty.set(empty);
      out.refused.set(refused);
      out.beats.set(shown);
      out.offset.set(offset);
      out.missing.set(missing);
      io.busy.set(working);

      const taken = read(command, parameters);
      sync(() => {
        when(take, () => working.set(1)).elsewhen(halt.or(closing), () => working.set(0));
      });
      sync(() => {
        when(take, () => {
          empty.set(taken.empty);
          refused.set(taken.refused);
          offset.set(taken.offset);
          missing.set(taken.missing);
          next.set(taken.next);
          remaining.set(taken.remaining);
        }).elsewhen(issue, () => {
          next.set(next.addWrap(length));
          remaining.set(remaining.subWrap(length));
        });
      });
      assert("no_more_than_commanded", load.not().or(length.le(remaining).and(length.ne(0))));
    },
    about(parameters),
  );
};
