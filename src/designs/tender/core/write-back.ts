import { clog2 } from "../../../base/clog2.ts";
import {
  type Bool,
  type BoolShape,
  bool,
  cat,
  constant,
  discard,
  flip,
  type Index,
  type Inside,
  input,
  instance,
  type Module,
  module,
  mux,
  named,
  output,
  reg,
  repeat,
  sync,
  type Target,
  type UInt,
  type UIntShape,
  uint,
  type Vec,
  vec,
  when,
  wire,
  wires,
} from "../../../hdl/index.ts";
import { dmaCommand } from "../../../lib/axi4/bundle.ts";
import { bundleFifo, bundleStream } from "../../../lib/bundle-fifo.ts";
import { fifo } from "../../../lib/fifo.ts";
import { axis } from "../../../lib/stream.ts";
import { widthsOf } from "../parameters.ts";
import { recordBytes } from "./descriptor.ts";
import { slotWidth, writeJob } from "./jobs.ts";
import { inLanes } from "./lanes.ts";
import { type CoreParameters, coreSuffix, geometryOf, lengthWidth } from "./parameters.ts";
import { records } from "./record.ts";
import { codeBits, packedRow, resultBytes, rowLanes } from "./row-format.ts";
import { statusOf, statusWidth } from "./status.ts";
import { type TilePlace, tileOrder } from "./tile-order.ts";

const writeBackPorts = (parameters: CoreParameters) => {
  const { cols, addressWidth, dataWidth } = parameters;
  return {
    job: flip(bundleStream(writeJob(parameters))),
    rows: {
      valid: input(bool),
      ready: output(bool),
      data: input(vec(cols, uint(32)), "one row of results; a tile's last row comes first"),
      overflow: input(bool),
      nan: input(bool),
    },
    errors: { slot: output(uint(slotWidth)), bits: input(uint(statusWidth), "errors of the job in that slot that others have found") },
    busyCycles: input(uint(32)),
    command: dmaCommand(addressWidth, lengthWidth),
    mAxis: axis(dataWidth),
    done: { valid: input(bool), ready: output(bool), status: input(uint(2)) },
    retired: { valid: output(bool, "a record is in memory"), slot: output(uint(slotWidth)), status: output(uint(statusWidth)), interrupt: output(bool) },
    active: output(bool, "a job is here, or a record of one"),
  };
};

type WriteIo = Inside<ReturnType<typeof writeBackPorts>>;

/** The address of the tile that rows come for. */
const tileAddresses = ({ job }: WriteIo, addressWidth: number, at: TilePlace, steps: Bool): UInt => {
  const tile = reg("tileAddress", uint(addressWidth));
  const top = reg("columnAddress", uint(addressWidth), { doc: "of the block's first tile in the column" });
  const nextBlock = reg("nextBlock", uint(addressWidth));
  const firstColumn = named("firstColumn", at.column.eq(0));
  const firstTile = named("firstTile", at.firstBlock.and(firstColumn).and(at.inBlock.eq(0)));
  const tileHere = named("tileHere", mux(firstTile, job.results, tile));
  const columnHere = named("columnHere", mux(firstTile, job.results, top));
  const belowTile = named("belowTile", tileHere.addWrap(stride(job.tileDown, addressWidth)));
  const rightTile = named("rightTile", columnHere.addWrap(stride(job.tileRight, addressWidth)));
  const belowBlock = named("belowBlock", mux(firstColumn, belowTile, nextBlock));
  const otherColumn = named("otherColumn", mux(at.lastColumn, belowBlock, rightTile));
  sync(() => {
    when(steps, () => {
      tile.set(mux(at.lastOfColumn, otherColumn, belowTile));
      top.set(mux(at.lastOfColumn, otherColumn, columnHere));
      when(at.lastOfColumn.and(firstColumn), () => nextBlock.set(belowTile));
    });
  });
  return tileHere;
};

/** The address of the row that comes: from a tile's last row up to its row 0. */
const rowWalk = ({ job }: WriteIo, { rows, kind, addressWidth }: CoreParameters, tile: UInt, freshRow: Bool, moves: Bool): UInt => {
  const spanOf = (size: number): UInt => stride(job.rowStride.shl(clog2(size)).sub(job.rowStride).asUInt(), addressWidth);
  const span = named("span", kind === "composable" ? mux(job.wide, spanOf(rows / 2), spanOf(rows)) : spanOf(rows), "from row 0 of a tile to its last");
  const row = reg("rowAddress", uint(addressWidth), { doc: "of the row that comes next, in the middle of a tile" });
  const rowHere = named("rowHere", mux(freshRow, tile.addWrap(span), row));
  sync(() => when(moves, () => row.set(rowHere.subWrap(stride(job.rowStride, addressWidth)))));
  return rowHere;
};

