import {
  type About,
  assert,
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
  uint,
  when,
  wire,
} from "../../hdl/index.ts";
import { fifo } from "../fifo.ts";
import { axis } from "../stream.ts";
import { assertStable, axi4Write, dmaCommand, driveRequest, status } from "./bundle.ts";
import { tailKeep } from "./realigner.ts";
import { burstSplitter, checkDma, type DmaParameters, dmaName, parameterRows, type SplitterParameters } from "./splitter.ts";

export type WriteDmaParameters = DmaParameters;

const writeDmaPorts = (parameters: DmaParameters) => ({
  command: flip(dmaCommand(parameters.addressWidth, parameters.lengthWidth)),
  sAxis: flip(axis(parameters.dataWidth)),
  done: { valid: output(bool, "a command has ended, in order"), ready: input(bool), status: output(uint(2)) },
  stop: input(bool, "forget all commands, let the bus drain; a cycle is enough"),
  idle: output(bool, "no command, nothing on the bus, nothing to report"),
  mAxi: axi4Write(parameters),
});

type WriteDmaPorts = ReturnType<typeof writeDmaPorts>;

/** Splits commands into requests, and keeps two queues of them: bursts whose data are to come, and bursts to be answered. */
const ask = (parameters: SplitterParameters, { command, mAxi }: Inside<WriteDmaPorts>, halt: Bool) => {
  const { outstanding } = parameters;
  const room = wire("room", bool);
  const { burst, busy } = instance("u_splitter", burstSplitter(parameters), {
    command,
    halt,
    room,
    burst: { offset: "unused" },
    request: { ready: mAxi.awready, valid: mAxi.awvalid, address: mAxi.awaddr, beats: mAxi.awlen },
  });
  const sent = wire("sent", bool, "with the burst whose data are due");
  const answered = wire("answered", bool, "with the oldest burst, or the command that needs none");
  const toSend = cat(burst.missing, burst.final, burst.refused, burst.beats);
  const toAnswer = cat(burst.final, burst.empty, burst.refused);
  const data = instance("u_data", fifo({ width: toSend.width, depth: outstanding }), {
    inValid: burst.issue.and(burst.empty.not()),
    inData: toSend,
    outReady: sent,
    count: "unused",
  });
  const answers = instance("u_answers", fifo({ width: 3, depth: outstanding }), {
    inValid: burst.issue,
    inData: toAnswer,
    outReady: answered,
    count: "unused",
  });
  room.set(data.inReady.and(answers.inReady));
  const send = data.outData;
  return {
    busy,
    sent,
    answered,
    data: { there: data.outValid, beats: send.wrap(8), refused: send.bit(8), final: send.bit(9), missing: send.bits(send.width - 1, 10) },
    answer: {
      there: answers.outValid,
      final: answers.outData.bit(2),
      none: named("none", answers.outData.bit(1).or(answers.outData.bit(0)), "a command that needs no burst"),
      refused: answers.outData.bit(0),
    },
  };
};

type Queues = ReturnType<typeof ask>;

/** The W channel: beats of the stream, in a register; after a stop beats without a byte, which the bus is owed. */
const sendData = ({ data, sent }: Queues, { sAxis, mAxi }: Inside<WriteDmaPorts>, halt: Bool, dataWidth: number): void => {
  const beatBytes = dataWidth / 8;
  const valid = reg("valid", bool, { reset: 0 });
  const word = reg("word", uint(dataWidth));
  const strobes = reg("strobes", uint(beatBytes));
  const last = reg("lastBeat", bool);
  const beat = reg("beat", uint(8), { reset: 0, doc: "of the burst whose data are due" });

  const free = named("free", valid.not().or(mAxi.wready));
  const drop = named("drop", data.there.and(data.refused), "data of a command that was refused");
  const load = named("load", data.there.and(data.refused.not()).and(free).and(halt.or(sAxis.tvalid)));
  const ends = named("ends", beat.eq(data.beats));
  const ending = named("ending", ends.and(data.final));

  sAxis.tready.set(halt.not().and(data.there).and(data.refused.or(free)));
  sent.set(mux(data.refused, halt.or(sAxis.tvalid.and(sAxis.tlast)), load.and(ends)));
  mAxi.wvalid.set(valid);
  mAxi.wdata.set(word);
  mAxi.wstrb.set(strobes);
  mAxi.wlast.set(last);

  sync(() => {
    when(load, () => {
      valid.set(1);
      beat.set(mux(ends, 0, beat.addWrap(1)));
    }).elsewhen(mAxi.wready, () => valid.set(0));
  });
  sync(() => {
    when(load, () => {
      word.set(sAxis.tdata);
      last.set(ends);
      strobes.set(mux(halt, 0, mux(ending, tailKeep(data.missing, beatBytes), 2n ** BigInt(beatBytes) - 1n)));
    });
  });
  assume("tlast_ends_each_command", load.not().or(halt).or(sAxis.tlast.eq(ending)));
  assert("dropped_or_sent", drop.not().or(load.not()));
  assertStable("w", valid, mAxi.wready, cat(word, strobes, last));
};

