import { type StallProfile, sink, source, stalls } from "../../src/agents/index.ts";
import type { Random } from "../../src/base/random.ts";
import type { ArrayParameters, ArrayPorts } from "../../src/designs/index.ts";
import type { ArrayRun } from "../../src/driver/tender/array-run.ts";
import { Collector } from "../../src/driver/tender/collector.ts";
import { Stimulus } from "../../src/driver/tender/stimulus.ts";
import { tilesOf } from "../../src/driver/tender/tiles.ts";
import type { Product } from "../../src/golden/tender/matmul.ts";
import type { Simulation, TaskLike } from "../../src/sim/index.ts";

export interface StreamStalls {
  readonly x: StallProfile;
  readonly w: StallProfile;
  readonly y: StallProfile;
}

/**
 * Runs products through the array with random stalls on each of its streams: three tasks that know nothing of one another.
 * Cycles count from where the first beat may be taken.
 */
export const runWithStalls = (
  sim: Simulation<ArrayPorts>,
  parameters: ArrayParameters,
  products: readonly Product[],
  profiles: StreamStalls,
  random: Random,
  ...monitors: readonly TaskLike[]
): ArrayRun => {
  const { rows, cols } = parameters;
  const tiles = tilesOf(parameters, products);
  const beats = tiles.reduce((sum, tile) => sum + tile.beats.length, 0);
  const stimulus = new Stimulus(parameters, beats);
  let filled = 0;
  let results = 0;
  for (const tile of tiles) {
    const product = products[tile.product];
    if (product === undefined) throw new Error("a tile of no product");
    for (let i = 0; i < tile.beats.length; i += 1) stimulus.put(filled++, tile, i, product);
    results += stimulus.wide[filled - 1] === 1 ? rows / 2 : rows;
  }
  const collector = new Collector(parameters, products, tiles);
  const { x, w, y } = sim.io;
  const start = sim.cycle;
  const putX = (beat: number): void => {
    x.data.poke(Array.from(stimulus.x.subarray(beat * rows, (beat + 1) * rows)));
    x.unsigned.poke(stimulus.unsigned[beat] === 1);
    x.shift.poke(stimulus.shift[beat] ?? 0);
    x.first.poke(stimulus.first[beat] === 1);
    x.last.poke(stimulus.last[beat] === 1);
    if ("wide" in x) x.wide.poke(stimulus.wide[beat] === 1);
  };
  sim.run(
    source(x, beats, putX, stalls(profiles.x, random)),
    source(w, beats, (beat) => w.data.poke(Array.from(stimulus.w.subarray(beat * cols, (beat + 1) * cols))), stalls(profiles.w, random)),
    sink(y, results, () => collector.take(sim.cycle, y.data.peek(), 0, y.last.peek() === 1, y.overflow.peek() === 1), stalls(profiles.y, random)),
    ...monitors,
  );
  return { results: collector.results, cycles: collector.lastCycle + 1 - start, beats };
};
