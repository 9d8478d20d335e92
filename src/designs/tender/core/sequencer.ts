import { clog2 } from "../../../base/clog2.ts";
import {
  assert,
  Bool,
  bool,
  cat,
  constant,
  discard,
  flip,
  type Inside,
  input,
  type Module,
  module,
  mux,
  named,
  output,
  reg,
  sint,
  sync,
  type Target,
  type UInt,
  type UIntShape,
  uint,
  vec,
  when,
  wire,
} from "../../../hdl/index.ts";
import { bundleStream } from "../../../lib/bundle-fifo.ts";
import { widthsOf } from "../parameters.ts";
import { tally } from "../tally.ts";
import { indexEntry } from "./descriptor.ts";
import { arrayJob, beatWidth, padCountWidth, slotWidth } from "./jobs.ts";
import { inLanes } from "./lanes.ts";
import { type CoreParameters, compensationSlots, coreSuffix, geometryOf } from "./parameters.ts";
import { tileOrder } from "./tile-order.ts";

/** A tile as the vector feed needs to know it. */
export const tileContext = ({ kind }: CoreParameters) => ({
  lastOfColumn: output(bool, "the last tile of the column in its block"),
  relu: output(bool),
  format: output(uint(3)),
  ...(kind === "composable" ? { wide: output(bool) } : {}),
  compensated: output(bool, "rows have compensations"),
  compensationSlot: output(uint(clog2(compensationSlots))),
  freesCompensation: output(bool, "the last tile that needs that slot"),
});

/** Read port of a memory, as who reads it sees it. */
const readPort = (addressWidth: number, width: number) => ({ enable: output(bool), word: output(uint(addressWidth)), data: input(uint(width)) });

const wordAddressWidth = ({ depth, wordsPerRow }: { readonly depth: number; readonly wordsPerRow: number }): number => clog2(depth * wordsPerRow);

const sequencerPorts = (parameters: CoreParameters) => {
  const { rows, cols, kind, shiftBits, channels } = parameters;
  const { activations, weights } = geometryOf(parameters);
  const counts = padCountWidth(parameters);
  const { element } = widthsOf(kind);
  return {
    job: flip(bundleStream(arrayJob(parameters))),
    filled: { index: input(bool, "an index is there"), activations: input(bool, "one panel more is there"), weights: input(bool) },
    index: readPort(clog2(channels) + 1, 16),
    activations: readPort(wordAddressWidth(activations), activations.word),
    weights: readPort(wordAddressWidth(weights), weights.word),
    x: {
      valid: output(bool),
      ready: input(bool),
      data: output(vec(rows, uint(element))),
      unsigned: output(bool),
      wide: output(bool),
      shift: output(uint(shiftBits)),
      first: output(bool),
      last: output(bool),
    },
    w: { valid: output(bool), ready: input(bool), data: output(vec(cols, sint(element))) },
    tile: bundleStream(tileContext(parameters)),
    freed: {
      index: output(bool),
      activations: output(uint(counts.activations), "rows of the scratchpad"),
      weights: output(uint(counts.weights)),
    },
    badIndex: { valid: output(bool, "a beat that the array takes names no channel of its panels"), slot: output(uint(slotWidth)) },
    waits: { activations: output(bool, "for an index or activations"), weights: output(bool, "for nothing but weights") },
    running: output(bool, "a job is here"),
  };
};

type SequencerIo = Inside<ReturnType<typeof sequencerPorts>>;

/** Where the sequencer stands in its tile and in the scratchpads. */
const positions = (parameters: CoreParameters) => {
  const counts = padCountWidth(parameters);
  const beat = reg("beat", uint(beatWidth), { reset: 0 });
  const blockRow = reg("blockRow", uint(counts.activations - 1), { reset: 0, doc: "of the scratchpad: the first panel in use" });
  const tileRow = reg("tileRow", uint(counts.activations - 1), { reset: 0, doc: "the tile's panel of activations" });
  const weightRow = reg("weightRow", uint(counts.weights - 1), { reset: 0 });
  const indexHalf = reg("indexHalf", bool, { reset: 0 });
  const blockSlot = reg("blockSlot", uint(clog2(compensationSlots)), { reset: 0, doc: "row compensations of the first panel in use" });
  return { beat, blockRow, tileRow, weightRow, indexHalf, blockSlot };
};

