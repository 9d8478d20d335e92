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

/** Where the rows that come stand in the job, and the address of their tile. */
const walk = ({ job }: WriteIo, parameters: CoreParameters, moves: Bool) => {
  const { rows, cols, kind, addressWidth } = parameters;
  const rowWidth = log2(rows);
  const colWidth = log2(cols);
  const inBlock = reg("inBlock", uint(tileWidth), { reset: 0 });
  const column = reg("column", uint(tileWidth), { reset: 0 });
  const fresh = reg("fresh", bool, { reset: 1, doc: "the job's first tile" });
  const freshRow = reg("freshRow", bool, { reset: 1, doc: "the tile's first row" });
  const below = reg("rowsBelow", uint(rowWidth));
  const tilesBelow = reg("tilesBelow", uint(tileWidth), { doc: "rows of tiles from the block's first on, less 1" });
  const tile = reg("tileAddress", uint(addressWidth));
  const top = reg("columnAddress", uint(addressWidth), { doc: "of the block's first tile in the column" });
  const nextBlock = reg("nextBlock", uint(addressWidth));

  const most = (name: string, size: number, width: number): UInt =>
    kind === "composable" ? named(name, mux(job.wide, size / 2 - 1, constant(uint(width), size - 1))) : constant(uint(width), size - 1);
  const number = named("rowNumber", mux(freshRow, most("topRow", rows, rowWidth), below));
  const left = named("left", mux(fresh, job.lastRowTile, tilesBelow));
  const tileHere = named("tileHere", mux(fresh, job.results, tile));
  const columnHere = named("columnHere", mux(fresh, job.results, top));
  const down = stride(job.tileDown, addressWidth);
  const right = stride(job.tileRight, addressWidth);

  const lastRowTile = named("lastRowTile", inBlock.eq(left));
  const lastColumn = named("lastColumn", column.eq(job.lastColumnTile));
  const inMatrix = named("inMatrix", lastRowTile.not().or(number.le(job.lastRows)), "the row belongs to the matrix");
  const columns = named("columns", mux(lastColumn, job.lastColumns, most("allColumns", cols, colWidth)).add(1));
  const lastRow = named("lastRow", number.eq(0));
  const columnEnds = named("columnEnds", lastRow.and(lastRowTile.or(inBlock.eq(job.block))));
  const blockEnds = named("blockEnds", columnEnds.and(lastColumn));
  const jobEnds = named("jobEnds", blockEnds.and(left.le(job.block)));
  const belowTile = named("belowTile", tileHere.addWrap(down));
  const rightTile = named("rightTile", columnHere.addWrap(right));
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
      when(lastRow, () => {
        tile.set(belowTile);
        top.set(columnHere);
        tilesBelow.set(left);
      });
      when(columnEnds, () => {
        tile.set(rightTile);
        top.set(rightTile);
        when(column.eq(0), () => nextBlock.set(belowTile));
      });
      when(blockEnds, () => {
        tile.set(mux(column.eq(0), belowTile, nextBlock));
        top.set(mux(column.eq(0), belowTile, nextBlock));
        tilesBelow.set(left.subWrap(job.block).subWrap(1));
      });
    });
  });
  const offset = named("rowOffset", number.mul(job.rowStride));
  const rowAddress = named("rowAddress", tileHere.addWrap(offset.width > addressWidth ? offset.wrap(addressWidth) : offset));
  return { lastRow, inMatrix, columns, jobEnds, tileAddress: tileHere, rowAddress };
};

const stride = (value: UInt, width: number): UInt => (value.width > width ? value.wrap(width) : value);

/** Gathers the codes of a tile: a word a column, into which each row moves, the last row first. */
const gather = (lanes: readonly UInt[], wide: Bool, parameters: CoreParameters, moves: Bool): { readonly tile: UInt } => {
  const { rows, cols, kind } = parameters;
  const { element } = geometryOf(parameters);
  const bits = codeBits(parameters);
  const word = rows * element;
  const words = reg("gathered", vec(cols, uint(word - bits.narrow)), { doc: "the rows so far, but for what the next moves out" });
  const next = lanes.map((lane, column) => {
    const old = words.at(column);
    const shifted = (width: number): UInt => cat(old.wrap(word - width), lane.wrap(width));
    if (word === bits.wide) return lane.wrap(word);
    return named(`next${column}`, kind === "composable" && column < cols / 2 ? mux(wide, shifted(bits.wide), shifted(bits.narrow)) : shifted(bits.narrow));
  });
  sync(() => when(moves, () => words.set(next.map((full) => full.wrap(word - bits.narrow)))));
  return { tile: named("tileCodes", cat(...(next.toReversed() as unknown as [UInt, ...UInt[]]))) };
};

