import {
  bool,
  cat,
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
  vec,
  when,
  wire,
  wires,
} from "../../../hdl/index.ts";
import { dmaCommand } from "../../../lib/axi4/bundle.ts";
import { dmaStream } from "../../../lib/axi4/realigner.ts";
import { bundleFifo } from "../../../lib/bundle-fifo.ts";
import { axis } from "../../../lib/stream.ts";
import { tenderArray } from "../array.ts";
import type { composablePorts } from "../ports.ts";
import { vectorUnit } from "../vector-unit.ts";
import { descriptorBytes, jobErrors } from "./descriptor.ts";
import { fetch, ringWidth } from "./fetch.ts";
import { arrayJob, loadJob, slotWidth, writeJob } from "./jobs.ts";
import { destinations, loader } from "./loader.ts";
import { padMemory } from "./pad.ts";
import { type CoreParameters, geometryOf, indexGeometry, lengthWidth } from "./parameters.ts";
import { receiver } from "./receiver.ts";
import { sequencer } from "./sequencer.ts";
import { stallCounters } from "./stalls.ts";
import { vectorFeed } from "./vector-feed.ts";
import { writeBack } from "./write-back.ts";

const counts = {
  busy: output(uint(64)),
  active: output(uint(64)),
  weights: output(uint(64)),
  activations: output(uint(64)),
  drain: output(uint(64)),
  writeBack: output(uint(64)),
};

const enginePorts = ({ addressWidth, dataWidth }: CoreParameters) => ({
  enable: input(bool, "descriptors are fetched"),
  ring: input(uint(addressWidth), "address of slot 0, a multiple of 128"),
  ringSize: input(uint(4), "log2 of the slots"),
  tail: input(uint(ringWidth), "the slot that software fills next"),
  jobs: output(uint(32), "jobs retired"),
  retired: { valid: output(bool), status: output(uint(6)), interrupt: output(bool) },
  busy: output(bool, "there is something to do"),
  clearCounters: input(bool),
  counts,
  read: { command: dmaCommand(addressWidth, lengthWidth), sAxis: flip(dmaStream(dataWidth)) },
  write: {
    command: dmaCommand(addressWidth, lengthWidth),
    mAxis: axis(dataWidth),
    done: { valid: input(bool), ready: output(bool), status: input(uint(2)) },
  },
});

type EngineIo = Inside<ReturnType<typeof enginePorts>>;

/** Error bits of the jobs in the core that fetch and write-back don't see. */
const jobErrorTable = (
  begins: { readonly valid: UInt; readonly slot: UInt },
  found: readonly { readonly valid: UInt; readonly slot: UInt; readonly bit: number }[],
) => {
  const table = reg("jobErrors", vec(2 ** slotWidth, uint(6)), { reset: Array.from({ length: 2 ** slotWidth }, () => 0) as never });
  sync(() => {
    for (const { valid, slot, bit } of found) when(valid.bit(0), () => table.at(slot).set(table.at(slot).or(2 ** bit)));
    when(begins.valid.bit(0), () => table.at(begins.slot).set(0));
  });
  return table;
};

