import { clog2 } from "../../../base/clog2.ts";
import {
  assert,
  type Bool,
  type BoolShape,
  bool,
  cat,
  constant,
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
  sint,
  sync,
  type Target,
  type UInt,
  uint,
  vec,
  when,
  wire,
} from "../../../hdl/index.ts";
import { bundleFifo, bundleStream } from "../../../lib/bundle-fifo.ts";
import { tally } from "../tally.ts";
import { padMemory } from "./pad.ts";
import {
  type CoreParameters,
  compensationGeometry,
  compensationSlots,
  constantGeometry,
  constantSlots,
  coreSuffix,
  geometryOf,
  type PadGeometry,
} from "./parameters.ts";
import { tileContext } from "./sequencer.ts";

/** Compensation of a row that has none: -0 changes nothing. */
const noCompensation = 0x80000000;

const fillPort = ({ depth }: PadGeometry) => ({
  write: input(bool),
  row: input(uint(clog2(depth))),
  filled: input(bool, "a slot is there"),
  freed: output(bool, "a slot is free again"),
});

const feedPorts = (parameters: CoreParameters) => {
  const { cols, accWidth, requantize, dataWidth } = parameters;
  return {
    data: input(uint(dataWidth), "a beat for constants or compensations"),
    constants: fillPort(constantGeometry(parameters)),
    compensations: fillPort(compensationGeometry(parameters)),
    tile: flip(bundleStream(tileContext(parameters))),
    sums: {
      valid: input(bool),
      ready: output(bool),
      data: input(vec(cols, sint(accWidth))),
      last: input(bool),
      overflow: input(bool),
    },
    load: {
      valid: output(bool),
      ready: input(bool),
      bank: output(uint(1)),
      constant: output(uint(requantize ? 2 : 1)),
      column: output(uint(clog2(cols))),
      data: output(uint(32)),
    },
    row: {
      valid: output(bool),
      ready: input(bool),
      data: output(vec(cols, sint(accWidth))),
      last: output(bool),
      overflow: output(bool),
      bank: output(uint(1)),
      compensation: output(uint(32)),
      relu: output(bool),
      format: output(uint(3)),
    },
    empty: output(bool, "no tile is in the array, no row here"),
  };
};

type FeedIo = Inside<ReturnType<typeof feedPorts>>;

/** Tiles between their first beat and their last row: they end at least R beats apart, and a row leaves the array 2R + C beats later at the latest. */
const tilesInFlight = ({ rows, cols }: CoreParameters): number => 2 ** clog2(Math.ceil((2 * rows + cols + 8) / rows) + 2);

/** Moves slots of constants into the banks, a word a cycle. @returns a bank is completely loaded for the rows that come next */
const moveConstants = (io: FeedIo, parameters: CoreParameters, bankDone: Bool): Bool => {
  const { load, constants } = io;
  const { cols, requantize } = parameters;
  const { constants: perColumn, constantBeats } = geometryOf(parameters);
  const geometry = constantGeometry(parameters);
  const words = perColumn * cols;
  const word = reg("word", uint(clog2(words)), { reset: 0, doc: "of the slot" });
  const slot = reg("slot", uint(clog2(constantSlots)), { reset: 0 });
  const there = reg("there", bool, { reset: 0, doc: "a word is at the vector unit" });
  const thereWord = reg("thereWord", uint(clog2(words)));
  const bank = reg("fillingBank", bool, { reset: 0 });

  const advance = named("wordMoves", there.not().or(load.ready));
  const read = wire("readsWord", bool);
  const begins = named("beginsSlot", read.and(word.eq(0)));
  const ends = named("endsSlot", read.and(word.eq(words - 1)));
  const loaded = named("bankLoaded", there.and(load.ready).and(thereWord.eq(words - 1)));
  const slots = tally("slots", constantSlots, constants.filled, ends);
  const taken = tally("banksTaken", 2, begins, bankDone);
  const full = tally("banksFull", 2, loaded, bankDone);
  read.set(advance.and(word.ne(0).or(slots.ne(0).and(taken.ne(2)))));
  constants.freed.set(ends);

  const beat = clog2(geometry.wordsPerRow);
  const wordsOfSlot = clog2(constantBeats) + beat;
  const { read: memory } = instance("u_constants", padMemory(geometry), {
    fill: { write: constants.write, row: constants.row, lane: 0, data: io.data },
    read: { enable: read, word: cat(slot, word.extend(wordsOfSlot)) },
  });
  sync(() => {
    when(read, () => word.set(mux(ends, 0, word.addWrap(1))));
    when(ends, () => slot.set(slot.addWrap(1)));
    when(advance, () => there.set(read));
    when(loaded, () => bank.set(bank.not()));
  });
  sync(() => when(read, () => thereWord.set(word)));
  load.valid.set(there);
  load.bank.set(bank);
  load.column.set(thereWord.wrap(clog2(cols)));
  load.constant.set(thereWord.bits(clog2(cols) + (requantize ? 1 : 0), clog2(cols)));
  load.data.set(memory.data);
  return named("bankFull", full.ne(0));
};

