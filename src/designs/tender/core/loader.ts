import { clog2 } from "../../../base/clog2.ts";
import {
  assert,
  type Bool,
  type BoolShape,
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
  type Target,
  type UInt,
  uint,
  when,
  wire,
} from "../../../hdl/index.ts";
import { bundleStream } from "../../../lib/bundle-fifo.ts";
import { loadJob, padCountWidth, padRowWidth, slotWidth, tileWidth } from "./jobs.ts";
import { type CoreParameters, compensationSlots, constantSlots, coreSuffix, geometryOf, lengthWidth } from "./parameters.ts";

/** Where data from memory go: the code of `destination`. */
export const destinations = { descriptor: 0, index: 1, activations: 2, weights: 3, constants: 4, compensations: 5 } as const;

/** What the data of a read are for. */
export const expectation = (parameters: CoreParameters) => ({
  destination: output(
    uint(3),
    Object.entries(destinations)
      .map(([name, code]) => `${code} ${name}`)
      .join(", "),
  ),
  padRows: output(uint(padRowWidth(parameters)), "of the scratchpad, that the data take, modulo its depth"),
  slot: output(uint(slotWidth), "of the job"),
});

/** A read of the core. */
const readCommand = (parameters: CoreParameters) =>
  bundleStream({ address: output(uint(parameters.addressWidth)), bytes: output(uint(lengthWidth)), ...expectation(parameters) });

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
  const width = clog2(all + 1);
  const left = reg(name, uint(width), { reset: all });
  sync(() => left.set(left.subWrap(taken).addWrap(freed)));
  assert(`${name}_in_range`, left.le(all));
  return left;
};

/** Bytes of a panel: whole rows of the scratchpad. */
const panelBytes = (rows: UInt, rowBits: number): UInt => cat(rows, constant(uint(Math.log2(rowBits / 8)), 0));

type Destination = Exclude<keyof typeof destinations, "descriptor">;

/** Registers of the walk through a job's loads. */
const registersOf = ({ addressWidth }: CoreParameters) => {
  const address = (name: string) => reg(name, uint(addressWidth));
  return {
    state: reg("state", states("load", "index", "compensations", "activations", "constants", "weights"), { reset: "index" }),
    inBlock: reg("inBlock", uint(tileWidth), { reset: 0, doc: "rows of tiles of the block asked for" }),
    column: reg("column", uint(tileWidth), { reset: 0 }),
    rowsLeft: reg("rowsLeft", uint(tileWidth), { doc: "rows of tiles from the block's first on, less 1" }),
    activations: address("activationAddress"),
    compensations: address("compensationAddress"),
    constants: address("constantAddress"),
    weights: address("weightAddress"),
  };
};

type Registers = ReturnType<typeof registersOf>;
type Asks = Readonly<Record<Destination, Bool>>;
type Bytes = Readonly<Record<Exclude<Destination, "index">, UInt | number>>;

/** Whether there is room for what each state asks for. */
const roomsOf = ({ job, freed }: LoaderIo, asks: Asks, parameters: CoreParameters): Asks => {
  const { activations, weights } = geometryOf(parameters);
  const activationRoom = credit("activationRoom", activations.depth, mux(asks.activations, job.activationRows, 0), freed.activations);
  const weightRoom = credit("weightRoom", weights.depth, mux(asks.weights, job.weightRows, 0), freed.weights);
  return {
    index: credit("indexRoom", 2, asks.index, freed.index).ne(0),
    compensations: credit("compensationRoom", compensationSlots, asks.compensations, freed.compensations).ne(0),
    constants: credit("constantRoom", constantSlots, asks.constants, freed.constants).ne(0),
    activations: activationRoom.ge(job.activationRows),
    weights: weightRoom.ge(job.weightRows),
  };
};

/** The command of the state. */
const driveCommand = ({ job, command }: LoaderIo, at: Registers, rooms: Asks, bytes: Bytes, room: Target<BoolShape>, parameters: CoreParameters): void => {
  const padRows = (rows: UInt): UInt => (rows.width > padRowWidth(parameters) ? rows.wrap(padRowWidth(parameters)) : rows);
  const ask = (name: keyof Bytes, rows?: UInt) => (): void => {
    room.set(rooms[name]);
    command.address.set(at[name]);
    command.bytes.set(bytes[name]);
    command.destination.set(destinations[name]);
    if (rows !== undefined) command.padRows.set(padRows(rows));
  };
  command.slot.set(job.slot);
  comb(() => {
    room.set(0);
    command.address.set(job.index);
    command.bytes.set(cat(job.beats, constant(bool, 0)));
    command.destination.set(destinations.index);
    command.padRows.set(0);
    match(at.state, {
      index: () => room.set(rooms.index),
      compensations: ask("compensations"),
      activations: ask("activations", job.activationRows),
      constants: ask("constants"),
      weights: ask("weights", job.weightRows),
    });
  });
};

