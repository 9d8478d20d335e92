import {
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
  vec,
  when,
  wire,
} from "../../../hdl/index.ts";
import { dmaCommand } from "../../../lib/axi4/bundle.ts";
import { bundleStream } from "../../../lib/bundle-fifo.ts";
import { fifo } from "../../../lib/fifo.ts";
import { axis } from "../../../lib/stream.ts";
import { widthsOf } from "../parameters.ts";
import { jobErrors, recordBytes } from "./descriptor.ts";
import { slotWidth, tileWidth, writeJob } from "./jobs.ts";
import { type CoreParameters, geometryOf, lengthWidth } from "./parameters.ts";
import { records } from "./record.ts";
import { codeBits, packedRow, resultBytes, rowLanes } from "./row-format.ts";

const log2 = (value: number): number => Math.ceil(Math.log2(value));

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
    errors: { slot: output(uint(slotWidth)), bits: input(uint(6), "errors of the job in that slot that others have found") },
    busyCycles: input(uint(32)),
    command: dmaCommand(addressWidth, lengthWidth),
    mAxis: axis(dataWidth),
    done: { valid: input(bool), ready: output(bool), status: input(uint(2)) },
    retired: { valid: output(bool, "a record is in memory"), slot: output(uint(slotWidth)), status: output(uint(6)), interrupt: output(bool) },
    active: output(bool, "a job is here, or a record of one"),
  };
};

type WriteIo = Inside<ReturnType<typeof writeBackPorts>>;

/** What ends with the row that comes. */
interface Ends {
  readonly lastRow: Bool;
  /** The block's rows of tiles in this column. */
  readonly column: Bool;
  readonly block: Bool;
}

/** The address of the tile that rows come for: down the block's column, then to its right, then to the block below. */
const tileWalk = ({ job }: WriteIo, addressWidth: number, fresh: Bool, first: Bool, ends: Ends, moves: Bool): UInt => {
  const tile = reg("tileAddress", uint(addressWidth));
  const top = reg("columnAddress", uint(addressWidth), { doc: "of the block's first tile in the column" });
  const nextBlock = reg("nextBlock", uint(addressWidth));
  const tileHere = named("tileHere", mux(fresh, job.results, tile));
  const columnHere = named("columnHere", mux(fresh, job.results, top));
  const belowTile = named("belowTile", tileHere.addWrap(stride(job.tileDown, addressWidth)));
  const rightTile = named("rightTile", columnHere.addWrap(stride(job.tileRight, addressWidth)));
  const belowBlock = named("belowBlock", mux(first, belowTile, nextBlock));
  sync(() => {
    when(moves, () => {
      when(ends.lastRow, () => {
        tile.set(belowTile);
        top.set(columnHere);
      });
      when(ends.column, () => {
        tile.set(rightTile);
        top.set(rightTile);
        when(first, () => nextBlock.set(belowTile));
      });
      when(ends.block, () => {
        tile.set(belowBlock);
        top.set(belowBlock);
      });
    });
  });
  return tileHere;
};

