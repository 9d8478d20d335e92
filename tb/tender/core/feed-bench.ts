import fc from "fast-check";
import { expect } from "vitest";
import { type StallProfile, sink, source, stallProfiles, stalls } from "../../../src/agents/index.ts";
import type { Random } from "../../../src/base/random.ts";
import { type CoreParameters, compensationSlots, constantSlots, geometryOf } from "../../../src/designs/tender/core/parameters.ts";
import type { vectorFeed } from "../../../src/designs/tender/core/vector-feed.ts";
import { background, type Simulation, type Task, type TaskLike } from "../../../src/sim/index.ts";

type FeedPorts = ReturnType<typeof vectorFeed>["ports"];
export type FeedSim = Simulation<FeedPorts>;
type FeedIo = FeedSim["io"];
/** The ports that the bench drives, whatever is behind the feed. */
export type FedIo = Pick<FeedIo, "data" | "constants" | "compensations" | "tile" | "sums">;

export const feedStalls = ["fill", "tile", "sums", "load", "row"] as const;
export type FeedStalls = Readonly<Record<(typeof feedStalls)[number], StallProfile>>;
export const noStalls: FeedStalls = { fill: "none", tile: "none", sums: "none", load: "none", row: "none" };

/** Any stalls, none on all sides often. */
export const anyStalls: fc.Arbitrary<FeedStalls> = fc.oneof(
  fc.constant(noStalls),
  fc
    .tuple(...feedStalls.map(() => fc.constantFrom(...stallProfiles)))
    .map((chosen) => Object.fromEntries(feedStalls.map((name, i) => [name, chosen[i]])) as unknown as FeedStalls),
);

/** What the rows of a block of tiles share. */
export interface Block {
  readonly rowTiles: number;
  readonly columnTiles: number;
  readonly compensated: boolean;
  readonly wide: boolean;
  readonly relu: boolean;
  readonly format: number;
}

export const blocksOf = ({ requantize, kind }: CoreParameters): fc.Arbitrary<Block[]> => {
  const count = fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 1, max: 3 }) }, fc.integer({ min: 1, max: 9 }));
  const block = fc.record({
    rowTiles: count,
    columnTiles: count,
    compensated: fc.boolean(),
    wide: kind === "composable" ? fc.boolean() : fc.constant(false),
    relu: fc.boolean(),
    format: fc.constantFrom(...(requantize ? [0, 1, 4, 5, 6, 7] : [0, 1])),
  });
  return fc.array(block, { minLength: 1, maxLength: 4 });
};

/** A slot as the receiver fills it: `beats` of them, all of `whole` unless the command failed. */
interface Fill {
  readonly kind: "constants" | "compensations";
  readonly slot: number;
  readonly beats: readonly bigint[];
  readonly whole: number;
}

interface Tile {
  readonly block: Block;
  /** Number of the column of tiles, of all blocks. */
  readonly column: number;
  readonly lastOfColumn: boolean;
  /** Number of the compensations, of all blocks. */
  readonly compensation: number | undefined;
  readonly frees: boolean;
}

export interface Row {
  readonly tile: number;
  readonly of: Tile;
  readonly number: number;
  readonly sums: readonly number[];
  readonly overflow: boolean;
}

export interface Work {
  readonly fills: readonly Fill[];
  readonly tiles: readonly Tile[];
  readonly rows: readonly Row[];
  /** The words of each column; undefined where nothing was ever written. */
  readonly constants: readonly (readonly (number | undefined)[])[];
  readonly compensations: readonly (readonly (number | undefined)[])[];
  /** Bits of accumulators are `accWidth`; the order of tiles and of loads is that of docs/tender-core.md. */
  readonly words: number;
}

const anyWord = (random: Random): number => (random.chance(0.2) ? random.integer(0, 1) * 0x80000000 : random.next());

const anySum = (width: number, random: Random): number => {
  const most = 2 ** (width - 1) - 1;
  const corner = random.integer(0, 6);
  return [0, 1, -1, most, -most - 1][corner] ?? random.integer(-most - 1, most);
};

const beatsOf = (words: readonly number[], dataWidth: number): bigint[] => {
  const lanes = dataWidth / 32;
  return Array.from({ length: Math.ceil(words.length / lanes) }, (_, beat) =>
    words.slice(beat * lanes, (beat + 1) * lanes).reduce((sum, word, lane) => sum | (BigInt(word) << BigInt(32 * lane)), 0n),
  );
};

/** Slots as they are filled one after another, with what each finds in its place. */
const slotFiller = (
  kind: Fill["kind"],
  slots: number,
  words: number,
  { dataWidth }: CoreParameters,
  random: Random,
  mayFail: boolean,
  given: readonly (readonly number[])[],
) => {
  const memory = Array.from({ length: slots }, () => Array.from({ length: words }, (): number | undefined => undefined));
  const contents: (readonly (number | undefined)[])[] = [];
  const next = (): Fill => {
    const slot = contents.length % slots;
    const fresh = given[contents.length] ?? Array.from({ length: words }, () => anyWord(random));
    const beats = beatsOf(fresh, dataWidth);
    const come = mayFail && random.chance(0.3) ? random.integer(0, beats.length - 1) : beats.length;
    memory[slot]!.splice(0, (come * dataWidth) / 32, ...fresh.slice(0, (come * dataWidth) / 32));
    contents.push([...memory[slot]!]);
    return { kind, slot, beats: beats.slice(0, come), whole: beats.length };
  };
  return { contents, next };
};

