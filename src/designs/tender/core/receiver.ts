import { clog2 } from "../../../base/clog2.ts";
import {
  type Bool,
  bool,
  constant,
  discard,
  flip,
  type Inside,
  instance,
  type Module,
  module,
  named,
  output,
  reg,
  sync,
  type UInt,
  uint,
  when,
} from "../../../hdl/index.ts";
import { dmaStream } from "../../../lib/axi4/realigner.ts";
import { bundleFifo, bundleStream } from "../../../lib/bundle-fifo.ts";
import { slotWidth } from "./jobs.ts";
import { destinations, expectation } from "./loader.ts";
import {
  type CoreParameters,
  compensationGeometry,
  compensationSlots,
  constantGeometry,
  constantSlots,
  coreSuffix,
  geometryOf,
  indexGeometry,
  type PadGeometry,
} from "./parameters.ts";

/** A beat into a scratchpad, as who writes it sees it. */
const fillPort = ({ depth, beatsPerRow }: PadGeometry) => ({
  write: output(bool),
  row: output(uint(clog2(depth))),
  lane: output(uint(Math.max(1, clog2(beatsPerRow))), "beat of the row; 0 where a beat is a row"),
  filled: output(bool, "all of an index or a panel is there"),
});

const receiverPorts = (parameters: CoreParameters) => {
  const { activations, weights } = geometryOf(parameters);
  return {
    expect: flip(bundleStream(expectation(parameters))),
    sAxis: flip(dmaStream(parameters.dataWidth)),
    data: output(uint(parameters.dataWidth), "the beat, for all destinations"),
    descriptor: { valid: output(bool), last: output(bool), failed: output(bool) },
    index: fillPort(indexGeometry(parameters)),
    activations: fillPort(activations),
    weights: fillPort(weights),
    constants: fillPort(constantGeometry(parameters)),
    compensations: fillPort(compensationGeometry(parameters)),
    readError: { valid: output(bool, "the bus has answered a read of a job with an error"), slot: output(uint(slotWidth)) },
  };
};

type ReceiverIo = Inside<ReturnType<typeof receiverPorts>>;

interface Arrival {
  readonly beat: Bool;
  readonly last: Bool;
}

/** Puts beats into rows from `start` on; whatever came, the next transfer starts `rows` rows later. */
const place = (name: string, port: ReceiverIo["index"], { beatsPerRow }: PadGeometry, { beat, last }: Arrival, rows: UInt): void => {
  const width = port.row.width;
  const start = reg(`${name}From`, uint(width), { reset: 0, doc: "row of the transfer" });
  const row = reg(`${name}At`, uint(width), { reset: 0, doc: "of the next beat" });
  const next = named(`${name}After`, start.addWrap(rows.width > width ? rows.wrap(width) : rows));
  port.write.set(beat);
  port.row.set(row);
  port.filled.set(last);
  sync(() => when(last, () => start.set(next)));
  if (beatsPerRow === 1) {
    port.lane.set(0);
    sync(() => when(last, () => row.set(next)).elsewhen(beat, () => row.set(row.addWrap(1))));
    return;
  }
  const lane = reg(`${name}BeatOfRow`, uint(clog2(beatsPerRow)), { reset: 0 });
  port.lane.set(lane);
  sync(() => {
    when(last, () => {
      row.set(next);
      lane.set(0);
    }).elsewhen(beat, () => {
      lane.set(lane.addWrap(1));
      when(lane.eq(beatsPerRow - 1), () => row.set(row.addWrap(1)));
    });
  });
};

const build = (io: ReceiverIo, parameters: CoreParameters): void => {
  const { sAxis, expect, descriptor, readError } = io;
  const { activations, weights } = geometryOf(parameters);
  const index = indexGeometry(parameters);
  const depth = 2 * parameters.outstanding;
  const ended = named("ended", sAxis.tvalid.and(sAxis.tlast));
  const { to } = instance("u_expected", bundleFifo(`tender_expected_${coreSuffix(parameters)}`, expectation(parameters), depth), {
    from: expect,
    to: { valid: "unused", ready: ended },
  });
  const arrival = (name: keyof typeof destinations): Arrival => {
    const beat = named(`${name}Beat`, sAxis.tvalid.and(to.destination.eq(destinations[name])));
    return { beat, last: named(`${name}Ends`, beat.and(sAxis.tlast)) };
  };
  const failed = named("failed", sAxis.tuser.ne(0));
  io.data.set(sAxis.tdata);
  sAxis.tready.set(1);
  discard("keep", sAxis.tkeep);

  const fetched = arrival("descriptor");
  descriptor.valid.set(fetched.beat);
  descriptor.last.set(fetched.last);
  descriptor.failed.set(failed);
  place("index", io.index, index, arrival("index"), constant(uint(clog2(index.depth)), index.depth / 2));
  place("activations", io.activations, activations, arrival("activations"), to.padRows);
  place("weights", io.weights, weights, arrival("weights"), to.padRows);
  for (const [name, geometry, slots] of [
    ["constants", constantGeometry(parameters), constantSlots],
    ["compensations", compensationGeometry(parameters), compensationSlots],
  ] as const)
    place(name, io[name], geometry, arrival(name), constant(uint(clog2(geometry.depth)), geometry.depth / slots));
  readError.valid.set(ended.and(failed).and(fetched.beat.not()));
  readError.slot.set(to.slot);
};

/** Gives the data of the core's reads to what they are for. They come in the order of their commands, and all have room: the loader sees to it. */
export const receiver = (parameters: CoreParameters): Module<ReturnType<typeof receiverPorts>> =>
  module(`tender_receiver_${coreSuffix(parameters)}`, receiverPorts(parameters), (io) => build(io, parameters), {
    doc: "Gives the data of the core's reads to what they are for: fetch, index buffer, scratchpads, constants, row compensations.",
    latency: "none: a beat is passed on in the cycle in which it comes.",
  });
