import type { Scope } from "../../src/hdl/circuit.ts";
import type { Circuit, Module } from "../../src/hdl/index.ts";
import { type Simulation, simulate } from "../../src/sim/index.ts";
import { type Player, playBlocks, playSteps, type Trace } from "./play.ts";
import type { Stimulus } from "./stimulus.ts";

/** A run of an embedded engine: what it showed, and all state at its end. */
export interface Run extends Trace {
  readonly state: ReadonlyMap<string, bigint>;
}

/** Paths of all registers and memories below a scope. */
const statePaths = (scope: Scope, prefix: string): { readonly path: string; readonly memory: boolean }[] => [
  ...scope.signals.filter(({ role }) => role === "reg").map(({ name }) => ({ path: `${prefix}${name}`, memory: false })),
  ...scope.memories.map(({ name }) => ({ path: `${prefix}${name}`, memory: true })),
  ...scope.items.flatMap((item) => {
    if (item.kind === "instance") return statePaths(item.child.scope, `${prefix}${item.name}.`);
    if (item.kind !== "repeat") return [];
    return Array.from({ length: item.loop.count }, (_, i) => statePaths(item.scope, `${prefix}${item.loop.label}[${i}].`)).flat();
  }),
];

const stateOf = (sim: Simulation, circuit: Circuit): Map<string, bigint> =>
  new Map(
    statePaths(circuit.scope, "").flatMap(({ path, memory }) =>
      memory ? sim.peekMemory(path).map((word, i) => [`${path}[${i}]`, BigInt(word)] as const) : [[path, BigInt(sim.peekPath(path))] as const],
    ),
  );

export type Way = "reference" | "wasm" | "wasm, in blocks";

/** Runs a circuit on an embedded engine. Blocks need a circuit of one clock. */
export const run = async (module: Module, stimulus: Stimulus, way: Way, seed: number): Promise<Run> => {
  const { circuit } = module;
  const timing = Object.fromEntries(circuit.clocks.map(({ key }) => [key, stimulus.timing[key]!]));
  const sim = await simulate(module, { engine: way === "reference" ? "reference" : "wasm", seed, clocks: timing });
  try {
    const player: Player = { circuit, ports: sim.io as unknown as Player["ports"], stimulus };
    const trace =
      way === "wasm, in blocks"
        ? playBlocks(sim, player)
        : playSteps(
            sim,
            circuit.clocks.map(({ key }) => key),
            [player],
          )[0]!;
    return { ...trace, state: stateOf(sim, circuit) };
  } finally {
    sim.close();
  }
};

/** The first difference of two traces as a sentence, or undefined. `names` are of the engines. */
export const traceDifference = (a: Trace, b: Trace, names: readonly [string, string], skip: (port: string) => boolean = () => false): string | undefined => {
  const cycles = Math.min(a.samples.length, b.samples.length);
  for (let cycle = 0; cycle < cycles; cycle++) {
    for (const [port, value] of a.samples[cycle]!) {
      const other = b.samples[cycle]!.get(port);
      if (other === value || skip(port)) continue;
      return `cycle ${cycle}: \`${port}\` is 0x${value.toString(16)} in ${names[0]}, 0x${other?.toString(16)} in ${names[1]}`;
    }
  }
  const end = ({ failure }: Trace): string => (failure === undefined ? "ends well" : `fails \`${failure.name}\` in cycle ${failure.cycle}`);
  return end(a) === end(b) ? undefined : `${names[0]} ${end(a)}, ${names[1]} ${end(b)}`;
};

/** The first difference of two runs, their state at the end too. */
export const difference = (a: Run, b: Run, names: readonly [string, string]): string | undefined => {
  const found = traceDifference(a, b, names);
  if (found !== undefined) return found;
  for (const [path, value] of a.state)
    if (b.state.get(path) !== value)
      return `at the end, \`${path}\` is 0x${value.toString(16)} in ${names[0]}, 0x${b.state.get(path)?.toString(16)} in ${names[1]}`;
  return undefined;
};