/** Lays out blocks: what is loaded, in the order of the loader, and the rows that the array gives. */
export const workOf = (
  parameters: CoreParameters,
  blocks: readonly Block[],
  random: Random,
  {
    mayFail = false,
    columns = [],
    rowCompensations = [],
  }: { readonly mayFail?: boolean; readonly columns?: readonly number[][]; readonly rowCompensations?: readonly number[][] } = {},
): Work => {
  const { rows: arrayRows, cols, accWidth } = parameters;
  const words = geometryOf(parameters).constants * cols;
  const constants = slotFiller("constants", constantSlots, words, parameters, random, mayFail, columns);
  const compensations = slotFiller("compensations", compensationSlots, arrayRows, parameters, random, mayFail, rowCompensations);
  const fills: Fill[] = [];
  const tiles: Tile[] = [];
  let column = 0;
  for (const block of blocks) {
    const { rowTiles, columnTiles, compensated } = block;
    const base = compensations.contents.length;
    if (compensated) fills.push(compensations.next());
    for (let right = 0; right < columnTiles; right += 1, column += 1) {
      fills.push(constants.next());
      for (let down = 0; down < rowTiles; down += 1) {
        if (compensated && right === 0 && down > 0) fills.push(compensations.next());
        const frees = compensated && right === columnTiles - 1;
        tiles.push({ block, column, lastOfColumn: down === rowTiles - 1, compensation: compensated ? base + down : undefined, frees });
      }
    }
  }
  const rows = tiles.flatMap((of, tile) => {
    const height = of.block.wide ? arrayRows / 2 : arrayRows;
    return Array.from({ length: height }, (_, place) => ({
      tile,
      of,
      number: height - 1 - place,
      sums: Array.from({ length: cols }, () => anySum(accWidth, random)),
      overflow: random.chance(0.3),
    }));
  });
  return { fills, tiles, rows, constants: constants.contents, compensations: compensations.contents, words };
};

/** What has happened so far. */
export interface Progress {
  filled: { constants: number; compensations: number };
  freed: { constants: number; compensations: number };
  tiles: number;
  loads: number;
  rows: number;
}

export const newProgress = (): Progress => ({
  filled: { constants: 0, compensations: 0 },
  freed: { constants: 0, compensations: 0 },
  tiles: 0,
  loads: 0,
  rows: 0,
});

const slotsOf = { constants: constantSlots, compensations: compensationSlots };

/** Fills slots as the receiver does: in order, where there is room; the last beat, or none, says that the slot is full. */
const fill = function* (io: FedIo, { fills }: Work, progress: Progress, stall: () => boolean): Task {
  for (const { kind, slot, beats, whole } of fills) {
    const port = io[kind];
    while (progress.filled[kind] - progress.freed[kind] === slotsOf[kind]) yield;
    for (let beat = 0; beat < Math.max(1, beats.length); beat += 1) {
      while (stall()) yield;
      const data = beats[beat];
      port.write.poke(data !== undefined);
      port.row.poke(slot * whole + beat);
      if (data !== undefined) io.data.poke(data);
      port.filled.poke(beat >= beats.length - 1);
      yield;
      port.write.poke(0);
      port.filled.poke(0);
    }
    progress.filled[kind] += 1;
  }
};

/** Counts the slots given back. */
const watchFreed = (io: FedIo, progress: Progress): TaskLike =>
  background(function* freed() {
    for (;;) {
      yield;
      for (const kind of ["constants", "compensations"] as const) progress.freed[kind] += io[kind].freed.peek();
    }
  });

/** Offers tiles once their compensations are there, and rows once their tile was taken. */
const offer = (io: FedIo, { tiles, rows }: Work, progress: Progress, stall: { readonly tile: () => boolean; readonly sums: () => boolean }): TaskLike[] => {
  const { tile, sums } = io;
  let [nextTile, nextRow] = [0, 0];
  const putTile = (index: number): void => {
    const { block, lastOfColumn, compensation, frees } = tiles[index]!;
    nextTile = index + 1;
    tile.lastOfColumn.poke(lastOfColumn);
    tile.relu.poke(block.relu);
    tile.format.poke(block.format);
    tile.wide?.poke(block.wide);
    tile.compensated.poke(compensation !== undefined);
    tile.compensationSlot.poke((compensation ?? 5) % compensationSlots);
    tile.freesCompensation.poke(frees);
  };
  const putRow = (index: number): void => {
    const row = rows[index]!;
    nextRow = index + 1;
    sums.data.poke([...row.sums]);
    sums.overflow.poke(row.overflow);
    sums.last.poke(row.number === 0);
  };
  const tileWaits = (): boolean => (tiles[nextTile]!.compensation ?? -1) >= progress.filled.compensations;
  const rowWaits = (): boolean => rows[nextRow]!.tile >= progress.tiles;
  const counted = background(function* tilesTaken() {
    for (;;) {
      yield;
      if (tile.valid.peek() === 1 && tile.ready.peek() === 1) progress.tiles += 1;
    }
  });
  return [counted, source(tile, tiles.length, putTile, () => tileWaits() || stall.tile()), source(sums, rows.length, putRow, () => rowWaits() || stall.sums())];
};

