import fc from "fast-check";
import { AxiMemory } from "../../../src/agents/axi-memory.ts";
import { type StallProfile, source, stallProfiles, stalls } from "../../../src/agents/index.ts";
import { parseParameters } from "../../../src/base/parameters.ts";
import { Random } from "../../../src/base/random.ts";
import { writeJob } from "../../../src/designs/tender/core/jobs.ts";
import { type CoreParameters, coreSchema, lengthWidth } from "../../../src/designs/tender/core/parameters.ts";
import { writeBack } from "../../../src/designs/tender/core/write-back.ts";
import { bool, flip, input, instance, type Module, module, output, uint, vec, wires } from "../../../src/hdl/index.ts";
import { axi4Write, dmaCommand } from "../../../src/lib/axi4/bundle.ts";
import { writeDma } from "../../../src/lib/axi4/write-dma.ts";
import { bundleStream } from "../../../src/lib/bundle-fifo.ts";
import { axis } from "../../../src/lib/stream.ts";
import { background, type Simulation, type Task, type TaskSpec } from "../../../src/sim/index.ts";

export const core = (given: Readonly<Record<string, unknown>>): CoreParameters => parseParameters(coreSchema, given);

const benchPorts = (parameters: CoreParameters) => ({
  job: flip(bundleStream(writeJob(parameters))),
  rows: { valid: input(bool), ready: output(bool), data: input(vec(parameters.cols, uint(32))), overflow: input(bool), nan: input(bool) },
  slotErrors: input(vec(4, uint(6)), "errors that other parts have found, by slot"),
  busyCycles: input(uint(32)),
  retired: { valid: output(bool), slot: output(uint(2)), status: output(uint(6)), interrupt: output(bool) },
  active: output(bool),
  mAxi: axi4Write(parameters),
});

type BenchPorts = ReturnType<typeof benchPorts>;
export type BenchSim = Simulation<BenchPorts>;

/** The write-back unit with the DMA behind it, and the errors of four slots beside it. */
export const bench = (parameters: CoreParameters): Module<BenchPorts> =>
  module(
    "write_back_bench",
    benchPorts(parameters),
    (io) => {
      const { addressWidth, dataWidth, idWidth, burst, outstanding } = parameters;
      const command = wires("command", dmaCommand(addressWidth, lengthWidth));
      const beats = wires("beats", axis(dataWidth));
      const done = wires("done", { valid: output(bool), ready: input(bool), status: output(uint(2)) });
      const errors = wires("errors", { slot: output(uint(2)), bits: input(uint(6)) });
      errors.bits.set(io.slotErrors.at(errors.slot));
      const { job, rows, busyCycles, retired, active, mAxi } = io;
      instance("u_write_back", writeBack(parameters), { job, rows, errors, busyCycles, command, mAxis: beats, done, retired, active });
      instance("u_dma", writeDma({ addressWidth, dataWidth, idWidth, lengthWidth, burst, outstanding }), {
        command,
        sAxis: beats,
        done,
        stop: 0,
        idle: "unused",
        mAxi,
      });
    },
    "Write-back unit and DMA.",
  );

export const memoryBase = 0x10000;
export const memoryBytes = 0x10000;

/** What a job is drawn from. */
export interface Recipe {
  readonly bad: boolean;
  readonly rowTiles: number;
  readonly columnTiles: number;
  readonly block: number;
  readonly lastRows: number;
  readonly lastColumns: number;
  readonly format: number;
  readonly transpose: boolean;
  readonly wide: boolean;
  /** Tiles in rows of the whole matrix, where rows of a tile fill whole beats. */
  readonly matrix: boolean;
  /** Beats between runs. */
  readonly gap: number;
  readonly interrupt: boolean;
  readonly faults: number;
}

/** Sizes of a job's tiles: bits of a result, bytes of a whole row, of a word of a transposed tile. */
export const shapeOf = ({ rows, cols, kind }: CoreParameters, { format, wide }: Recipe) => {
  const halves = kind === "composable" && wide;
  const [tileRows, tileColumns] = halves ? [rows / 2, cols / 2] : [rows, cols];
  const code = kind === "int8" || halves ? 8 : 4;
  const bits = format === 0 ? 32 : format === 1 ? 16 : code;
  return { halves, tileRows, tileColumns, bits, word: (tileRows * code) / 8 };
};

