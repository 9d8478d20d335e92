import { UserError } from "../../base/error.ts";
import type { ArrayParameters, ArrayPorts } from "../../designs/index.ts";
import { widthsOf } from "../../designs/index.ts";
import type { Product } from "../../golden/tender/matmul.ts";
import type { Column, Simulation } from "../../sim/index.ts";
import { type Tile, tilesOf, tileSize } from "./tiles.ts";

/** What the array gave for one product. */
export interface ProductResult {
  /** [rows, columns]: accumulators as they left the array. */
  readonly values: Float64Array;
  /** [rows, columns]: overflow flag of the row of results that an element came with. */
  readonly overflow: Uint8Array;
  /** [rows, columns]: cycle in which an element left, counted from the first beat. */
  readonly cycle: Uint32Array;
}

export interface ArrayRun {
  readonly results: readonly ProductResult[];
  /** From the first beat taken to the last result taken, both included. */
  readonly cycles: number;
  readonly beats: number;
}

/** Cycles in one native call: large enough that the call costs nothing, small enough that progress shows. */
const blockCycles = 8192;

/** Stimulus of a block, one entry a cycle and lane. */
class Stimulus {
  readonly valid: Uint8Array;
  readonly unsigned: Uint8Array;
  readonly wide: Uint8Array;
  readonly shift: Uint8Array;
  readonly first: Uint8Array;
  readonly last: Uint8Array;
  readonly x: Uint8Array;
  readonly w: Int8Array;
  readonly #parameters: ArrayParameters;

  constructor(parameters: ArrayParameters, cycles: number) {
    this.#parameters = parameters;
    this.valid = new Uint8Array(cycles);
    this.unsigned = new Uint8Array(cycles);
    this.wide = new Uint8Array(cycles);
    this.shift = new Uint8Array(cycles);
    this.first = new Uint8Array(cycles);
    this.last = new Uint8Array(cycles);
    this.x = new Uint8Array(cycles * parameters.rows);
    this.w = new Int8Array(cycles * parameters.cols);
  }

  /** Writes beat `index` of a tile into a cycle. */
  put(cycle: number, tile: Tile, index: number, product: Product): void {
    const beat = tile.beats[index];
    if (beat === undefined) return;
    const { wide } = tileSize(this.#parameters, product.bits);
    this.valid[cycle] = 1;
    this.unsigned[cycle] = product.unsigned ? 1 : 0;
    this.wide[cycle] = wide ? 1 : 0;
    this.shift[cycle] = beat.shift;
    this.first[cycle] = beat.first ? 1 : 0;
    this.last[cycle] = beat.last ? 1 : 0;
    if (beat.channel < 0) return;
    const { rows, cols, kind } = this.#parameters;
    const { codes, weights, channels } = product;
    fillLanes(this.x, cycle * rows, rows, { codes, first: tile.row, count: product.rows, channels, channel: beat.channel }, { wide, mask: kind === "int8" ? 0xff : 0x0f });
    fillLanes(this.w, cycle * cols, cols, { codes: weights, first: tile.column, count: product.columns, channels, channel: beat.channel }, { wide, mask: undefined });
  }
}

interface Elements {
  readonly codes: Int16Array;
  readonly first: number;
  readonly count: number;
  readonly channels: number;
  readonly channel: number;
}

/** One channel of a tile's elements into the lanes of a cycle; in a wide tile an element takes two lanes, low nibble first. */
const fillLanes = (lanes: Uint8Array | Int8Array, at: number, count: number, elements: Elements, form: { readonly wide: boolean; readonly mask: number | undefined }): void => {
  const { codes, first, channels, channel } = elements;
  const nibble = (value: number): number => (form.mask === undefined ? (value << 28) >> 28 : value & 0x0f);
  const size = form.wide ? count / 2 : count;
  const present = Math.min(size, elements.count - first);
  for (let i = 0; i < present; i += 1) {
    const code = codes[(first + i) * channels + channel] ?? 0;
    if (form.wide) {
      lanes[at + 2 * i] = nibble(code);
      lanes[at + 2 * i + 1] = nibble(code >> 4);
    } else lanes[at + i] = form.mask === undefined ? code : code & form.mask;
  }
};

/** Takes results apart as they leave: tiles in order, rows of each from the last to the first. */
class Collector {
  readonly results: ProductResult[];
  lastCycle = -1;
  #tile = 0;
  #beat = 0;
  readonly #parameters: ArrayParameters;
  readonly #products: readonly Product[];
  readonly #tiles: readonly Tile[];

