import { clog2 } from "../../../base/clog2.ts";
import {
  type Bool,
  bool,
  cat,
  constant,
  discard,
  type Inside,
  input,
  type Module,
  match,
  module,
  mux,
  named,
  output,
  reg,
  states,
  sync,
  type UInt,
  uint,
  when,
} from "../../../hdl/index.ts";
import { bundleStream } from "../../../lib/bundle-fifo.ts";
import { type DescriptorField, descriptorBytes, descriptorFields, opcodes, recordOffset } from "./descriptor.ts";
import { arrayJob, loadJob, slotWidth, tileWidth, writeJob } from "./jobs.ts";
import { type CoreParameters, compensationSlots, coreSuffix, geometryOf } from "./parameters.ts";
import { statusOf } from "./status.ts";

/** Bits of the number of a slot of the ring. */
export const ringWidth = 15;

const fetchPorts = (parameters: CoreParameters) => ({
  enable: input(bool),
  ring: input(uint(parameters.addressWidth), "address of slot 0, a multiple of 128"),
  ringSize: input(uint(4), "log2 of the slots"),
  tail: input(uint(ringWidth), "the slot that software fills next"),
  command: { valid: output(bool), ready: input(bool), address: output(uint(parameters.addressWidth)) },
  data: { valid: input(bool, "a beat of the descriptor"), data: input(uint(parameters.dataWidth)), last: input(bool), failed: input(bool) },
  load: bundleStream(loadJob(parameters)),
  array: bundleStream(arrayJob(parameters)),
  write: bundleStream(writeJob(parameters)),
  begins: { valid: output(bool, "a job gets a slot"), slot: output(uint(slotWidth)) },
  active: output(bool, "there is a descriptor to fetch, or one is being fetched"),
});

type FetchIo = Inside<ReturnType<typeof fetchPorts>>;
type Fields = { readonly [K in keyof typeof descriptorFields]: UInt };

const fieldsOf = (words: UInt): Fields => {
  const at = ({ offset, low, width }: DescriptorField): UInt => words.bits(8 * offset + low + width - 1, 8 * offset + low);
  return Object.fromEntries(Object.entries(descriptorFields).map(([name, field]) => [name, named(`${name}Field`, at(field))])) as unknown as Fields;
};

/** Bits of the descriptor that no field has, with the place of its record. */
const discardUnused = (words: UInt): void => {
  const used = Object.values(descriptorFields)
    .map(({ offset, low, width }) => [8 * offset + low, 8 * offset + low + width] as const)
    .toSorted(([a], [b]) => a - b);
  let at = 0;
  const gaps: UInt[] = [];
  for (const [low, end] of [...used, [words.width, words.width] as const]) {
    if (low > at) gaps.push(words.bits(low - 1, at));
    at = end;
  }
  discard("reserved", cat(...(gaps as unknown as [UInt, ...UInt[]])));
};

/** The value in `width` bits, which hold it. */
const fitted = (value: UInt, width: number): UInt => (value.width > width ? value.wrap(width) : value.extend(width));

const flag = (value: UInt): Bool => value.bit(0);

/** Number of the last tile and of the rows or columns in it, less 1, where a tile of an INT8 product on composable cells has half of `size`. */
const tilesOf = (name: string, count: UInt, size: number, wide: Bool | undefined) => {
  const bits = clog2(size);
  const less = named(`${name}Less1`, count.subWrap(1));
  const whole = { last: less.shr(bits).extend(tileWidth), rest: less.wrap(bits) };
  if (wide === undefined) return whole;
  const half = { last: less.shr(bits - 1).extend(tileWidth), rest: bits === 1 ? constant(uint(1), 0) : less.wrap(bits - 1).extend(bits) };
  return { last: named(`${name}LastTile`, mux(wide, half.last, whole.last)), rest: named(`${name}Rest`, mux(wide, half.rest, whole.rest)) };
};

/** Rows of a scratchpad that a panel takes. */
const panelRows = (name: string, channels: UInt, wordsPerRow: number): UInt =>
  wordsPerRow === 1 ? channels : named(name, channels.add(wordsPerRow - 1).shr(clog2(wordsPerRow)));

/** Bits of a word that have to be 0: below a beat, and beyond the address space. */
const misplaced = (address: UInt, { dataWidth, addressWidth }: CoreParameters): Bool => {
  const low = address.wrap(clog2(dataWidth / 8)).any();
  return address.width > addressWidth ? low.or(address.bits(address.width - 1, addressWidth).any()) : low;
};