/** Where the row that comes stands in the job, and its address and that of its tile. */
const walk = (io: WriteIo, parameters: CoreParameters, moves: Bool) => {
  const { job } = io;
  const { rows, cols, kind, addressWidth } = parameters;
  const freshRow = reg("freshRow", bool, { reset: 1, doc: "the tile's first row" });
  const below = reg("rowsBelow", uint(clog2(rows)));
  const most = (name: string, size: number): UInt => {
    const all = constant(uint(clog2(size)), size - 1);
    return kind === "composable" ? named(name, mux(job.wide, size / 2 - 1, all)) : all;
  };
  const number = named("rowNumber", mux(freshRow, most("topRow", rows), below));
  const lastRow = named("lastRow", number.eq(0));
  const steps = named("tileEnds", moves.and(lastRow));
  const at = tileOrder(job, steps);
  sync(() => when(moves, () => freshRow.set(lastRow)));
  sync(() => when(moves, () => below.set(number.subWrap(1))));
  const tileAddress = tileAddresses(io, addressWidth, at, steps);
  return {
    lastRow,
    inMatrix: named("inMatrix", at.lastRowTile.not().or(number.le(job.lastRows)), "the row belongs to the matrix"),
    columns: named("columns", mux(at.lastColumn, job.lastColumns, most("allColumns", cols)).add(1)),
    jobEnds: named("jobEnds", lastRow.and(at.lastOfJob)),
    tileAddress,
    rowAddress: rowWalk(io, parameters, tileAddress, freshRow, moves),
  };
};

/** Bits that count the beats of what is sent at a time, a row or a tile of codes, less 1. */
const beatsWidth = ({ rows, cols, requantize, dataWidth, kind }: CoreParameters): number =>
  clog2(Math.max(2, (cols * 32) / dataWidth, requantize ? (rows * cols * widthsOf(kind).element) / dataWidth : 1));

const stride = (value: UInt, width: number): UInt => (value.width > width ? value.wrap(width) : value);

/** Gathers the codes of a tile: a word a column, into which each row moves, the last row first; rows beyond the matrix are zeros. */
const gather = (lanes: Vec<UIntShape>, wide: Bool, blank: Bool, parameters: CoreParameters, moves: Bool): UInt => {
  const { rows, cols, kind } = parameters;
  const bits = codeBits(parameters);
  const word = rows * geometryOf(parameters).element;
  const kept = word - bits.narrow;
  const words = reg("gathered", vec(cols, uint(kept)), { doc: "all but the element of the tile's row 0" });
  const next = wire("gatheredNext", vec(cols, uint(word)));
  const moveIn = (column: Index, both: boolean): void => {
    const code = named("code", mux(blank, 0, lanes.at(column).wrap(both ? bits.wide : bits.narrow)));
    const old = named("old", words.at(column));
    const shifted = (width: number): UInt => (word === width ? code : cat(old.wrap(word - width), code.wrap(width)));
    next.at(column).set(both ? mux(wide, shifted(bits.wide), shifted(bits.narrow)) : shifted(bits.narrow));
    sync(() => when(moves, () => words.at(column).set(next.at(column).wrap(kept))));
  };
  // Only the low half of the lanes has codes of an INT8 product on composable cells.
  const low = kind === "composable" ? cols / 2 : 0;
  if (low > 0) repeat("gather_both", low, (column) => moveIn(column, true));
  repeat("gather", cols - low, (column) => moveIn(column.plus(low), false));
  return next.asUInt();
};

/** Sends what it is given as beats, each `dataWidth` bits, the low ones first. */
const senderOf = ({ mAxis }: WriteIo, formWidth: number, dataWidth: number, load: Bool) => {
  const width = Math.max(formWidth, 8 * recordBytes);
  const beats = Math.max(2, Math.ceil(width / dataWidth));
  const busy = reg("sending", bool, { reset: 0 });
  const data = reg("outgoing", uint(Math.max(width, dataWidth)));
  const left = reg("beatsLeft", uint(clog2(beats)), { doc: "after the one that shows" });
  const free = named("senderFree", busy.not().or(mAxis.tready.and(left.eq(0))));
  mAxis.tvalid.set(busy);
  mAxis.tdata.set(data.wrap(dataWidth));
  mAxis.tlast.set(left.eq(0));
  const give = (value: UInt, last: UInt): void => {
    sync(() => {
      when(load, () => busy.set(1)).elsewhen(mAxis.tready.and(left.eq(0)), () => busy.set(0));
    });
    sync(() => {
      when(load, () => {
        data.set(value);
        left.set(last.wrap(left.width));
      }).elsewhen(busy.and(mAxis.tready), () => {
        if (data.width > dataWidth) data.set(data.shr(dataWidth));
        left.set(left.subWrap(1));
      });
    });
  };
  return { free, give, width: data.width };
};