/** What the vector feed has to know of the tile. */
const describeTile = (
  { job, tile }: SequencerIo,
  { lastOfColumn, lastPass, slot }: { readonly lastOfColumn: Bool; readonly lastPass: Bool; readonly slot: UInt },
): void => {
  tile.lastOfColumn.set(lastOfColumn);
  tile.relu.set(job.relu);
  tile.format.set(job.format);
  tile.wide?.set(job.wide);
  tile.compensated.set(job.compensated);
  tile.compensationSlot.set(slot);
  tile.freesCompensation.set(job.compensated.and(lastPass));
};

/** Where the sequencer stands in its job, and what the beat of this cycle is. */
const walk = (io: SequencerIo, parameters: CoreParameters, advance: Bool) => {
  const { job, tile } = io;
  const { activations, weights } = geometryOf(parameters);
  const { beat, blockRow, tileRow, weightRow, indexHalf, blockSlot } = positions(parameters);
  const first = named("first", beat.eq(0));
  const last = named("last", beat.eq(job.lastBeat));

  const issue = wire("issue", bool, "a beat begins");
  const ends = named("ends", issue.and(last));
  // In a block's last column no tile uses the activations after this one.
  const { inBlock, lastOfColumn, lastColumn: lastPass, lastOfJob, columnEnds } = tileOrder(job, ends);
  const jobEnds = named("jobEnds", ends.and(lastOfJob));
  const panels = tally("panels", activations.depth, io.filled.activations, ends.and(lastPass));
  const weightPanels = tally("weightPanels", weights.depth, io.filled.weights, columnEnds);
  const indices = tally("indices", 2, io.filled.index, jobEnds);

  const staying = named("staying", mux(lastPass, 0, inBlock), "panels of the block before this tile's that stay");
  const noActivations = named("noActivations", indices.eq(0).or(panels.le(staying)));
  const noWeights = named("noWeights", weightPanels.eq(0));
  const ready = named("operandsReady", job.valid.and(noActivations.not()).and(noWeights.not()));
  tile.valid.set(advance.and(first).and(ready));
  issue.set(advance.and(first.not().or(ready.and(tile.ready))));
  job.ready.set(jobEnds);

  const nextRow = named("nextRow", tileRow.addWrap(job.activationRows.wrap(tileRow.width)));
  sync(() => {
    when(issue, () => beat.set(mux(last, 0, beat.addWrap(1))));
    when(ends, () => {
      tileRow.set(nextRow);
      when(lastPass, () => {
        blockRow.set(nextRow);
        when(job.compensated, () => blockSlot.set(blockSlot.addWrap(1)));
      });
    });
    when(columnEnds, () => {
      weightRow.set(weightRow.addWrap(job.weightRows.wrap(weightRow.width)));
      when(lastPass.not(), () => tileRow.set(blockRow));
    });
    when(jobEnds, () => indexHalf.set(indexHalf.not()));
  });

  describeTile(io, { lastOfColumn, lastPass, slot: blockSlot.addWrap(staying.wrap(blockSlot.width)) });
  io.waits.activations.set(job.valid.and(first).and(noActivations));
  io.waits.weights.set(job.valid.and(first).and(noActivations.not()).and(noWeights));
  io.running.set(job.valid);
  io.index.enable.set(advance);
  io.index.word.set(cat(indexHalf, beat.wrap(io.index.word.width - 1)));
  return { issue, first, last, tileRow, weightRow, lastPass, lastOfColumn, lastOfJob };
};

/** Address of a word: a panel's first row and a channel. */
const wordAddress = (name: string, row: UInt, channel: UInt, { wordsPerRow }: { readonly wordsPerRow: number }): UInt => {
  const low = clog2(wordsPerRow);
  const base = low === 0 ? row : cat(row, constant(uint(low), 0));
  const width = row.width + low;
  return named(name, base.addWrap(channel.width > width ? channel.wrap(width) : channel));
};