/** Recipes that the parameters allow. */
export const recipes = (parameters: CoreParameters): fc.Arbitrary<Recipe> => {
  const { rows, cols, kind, requantize } = parameters;
  const small = fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 3 }));
  return fc
    .record({
      bad: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.boolean()),
      rowTiles: small,
      columnTiles: small,
      block: fc.oneof(fc.constant(3), fc.integer({ min: 1, max: 4 })),
      lastRows: fc.oneof(fc.constantFrom(1, rows), fc.integer({ min: 1, max: rows })),
      lastColumns: fc.oneof(fc.constantFrom(1, cols), fc.integer({ min: 1, max: cols })),
      format: requantize ? fc.constantFrom(0, 1, 4) : fc.constantFrom(0, 1),
      unsigned: fc.boolean(),
      transpose: fc.boolean(),
      wide: fc.boolean(),
      matrix: fc.boolean(),
      gap: fc.integer({ min: 0, max: 2 }),
      interrupt: fc.boolean(),
      faults: fc.constantFrom(0, 0, 20, 100),
    })
    .map((recipe) => {
      const halves = kind === "composable" && recipe.wide;
      const four = kind === "int4" || (kind === "composable" && !recipe.wide);
      return {
        ...recipe,
        format: recipe.format < 4 ? recipe.format : 4 + (four ? 2 : 0) + (recipe.unsigned ? 1 : 0),
        transpose: recipe.format >= 4 && recipe.transpose,
        lastRows: halves ? Math.ceil(recipe.lastRows / 2) : recipe.lastRows,
        lastColumns: halves ? Math.ceil(recipe.lastColumns / 2) : recipe.lastColumns,
      };
    });
};

interface Row {
  readonly data: number[];
  readonly overflow: boolean;
  readonly nan: boolean;
}

/** A job with its addresses, its rows as the vector unit gives them, and the bytes that it writes. */
export interface PlacedJob {
  readonly recipe: Recipe;
  readonly slot: number;
  readonly tag: number;
  readonly status: number;
  readonly recordAddress: number;
  readonly results: number;
  readonly rowStride: number;
  readonly tileDown: number;
  readonly tileRight: number;
  readonly rows: readonly Row[];
  /** Overflow and NaN of rows inside the matrix. */
  readonly own: number;
  /** Address and bytes of each command. */
  readonly runs: readonly { readonly at: number; readonly bytes: Uint8Array }[];
}

/** Row and column of tiles in the order of the array. */
const tilesOf = ({ rowTiles, columnTiles, block }: Recipe): { i: number; j: number }[] => {
  const tiles: { i: number; j: number }[] = [];
  for (let first = 0; first < rowTiles; first += block)
    for (let j = 0; j < columnTiles; j++) for (let i = first; i < Math.min(rowTiles, first + block); i++) tiles.push({ i, j });
  return tiles;
};

const packed = (values: readonly number[], bits: number): Uint8Array => {
  const bytes = new Uint8Array(Math.ceil((values.length * bits) / 8));
  values.forEach((value, at) => {
    for (let bit = 0; bit < bits; bit++) if (((value >>> bit) & 1) === 1) bytes[(at * bits + bit) >> 3]! |= 1 << ((at * bits + bit) & 7);
  });
  return bytes;
};

const upTo = (value: number, unit: number): number => Math.ceil(value / unit) * unit;

const layout = (parameters: CoreParameters, recipe: Recipe, random: Random) => {
  const { tileRows, tileColumns, bits, word } = shapeOf(parameters, recipe);
  const beat = parameters.dataWidth / 8;
  const gap = recipe.gap * beat;
  const row = (tileColumns * bits) / 8;
  if (recipe.transpose) {
    const tile = upTo(tileColumns * word, beat) + gap;
    return { rowStride: random.next(), tileDown: tile, tileRight: recipe.rowTiles * tile + gap };
  }
  if (recipe.matrix && row % beat === 0) {
    const rowStride = recipe.columnTiles * row + gap;
    return { rowStride, tileDown: tileRows * rowStride + gap, tileRight: row };
  }
  const rowStride = upTo(row, beat) + gap;
  const tileDown = tileRows * rowStride + gap;
  return { rowStride, tileDown, tileRight: recipe.rowTiles * tileDown + gap };
};