/** A row in its queue, with what its job says of it. */
const rowEntry = (parameters: CoreParameters) => ({
  data: output(uint(32 * parameters.cols)),
  beats: output(uint(beatsWidth(parameters)), "of what is sent with it, less 1"),
  half: output(bool, "as bfloat16"),
  ...(parameters.requantize
    ? { codes: output(bool), transpose: output(bool), sends: output(bool, "with this row results go out"), blank: output(bool, "beyond the matrix") }
    : {}),
  ...(parameters.kind === "composable" ? { wide: output(bool) } : {}),
});

/** Takes rows: each that counts goes into a queue, and the commands for them into another, so that commands run ahead of their data. */
const takeRows = (io: WriteIo, parameters: CoreParameters, recordFree: Bool) => {
  const { job, rows } = io;
  const { requantize, kind, dataWidth, addressWidth } = parameters;
  const suffix = coreSuffix(parameters);
  const lane = clog2(dataWidth / 8);
  const moves = wire("moves", bool, "a row is taken");
  const at = walk(io, parameters, moves);
  const gathers = requantize ? job.transpose : constant(bool, 0);
  const sends = named("sends", mux(gathers, at.lastRow, at.inMatrix), "with this row results go out");
  const commanded = named("commanded", moves.and(sends));
  const bytes = named("bytes", resultBytes(at.columns, job.format, job.transpose, job.wide, parameters));

  discard("formatBits", requantize ? job.format.bit(1) : cat(job.format.bits(2, 1), job.transpose));
  if (kind !== "composable") discard("wideTag", job.wide);
  const rowFifo = bundleFifo(`tender_write_rows_${suffix}`, rowEntry(parameters), 2 * parameters.rows);
  const commandEntry = { address: output(uint(addressWidth)), bytes: output(uint(bytes.width)) };
  const commandFifo = bundleFifo(`tender_write_commands_${suffix}`, commandEntry, 2 * parameters.rows);
  const [row, command] = [wires("row", rowFifo.ports.to), wires("rowCommand", commandFifo.ports.to)];
  const beats = bytes.subWrap(1).bits(lane + beatsWidth(parameters) - 1, lane);
  const { from: rowRoom } = instance("u_rows", rowFifo, {
    from: {
      valid: named("enters", moves.and(gathers.or(at.inMatrix))),
      data: rows.data.asUInt(),
      beats,
      half: job.format.bit(0),
      codes: job.format.bit(2),
      transpose: job.transpose,
      sends,
      blank: at.inMatrix.not(),
      wide: job.wide,
    },
    to: row,
  });
  const { from: commandRoom } = instance("u_commands", commandFifo, {
    from: { valid: commanded, address: mux(gathers, at.tileAddress, at.rowAddress), bytes },
    to: command,
  });
  const may = job.valid.and(job.bad.not()).and(at.jobEnds.not().or(recordFree));
  rows.ready.set(may.and(rowRoom.ready).and(commandRoom.ready));
  moves.set(rows.valid.and(rows.ready));

  const [overflow, nan] = [reg("overflowSoFar", bool, { reset: 0 }), reg("nanSoFar", bool, { reset: 0 })];
  const overflowNow = named("overflowNow", overflow.or(rows.overflow.and(at.inMatrix)));
  const nanNow = named("nanNow", nan.or(rows.nan.and(at.inMatrix)));
  sync(() => {
    when(moves, () => {
      overflow.set(overflowNow.and(at.jobEnds.not()));
      nan.set(nanNow.and(at.jobEnds.not()));
    });
  });
  const ends = named("ends", moves.and(at.jobEnds).or(job.valid.and(job.bad).and(recordFree)));
  job.ready.set(ends);
  const own = mux(job.bad, 0, statusOf({ overflow: overflowNow, nan: nanNow }));
  return { row, command, commanded, ends, status: named("statusAtEnd", job.status.or(own)) };
};

type TakenRows = ReturnType<typeof takeRows>;