/** The values a stage later. */
const staged = <const T extends Readonly<Record<string, UInt>>>(suffix: string, values: T, advance: Bool): T => {
  const stages = Object.entries(values).map(([name, value]) => {
    const stage = value instanceof Bool ? reg(`${name}${suffix}`, bool) : reg(`${name}${suffix}`, uint(value.width));
    return { name, value, stage: stage as UInt & Target<UIntShape> };
  });
  sync(() => {
    when(advance, () => {
      for (const { value, stage } of stages) stage.set(value);
    });
  });
  return Object.fromEntries(stages.map(({ name, stage }) => [name, stage])) as unknown as T;
};

const build = (io: SequencerIo, parameters: CoreParameters): void => {
  const { job, x, w } = io;
  const { shiftBits } = parameters;
  const { activations, weights } = geometryOf(parameters);
  const { channelWidth, zero } = indexEntry;
  const advance = wire("advance", bool, "beats move on");
  const { issue, ...beat } = walk(io, parameters, advance);

  const entryThere = reg("entryThere", bool, { reset: 0, doc: "a beat whose index entry is there" });
  const operandsThere = reg("operandsThere", bool, { reset: 0, doc: "a beat whose operands are there" });
  sync(() => {
    when(advance, () => {
      entryThere.set(issue);
      operandsThere.set(entryThere);
    });
  });
  const { activationRows, weightRows, unsigned, wide, slot } = job;
  const { tileRow, weightRow, channels, ...carried } = staged(
    "AtEntry",
    { ...beat, activationRows, weightRows, unsigned, wide, slot, channels: job.channels },
    advance,
  );

  const channel = named("channel", io.index.data.wrap(channelWidth));
  const isZero = named("isZero", channel.eq(zero));
  const isBad = named("isBad", isZero.not().and(channel.ge(channels)));
  const shift = named("entryShift", mux(carried.first, 0, io.index.data.bits(channelWidth + shiftBits - 1, channelWidth)));
  if (shiftBits === 1) discard("wideShift", io.index.data.bit(channelWidth + 1));
  io.activations.enable.set(advance);
  io.activations.word.set(wordAddress("activationWord", tileRow, channel, activations));
  io.weights.enable.set(advance);
  io.weights.word.set(wordAddress("weightWord", weightRow, channel, weights));

  const taken = named("taken", operandsThere.and(x.ready));
  const now = staged("AtOperands", { ...carried, shift, isBad, absent: named("absent", isZero.or(isBad)) }, advance);
  advance.set(operandsThere.not().or(x.ready));
  x.valid.set(operandsThere);
  x.data.set(inLanes("operands", mux(now.absent, 0, io.activations.data), x.data.shape));
  x.unsigned.set(now.unsigned);
  x.wide.set(now.wide);
  x.shift.set(now.shift);
  x.first.set(now.first);
  x.last.set(now.last);
  w.valid.set(operandsThere);
  w.data.set(inLanes("weightOperands", io.weights.data, w.data.shape));
  assert("operands_go_together", x.ready.eq(w.ready));

  const ended = named("ended", taken.and(now.last));
  io.freed.activations.set(mux(ended.and(now.lastPass), now.activationRows, 0));
  io.freed.weights.set(mux(ended.and(now.lastOfColumn), now.weightRows, 0));
  io.freed.index.set(ended.and(now.lastOfJob));
  io.badIndex.valid.set(taken.and(now.isBad));
  io.badIndex.slot.set(now.slot);
};

/**
 * Walks through the tiles of the core's jobs (docs/tender-core.md): reads each beat's channel from the index, the channel's operands from the scratchpads,
 * and gives them to the array, a beat a cycle, from tile to tile and from job to job.
 */
export const sequencer = (parameters: CoreParameters): Module<ReturnType<typeof sequencerPorts>> =>
  module(`tender_sequencer_${coreSuffix(parameters)}`, sequencerPorts(parameters), (io) => build(io, parameters), {
    doc: "Walks through the tiles of the core's jobs: index, operands, array; a beat a cycle, from tile to tile and from job to job.",
    latency: "a beat is at the array two cycles after it begins.",
    notes: ["A panel or index counts as there when all of it is; its room is free again when the array has taken the last beat that needs it."],
  });
