import {
  assert,
  bool,
  cat,
  comb,
  constant,
  flip,
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
  wire,
} from "../../../hdl/index.ts";
import { bundleStream } from "../../../lib/bundle-fifo.ts";
import { loadJob, padCountWidth, padRowWidth, slotWidth, tileWidth } from "./jobs.ts";
import { type CoreParameters, compensationSlots, constantSlots, geometryOf, lengthWidth } from "./parameters.ts";

/** Where data from memory go: the code of `destination`. */
export const destinations = { descriptor: 0, index: 1, activations: 2, weights: 3, constants: 4, compensations: 5 } as const;

/** A read of the core, with what its data are for. */
export const readCommand = (parameters: CoreParameters) =>
  bundleStream({
    address: output(uint(parameters.addressWidth)),
    bytes: output(uint(lengthWidth)),
    destination: output(
      uint(3),
      Object.entries(destinations)
        .map(([name, code]) => `${code} ${name}`)
        .join(", "),
    ),
    padRows: output(uint(padRowWidth(parameters)), "of the scratchpad, that the data take, modulo its depth"),
    slot: output(uint(slotWidth), "of the job"),
  });

const loaderPorts = (parameters: CoreParameters) => {
  const { activations, weights } = padCountWidth(parameters);
  return {
    job: flip(bundleStream(loadJob(parameters))),
    command: readCommand(parameters),
    freed: {
      index: input(bool, "half of the index buffer"),
      activations: input(uint(activations), "rows of the scratchpad"),
      weights: input(uint(weights)),
      constants: input(bool),
      compensations: input(bool),
    },
  };
};

type LoaderIo = Inside<ReturnType<typeof loaderPorts>>;

/** Room that is left at a destination: taken when data are asked for, given back when they are used. */
const credit = (name: string, all: number, taken: UInt, freed: UInt): UInt => {
  const width = Math.ceil(Math.log2(all + 1));
  const left = reg(name, uint(width), { reset: all });
  sync(() => left.set(left.subWrap(taken).addWrap(freed)));
  assert(`${name}_in_range`, left.le(all));
  return left;
};

/** Bytes of a panel: whole rows of the scratchpad. */
const panelBytes = (rows: UInt, rowBits: number): UInt => cat(rows, constant(uint(Math.log2(rowBits / 8)), 0));