/** The oldest row as its job's format wants it, or the tile of which it is the last row; and whether something is complete with it. */
const formRow = ({ row }: TakenRows, parameters: CoreParameters) => {
  const { cols } = parameters;
  const none = constant(bool, 0);
  const wide = row.wide ?? none;
  const lanes = rowLanes(inLanes("results", row.data, vec(cols, uint(32))), wide, parameters);
  const packed = packedRow(lanes, { half: row.half, codes: row.codes ?? none }, wide, parameters);
  const { transpose, sends, blank } = row;
  if (transpose === undefined || sends === undefined || blank === undefined) return { value: packed, whole: row.valid };
  const tile = gather(lanes, wide, blank, parameters, named("gathersRow", row.valid.and(row.ready).and(transpose)));
  const width = Math.max(packed.width, tile.width);
  return {
    value: mux(transpose, tile.extend(width), packed.extend(width)),
    whole: named("whole", row.valid.and(sends), "the oldest row completes something to be sent"),
  };
};

/** Commands go to the DMA through a register, a record's first; `given` says which. */
const giveCommands = (
  { command }: WriteIo,
  { command: next }: TakenRows,
  record: { readonly due: Bool; readonly address: UInt },
  room: Bool,
  given: { readonly rows: Target<BoolShape>; readonly record: Target<BoolShape> },
): void => {
  const valid = reg("offered", bool, { reset: 0 });
  const address = reg("offeredAddress", uint(command.address.width));
  const bytes = reg("offeredBytes", uint(command.bytes.width));
  const loads = named("offers", valid.not().or(command.ready).and(room).and(record.due.or(next.valid)));
  command.valid.set(valid);
  command.address.set(address);
  command.bytes.set(bytes);
  next.ready.set(loads.and(record.due.not()));
  given.rows.set(loads.and(record.due.not()));
  given.record.set(loads.and(record.due));
  sync(() => when(valid.not().or(command.ready), () => valid.set(loads)));
  sync(() => {
    when(loads, () => {
      address.set(mux(record.due, record.address, next.address));
      bytes.set(mux(record.due, recordBytes, next.bytes.extend(bytes.width)));
    });
  });
};

const build = (io: WriteIo, parameters: CoreParameters): void => {
  const { job, done } = io;
  const { dataWidth, outstanding } = parameters;
  const passed = wire("passed", bool, "a command for rows goes to the DMA");
  const recorded = wire("recorded", bool, "a record's command goes to the DMA");
  const recordFree = wire("recordFree", bool, "no record waits: a job may end");
  const taken = takeRows(io, parameters, recordFree);
  const { row } = taken;
  const record = records(
    { ends: taken.ends, slot: job.slot, status: taken.status, tag: job.tag, interrupt: job.interrupt, address: job.recordAddress },
    { commanded: taken.commanded, passed, recorded, reported: done.valid, failed: done.status.any() },
    (slot) => {
      io.errors.slot.set(slot);
      return io.errors.bits;
    },
    io.busyCycles,
    parameters,
  );
  recordFree.set(record.free);

  const load = wire("load", bool, "the sender gets its next run of beats");
  const form = formRow(taken, parameters);
  const order = instance("u_order", fifo({ width: 1, depth: 2 * outstanding }), {
    inValid: passed.or(recorded),
    inData: recorded,
    outReady: load,
    count: "unused",
  });
  giveCommands(io, taken, record, order.inReady, { rows: passed, record: recorded });
  const ofRecord = named("ofRecord", order.outData.bit(0), "the data that are due are a record");
  const sender = senderOf(io, form.value.width, dataWidth, load);
  load.set(order.outValid.and(sender.free).and(ofRecord.or(form.whole)));
  row.ready.set(form.whole.not().or(load.and(ofRecord.not())));
  const recordBeats = Math.ceil((8 * recordBytes) / dataWidth) - 1;
  const value = named("sent", mux(ofRecord, record.words.extend(sender.width), form.value.extend(sender.width)));
  sender.give(value, mux(ofRecord, constant(uint(row.beats.width), recordBeats), row.beats));

  done.ready.set(1);
  io.retired.valid.set(record.retired.valid);
  io.retired.slot.set(record.retired.slot);
  io.retired.status.set(record.retired.status);
  io.retired.interrupt.set(record.retired.interrupt);
  io.active.set(job.valid.or(record.active));
};

/**
 * Writes the results of the core's jobs, in the format and layout that each wants (docs/tender-core.md), and after all of a job's results its record.
 * Rows beyond the matrix are dropped.
 */
export const writeBack = (parameters: CoreParameters): Module<ReturnType<typeof writeBackPorts>> =>
  module(`tender_write_back_${coreSuffix(parameters)}`, writeBackPorts(parameters), (io) => build(io, parameters), {
    doc: "Writes the results of the core's jobs, and after all of a job's results its record.",
    latency: "a row's command shows two cycles after the row is taken, its first beat one cycle later; a beat a cycle without gaps between rows, tiles, jobs.",
    notes: ["A record waits until everything commanded before it is answered; rows of the next job are written meanwhile."],
  });