/** All that goes into the feed. */
export const feedTasks = (io: FedIo, work: Work, profiles: FeedStalls, progress: Progress, random: Random): TaskLike[] => {
  const stall = { fill: stalls(profiles.fill, random), tile: stalls(profiles.tile, random), sums: stalls(profiles.sums, random) };
  return [watchFreed(io, progress), fill(io, work, progress, stall.fill), ...offer(io, work, progress, stall)];
};

/** Compares but where nothing was ever written. */
const same = (found: number, expected: number | undefined): void => {
  if (expected !== undefined) expect(found).toBe(expected);
};

/** Rows that enter before this column's first. */
const rowsBefore = ({ rows }: Work, column: number): number => {
  const at = rows.findIndex((row) => row.of.column >= column);
  return at < 0 ? rows.length : at;
};

const takeLoad = ({ load }: FeedIo, work: Work, { cols }: CoreParameters, progress: Progress): void => {
  const [column, word] = [Math.floor(progress.loads / work.words), progress.loads % work.words];
  expect([load.bank.peek(), load.constant.peek(), load.column.peek()]).toEqual([column % 2, Math.floor(word / cols), word % cols]);
  same(load.data.peekNumber(), work.constants[column]![word]);
  progress.loads += 1;
};

const takeRow = ({ row }: FeedIo, work: Work, progress: Progress): void => {
  const { of, number, sums, overflow } = work.rows[progress.rows]!;
  expect(row.data.peek().map(Number)).toEqual(sums);
  expect([row.last.peek(), row.overflow.peek(), row.bank.peek()]).toEqual([Number(number === 0), Number(overflow), of.column % 2]);
  expect([row.relu.peek(), row.format.peek()]).toEqual([Number(of.block.relu), of.block.format]);
  same(row.compensation.peekNumber(), of.compensation === undefined ? 0x80000000 : work.compensations[of.compensation]![number]);
  progress.rows += 1;
};

/** The rules of banks, in every cycle; a stream that was not taken stays. */
const watch = (sim: FeedSim, work: Work, progress: Progress): TaskLike =>
  background(function* rules() {
    const { load, row, empty } = sim.io;
    const before = { load: false, row: false };
    let entered = 0;
    for (;;) {
      const { tiles } = progress;
      const { rows, loads } = progress;
      const done = rows === 0 ? 0 : work.rows[rows - 1]!.tile + Number(work.rows[rows - 1]!.number === 0);
      entered = rows;
      yield;
      const [loadValid, rowValid] = [load.valid.peek() === 1, row.valid.peek() === 1];
      expect(empty.peek()).toBe(Number(tiles === done));
      if (before.load) expect(loadValid).toBe(true);
      if (before.row) expect(rowValid).toBe(true);
      if (loadValid) expect(entered).toBeGreaterThanOrEqual(rowsBefore(work, Math.floor(loads / work.words) - 1));
      if (rowValid) expect(loads).toBeGreaterThanOrEqual((work.rows[rows]!.of.column + 1) * work.words);
      before.load = loadValid && load.ready.peek() !== 1;
      before.row = rowValid && row.ready.peek() !== 1;
    }
  });

/** Cycles in which each row entered the vector unit. */
export const runFeed = (
  sim: FeedSim,
  parameters: CoreParameters,
  work: Work,
  profiles: FeedStalls,
  random: Random,
  monitors: readonly TaskLike[] = [],
): number[] => {
  const progress = newProgress();
  const { io } = sim;
  const cycles: number[] = [];
  const take = (): void => {
    takeRow(io, work, progress);
    cycles.push(sim.cycle);
  };
  sim.run(
    ...feedTasks(io, work, profiles, progress, random),
    sink(io.load, work.words * work.constants.length, () => takeLoad(io, work, parameters, progress), stalls(profiles.load, random)),
    sink(io.row, work.rows.length, take, stalls(profiles.row, random)),
    function* settle() {
      while (progress.rows < work.rows.length) yield;
      yield;
      yield;
    },
    // Last, so that it finds the counts of all edges before the cycle that it looks at.
    watch(sim, work, progress),
    ...monitors,
  );
  expect(progress.freed).toEqual({ constants: work.constants.length, compensations: work.compensations.length });
  return cycles;
};