/** The B channel and what it says of each command; returns whether all is done. */
const takeAnswers = ({ answer, answered, busy, data }: Queues, { mAxi, done, idle }: Inside<WriteDmaPorts>, halt: Bool): Bool => {
  const sofar = reg("sofar", uint(2), { reset: 0, doc: "status of the command's bursts so far" });
  const reporting = reg("reporting", bool, { reset: 0 });
  const reported = reg("reported", uint(2));

  const free = named("reportFree", halt.or(answer.final.not()).or(reporting.not()).or(done.ready));
  const bad = mux(mAxi.bresp.bit(1).and(answer.none.not()), mAxi.bresp, constant(uint(2), status.okay));
  const now = named("now", mux(answer.refused, status.refused, mux(sofar.any(), sofar, bad)));
  const idling = named("idling", busy.or(data.there).or(answer.there).or(reporting).not());
  const ended = named("ended", answer.there.and(free).and(answer.none.or(mAxi.bvalid)));

  mAxi.bready.set(answer.there.and(answer.none.not()).and(free));
  answered.set(free.and(answer.none.or(mAxi.bvalid)));
  done.valid.set(reporting);
  done.status.set(reported);
  idle.set(idling);

  sync(() => {
    when(halt, () => sofar.set(status.okay)).elsewhen(ended, () => sofar.set(mux(answer.final, constant(uint(2), status.okay), now)));
    when(halt, () => reporting.set(0))
      .elsewhen(ended.and(answer.final), () => reporting.set(1))
      .elsewhen(done.ready, () => reporting.set(0));
  });
  sync(() => when(ended.and(answer.final), () => reported.set(now)));
  discard("bid", mAxi.bid);
  assertStable("report", reporting, done.ready, reported, halt);
  assume("answers_only_to_bursts", mAxi.bvalid.not().or(answer.there));
  return idling;
};

const about = (parameters: SplitterParameters): About => ({
  doc: "Write DMA: commands and their bytes in, INCR bursts of AXI4 with one identifier out.",
  parameters: parameterRows(parameters),
  latency: "the request shows two cycles after its command, a beat of data one cycle after it is taken, the report one cycle after the last answer.",
});

/**
 * Write DMA. Each command takes a run of beats that ends with `tlast`, byte 0 in lane 0; bytes of the last beat beyond the command are not written.
 * `done` tells each command's status after its last answer. A command without a byte takes no beat; one that is refused takes its beats and writes nothing.
 * Addresses are aligned to a beat.
 * @throws UserError `bad-parameter`
 */
export const writeDma = (given: WriteDmaParameters): Module<WriteDmaPorts> => {
  const parameters = { ...given, alignment: given.dataWidth / 8 };
  checkDma(parameters);
  return module(
    dmaName("axi4_write_dma", parameters),
    writeDmaPorts(parameters),
    (io) => {
      const { stop, mAxi } = io;
      const stopping = reg("stopping", bool, { reset: 0, doc: "a stop is not finished" });
      const halt = named("halt", stop.or(stopping));
      const queues = ask(parameters, io, halt);
      sendData(queues, io, halt, parameters.dataWidth);
      const idling = takeAnswers(queues, io, halt);
      sync(() => {
        when(stop, () => stopping.set(1)).elsewhen(idling, () => stopping.set(0));
      });
      driveRequest({ id: mAxi.awid, size: mAxi.awsize, burst: mAxi.awburst, lock: mAxi.awlock, cache: mAxi.awcache, prot: mAxi.awprot }, parameters.dataWidth);
    },
    about(parameters),
  );
};