const formatFault = (f: Fields, wide: Bool, { kind, requantize, cols, dataWidth }: CoreParameters): Bool => {
  const isCode = named("isCode", f.format.bit(2));
  const narrow = f.format.bit(1);
  if (!requantize) return isCode.or(narrow).or(flag(f.transpose));
  const element = kind === "int8" ? narrow : kind === "int4" ? narrow.not() : narrow.xor(wide.not());
  const rowBits = kind === "composable" ? cols * 4 : cols * (kind === "int8" ? 8 : 4);
  const partBeats = rowBits % dataWidth === 0 ? constant(bool, 0) : flag(f.transpose).not();
  return mux(isCode, element.or(partBeats), narrow.or(flag(f.transpose)));
};

const anyOf = (parts: readonly Bool[]): Bool => parts.reduce((sum, part) => sum.or(part));

/** The rules of docs/tender-core.md, but for what needs a product. */
const faultOf = (f: Fields, wide: Bool, parameters: CoreParameters): Bool => {
  const { kind, channels } = parameters;
  const badParts: Bool[] = [];
  badParts.push(named("unknownOpcode", f.opcode.ne(opcodes.multiply)));
  badParts.push(named("emptySize", anyOf([f.rows, f.columns, f.channels, f.beats, f.block].map((size) => size.eq(0)))));
  badParts.push(named("tooManyBeats", f.beats.gt(channels).or(f.channels.gt(16384))));
  const addresses = [f.index, f.activations, f.weights, f.constants, f.results];
  badParts.push(named("badAddress", anyOf(addresses.map((address) => misplaced(address, parameters)))));
  badParts.push(named("badStride", anyOf([f.rowStride, f.tileDown, f.tileRight].map((stride) => stride.wrap(clog2(parameters.dataWidth / 8)).any()))));
  badParts.push(named("badFormat", formatFault(f, wide, parameters)));
  const compensated = flag(f.rowCompensation);
  badParts.push(named("badCompensation", compensated.and(misplaced(f.compensations, parameters).or(f.block.gt(compensationSlots)))));
  if (kind !== "composable") badParts.push(flag(f.wide));
  return anyOf(badParts);
};

/** What is found out of a descriptor in the cycle after it has come. */
const checked = (f: Fields, parameters: CoreParameters) => {
  const { rows, cols, kind } = parameters;
  const geometry = geometryOf(parameters);
  const wide = kind === "composable" ? flag(f.wide) : undefined;
  const down = tilesOf("rows", f.rows, rows, wide);
  const right = tilesOf("columns", f.columns, cols, wide);
  const activationRows = panelRows("activationPanel", f.channels, geometry.activations.wordsPerRow);
  const weightRows = panelRows("weightPanel", f.channels, geometry.weights.wordsPerRow);
  const resident = named("resident", mux(f.block.gt(down.last), down.last.add(1), f.block), "rows of tiles of the largest block");
  const inBlock = named("blockRows", resident.mul(activationRows), "of the scratchpad");
  const fault = named("fault", faultOf(f, wide ?? constant(bool, 0), parameters));
  const tooLarge = named("tooLarge", inBlock.gt(geometry.activations.depth).or(weightRows.gt(geometry.weights.depth)));
  return { down, right, activationRows, weightRows, bad: fault.or(tooLarge) };
};

/** The descriptor, a beat after the other. */
const keep = (data: FetchIo["data"], dataWidth: number) => {
  const words = reg("words", uint(8 * descriptorBytes), { doc: "the descriptor" });
  const failed = reg("failed", bool, { doc: "the bus has answered with an error" });
  sync(() => {
    when(data.valid, () => {
      words.set(cat(data.data, words.bits(words.width - 1, dataWidth)));
      when(data.last, () => failed.set(data.failed));
    });
  });
  return { words, failed };
};

