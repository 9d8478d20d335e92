import { type StallProfile, sink, source, stalls } from "../../src/agents/index.ts";
import type { Random } from "../../src/base/random.ts";
import { type VectorParameters, vectorConstants, vectorFormats } from "../../src/designs/tender/vector-parameters.ts";
import type { VectorPorts } from "../../src/designs/tender/vector-unit.ts";
import type { ColumnConstants } from "../../src/golden/tender/vector-unit.ts";
import type { BoolShape } from "../../src/hdl/index.ts";
import type { InputHandle, PortHandle, Simulation, Task, TaskLike } from "../../src/sim/index.ts";
import { bitsOf } from "../golden/float-operands.ts";
import { rowText, type VectorJob, type VectorRow } from "./vector-jobs.ts";

export interface VectorStalls {
  readonly load: StallProfile;
  readonly x: StallProfile;
  readonly y: StallProfile;
}

export interface VectorRun {
  readonly rows: readonly string[];
  /** From the first row taken to the last one given, both included, where nothing stalls. */
  readonly cycles: number;
}

type Io = Simulation<VectorPorts>["io"];

interface Load {
  readonly job: number;
  readonly column: number;
  readonly constant: number;
  readonly value: number;
}

interface Row extends VectorRow {
  readonly job: number;
  readonly of: VectorJob;
  readonly last: boolean;
}

const loadsOf = ({ requantize }: VectorParameters, jobs: readonly VectorJob[]): readonly Load[] => {
  const names = Object.entries(vectorConstants).filter(([, code]) => requantize || code < 2) as [keyof ColumnConstants, number][];
  return jobs.flatMap(({ columns }, job) =>
    columns.flatMap((values, column) => names.map(([name, constant]) => ({ job, column, constant, value: values[name] }))),
  );
};

const rowsOf = (jobs: readonly VectorJob[]): readonly Row[] =>
  jobs.flatMap((of, job) => of.rows.map((row, place) => ({ job, of, ...row, last: place === of.rows.length - 1 })));

const putLoad = ({ load }: Io, { job, column, constant, value }: Load): void => {
  load.bank.poke(job % 2);
  load.constant.poke(constant);
  load.column.poke(column);
  load.data.poke(bitsOf(value));
};

const putRow = ({ x }: Io, { job, of, accumulators, compensation, overflow, last }: Row): void => {
  x.data.poke([...accumulators]);
  x.last.poke(last);
  x.overflow.poke(overflow);
  x.bank.poke(job % 2);
  x.compensation.poke(bitsOf(compensation ?? -0));
  x.relu.poke(of.relu);
  x.format.poke(vectorFormats[of.format]);
};

/** Beats of a stream, how many of them were taken, and which may be offered by now. */
interface Paced<B> {
  readonly beats: readonly B[];
  taken: number;
  readonly put: (beat: B) => void;
  readonly may: (beat: B) => boolean;
  readonly stall: () => boolean;
}

const pacedSource = function* <B>(stream: { readonly valid: InputHandle<BoolShape>; readonly ready: PortHandle<BoolShape> }, paced: Paced<B>): Task {
  const { beats, put, may, stall } = paced;
  let next = 0;
  const mayNot = (): boolean => {
    paced.taken = next;
    return !may(beats[next]!) || stall();
  };
  const putNext = (index: number): void => {
    put(beats[index]!);
    next = index + 1;
  };
  yield* source(stream, beats.length, putNext, mayNot);
  paced.taken = beats.length;
};

/**
 * Runs jobs with their constants in alternating banks: a bank is loaded once the rows before the last job have entered, and rows wait for their bank.
 * With `loaded` the constants of the one job are there already.
 */
export const runVectorUnit = (
  sim: Simulation<VectorPorts>,
  parameters: VectorParameters,
  jobs: readonly VectorJob[],
  profiles: VectorStalls,
  random: Random,
  { loaded = false, monitors = [] }: { readonly loaded?: boolean; readonly monitors?: readonly TaskLike[] } = {},
): VectorRun => {
  const { io } = sim;
  const loads: Paced<Load> = {
    beats: loaded ? [] : loadsOf(parameters, jobs),
    taken: 0,
    put: (load) => putLoad(io, load),
    may: ({ job }) => job < 2 || rows.taken >= rows.beats.findIndex((row) => row.job === job - 1),
    stall: stalls(profiles.load, random),
  };
  const loadsPerJob = loads.beats.length / jobs.length;
  const rows: Paced<Row> = {
    beats: rowsOf(jobs),
    taken: 0,
    put: (row) => putRow(io, row),
    may: ({ job }) => loads.taken >= (job + 1) * loadsPerJob,
    stall: stalls(profiles.x, random),
  };
  const { y } = io;
  const seen: string[] = [];
  let lastCycle = 0;
  const take = (): void => {
    seen.push(rowText(y.data.peek().map(Number), y.last.peek() === 1, y.overflow.peek() === 1, y.nan.peek() === 1));
    lastCycle = sim.cycle;
  };
  const start = sim.cycle;
  sim.run(pacedSource(io.load, loads), pacedSource(io.x, rows), sink(y, rows.beats.length, take, stalls(profiles.y, random)), ...monitors);
  return { rows: seen, cycles: lastCycle + 1 - start };
};