/** A row at the vector unit with what its tile says of it: kept when it is taken, until it goes. */
const heldRow = ({ sums }: FeedIo, context: Context, takes: Bool, { cols, accWidth }: CoreParameters) => {
  const held = {
    data: reg("heldData", vec(cols, sint(accWidth))),
    last: reg("heldLast", bool),
    overflow: reg("heldOverflow", bool),
    compensated: reg("heldCompensated", bool),
    lastOfColumn: reg("heldLastOfColumn", bool),
    frees: reg("heldFrees", bool),
    relu: reg("heldRelu", bool),
    format: reg("heldFormat", uint(3)),
  };
  sync(() => {
    when(takes, () => {
      held.data.set(sums.data);
      held.last.set(sums.last);
      held.overflow.set(sums.overflow);
      held.compensated.set(context.compensated);
      held.lastOfColumn.set(context.lastOfColumn);
      held.frees.set(context.freesCompensation);
      held.relu.set(context.relu);
      held.format.set(context.format);
    });
  });
  return held;
};

/** The tile that the rows belong to. */
const tileOf = ({ tile, sums }: FeedIo, parameters: CoreParameters) => {
  const done = named("tileDone", sums.valid.and(sums.ready).and(sums.last));
  return instance("u_tiles", bundleFifo(`tender_tiles_${coreSuffix(parameters)}`, tileContext(parameters), tilesInFlight(parameters)), {
    from: tile,
    to: { ready: done },
  }).to;
};

type Context = ReturnType<typeof tileOf>;

/** Number of the row that comes: a tile's last row comes first. */
const rowNumber = ({ sums }: FeedIo, { wide }: Context, takes: Bool, { rows }: CoreParameters): UInt => {
  const width = clog2(rows);
  const first = reg("firstRow", bool, { reset: 1 });
  const below = reg("rowsBelow", uint(width), { doc: "number of the row that comes next, but for the first" });
  const all = constant(uint(width), rows - 1);
  const top = wide === undefined ? all : mux(wide as unknown as Bool, constant(uint(width), rows / 2 - 1), all);
  const number = named("rowNumber", mux(first, top, below));
  sync(() => when(takes, () => first.set(sums.last)));
  sync(() => when(takes, () => below.set(number.subWrap(1))));
  return number;
};

/** Gives each row its bank and its compensation, one register later. */
const passRows = (io: FeedIo, parameters: CoreParameters, bankFull: Bool, bankDone: Bool & Target<BoolShape>): void => {
  const { sums, row, compensations } = io;
  const context = tileOf(io, parameters);
  const there = reg("held", bool, { reset: 0, doc: "a row is at the vector unit" });
  const bank = reg("bankOfRow", bool, { reset: 0 });
  const goes = named("goes", there.and(bankFull).and(row.ready));
  const takes = named("takes", sums.valid.and(sums.ready));
  sums.ready.set(named("free", there.not().or(goes)));
  assert("a_row_belongs_to_a_tile", sums.valid.not().or(context.valid));
  const number = rowNumber(io, context, takes, parameters);
  const { data, last, overflow, compensated, lastOfColumn, frees, relu, format } = heldRow(io, context, takes, parameters);
  sync(() => {
    when(takes, () => there.set(1)).elsewhen(goes, () => there.set(0));
    when(bankDone, () => bank.set(bank.not()));
  });
  const { read } = instance("u_compensations", padMemory(compensationGeometry(parameters)), {
    fill: { write: compensations.write, row: compensations.row, lane: 0, data: io.data },
    read: { enable: takes, word: cat(context.compensationSlot, number) },
  });
  const tileGoes = named("tileGoes", goes.and(last));
  bankDone.set(tileGoes.and(lastOfColumn));
  compensations.freed.set(tileGoes.and(frees));
  const slots = tally("compensationsFull", compensationSlots, compensations.filled, tileGoes.and(frees));
  assert("compensations_are_there", there.not().or(compensated.not()).or(slots.ne(0)));

  row.valid.set(there.and(bankFull));
  row.data.set(data);
  row.last.set(last);
  row.overflow.set(overflow);
  row.bank.set(bank);
  row.compensation.set(mux(compensated, read.data, noCompensation));
  row.relu.set(relu);
  row.format.set(format);
  io.empty.set(context.valid.or(there).not());
};

/**
 * Between the array and the vector unit: gives each row of sums the bank of its column's constants and its row's compensation, and loads the banks from slots
 * that the receiver fills.
 */
export const vectorFeed = (parameters: CoreParameters): Module<ReturnType<typeof feedPorts>> =>
  module(
    `tender_vector_feed_${coreSuffix(parameters)}`,
    feedPorts(parameters),
    (io) => {
      const bankDone = wire("bankDone", bool, "all rows that need the bank have gone");
      passRows(io, parameters, moveConstants(io, parameters, bankDone), bankDone);
    },
    {
      doc: "Between the array and the vector unit: gives each row of sums its bank of constants and its compensation, and loads the banks.",
      latency: "one cycle for a row whose bank is loaded; a bank takes a cycle a constant of each column.",
    },
  );