/** The rows of a tile, last first, and what they become. */
const tileOf = (parameters: CoreParameters, recipe: Recipe, { i, j }: { i: number; j: number }, random: Random) => {
  const { halves, tileRows, tileColumns, bits } = shapeOf(parameters, recipe);
  const used = i === recipe.rowTiles - 1 ? recipe.lastRows : tileRows;
  const columns = j === recipe.columnTiles - 1 ? recipe.lastColumns : tileColumns;
  const values = Array.from({ length: tileRows }, () => Array.from({ length: tileColumns }, () => random.next() >>> (32 - bits)));
  const rows = values.map((row) => ({
    data: Array.from({ length: parameters.cols }, (_, lane) => (halves ? (lane % 2 === 0 ? row[lane / 2]! : random.next()) : row[lane]!)),
    overflow: random.integer(1, 100) <= recipe.faults && random.chance(0.1),
    nan: random.integer(1, 100) <= recipe.faults && random.chance(0.1),
  }));
  const own = rows.slice(0, used).reduce((sum, { overflow, nan }) => sum | (overflow ? 8 : 0) | (nan ? 16 : 0), 0);
  return { rows: rows.toReversed(), values, used, columns, own, bits };
};

const runsOf = (recipe: Recipe, tile: ReturnType<typeof tileOf>, base: number, rowStride: number): { at: number; bytes: Uint8Array }[] => {
  const { values, used, columns, bits } = tile;
  if (recipe.transpose) {
    const words = Array.from({ length: columns }, (_, column) => values.map((row, r) => (r < used ? row[column]! : 0)));
    return [{ at: base, bytes: packed(words.flat(), bits) }];
  }
  return values
    .slice(0, used)
    .map((row, r) => {
      const bytes = packed(row, bits).subarray(0, Math.ceil((columns * bits) / 8));
      return { at: base + r * rowStride, bytes };
    })
    .toReversed();
};

/** Puts jobs one after the other into memory, each record before its results. */
export const placeJobs = (parameters: CoreParameters, given: readonly Recipe[], random: Random): PlacedJob[] => {
  let free = memoryBase;
  return given.map((recipe, index) => {
    const recordAddress = free;
    const results = free + 64;
    const { rowStride, tileDown, tileRight } = layout(parameters, recipe, random);
    const tiles = recipe.bad ? [] : tilesOf(recipe).map((place) => ({ place, ...tileOf(parameters, recipe, place, random) }));
    const runs = tiles.flatMap((tile) => runsOf(recipe, tile, results + tile.place.i * tileDown + tile.place.j * tileRight, rowStride));
    const end = runs.reduce((last, { at, bytes }) => Math.max(last, at + bytes.length), results);
    free = upTo(end, 64) + 64;
    if (free > memoryBase + memoryBytes) throw new Error(`jobs need ${free - memoryBase} bytes of memory`);
    const own = tiles.reduce((sum, tile) => sum | tile.own, 0);
    const status = recipe.bad ? random.integer(0, 3) : random.integer(0, 1) * 2;
    const place = { recordAddress, results, rowStride, tileDown, tileRight };
    return { recipe, slot: index % 4, tag: random.next(), status, ...place, rows: tiles.flatMap(({ rows }) => rows), own, runs };
  });
};

/** How the ends behave. */
export interface Conditions {
  readonly job: StallProfile;
  readonly rows: StallProfile;
  readonly aw: StallProfile;
  readonly w: StallProfile;
  readonly b: StallProfile;
  readonly latency: number | readonly [number, number];
  readonly outstanding: number;
  /** Percent of beats that fail. */
  readonly errors: number;
  /** A beat that fails in any case. */
  readonly failing?: number;
  readonly seed: number;
}

const profile = fc.oneof(fc.constant("none" as const), fc.constantFrom(...stallProfiles));

export const conditions: fc.Arbitrary<Conditions> = fc.record({
  job: profile,
  rows: profile,
  aw: profile,
  w: profile,
  b: profile,
  latency: fc.oneof(fc.constantFrom(1, 20), fc.constant([1, 15] as const)),
  outstanding: fc.constantFrom(1, 2, 100),
  errors: fc.constantFrom(0, 0, 3, 30),
  seed: fc.nat(),
});

export const calm: Conditions = { job: "none", rows: "none", aw: "none", w: "none", b: "none", latency: 8, outstanding: 100, errors: 0, seed: 1 };