/** Sends what it is given as beats, each `dataWidth` bits, the low ones first. */
const sender = ({ mAxis }: WriteIo, width: number, dataWidth: number) => {
  const beats = Math.max(2, Math.ceil(width / dataWidth));
  const busy = reg("sending", bool, { reset: 0 });
  const data = reg("outgoing", uint(Math.max(width, dataWidth)));
  const left = reg("beatsLeft", uint(log2(beats)), { doc: "after the one that shows" });
  const load = wire("load", bool);
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
  return { free, load, give, width: data.width };
};

const build = (io: WriteIo, parameters: CoreParameters): void => {
  const { job, rows, command, done } = io;
  const { dataWidth, requantize } = parameters;
  const rowGoes = wire("rowGoes", bool, "the oldest row is sent, gathered or dropped");
  const entry = cat(rows.nan, rows.overflow, rows.data.asUInt());
  const width = rows.data.shape.width;
  const queue = instance("u_rows", fifo({ width: entry.width, depth: 2 * parameters.rows }), {
    inValid: rows.valid,
    inReady: rows.ready,
    inData: entry,
    outReady: rowGoes,
    count: "unused",
  });
  const results = wire("results", vec(rows.data.length, uint(32)));
  results.set(Array.from({ length: rows.data.length }, (_, lane) => queue.outData.bits(32 * lane + 31, 32 * lane)));
  const at = walk(io, parameters, rowGoes);

  const lanes = rowLanes(results, job.wide, parameters);
  const row = packedRow(lanes, job.format, job.wide, parameters);
  const bytes = named("bytes", resultBytes(at.columns, job.format, job.transpose, job.wide, parameters));
  const gathers = requantize ? job.transpose : constant(bool, 0);
  const tile = requantize ? gather(lanes, job.wide, parameters, named("gathersRow", rowGoes.and(gathers))).tile : row;
  const { free, load, give } = sender(io, Math.max(width, tile.width), dataWidth);

  const sends = named("sends", mux(gathers, at.lastRow, at.inMatrix), "with this row results go out");
  const recordDue = wire("recordDueNow", bool);
  const canSend = named("canSend", free.and(command.ready).and(recordDue.not()));
  const recordFree = wire("recordIsFree", bool);
  const here = named("here", job.valid.and(job.bad.not()).and(queue.outValid));
  rowGoes.set(here.and(sends.not().or(canSend)).and(at.jobEnds.not().or(recordFree)));
  const commanded = named("commanded", rowGoes.and(sends));
  const recorded = named("recorded", recordDue.and(free).and(command.ready));

  discard("unneeded", cat(job.format, job.transpose, job.wide));
  const faults = reg("faults", uint(2), { reset: 0, doc: "NaN and overflow of the job's rows so far" });
  const rowFaults = named("rowFaults", mux(at.inMatrix, queue.outData.bits(width + 1, width), 0).or(faults));
  const badEnds = named("badEnds", job.valid.and(job.bad).and(recordFree));
  const ends = named("ends", badEnds.or(rowGoes.and(at.jobEnds)));
  job.ready.set(ends);
  sync(() => when(rowGoes, () => faults.set(mux(at.jobEnds, 0, rowFaults))));
  const own = mux(job.bad, 0, cat(rowFaults, constant(uint(jobErrors.overflow.bit), 0)));
  const record = records(
    { ends, slot: job.slot, status: named("statusAtEnd", job.status.or(own)), tag: job.tag, interrupt: job.interrupt, address: job.recordAddress },
    { commanded, recorded, reported: done.valid, failed: done.status.any() },
    (slot) => {
      io.errors.slot.set(slot);
      return io.errors.bits;
    },
    io.busyCycles,
    parameters,
  );
  recordDue.set(record.due);
  recordFree.set(record.free);

  load.set(commanded.or(recorded));
  const sent = named(
    "sent",
    mux(
      recordDue,
      record.words.extend(Math.max(width, tile.width, dataWidth)),
      mux(gathers, tile.extend(Math.max(width, tile.width)), row.extend(Math.max(width, tile.width))),
    ),
  );
  const sentBytes = named("sentBytes", mux(recordDue, recordBytes, bytes));
  const beat = log2(dataWidth / 8);
  give(sent, sentBytes.subWrap(1).shr(beat));
  command.valid.set(free.and(recordDue.or(here.and(sends).and(at.jobEnds.not().or(recordFree)))));
  command.address.set(mux(recordDue, record.address, mux(gathers, at.tileAddress, at.rowAddress)));
  command.bytes.set(sentBytes.extend(command.bytes.width));
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
    latency: "a row's command shows two cycles after the row is taken, its beats from the cycle after that on; a beat a cycle without gaps between rows.",
    notes: ["A record waits until everything commanded before it is answered; rows of the next job are written meanwhile."],
  });