/** The address of the row that comes: from a tile's last row up to its row 0. */
const rowWalk = ({ job }: WriteIo, { rows, kind, addressWidth }: CoreParameters, tile: UInt, freshRow: Bool, moves: Bool): UInt => {
  const spanOf = (size: number): UInt => stride(job.rowStride.shl(log2(size)).sub(job.rowStride).asUInt(), addressWidth);
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
  const rowWidth = log2(rows);
  const inBlock = reg("inBlock", uint(tileWidth), { reset: 0 });
  const column = reg("column", uint(tileWidth), { reset: 0 });
  const fresh = reg("fresh", bool, { reset: 1, doc: "the job's first tile" });
  const freshRow = reg("freshRow", bool, { reset: 1, doc: "the tile's first row" });
  const below = reg("rowsBelow", uint(rowWidth));
  const tilesBelow = reg("tilesBelow", uint(tileWidth), { doc: "rows of tiles from the block's first on, less 1" });

  const most = (name: string, size: number, width: number): UInt =>
    kind === "composable" ? named(name, mux(job.wide, size / 2 - 1, constant(uint(width), size - 1))) : constant(uint(width), size - 1);
  const number = named("rowNumber", mux(freshRow, most("topRow", rows, rowWidth), below));
  const left = named("left", mux(fresh, job.lastRowTile, tilesBelow));
  const lastRowTile = named("lastRowTile", inBlock.eq(left));
  const lastColumn = named("lastColumn", column.eq(job.lastColumnTile));
  const inMatrix = named("inMatrix", lastRowTile.not().or(number.le(job.lastRows)), "the row belongs to the matrix");
  const columns = named("columns", mux(lastColumn, job.lastColumns, most("allColumns", cols, log2(cols))).add(1));
  const lastRow = named("lastRow", number.eq(0));
  const columnEnds = named("columnEnds", lastRow.and(lastRowTile.or(inBlock.eq(job.block))));
  const blockEnds = named("blockEnds", columnEnds.and(lastColumn));
  const jobEnds = named("jobEnds", blockEnds.and(left.le(job.block)));
  sync(() => {
    when(moves, () => {
      freshRow.set(lastRow);
      when(lastRow, () => {
        fresh.set(jobEnds);
        inBlock.set(mux(columnEnds, 0, inBlock.addWrap(1)));
      });
      when(columnEnds, () => column.set(mux(lastColumn, 0, column.addWrap(1))));
    });
  });
  sync(() => {
    when(moves, () => {
      below.set(number.subWrap(1));
      when(lastRow, () => tilesBelow.set(mux(blockEnds, left.subWrap(job.block).subWrap(1), left)));
    });
  });
  const tileAddress = tileWalk(io, addressWidth, fresh, named("firstColumn", column.eq(0)), { lastRow, column: columnEnds, block: blockEnds }, moves);
  return { lastRow, inMatrix, columns, jobEnds, tileAddress, rowAddress: rowWalk(io, parameters, tileAddress, freshRow, moves) };
};

/** Bits that count the beats of what is sent at a time, a row or a tile of codes, less 1. */
const beatsWidth = ({ rows, cols, requantize, dataWidth, kind }: CoreParameters): number =>
  log2(Math.max(2, (cols * 32) / dataWidth, requantize ? (rows * cols * widthsOf(kind).element) / dataWidth : 1));

const stride = (value: UInt, width: number): UInt => (value.width > width ? value.wrap(width) : value);

/** Gathers the codes of a tile: a word a column, into which each row moves, the last row first; rows beyond the matrix are zeros. */
const gather = (lanes: readonly UInt[], wide: Bool, blank: Bool, parameters: CoreParameters, moves: Bool): UInt => {
  const { rows, cols, kind } = parameters;
  const { element } = geometryOf(parameters);
  const bits = codeBits(parameters);
  const word = rows * element;
  const kept = word - bits.narrow;
  const words = reg("gathered", vec(cols, uint(kept)), { doc: "all but the element of the tile's row 0" });
  const next = lanes.map((lane, column) => {
    const both = kind === "composable" && column < cols / 2;
    const code = named(`code${column}`, mux(blank, 0, lane.wrap(both ? bits.wide : bits.narrow)));
    const old = words.at(column);
    const shifted = (width: number): UInt => (word === width ? code : cat(old.wrap(word - width), code.wrap(width)));
    return named(`next${column}`, both ? mux(wide, shifted(bits.wide), shifted(bits.narrow)) : shifted(bits.narrow));
  });
  sync(() => when(moves, () => words.set(next.map((value) => value.wrap(kept)))));
  return named("tileCodes", cat(...(next.toReversed() as unknown as [UInt, ...UInt[]])));
};

