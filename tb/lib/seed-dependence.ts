import { Random } from "../../src/base/random.ts";
import type { Module, PortMap } from "../../src/hdl/index.ts";
import type { PortName } from "../../src/sim/block.ts";
import type { InputHandle, PortHandle, SimulateOptions, Simulation, TaskSpec } from "../../src/sim/index.ts";
import { background, simulate } from "../../src/sim/index.ts";

/** How a block is driven, and what of it means something. */
export interface Bench<P extends PortMap> {
  readonly design: Module<P>;
  /** Outputs that say something at times only, as a stream's payload does, and when they do. */
  readonly payload?: Partial<Readonly<Record<PortName<P>, (io: Simulation<P>["io"]) => boolean>>>;
  /** Cycles after the reset in which nothing counts yet. Default 0. */
  readonly warmUp?: number;
  /** Corrects the random inputs of a cycle, which are set already, to what the block allows. */
  readonly constrain?: (io: Simulation<P>["io"], cycle: number) => void;
  /** Drives the inputs, with the monitor as one of the tasks. Default: all inputs change at random in every cycle. */
  readonly drive?: (sim: Simulation<P>, random: Random, monitor: TaskSpec) => void;
}

const cycles = 80;

const handleAt = (io: object, path: readonly string[]): unknown =>
  path.reduce<unknown>((folder, key) => (folder as Readonly<Record<string, unknown>>)[key], io);

/** Bits with corners: all zeros and all ones come often. */
const randomWords = (width: number, random: Random): Uint32Array => {
  const corner = random.integer(0, 4);
  const words = Uint32Array.from({ length: Math.ceil(width / 32) }, () => (corner === 0 ? 0 : corner === 1 ? 0xffffffff : random.next()));
  if (width % 32 !== 0) words[words.length - 1]! &= 2 ** (width % 32) - 1;
  return words;
};

const driveAtRandom = <P extends PortMap>({ design, constrain }: Bench<P>, sim: Simulation<P>, random: Random, monitor: TaskSpec): void => {
  const inputs = design.circuit.ports.filter(({ direction }) => direction === "input").map(({ path }) => handleAt(sim.io, path) as InputHandle);
  sim.run(function* driver() {
    for (let cycle = 0; cycle < cycles; cycle += 1) {
      for (const input of inputs) input.pokeWords(randomWords(input.shape.width, random));
      constrain?.(sim.io, cycle);
      yield;
    }
  }, monitor);
};

/** What shows at the outputs in each cycle, one text a cycle. */
const observe = async <P extends PortMap>(bench: Bench<P>, options: SimulateOptions, stimulusSeed: number): Promise<string[]> => {
  const { design, warmUp = 0 } = bench;
  const payload = (bench.payload ?? {}) as Readonly<Record<string, (io: Simulation<P>["io"]) => boolean>>;
  using sim = await simulate(design, options);
  const handleOf = new Map(design.circuit.ports.map(({ path }) => [path.join("."), handleAt(sim.io, path) as PortHandle]));
  const outputs = design.circuit.ports.filter(({ direction }) => direction === "output").map(({ path }) => path.join("."));
  const seen: string[] = [];
  const monitor = background(function* monitor() {
    for (let cycle = 0; ; cycle += 1) {
      yield;
      const meant = outputs.filter((name) => payload[name]?.(sim.io) ?? true);
      if (cycle >= warmUp) seen.push(`cycle ${cycle}: ${meant.map((name) => `${name} ${handleOf.get(name)?.peekBig().toString(16)}`).join(", ")}`);
    }
  });
  sim.reset();
  const random = new Random(stimulusSeed);
  if (bench.drive === undefined) driveAtRandom(bench, sim, random, monitor);
  else bench.drive(sim, random, monitor);
  return seen;
};

/**
 * Runs a block from different undefined states with the same stimulus. Returns the first cycle in which what its outputs mean differs,
 * as each run shows it; undefined where there is none.
 */
export const seedDependence = async <P extends PortMap>(
  bench: Bench<P>,
  options: SimulateOptions,
  seeds: readonly number[],
  stimulusSeed: number,
): Promise<readonly string[] | undefined> => {
  const runs: string[][] = [];
  for (const seed of seeds) runs.push(await observe(bench, { ...options, seed }, stimulusSeed));
  const at = runs[0]?.findIndex((line, index) => runs.some((run) => run[index] !== line)) ?? -1;
  return at < 0 ? undefined : runs.map((run) => run[at] ?? "nothing");
};