const build = (io: EngineIo, parameters: CoreParameters): void => {
  const { read, write } = io;
  const { cols, kind, accWidth, requantize } = parameters;
  const geometry = geometryOf(parameters);

  // Streams of jobs, and the queues of the parts.
  const fetched = fetch(parameters);
  const load = wires("load", fetched.ports.load);
  const arrayJobs = wires("array", fetched.ports.array);
  const writes = wires("write", fetched.ports.write);
  const loading = wires("loading", fetched.ports.load);
  const running = wires("running", fetched.ports.array);
  const writing = wires("writing", fetched.ports.write);
  instance("u_load_jobs", bundleFifo("tender_load_jobs", loadJob(parameters), 2), { from: load, to: loading });
  instance("u_array_jobs", bundleFifo("tender_array_jobs", arrayJob(parameters), 2), { from: arrayJobs, to: running });
  instance("u_write_jobs", bundleFifo("tender_write_jobs", writeJob(parameters), 2), { from: writes, to: writing });

  // Reads: descriptors first, then what the loader asks for; what is expected is kept in the order of the commands.
  const received = receiver(parameters);
  const expectReady = wire("expectReady", bool);
  const askDescriptor = wires("descriptor", fetched.ports.command);
  const ask = wires("ask", loader(parameters).ports.command);
  const asks = named("asks", askDescriptor.valid.or(ask.valid));
  read.command.valid.set(asks.and(expectReady));
  read.command.address.set(mux(askDescriptor.valid, askDescriptor.address, ask.address));
  read.command.bytes.set(mux(askDescriptor.valid, descriptorBytes, ask.bytes));
  askDescriptor.ready.set(read.command.ready.and(expectReady));
  ask.ready.set(read.command.ready.and(expectReady).and(askDescriptor.valid.not()));

  const { data, descriptor, index, activations, weights, constants, compensations, readError } = instance("u_receiver", received, {
    expect: {
      valid: asks.and(read.command.ready),
      ready: expectReady,
      destination: mux(askDescriptor.valid, destinations.descriptor, ask.destination),
      padRows: ask.padRows,
      slot: ask.slot,
    },
    sAxis: read.sAxis,
    descriptor: {},
    index: {},
    activations: {},
    weights: {},
    constants: {},
    compensations: {},
    readError: {},
  });

  const { begins, active: fetching } = instance("u_fetch", fetched, {
    enable: io.enable,
    ring: io.ring,
    ringSize: io.ringSize,
    tail: io.tail,
    command: askDescriptor,
    data: { valid: descriptor.valid, data, last: descriptor.last, failed: descriptor.failed },
    load,
    array: arrayJobs,
    write: writes,
    begins: {},
  });

  const feed = vectorFeed(parameters);
  const freedIndex = wire("freedIndex", bool);
  const seq = sequencer(parameters);
  const freedActivations = wire("freedActivations", seq.ports.freed.activations.shape);
  const freedWeights = wire("freedWeights", seq.ports.freed.weights.shape);
  const freedConstants = wire("freedConstants", bool);
  const freedCompensations = wire("freedCompensations", bool);
  instance("u_loader", loader(parameters), {
    job: loading,
    command: ask,
    freed: { index: freedIndex, activations: freedActivations, weights: freedWeights, constants: freedConstants, compensations: freedCompensations },
  });

  // The array with its operands.
  const readIndex = wires("readIndex", seq.ports.index);
  const readActivations = wires("readActivations", seq.ports.activations);
  const readWeights = wires("readWeights", seq.ports.weights);
  const pad = (name: string, of: Parameters<typeof padMemory>[0], fill: typeof index, port: typeof readIndex): void => {
    instance(name, padMemory(of), { fill: { write: fill.write, row: fill.row, lane: fill.lane, data }, read: port });
  };
  pad("u_index", indexGeometry(parameters), index, readIndex);
  pad("u_activations", geometry.activations, activations, readActivations);
  pad("u_weights", geometry.weights, weights, readWeights);
  const x = wires("x", seq.ports.x);
  const w = wires("w", seq.ports.w);
  const tile = wires("tile", seq.ports.tile);
  const {
    badIndex,
    waits,
    running: hasJob,
  } = instance("u_sequencer", seq, {
    job: running,
    filled: { index: index.filled, activations: activations.filled, weights: weights.filled },
    index: readIndex,
    activations: readActivations,
    weights: readWeights,
    x,
    w,
    tile,
    freed: { index: freedIndex, activations: freedActivations, weights: freedWeights },
    badIndex: {},
    waits: {},
  });
  const sums = wires("sums", feed.ports.sums);
  const array = tenderArray(parameters) as unknown as Module<ReturnType<typeof composablePorts>>;
  const { wide, ...plainX } = x;
  instance("u_array", array, { x: (kind === "composable" ? x : plainX) as typeof x, w, y: sums });
  if (kind !== "composable") discard("wideTag", wide);

  // Results.
  const loadConstant = wires("loadConstant", feed.ports.load);
  const row = wires("row", feed.ports.row);
  const { empty } = instance("u_feed", feed, {
    data,
    constants: { write: constants.write, row: constants.row, filled: constants.filled, freed: freedConstants },
    compensations: { write: compensations.write, row: compensations.row, filled: compensations.filled, freed: freedCompensations },
    tile,
    sums,
    load: loadConstant,
    row,
  });
  discard("slotLanes", cat(constants.lane, compensations.lane));
  const vector = vectorUnit({ lanes: cols, accWidth, requantize, bitsPerStage: parameters.bitsPerStage });
  const y = wires("y", vector.ports.y);
  instance("u_vector", vector, { load: loadConstant, x: row, y });
  discard("lastRow", y.last);

  const errorsAt = wire("errorsAt", uint(slotWidth));
  const errors = jobErrorTable(begins, [
    { ...readError, bit: jobErrors.readError.bit },
    { ...badIndex, bit: jobErrors.badIndex.bit },
  ]);
  const busyCycles = wire("busyCycles", uint(64));
  const back = instance("u_write_back", writeBack(parameters), {
    job: writing,
    rows: { valid: y.valid, ready: y.ready, data: y.data, overflow: y.overflow, nan: y.nan },
    errors: { slot: errorsAt, bits: errors.at(errorsAt) },
    busyCycles: busyCycles.wrap(32),
    command: write.command,
    mAxis: write.mAxis,
    done: write.done,
    retired: { slot: "unused" },
  });

  const jobs = reg("jobsRetired", uint(32), { reset: 0 });
  sync(() => when(back.retired.valid, () => jobs.set(jobs.addWrap(1))));
  io.jobs.set(jobs);
  io.retired.valid.set(back.retired.valid);
  io.retired.status.set(back.retired.status);
  io.retired.interrupt.set(back.retired.interrupt);
  const busy = named("isBusy", fetching.or(back.active).or(loading.valid).or(running.valid));
  io.busy.set(busy);
  io.counts.busy.set(busyCycles);
  instance("u_stalls", stallCounters(), {
    clear: io.clearCounters,
    busy,
    offered: x.valid,
    taken: named("beatTaken", x.valid.and(x.ready)),
    frozen: named("frozen", sums.valid.and(sums.ready.not())),
    waitsActivations: waits.activations,
    waitsWeights: waits.weights,
    running: hasJob,
    fetching,
    draining: empty.not(),
    counts: { ...io.counts, busy: busyCycles },
  });
};

/** Everything of the core but its registers and its bus masters: jobs from a ring of descriptors, computed and written back. */
export const coreEngine = (parameters: CoreParameters): Module<ReturnType<typeof enginePorts>> =>
  module("tender_core_engine", enginePorts(parameters), (io) => build(io, parameters), {
    doc: "Everything of the core but its registers and its bus masters: jobs from a ring of descriptors, computed and written back.",
  });
