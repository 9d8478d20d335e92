import type { Circuit, FlatPort } from "../../src/hdl/index.ts";
import { leafOf } from "../../src/hdl/shape.ts";
import { type Simulation, SimulationError } from "../../src/sim/index.ts";
import type { Stimulus, Tick } from "./stimulus.ts";

/** What a run showed: bits of the outputs just before each edge, and how it ended. */
export interface Trace {
  readonly samples: readonly ReadonlyMap<string, bigint>[];
  /** A property that did not hold. */
  readonly failure: { readonly cycle: number; readonly name: string } | undefined;
}

interface Port {
  readonly shape: FlatPort["shape"];
  peekBig(): bigint;
  pokeWords(words: Uint32Array): void;
}

/** One circuit in a simulation, and what happens to it. */
export interface Player {
  readonly circuit: Circuit;
  readonly ports: Readonly<Record<string, Port>>;
  readonly stimulus: Stimulus;
}

const wordsOf = (bits: bigint, width: number): Uint32Array =>
  Uint32Array.from({ length: Math.ceil(width / 32) }, (_, i) => Number(BigInt.asUintN(32, bits >> BigInt(32 * i))));

const poke = ({ circuit, ports }: Player, { inputs }: Tick): void => {
  for (const { name, direction, shape } of circuit.ports) if (direction === "input") ports[name]!.pokeWords(wordsOf(inputs.get(name)!, shape.width));
};

const sample = ({ circuit, ports }: Player): Map<string, bigint> =>
  new Map(
    circuit.ports.filter(({ direction }) => direction === "output").map(({ name, shape }) => [name, BigInt.asUintN(shape.width, ports[name]!.peekBig())]),
  );

/** Runs `body`; a property that does not hold ends it. */
const untilFailure = (body: () => void): Trace["failure"] => {
  try {
    body();
    return undefined;
  } catch (error) {
    if (error instanceof SimulationError && error.failure === "assertion") return { cycle: error.cycle, name: error.hierarchy ?? "" };
    throw error;
  }
};

/** Resets of a tick, and those between two edges, which only asynchronous ones notice. */
const driveResets = (sim: Simulation, keys: readonly string[], { resets, glitches }: Tick): void => {
  for (const key of keys) sim.setReset(resets.has(key) || glitches.has(key), key);
  if (glitches.size === 0) return;
  sim.eval();
  for (const key of keys) sim.setReset(resets.has(key), key);
};

/** Plays circuits side by side in one simulation, edge by edge. */
export const playSteps = (sim: Simulation, clocks: readonly string[], players: readonly Player[]): Trace[] => {
  const samples = players.map((): Map<string, bigint>[] => []);
  const { ticks, resetCycles } = players[0]!.stimulus;
  const failure = untilFailure(() => {
    for (const player of players) poke(player, player.stimulus.ticks[0]!);
    if (resetCycles > 0) sim.reset(resetCycles);
    for (const [cycle, tick] of ticks.entries()) {
      driveResets(sim, clocks, tick);
      for (const player of players) poke(player, player.stimulus.ticks[cycle]!);
      for (const [i, player] of players.entries()) samples[i]!.push(sample(player));
      if (clocks.length > 0) sim.step();
    }
  });
  return samples.map((values) => ({ samples: values, failure }));
};

const columnOf = ({ shape }: FlatPort, values: readonly bigint[]): bigint[] => {
  const leaf = leafOf(shape);
  return values.flatMap((value) =>
    Array.from({ length: shape.width / leaf.width }, (_, i) => {
      const bits = value >> BigInt(i * leaf.width);
      return leaf.kind === "sint" ? BigInt.asIntN(leaf.width, bits) : BigInt.asUintN(leaf.width, bits);
    }),
  );
};

const fromColumn = ({ shape }: FlatPort, column: ArrayLike<number | bigint>, record: number): bigint => {
  const leaf = leafOf(shape);
  const numbers = shape.width / leaf.width;
  let bits = 0n;
  for (let i = numbers - 1; i >= 0; i--) bits = (bits << BigInt(leaf.width)) | BigInt.asUintN(leaf.width, BigInt(column[record * numbers + i]!));
  return bits;
};

const isSame = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean => a.size === b.size && [...a].every((key) => b.has(key));

/** Plays a circuit of one clock in blocks, each as long as resets stay as they are. */
export const playBlocks = (sim: Simulation, { circuit, ports, stimulus }: Player): Trace => {
  const samples: Map<string, bigint>[] = [];
  const { ticks, resetCycles } = stimulus;
  const inputs = circuit.ports.filter(({ direction }) => direction === "input");
  const outputs = circuit.ports.filter(({ direction }) => direction === "output");
  const failure = untilFailure(() => {
    poke({ circuit, ports, stimulus }, ticks[0]!);
    if (resetCycles > 0) sim.reset(resetCycles);
    for (let start = 0, end = 0; start < ticks.length; start = end) {
      const first = ticks[start]!;
      end = start + 1;
      while (end < ticks.length && ticks[end]!.glitches.size === 0 && isSame(ticks[end]!.resets, first.resets)) end += 1;
      driveResets(sim, [circuit.clocks[0]!.key], first);
      const piece = ticks.slice(start, end);
      const columns = inputs.map(
        (port) =>
          [
            port.name,
            columnOf(
              port,
              piece.map((tick) => tick.inputs.get(port.name)!),
            ),
          ] as const,
      );
      const block = { inputs: Object.fromEntries(columns), cycles: piece.length, capture: outputs.map(({ name }) => name) };
      const { columns: got } = (sim as unknown as { block(options: typeof block): { columns: Record<string, ArrayLike<number | bigint>> } }).block(block);
      for (let i = 0; i < piece.length; i++) samples.push(new Map(outputs.map((port) => [port.name, fromColumn(port, got[port.name]!, i)])));
    }
  });
  return { samples, failure };
};