const build = (io: LoaderIo, parameters: CoreParameters): void => {
  const { job, command, freed } = io;
  const { addressWidth, dataWidth, rows } = parameters;
  const geometry = geometryOf(parameters);
  const state = reg("state", states("load", "index", "compensations", "activations", "constants", "weights"), { reset: "index" });
  const inBlock = reg("inBlock", uint(tileWidth), { reset: 0, doc: "rows of tiles of the block asked for" });
  const column = reg("column", uint(tileWidth), { reset: 0 });
  const rowsLeft = reg("rowsLeft", uint(tileWidth), { doc: "rows of tiles from the block's first on, less 1" });
  const activations = reg("activationAddress", uint(addressWidth));
  const compensations = reg("compensationAddress", uint(addressWidth));
  const constants = reg("constantAddress", uint(addressWidth));
  const weights = reg("weightAddress", uint(addressWidth));

  const room = wire("room", bool);
  const issue = named("issue", job.valid.and(room).and(command.ready));
  const asks = {
    index: named("asksIndex", issue.and(state.is("index"))),
    compensations: named("asksCompensations", issue.and(state.is("compensations"))),
    activations: named("asksActivations", issue.and(state.is("activations"))),
    constants: named("asksConstants", issue.and(state.is("constants"))),
    weights: named("asksWeights", issue.and(state.is("weights"))),
  };
  const indexRoom = credit("indexRoom", 2, asks.index, freed.index);
  const compensationRoom = credit("compensationRoom", compensationSlots, asks.compensations, freed.compensations);
  const constantRoom = credit("constantRoom", constantSlots, asks.constants, freed.constants);
  const activationRoom = credit("activationRoom", geometry.activations.depth, mux(asks.activations, job.activationRows, 0), freed.activations);
  const weightRoom = credit("weightRoom", geometry.weights.depth, mux(asks.weights, job.weightRows, 0), freed.weights);

  const activationBytes = named("activationBytes", panelBytes(job.activationRows, geometry.activations.row));
  const weightBytes = named("weightBytes", panelBytes(job.weightRows, geometry.weights.row));
  const constantBytes = (geometry.constantBeats * dataWidth) / 8;
  const compensationBytes = rows * 4;

  const padRows = (rows: UInt): UInt => (rows.width > padRowWidth(parameters) ? rows.wrap(padRowWidth(parameters)) : rows);
  command.valid.set(job.valid.and(room));
  command.slot.set(job.slot);
  comb(() => {
    room.set(0);
    command.address.set(job.index);
    command.bytes.set(cat(job.beats, constant(bool, 0)));
    command.destination.set(destinations.index);
    command.padRows.set(0);
    match(state, {
      index() {
        room.set(indexRoom.ne(0));
      },
      compensations() {
        room.set(compensationRoom.ne(0));
        command.address.set(compensations);
        command.bytes.set(compensationBytes);
        command.destination.set(destinations.compensations);
      },
      activations() {
        room.set(activationRoom.ge(job.activationRows));
        command.address.set(activations);
        command.bytes.set(activationBytes);
        command.destination.set(destinations.activations);
        command.padRows.set(padRows(job.activationRows));
      },
      constants() {
        room.set(constantRoom.ne(0));
        command.address.set(constants);
        command.bytes.set(constantBytes);
        command.destination.set(destinations.constants);
      },
      weights() {
        room.set(weightRoom.ge(job.weightRows));
        command.address.set(weights);
        command.bytes.set(weightBytes);
        command.destination.set(destinations.weights);
        command.padRows.set(padRows(job.weightRows));
      },
    });
  });

  const lastOfBlock = named("lastOfBlock", inBlock.eq(job.block).or(inBlock.eq(rowsLeft)), "the row of tiles asked for last is the block's last");
  const lastColumn = named("lastColumn", column.eq(job.lastColumnTile));
  const lastBlock = named("lastBlock", rowsLeft.le(job.block));
  const blockEnds = wire("blockEnds", bool, "all loads of the block are asked for");
  const jobEnds = named("jobEnds", blockEnds.and(lastBlock));
  job.ready.set(jobEnds);
  blockEnds.set(asks.activations.and(inBlock.ne(0)).and(lastOfBlock).and(lastColumn).or(asks.weights.and(lastOfBlock).and(lastColumn)));

  const nextRow = (): void => {
    inBlock.set(inBlock.addWrap(1));
    when(job.compensated, () => state.set("compensations")).otherwise(() => state.set("activations"));
  };
  const nextColumn = (): void => {
    column.set(column.addWrap(1));
    state.set("constants");
  };
  const firstRow = (): void => {
    inBlock.set(0);
    column.set(0);
    when(job.compensated, () => state.set("compensations")).otherwise(() => state.set("activations"));
  };
  sync(() => {
    when(issue, () => {
      match(state, {
        index: firstRow,
        compensations: () => state.set("activations"),
        activations() {
          when(inBlock.eq(0), () => state.set("constants"))
            .elsewhen(lastOfBlock.not(), nextRow)
            .otherwise(nextColumn);
        },
        constants: () => state.set("weights"),
        weights() {
          when(lastOfBlock.not().and(column.eq(0)), nextRow).otherwise(nextColumn);
        },
      });
      when(blockEnds, firstRow);
      when(jobEnds, () => state.set("index"));
    });
  });
  sync(() => {
    when(asks.index, () => {
      rowsLeft.set(job.lastRowTile);
      activations.set(job.activations);
      compensations.set(job.compensations);
      constants.set(job.constants);
      weights.set(job.weights);
    });
    when(asks.compensations, () => compensations.set(compensations.addWrap(compensationBytes)));
    when(asks.activations, () => activations.set(activations.addWrap(activationBytes)));
    when(asks.constants, () => constants.set(constants.addWrap(constantBytes)));
    when(asks.weights, () => weights.set(weights.addWrap(weightBytes)));
    when(blockEnds, () => {
      rowsLeft.set(rowsLeft.subWrap(job.block).subWrap(1));
      constants.set(job.constants);
      weights.set(job.weights);
    });
  });
};

/**
 * Asks for all data of a job in the order in which the array needs them (docs/tender-core.md), each only where there is room for it,
 * so that beats from memory never wait. One command a cycle.
 */
export const loader = (parameters: CoreParameters): Module<ReturnType<typeof loaderPorts>> =>
  module("tender_loader", loaderPorts(parameters), (io) => build(io, parameters), {
    doc: "Asks for the index, activations, constants and weights of the core's jobs, in the order in which the array needs them.",
    latency: "a command shows in the cycle in which the job and the room for it are there; one command a cycle.",
    notes: ["A command takes credit for its data; what has been used gives it back. So data from memory always have room."],
  });