/** Sends what it is given as beats, each `dataWidth` bits, the low ones first. */
const senderOf = ({ mAxis }: WriteIo, formWidth: number, dataWidth: number, load: Bool) => {
  const width = Math.max(formWidth, 8 * recordBytes);
  const beats = Math.max(2, Math.ceil(width / dataWidth));
  const busy = reg("sending", bool, { reset: 0 });
  const data = reg("outgoing", uint(Math.max(width, dataWidth)));
  const left = reg("beatsLeft", uint(log2(beats)), { doc: "after the one that shows" });
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

/** A queue of values side by side. */
const queueOf = (name: string, values: readonly UInt[], depth: number, valid: Bool, take: Bool) => {
  const { inReady, outValid, outData } = instance(name, fifo({ width: values.reduce((sum, { width }) => sum + width, 0), depth }), {
    inValid: valid,
    inData: cat(...(values.toReversed() as unknown as [UInt, ...UInt[]])),
    outReady: take,
    count: "unused",
  });
  let low = 0;
  const held = values.map(({ width }) => {
    low += width;
    return outData.bits(low - 1, low - width);
  });
  return { room: inReady, there: outValid, held };
};

/** Takes rows: each that counts goes into a queue, and the commands for them into another, so that commands run ahead of their data. */
const takeRows = (io: WriteIo, parameters: CoreParameters, recordFree: Bool, go: { readonly row: Bool; readonly command: Bool }) => {
  const { job, rows } = io;
  const { requantize, kind, dataWidth } = parameters;
  const lane = log2(dataWidth / 8);
  const moves = wire("moves", bool, "a row is taken");
  const at = walk(io, parameters, moves);
  const gathers = requantize ? job.transpose : constant(bool, 0);
  const sends = named("sends", mux(gathers, at.lastRow, at.inMatrix), "with this row results go out");
  const enters = named("enters", moves.and(gathers.or(at.inMatrix)));
  const commanded = named("commanded", moves.and(sends));
  const bytes = named("bytes", resultBytes(at.columns, job.format, job.transpose, job.wide, parameters));
  const beats = named("beats", bytes.subWrap(1).bits(lane + beatsWidth(parameters) - 1, lane), "of the results, less 1");

  discard("unusedFormat", requantize ? job.format.bit(1) : cat(job.format.bits(2, 1), job.transpose));
  if (kind !== "composable") discard("unusedWide", job.wide);
  const tags = [beats, job.format.bit(0), ...(requantize ? [job.format.bit(2), job.transpose, sends, at.inMatrix.not()] : [])];
  const entry = [rows.data.asUInt(), ...tags, ...(kind === "composable" ? [job.wide] : [])];
  const queue = queueOf("u_rows", entry, 2 * parameters.rows, enters, go.row);
  const address = mux(gathers, at.tileAddress, at.rowAddress);
  const commands = queueOf("u_commands", [address, bytes], 2 * parameters.rows, commanded, go.command);
  const may = job.valid.and(job.bad.not()).and(at.jobEnds.not().or(recordFree));
  rows.ready.set(may.and(queue.room).and(commands.room));
  moves.set(rows.valid.and(rows.ready));

  const faults = reg("faults", uint(2), { reset: 0, doc: "NaN and overflow of the job's rows so far" });
  const rowFaults = named("rowFaults", mux(at.inMatrix, cat(rows.nan, rows.overflow), 0).or(faults));
  sync(() => when(moves, () => faults.set(mux(at.jobEnds, 0, rowFaults))));
  const ends = named("ends", moves.and(at.jobEnds).or(job.valid.and(job.bad).and(recordFree)));
  job.ready.set(ends);
  const own = mux(job.bad, 0, cat(rowFaults, constant(uint(jobErrors.overflow.bit), 0)));
  return { queue, commands, commanded, ends, status: named("statusAtEnd", job.status.or(own)) };
};

type TakenRows = ReturnType<typeof takeRows>;

/** The oldest row as its job's format wants it, or the tile of which it is the last row; returns what makes it go. */
const formRow = ({ queue }: TakenRows, parameters: CoreParameters, rowGoes: Bool) => {
  const { cols, requantize, kind } = parameters;
  const [data, beats, half, ...more] = queue.held as [UInt, UInt, UInt, ...UInt[]];
  const wide = kind === "composable" ? more.at(-1)!.bit(0) : constant(bool, 0);
  const results = wire("results", vec(cols, uint(32)));
  results.set(Array.from({ length: cols }, (_, lane) => data.bits(32 * lane + 31, 32 * lane)));
  const lanes = rowLanes(results, wide, parameters);
  const flag = (index: number): Bool => (requantize ? more[index]!.bit(0) : constant(bool, 0));
  const row = packedRow(lanes, { half: half.bit(0), codes: flag(0) }, wide, parameters);
  if (!requantize) return { value: row, beats, whole: queue.there };
  const tile = gather(lanes, wide, flag(3), parameters, named("gathersRow", rowGoes.and(flag(1))));
  const width = Math.max(row.width, tile.width);
  return {
    value: mux(flag(1), tile.extend(width), row.extend(width)),
    beats,
    whole: named("whole", queue.there.and(flag(2)), "the oldest row completes something to be sent"),
  };
};

/** Commands go to the DMA through a register, a record's first; `order` says whose data is due. */
const giveCommands = ({ command }: WriteIo, { commands }: TakenRows, record: { readonly due: Bool; readonly address: UInt }, room: Bool) => {
  const valid = reg("offered", bool, { reset: 0 });
  const address = reg("offeredAddress", uint(command.address.width));
  const bytes = reg("offeredBytes", uint(command.bytes.width));
  const loads = named("offers", valid.not().or(command.ready).and(room).and(record.due.or(commands.there)));
  command.valid.set(valid);
  command.address.set(address);
  command.bytes.set(bytes);
  const [rowAddress, rowBytes] = commands.held as [UInt, UInt];
  sync(() => when(valid.not().or(command.ready), () => valid.set(loads)));
  sync(() => {
    when(loads, () => {
      address.set(mux(record.due, record.address, rowAddress));
      bytes.set(mux(record.due, recordBytes, rowBytes.extend(bytes.width)));
    });
  });
  return { passed: named("passed", loads.and(record.due.not())), recorded: named("recorded", loads.and(record.due)) };
};

const build = (io: WriteIo, parameters: CoreParameters): void => {
  const { job, done } = io;
  const { dataWidth, outstanding } = parameters;
  const [rowGoes, passed, recorded, recordFree] = [wire("rowGoes", bool), wire("passes", bool), wire("records", bool), wire("recordIsFree", bool)];
  const taken = takeRows(io, parameters, recordFree, { row: rowGoes, command: passed });
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
  const form = formRow(taken, parameters, rowGoes);
  const order = queueOf("u_order", [recorded], 2 * outstanding, passed.or(recorded), load);
  const given = giveCommands(io, taken, record, order.room);
  passed.set(given.passed);
  recorded.set(given.recorded);
  const ofRecord = named("ofRecord", order.held[0]!.bit(0), "the data that are due are a record");
  const sender = senderOf(io, form.value.width, dataWidth, load);
  load.set(order.there.and(sender.free).and(ofRecord.or(form.whole)));
  rowGoes.set(mux(form.whole, load.and(ofRecord.not()), taken.queue.there));
  const recordBeats = Math.ceil((8 * recordBytes) / dataWidth) - 1;
  const value = named("sent", mux(ofRecord, record.words.extend(sender.width), form.value.extend(sender.width)));
  sender.give(value, mux(ofRecord, constant(uint(form.beats.width), recordBeats), form.beats));

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
  module("tender_write_back", writeBackPorts(parameters), (io) => build(io, parameters), {
    doc: "Writes the results of the core's jobs, and after all of a job's results its record.",
    latency: "a row's command shows two cycles after the row is taken, its first beat one cycle later; a beat a cycle without gaps between rows, tiles, jobs.",
    notes: ["A record waits until everything commanded before it is answered; rows of the next job are written meanwhile."],
  });