/** What comes after each command; returns whether it ends its block. */
const walk = ({ job }: LoaderIo, at: Registers, issue: Bool, asks: Asks): Bool => {
  const { state, inBlock, column, rowsLeft } = at;
  const lastOfBlock = named("lastOfBlock", inBlock.eq(job.block).or(inBlock.eq(rowsLeft)), "the row of tiles asked for last is the block's last");
  const lastColumn = named("lastColumn", column.eq(job.lastColumnTile));
  const blockEnds = wire("blockEnds", bool, "all loads of the block are asked for");
  const jobEnds = named("jobEnds", blockEnds.and(rowsLeft.le(job.block)));
  job.ready.set(jobEnds);
  blockEnds.set(lastOfBlock.and(lastColumn).and(asks.weights.or(asks.activations.and(inBlock.ne(0)))));
  const beginRow = (): void => {
    when(job.compensated, () => state.set("compensations")).otherwise(() => state.set("activations"));
  };
  const nextRow = (): void => {
    inBlock.set(inBlock.addWrap(1));
    beginRow();
  };
  const nextColumn = (): void => {
    column.set(column.addWrap(1));
    state.set("constants");
  };
  const firstRow = (): void => {
    inBlock.set(0);
    column.set(0);
    beginRow();
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
  return blockEnds;
};

/** Each address moves on with its commands; those of constants and weights begin anew with each block. */
const moveAddresses = ({ job }: LoaderIo, at: Registers, asks: Asks, bytes: Bytes, blockEnds: Bool): void => {
  sync(() => {
    when(asks.index, () => {
      at.rowsLeft.set(job.lastRowTile);
      for (const name of ["activations", "compensations", "constants", "weights"] as const) at[name].set(job[name]);
    });
    for (const name of ["compensations", "activations", "constants", "weights"] as const) when(asks[name], () => at[name].set(at[name].addWrap(bytes[name])));
    when(blockEnds, () => {
      at.rowsLeft.set(at.rowsLeft.subWrap(job.block).subWrap(1));
      at.constants.set(job.constants);
      at.weights.set(job.weights);
    });
  });
};

const build = (io: LoaderIo, parameters: CoreParameters): void => {
  const { job, command } = io;
  const { activations, weights, constantBeats } = geometryOf(parameters);
  const at = registersOf(parameters);
  const room = wire("room", bool);
  const issue = named("issue", job.valid.and(room).and(command.ready));
  const asks: Asks = {
    index: named("asksIndex", issue.and(at.state.is("index"))),
    compensations: named("asksCompensations", issue.and(at.state.is("compensations"))),
    activations: named("asksActivations", issue.and(at.state.is("activations"))),
    constants: named("asksConstants", issue.and(at.state.is("constants"))),
    weights: named("asksWeights", issue.and(at.state.is("weights"))),
  };
  const bytes: Bytes = {
    activations: named("activationBytes", panelBytes(job.activationRows, activations.row)),
    weights: named("weightBytes", panelBytes(job.weightRows, weights.row)),
    constants: (constantBeats * parameters.dataWidth) / 8,
    compensations: parameters.rows * 4,
  };
  command.valid.set(job.valid.and(room));
  driveCommand(io, at, roomsOf(io, asks, parameters), bytes, room, parameters);
  moveAddresses(io, at, asks, bytes, walk(io, at, issue, asks));
};

/**
 * Asks for all data of a job in the order in which the array needs them (docs/tender-core.md), each only where there is room for it,
 * so that beats from memory never wait. One command a cycle.
 */
export const loader = (parameters: CoreParameters): Module<ReturnType<typeof loaderPorts>> =>
  module(`tender_loader_${coreSuffix(parameters)}`, loaderPorts(parameters), (io) => build(io, parameters), {
    doc: "Asks for the index, activations, constants and weights of the core's jobs, in the order in which the array needs them.",
    latency: "a command shows in the cycle in which the job and the room for it are there; one command a cycle.",
    notes: ["A command takes credit for its data; what has been used gives it back. So data from memory always have room."],
  });