const build = (io: FetchIo, parameters: CoreParameters): void => {
  const { data, load, array, write, command } = io;
  const { addressWidth, dataWidth } = parameters;
  const state = reg("state", states("fetch", "idle", "asking", "receiving", "checking", "giving"), { reset: "idle" });
  const next = reg("next", uint(ringWidth), { reset: 0, doc: "slot of the ring to fetch" });
  const slot = reg("slot", uint(slotWidth), { reset: 0, doc: "that the job gets" });
  const { words, failed } = keep(data, dataWidth);
  const bad = reg("bad", bool, { doc: "nothing but a record" });
  const badDescriptor = reg("badDescriptor", bool);

  const mask = named(
    "mask",
    constant(uint(ringWidth + 1), 1)
      .shl(io.ringSize)
      .wrap(ringWidth + 1)
      .subWrap(1)
      .wrap(ringWidth),
  );
  const tail = named("tailSlot", io.tail.and(mask));
  const some = named("some", next.ne(tail));
  const address = named("address", io.ring.addWrap(cat(next, constant(uint(clog2(descriptorBytes)), 0)).extend(addressWidth)));
  const fields = fieldsOf(words);
  discardUnused(words);
  const found = checked(fields, parameters);
  const isNop = named("isNop", fields.opcode.eq(opcodes.nop));

  const giving = named("isGiving", state.is("giving"));
  const takers = named("takers", write.ready.and(bad.or(load.ready.and(array.ready))));
  const gives = named("gives", giving.and(takers));
  command.valid.set(state.is("asking"));
  command.address.set(address);
  load.valid.set(giving.and(bad.not()).and(write.ready).and(array.ready));
  array.valid.set(giving.and(bad.not()).and(write.ready).and(load.ready));
  write.valid.set(gives);
  io.begins.valid.set(gives);
  io.begins.slot.set(slot);
  io.active.set(io.enable.and(some).or(state.is("idle").not()));
  sync(() => {
    match(state, {
      idle: () => when(io.enable.and(some), () => state.set("asking")),
      asking: () => when(command.ready, () => state.set("receiving")),
      receiving: () => when(data.valid.and(data.last), () => state.set("checking")),
      checking: () => state.set("giving"),
      giving() {
        when(takers, () => {
          state.set("idle");
          next.set(next.addWrap(1).and(mask));
          slot.set(slot.addWrap(1));
        });
      },
    });
  });
  sync(() => {
    when(state.is("checking"), () => {
      bad.set(failed.or(isNop).or(found.bad));
      badDescriptor.set(failed.not().and(isNop.not()).and(found.bad));
    });
  });
  give(io, fields, found, { slot, bad, badDescriptor, failed, record: named("record", address.addWrap(recordOffset)) });
};

interface Job {
  readonly slot: UInt;
  readonly bad: Bool;
  readonly badDescriptor: Bool;
  readonly failed: Bool;
  readonly record: UInt;
}

const give = ({ load, array, write }: FetchIo, f: Fields, found: ReturnType<typeof checked>, job: Job): void => {
  const width = load.index.width;
  const place = (address: UInt): UInt => address.wrap(width);
  const block = named("blockLess1", f.block.subWrap(1));
  const activationRows = fitted(found.activationRows, load.activationRows.width);
  const weightRows = fitted(found.weightRows, load.weightRows.width);
  for (const to of [load, array, write]) {
    to.slot.set(job.slot);
    to.lastRowTile.set(found.down.last);
    to.lastColumnTile.set(found.right.last);
    to.block.set(block);
  }
  for (const to of [load, array]) {
    to.activationRows.set(activationRows);
    to.weightRows.set(weightRows);
    to.compensated.set(flag(f.rowCompensation));
  }
  load.beats.set(f.beats.wrap(load.beats.width));
  load.index.set(place(f.index));
  load.activations.set(place(f.activations));
  load.weights.set(place(f.weights));
  load.constants.set(place(f.constants));
  load.compensations.set(place(f.compensations));
  array.lastBeat.set(f.beats.subWrap(1).wrap(array.lastBeat.width));
  array.channels.set(f.channels.wrap(array.channels.width));
  array.unsigned.set(flag(f.unsigned));
  for (const to of [array, write]) {
    to.wide.set(flag(f.wide));
    to.format.set(f.format);
  }
  array.relu.set(flag(f.relu));
  write.status.set(statusOf({ badDescriptor: job.badDescriptor, readError: job.failed }));
  write.bad.set(job.bad);
  write.tag.set(f.tag);
  write.interrupt.set(flag(f.interrupt));
  write.recordAddress.set(job.record);
  write.lastRows.set(found.down.rest);
  write.lastColumns.set(found.right.rest);
  write.transpose.set(flag(f.transpose));
  write.results.set(place(f.results));
  write.rowStride.set(f.rowStride);
  write.tileDown.set(f.tileDown);
  write.tileRight.set(f.tileRight);
};

/**
 * Fetches descriptors from the ring one by one, checks them (docs/tender-core.md), and gives each as a job to the loader, the sequencer and the write-back
 * unit at once; a bad one to the write-back unit only, which makes its record.
 */
export const fetch = (parameters: CoreParameters): Module<ReturnType<typeof fetchPorts>> =>
  module(`tender_fetch_${coreSuffix(parameters)}`, fetchPorts(parameters), (io) => build(io, parameters), {
    doc: "Fetches descriptors from a ring in memory, checks them, and gives them as jobs to the parts of the core.",
    latency: "a job is given at the earliest two cycles after the last beat of its descriptor.",
    notes: ["One descriptor is fetched while the jobs before it run: each part has a queue of two jobs."],
  });
