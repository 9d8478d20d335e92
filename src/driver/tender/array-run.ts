import { UserError } from "../../base/error.ts";
import type { ArrayParameters, ArrayPorts } from "../../designs/index.ts";
import type { Product } from "../../golden/tender/matmul.ts";
import type { Simulation } from "../../sim/index.ts";
import { Collector, type ProductResult } from "./collector.ts";
import { Stimulus } from "./stimulus.ts";
import { tilesOf } from "./tiles.ts";

export interface ArrayRun {
  readonly results: readonly ProductResult[];
  /** From the first beat taken to the last result taken, both included. */
  readonly cycles: number;
  readonly beats: number;
}

/** Cycles in one native call: large enough that the call costs nothing, small enough that progress shows. */
const blockCycles = 8192;

/**
 * Runs integer products through the array at full rate, without stalls, tiles back to back.
 * @param onProgress called with the share done, 0 to 1
 * @throws UserError exit 1 where the array doesn't take a beat in its cycle, or its results don't come as documented
 */
export const runProducts = (
  sim: Simulation<ArrayPorts>,
  parameters: ArrayParameters,
  products: readonly Product[],
  onProgress?: (share: number) => void,
): ArrayRun => {
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
      for (let i = Math.max(0, base - current.start); i < current.beats.length && current.start + i < until; i += 1)
        stimulus.put(current.start + i - base, current, i, product);
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
    if (valid[i] === 1 && columns["x.ready"][i] !== 1)
      throw new UserError("not-ready", `the array did not take the beat of cycle ${base + i}`, { exitCode: 1 });
    if (columns["y.valid"][i] === 1)
      collector.take(base + i, columns["y.data"], i * parameters.cols, columns["y.last"][i] === 1, columns["y.overflow"][i] === 1);
  }
};
