import {
  type Bool,
  type BoolShape,
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
  type UIntShape,
  uint,
  type VarOf,
  type VecShape,
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
import { descriptorBytes } from "./descriptor.ts";
import { fetch, ringWidth } from "./fetch.ts";
import { arrayJob, loadJob, slotWidth, writeJob } from "./jobs.ts";
import { destinations, loader } from "./loader.ts";
import { padMemory } from "./pad.ts";
import { type CoreParameters, coreSuffix, geometryOf, indexGeometry, lengthWidth } from "./parameters.ts";
import { receiver } from "./receiver.ts";
import { sequencer } from "./sequencer.ts";
import { stallCounters, stallCounts } from "./stalls.ts";
import { statusOf, statusWidth } from "./status.ts";
import { vectorFeed } from "./vector-feed.ts";
import { writeBack } from "./write-back.ts";

const enginePorts = ({ addressWidth, dataWidth }: CoreParameters) => ({
  enable: input(bool, "descriptors are fetched"),
  ring: input(uint(addressWidth), "address of slot 0, a multiple of 128"),
  ringSize: input(uint(4), "log2 of the slots"),
  tail: input(uint(ringWidth), "the slot that software fills next"),
  jobs: output(uint(32), "jobs retired"),
  retired: { valid: output(bool), status: output(uint(statusWidth)), interrupt: output(bool) },
  busy: output(bool, "there is something to do"),
  clearCounters: input(bool),
  counts: stallCounts,
  read: { command: dmaCommand(addressWidth, lengthWidth), sAxis: flip(dmaStream(dataWidth)) },
  write: {
    command: dmaCommand(addressWidth, lengthWidth),
    mAxis: axis(dataWidth),
    done: { valid: input(bool), ready: output(bool), status: input(uint(2)) },
  },
});

type EngineIo = Inside<ReturnType<typeof enginePorts>>;

/** An event of the job in a slot. */
interface SlotEvent {
  readonly valid: Bool;
  readonly slot: UInt;
}

/** For each slot, whether its job has met an error. */
const metError = (name: string, begins: SlotEvent, found: SlotEvent): VarOf<VecShape<BoolShape>> => {
  const met = reg(name, vec(2 ** slotWidth, bool), { reset: Array.from({ length: 2 ** slotWidth }, () => 0 as const) });
  sync(() => {
    when(found.valid, () => met.at(found.slot).set(1));
    when(begins.valid, () => met.at(begins.slot).set(0));
  });
  return met;
};

/** The parts, each built once. */
const partsOf = (parameters: CoreParameters) => ({
  fetch: fetch(parameters),
  loader: loader(parameters),
  receiver: receiver(parameters),
  sequencer: sequencer(parameters),
  feed: vectorFeed(parameters),
  writeBack: writeBack(parameters),
});

type Parts = ReturnType<typeof partsOf>;

/** Jobs as fetch gives them, and as the loader, the sequencer and the write-back unit find them in their queues. */
const jobQueues = ({ fetch: { ports } }: Parts, parameters: CoreParameters) => {
  const given = { load: wires("load", ports.load), array: wires("array", ports.array), write: wires("write", ports.write) };
  const queued = { load: wires("loading", ports.load), array: wires("running", ports.array), write: wires("writing", ports.write) };
  instance("u_load_jobs", bundleFifo(`tender_load_jobs_${coreSuffix(parameters)}`, loadJob(parameters), 2), { from: given.load, to: queued.load });
  instance("u_array_jobs", bundleFifo(`tender_array_jobs_${coreSuffix(parameters)}`, arrayJob(parameters), 2), { from: given.array, to: queued.array });
  instance("u_write_jobs", bundleFifo(`tender_write_jobs_${coreSuffix(parameters)}`, writeJob(parameters), 2), { from: given.write, to: queued.write });
  return { given, queued };
};

/** Reads: descriptors first, then what the loader asks for; what is expected is kept in the order of the commands. */
const reads = ({ read }: EngineIo, parts: Parts) => {
  const descriptorAsk = wires("descriptor", parts.fetch.ports.command);
  const ask = wires("ask", parts.loader.ports.command);
  const expectReady = wire("expectReady", bool);
  const asks = named("asks", descriptorAsk.valid.or(ask.valid));
  const first = descriptorAsk.valid;
  read.command.valid.set(asks.and(expectReady));
  read.command.address.set(mux(first, descriptorAsk.address, ask.address));
  read.command.bytes.set(mux(first, descriptorBytes, ask.bytes));
  descriptorAsk.ready.set(read.command.ready.and(expectReady));
  ask.ready.set(read.command.ready.and(expectReady).and(first.not()));
  const destination = mux(first, destinations.descriptor, ask.destination);
  const arrived = instance("u_receiver", parts.receiver, {
    expect: { valid: asks.and(read.command.ready), ready: expectReady, destination, padRows: ask.padRows, slot: ask.slot },
    sAxis: read.sAxis,
    descriptor: {},
    index: {},
    activations: {},
    weights: {},
    constants: {},
    compensations: {},
    readError: {},
  });
  return { descriptorAsk, ask, arrived };
};

type Arrived = ReturnType<typeof reads>["arrived"];
type Queued = ReturnType<typeof jobQueues>["queued"];

/** Room that is free again, as the loader hears of it. */
const freedRoom = ({ sequencer: { ports } }: Parts) => {
  const { freed } = ports;
  return {
    index: wire("freedIndex", bool),
    activations: wire("freedActivations", freed.activations.shape),
    weights: wire("freedWeights", freed.weights.shape),
    constants: wire("freedConstants", bool),
    compensations: wire("freedCompensations", bool),
  };
};

type Freed = ReturnType<typeof freedRoom>;

/** Scratchpads, sequencer and array. */
const compute = (parts: Parts, arrived: Arrived, job: Queued["array"], freed: Freed, parameters: CoreParameters) => {
  const { index, activations, weights, data } = arrived;
  const geometry = geometryOf(parameters);
  const seq = parts.sequencer;
  const reading = {
    index: wires("readIndex", seq.ports.index),
    activations: wires("readActivations", seq.ports.activations),
    weights: wires("readWeights", seq.ports.weights),
  };
  const fill = ({ write, row, lane }: typeof index) => ({ write, row, lane, data });
  instance("u_index", padMemory(indexGeometry(parameters)), { fill: fill(index), read: reading.index });
  instance("u_activations", padMemory(geometry.activations), { fill: fill(activations), read: reading.activations });
  instance("u_weights", padMemory(geometry.weights), { fill: fill(weights), read: reading.weights });
  const x = wires("x", seq.ports.x);
  const w = wires("w", seq.ports.w);
  const tile = wires("tile", seq.ports.tile);
  const at = instance("u_sequencer", seq, {
    job,
    filled: { index: index.filled, activations: activations.filled, weights: weights.filled },
    ...reading,
    x,
    w,
    tile,
    freed: { index: freed.index, activations: freed.activations, weights: freed.weights },
    badIndex: {},
    waits: {},
  });
  const sums = wires("sums", parts.feed.ports.sums);
  const array = tenderArray(parameters) as unknown as Module<ReturnType<typeof composablePorts>>;
  const { wide, ...plainX } = x;
  instance("u_array", array, { x: (parameters.kind === "composable" ? x : plainX) as typeof x, w, y: sums });
  if (parameters.kind !== "composable") discard("wideTag", wide);
  return { at, x, tile, sums };
};

type Computed = ReturnType<typeof compute>;

/** Vector unit with its constants; returns the rows of results, and whether no tile is on its way. */
const finish = ({ feed }: Parts, { data, constants, compensations }: Arrived, { tile, sums }: Computed, freed: Freed, parameters: CoreParameters) => {
  const { cols, accWidth, requantize, bitsPerStage } = parameters;
  const load = wires("loadConstant", feed.ports.load);
  const row = wires("row", feed.ports.row);
  const { empty } = instance("u_feed", feed, {
    data,
    constants: { write: constants.write, row: constants.row, filled: constants.filled, freed: freed.constants },
    compensations: { write: compensations.write, row: compensations.row, filled: compensations.filled, freed: freed.compensations },
    tile,
    sums,
    load,
    row,
  });
  discard("slotLanes", cat(constants.lane, compensations.lane));
  const vector = vectorUnit({ lanes: cols, accWidth, requantize, bitsPerStage });
  const y = wires("y", vector.ports.y);
  instance("u_vector", vector, { load, x: row, y });
  discard("lastRow", y.last);
  return { rows: { valid: y.valid, ready: y.ready, data: y.data, overflow: y.overflow, nan: y.nan }, empty };
};

const count = (io: EngineIo, busy: Bool, fetching: Bool, { at, x, sums }: Computed, empty: Bool, busyCycles: VarOf<UIntShape>): void => {
  io.busy.set(busy);
  io.counts.busy.set(busyCycles);
  instance("u_stalls", stallCounters(), {
    clear: io.clearCounters,
    busy,
    offered: x.valid,
    taken: named("beatTaken", x.valid.and(x.ready)),
    frozen: named("frozen", sums.valid.and(sums.ready.not())),
    waitsActivations: at.waits.activations,
    waitsWeights: at.waits.weights,
    running: at.running,
    fetching,
    draining: empty.not(),
    counts: { ...io.counts, busy: busyCycles },
  });
};

const build = (io: EngineIo, parameters: CoreParameters): void => {
  const parts = partsOf(parameters);
  const { given, queued } = jobQueues(parts, parameters);
  const { descriptorAsk, ask, arrived } = reads(io, parts);
  const { valid, last, failed } = arrived.descriptor;
  const { begins, active: fetching } = instance("u_fetch", parts.fetch, {
    enable: io.enable,
    ring: io.ring,
    ringSize: io.ringSize,
    tail: io.tail,
    command: descriptorAsk,
    data: { valid, data: arrived.data, last, failed },
    ...given,
    begins: {},
  });
  const freed = freedRoom(parts);
  instance("u_loader", parts.loader, { job: queued.load, command: ask, freed });
  const computed = compute(parts, arrived, queued.array, freed, parameters);
  const { rows, empty } = finish(parts, arrived, computed, freed, parameters);

  const errorsAt = wire("errorsAt", uint(slotWidth));
  const readErrors = metError("readErrors", begins, arrived.readError);
  const badIndices = metError("badIndices", begins, computed.at.badIndex);
  const busyCycles = wire("busyCycles", uint(64));
  const { command, mAxis, done } = io.write;
  const back = instance("u_write_back", parts.writeBack, {
    job: queued.write,
    rows,
    errors: { slot: errorsAt, bits: statusOf({ readError: readErrors.at(errorsAt), badIndex: badIndices.at(errorsAt) }) },
    busyCycles: busyCycles.wrap(32),
    command,
    mAxis,
    done,
    retired: { slot: "unused" },
  });
  const jobs = reg("jobsRetired", uint(32), { reset: 0 });
  sync(() => when(back.retired.valid, () => jobs.set(jobs.addWrap(1))));
  io.jobs.set(jobs);
  io.retired.valid.set(back.retired.valid);
  io.retired.status.set(back.retired.status);
  io.retired.interrupt.set(back.retired.interrupt);
  const busy = named("isBusy", fetching.or(back.active).or(queued.load.valid).or(queued.array.valid));
  count(io, busy, fetching, computed, empty, busyCycles);
};

/** Everything of the core but its registers and its bus masters: jobs from a ring of descriptors, computed and written back. */
export const coreEngine = (parameters: CoreParameters): Module<ReturnType<typeof enginePorts>> =>
  module(`tender_core_engine_${coreSuffix(parameters)}`, enginePorts(parameters), (io) => build(io, parameters), {
    doc: "Everything of the core but its registers and its bus masters: jobs from a ring of descriptors, computed and written back.",
  });
