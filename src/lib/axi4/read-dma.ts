import {
  type About,
  assume,
  type Bool,
  bool,
  cat,
  constant,
  discard,
  flip,
  type Inside,
  input,
  instance,
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
import { fifo } from "../fifo.ts";
import { assertStable, axi4Read, dmaCommand, driveRequest, status } from "./bundle.ts";
import { dmaStream, realigner, tailKeep } from "./realigner.ts";
import { burstSplitter, checkDma, dmaName, parameterRows, type SplitterParameters } from "./splitter.ts";

export type ReadDmaParameters = SplitterParameters;

const readDmaPorts = (parameters: ReadDmaParameters) => ({
  command: flip(dmaCommand(parameters.addressWidth, parameters.lengthWidth)),
  mAxis: dmaStream(parameters.dataWidth),
  stop: input(bool, "forget all commands, let the bus drain; a cycle is enough"),
  idle: output(bool, "no command, nothing on the bus"),
  mAxi: axi4Read(parameters),
});

type ReadDmaPorts = ReturnType<typeof readDmaPorts>;

/** A beat of a command's data on its way from the bus to the stream. */
interface Beat {
  readonly valid: Bool;
  readonly data: UInt;
  readonly last: Bool;
  readonly none: Bool;
  readonly offset: UInt;
  readonly missing: UInt;
  readonly status: UInt;
}

/** Gives the stream the beat as it is, or through a realigner; returns what takes the beat and whether something is held. */
const deliver = (beat: Beat, mAxis: Inside<ReadDmaPorts>["mAxis"], halt: Bool, { dataWidth, alignment }: ReadDmaParameters): { ready: Bool; busy: Bool } => {
  const beatBytes = dataWidth / 8;
  const { valid, data, last, none, offset, missing, status } = beat;
  if (alignment < beatBytes) {
    const elements = offset.bits(offset.width - 1, Math.log2(alignment));
    const spill = named("spill", offset.le(missing), "the last beat has more than its predecessor lacks");
    const into = { valid, data, last, none, offset: elements, missing, spill, status };
    const held = instance("u_realigner", realigner({ dataWidth, alignment }), { halt, in: into, mAxis });
    return { ready: held.in.ready, busy: held.busy };
  }
  discard("offset", offset);
  mAxis.tvalid.set(valid);
  mAxis.tdata.set(data);
  mAxis.tlast.set(last);
  mAxis.tuser.set(status);
  mAxis.tkeep.set(mux(last, mux(none, 0, tailKeep(missing, beatBytes)), 2n ** BigInt(beatBytes) - 1n));
  return { ready: mAxis.tready, busy: constant(bool, 0) };
};

/** Splits commands into requests, and keeps track of those in flight; returns what is known of the oldest. */
const ask = (parameters: ReadDmaParameters, { command, mAxi }: Inside<ReadDmaPorts>, halt: Bool, done: Bool) => {
  const { outstanding, dataWidth } = parameters;
  const laneWidth = Math.log2(dataWidth / 8);
  const room = wire("room", bool);
  const { burst, busy } = instance("u_splitter", burstSplitter(parameters), {
    command,
    halt,
    room,
    burst: {},
    request: { ready: mAxi.arready, valid: mAxi.arvalid, address: mAxi.araddr, beats: mAxi.arlen },
  });
  const entry = cat(burst.offset, burst.missing, burst.final, burst.empty, burst.refused, burst.beats);
  const queue = instance("u_in_flight", fifo({ width: entry.width, depth: outstanding }), {
    inValid: burst.issue,
    inReady: room,
    inData: entry,
    outReady: done,
    count: "unused",
  });
  const at = (low: number, width: number): UInt => queue.outData.bits(low + width - 1, low);
  return {
    busy,
    there: queue.outValid,
    beats: at(0, 8),
    refused: queue.outData.bit(8),
    none: named("none", queue.outData.bit(8).or(queue.outData.bit(9)), "a command that needs no burst"),
    final: queue.outData.bit(10),
    missing: at(11, laneWidth),
    offset: at(11 + laneWidth, laneWidth),
  };
};

const about = (parameters: ReadDmaParameters): About => ({
  doc: "Read DMA: commands in, bytes of memory out, by INCR bursts of AXI4 with one identifier.",
  parameters: parameterRows(parameters),
  latency: "the request shows two cycles after its command, a beat of data in the cycle in which the bus has it, or one later where it is realigned.",
});

/**
 * Read DMA. Each command gives a run of beats that ends with `tlast`, whatever the bus answers: byte 0 in lane 0, `tkeep` short in the last beat,
 * and with it the command's status in `tuser`. A command without a byte or that is refused gives one beat without a byte. The stream holds back the bus.
 * @throws UserError `bad-parameter`
 */
export const readDma = (parameters: ReadDmaParameters): Module<ReadDmaPorts> => {
  checkDma(parameters);
  const { dataWidth } = parameters;
  return module(
    dmaName("axi4_read_dma", parameters),
    readDmaPorts(parameters),
    (io) => {
      const { mAxis, mAxi } = io;
      const stopping = reg("stopping", bool, { reset: 0, doc: "a stop is not finished" });
      const sofar = reg("sofar", uint(2), { reset: 0, doc: "status of the command's beats so far" });
      const received = reg("received", uint(8), { reset: 0, doc: "beats of the oldest burst; for the assumption only" });
      const halt = named("halt", io.stop.or(stopping));
      const done = wire("done", bool, "with the oldest burst, or the command that needs none");
      const oldest = ask(parameters, io, halt, done);
      const { none } = oldest;

      const bad = mux(mAxi.rresp.bit(1).and(none.not()), mAxi.rresp, constant(uint(2), status.okay));
      const now = named("now", mux(oldest.refused, status.refused, mux(sofar.any(), sofar, bad)));
      const last = named("last", none.or(oldest.final.and(mAxi.rlast)), "the command's last beat");
      const valid = named("valid", oldest.there.and(none.or(mAxi.rvalid)).and(halt.not()));
      const taker = deliver({ valid, data: mAxi.rdata, last, none, offset: oldest.offset, missing: oldest.missing, status: now }, mAxis, halt, parameters);
      const taken = named("taken", valid.and(taker.ready));
      const idle = named("idling", oldest.busy.or(oldest.there).or(taker.busy).not());
      const receive = named("receive", mAxi.rvalid.and(mAxi.rready));

      done.set(mux(halt, none.or(receive.and(mAxi.rlast)), taken.and(none.or(mAxi.rlast))));
      mAxi.rready.set(oldest.there.and(none.not()).and(halt.or(taker.ready)));
      io.idle.set(idle);
      driveRequest({ id: mAxi.arid, size: mAxi.arsize, burst: mAxi.arburst, lock: mAxi.arlock, cache: mAxi.arcache, prot: mAxi.arprot }, dataWidth);

      sync(() => {
        when(io.stop, () => stopping.set(1)).elsewhen(idle, () => stopping.set(0));
        when(halt, () => sofar.set(status.okay)).elsewhen(taken, () => sofar.set(mux(last, constant(uint(2), status.okay), now)));
        when(receive, () => received.set(mux(mAxi.rlast, 0, received.addWrap(1))));
      });
      discard("rid", mAxi.rid);
      const meant = cat(mux(mAxis.tkeep.bit(0), mAxis.tdata, 0), mAxis.tkeep, mAxis.tlast, mAxis.tuser);
      assertStable("data", mAxis.tvalid, mAxis.tready, named("meant", meant, "for assertions only"), halt);
      assume("rlast_ends_each_burst", receive.not().or(mAxi.rlast.eq(received.eq(oldest.beats))));
      assume("data_only_where_asked_for", mAxi.rvalid.not().or(oldest.there));
    },
    about(parameters),
  );
};