  constructor(parameters: ArrayParameters, products: readonly Product[], tiles: readonly Tile[]) {
    this.#parameters = parameters;
    this.#products = products;
    this.#tiles = tiles;
    this.results = products.map(({ rows, columns }) => ({
      values: new Float64Array(rows * columns),
      overflow: new Uint8Array(rows * columns),
      cycle: new Uint32Array(rows * columns),
    }));
  }

  get done(): boolean {
    return this.#tile === this.#tiles.length;
  }

  take(cycle: number, data: Column, at: number, last: boolean, overflow: boolean): void {
    const tile = this.#tiles[this.#tile];
    const product = this.#products[tile?.product ?? -1];
    const result = this.results[tile?.product ?? -1];
    if (tile === undefined || product === undefined || result === undefined)
      throw new UserError("extra-result", `the array gave a result in cycle ${cycle} after all ${this.#tiles.length} tiles`, { exitCode: 1 });
    const size = tileSize(this.#parameters, product.bits);
    const row = tile.row + size.rows - 1 - this.#beat;
    this.lastCycle = cycle;
    this.#beat += 1;
    if (last !== (this.#beat === size.rows))
      throw new UserError("bad-result", `the array ${last ? "ended" : "did not end"} a tile of ${size.rows} rows after ${this.#beat} in cycle ${cycle}`, { exitCode: 1 });
    if (last) {
      this.#tile += 1;
      this.#beat = 0;
    }
    if (row >= product.rows) return;
    const stride = size.wide ? 2 : 1;
    for (let i = 0; i < Math.min(size.cols, product.columns - tile.column); i += 1) {
      const element = row * product.columns + tile.column + i;
      result.values[element] = Number(data[at + stride * i]);
      result.overflow[element] = overflow ? 1 : 0;
      result.cycle[element] = cycle;
    }
  }
}

/**
 * Runs integer products through the array at full rate, without stalls, tiles back to back.
 * @param onProgress called with the share done, 0 to 1
 * @throws UserError exit 1 where the array doesn't take a beat in its cycle, or its results don't come as documented
 */
export const runProducts = (sim: Simulation<ArrayPorts>, parameters: ArrayParameters, products: readonly Product[], onProgress?: (share: number) => void): ArrayRun => {
  const tiles = tilesOf(parameters, products);
  const collector = new Collector(parameters, products, tiles);
  const end = tiles.reduce((latest, tile) => Math.max(latest, tile.start + tile.beats.length), 0);
  const drainCycles = 2 * parameters.rows + parameters.cols;
  let next = 0;
  sim.reset();
  for (let base = 0; base < end + drainCycles; base += blockCycles) {
    const cycles = Math.min(blockCycles, end + drainCycles - base);
    const stimulus = new Stimulus(parameters, cycles);
    const until = base + cycles;
    let tile = next;
    for (let current = tiles[tile]; current !== undefined && current.start < until; tile += 1, current = tiles[tile]) {
      const product = products[current.product];
      if (product === undefined) break;
      for (let i = Math.max(0, base - current.start); i < current.beats.length && current.start + i < until; i += 1) stimulus.put(current.start + i - base, current, i, product);
      if (current.start + current.beats.length <= until) next = tile + 1;
    }
    collect(sim, parameters, stimulus, base, cycles, collector);
    onProgress?.(Math.min(1, until / (end + drainCycles)));
  }
  if (!collector.done) throw new UserError("missing-result", "the array did not give all results", { exitCode: 1 });
  return { results: collector.results, cycles: collector.lastCycle + 1, beats: tiles.reduce((sum, { beats }) => sum + beats.length, 0) };
};

const collect = (sim: Simulation<ArrayPorts>, parameters: ArrayParameters, stimulus: Stimulus, base: number, cycles: number, collector: Collector): void => {
  const { valid, unsigned, wide, shift, first, last, x, w } = stimulus;
  const tags = { valid, data: x, unsigned, shift, first, last };
  const { columns } = sim.block({
    cycles,
    inputs: { x: parameters.kind === "composable" ? { ...tags, wide } : tags, w: { valid, data: w }, y: { ready: 1 } },
    capture: ["x.ready", "y.valid", "y.data", "y.last", "y.overflow"],
  });
  for (let i = 0; i < cycles; i += 1) {
    if (valid[i] === 1 && columns["x.ready"][i] !== 1) throw new UserError("not-ready", `the array did not take the beat of cycle ${base + i}`, { exitCode: 1 });
    if (columns["y.valid"][i] === 1) collector.take(base + i, columns["y.data"], i * parameters.cols, columns["y.last"][i] === 1, columns["y.overflow"][i] === 1);
  }
};