const giveJobs = ({ job }: BenchSim["io"], jobs: readonly PlacedJob[], stall: () => boolean): Task =>
  source(
    job,
    jobs.length,
    (index) => {
      const { recipe, slot, tag, status, recordAddress, results, rowStride, tileDown, tileRight } = jobs[index]!;
      job.bad.poke(recipe.bad);
      job.status.poke(status);
      job.slot.poke(slot);
      job.tag.poke(tag);
      job.interrupt.poke(recipe.interrupt);
      job.recordAddress.poke(recordAddress);
      job.lastRowTile.poke(recipe.rowTiles - 1);
      job.lastColumnTile.poke(recipe.columnTiles - 1);
      job.block.poke(recipe.block - 1);
      job.lastRows.poke(recipe.lastRows - 1);
      job.lastColumns.poke(recipe.lastColumns - 1);
      job.format.poke(recipe.format);
      job.transpose.poke(recipe.transpose);
      job.wide.poke(recipe.wide);
      job.results.poke(results);
      job.rowStride.poke(rowStride);
      job.tileDown.poke(tileDown);
      job.tileRight.poke(tileRight);
    },
    stall,
  );

export interface Retired {
  readonly slot: number;
  readonly status: number;
  readonly interrupt: number;
  /** Value of `busyCycles` then. */
  readonly at: number;
}

export interface RunResult {
  readonly memory: AxiMemory;
  readonly before: Uint8Array;
  readonly retired: readonly Retired[];
  readonly respond: (address: number) => number;
  /** Edges from the first row taken to the last retirement, both included. */
  readonly cycles: number;
}

/** Memory of these conditions, and the response to each beat, the same whenever it is asked for. */
const memoryOf = (how: Conditions, random: Random) => {
  const known = new Map<number, number>();
  const respond = (address: number): number => {
    const response = known.get(address) ?? (address === how.failing || random.integer(1, 100) <= how.errors ? random.integer(2, 3) : 0);
    known.set(address, response);
    return response;
  };
  const memory = new AxiMemory({
    bytes: Uint8Array.from({ length: memoryBytes }, () => random.integer(0, 255)),
    base: memoryBase,
    latency: how.latency,
    outstanding: how.outstanding,
    stalls: { aw: stalls(how.aw, random), w: stalls(how.w, random), b: stalls(how.b, random) },
    respond,
    random,
  });
  return { memory, before: memory.bytes.slice(), respond };
};

const giveRows = ({ rows }: BenchSim["io"], given: readonly Row[], stall: () => boolean): Task =>
  source(
    rows,
    given.length,
    (index) => {
      rows.data.poke(given[index]!.data);
      rows.overflow.poke(given[index]!.overflow);
      rows.nan.poke(given[index]!.nan);
    },
    stall,
  );

/** Busy cycles at reset: the count wraps soon. */
export const firstBusyCycle = 0xfffffff0;

/** Runs jobs from a reset until all have retired and some cycles longer, in which nothing may happen. */
export const runJobs = (
  sim: BenchSim,
  jobs: readonly PlacedJob[],
  slotErrors: readonly number[],
  how: Conditions,
  monitors: readonly TaskSpec[] = [],
): RunResult => {
  const { io } = sim;
  const random = new Random(how.seed);
  const { memory, before, respond } = memoryOf(how, random);
  const found: Retired[] = [];
  let [first, last] = [-1, 0];
  io.slotErrors.poke([...slotErrors]);
  sim.run(
    memory.serve({ write: io.mAxi }),
    () => giveJobs(io, jobs, stalls(how.job, random)),
    () =>
      giveRows(
        io,
        jobs.flatMap((job) => job.rows),
        stalls(how.rows, random),
      ),
    function* watch(): Task {
      const { retired, rows, busyCycles } = io;
      for (let quiet = 0; quiet < 40; ) {
        yield;
        if (first < 0 && rows.valid.peek() === 1 && rows.ready.peek() === 1) first = sim.cycle;
        if (found.length >= jobs.length) quiet += 1;
        if (retired.valid.peek() !== 1) continue;
        found.push({
          slot: retired.slot.peekNumber(),
          status: retired.status.peekNumber(),
          interrupt: retired.interrupt.peekNumber(),
          at: busyCycles.peekNumber(),
        });
        last = sim.cycle;
      }
    },
    background(function* count(): Task {
      for (let cycle = 0; ; cycle += 1) {
        io.busyCycles.poke((firstBusyCycle + cycle) % 2 ** 32);
        yield;
      }
    }, "busy cycles"),
    ...monitors,
  );
  return { memory, before, retired: found, respond, cycles: last - first + 1 };
};
