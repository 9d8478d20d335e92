import { clock, instance, type Module, module, type PortMap } from "../../src/hdl/index.ts";
import { simulate } from "../../src/sim/index.ts";
import { build } from "./build.ts";
import { run, traceDifference } from "./lockstep.ts";
import { type Player, playSteps } from "./play.ts";
import type { CircuitRecipe } from "./recipe.ts";
import { clockKeys } from "./scope.ts";
import { circuitSource } from "./source.ts";
import { stimulusFor } from "./stimulus.ts";

/** Port map without its clocks. */
const dataPorts = (ports: PortMap): PortMap => Object.fromEntries(Object.entries(ports).filter(([key]) => !clockKeys.includes(key as "x")));

/** All circuits side by side under one top with three clocks, so that they cost one build. */
const sideBySide = (name: string, modules: readonly Module[], activeLow: readonly boolean[]): Module => {
  const further = Object.fromEntries(clockKeys.slice(1).map((key, i) => [key, clock({ reset: "async", activeLow: activeLow[i + 1]! })]));
  const bundles = Object.fromEntries(modules.map(({ ports }, i) => [`c${i}`, dataPorts(ports)]));
  const body = (io: Readonly<Record<string, unknown>>): void => {
    for (const [i, inner] of modules.entries()) {
      const clocks = Object.fromEntries(clockKeys.slice(1).flatMap((key) => (key in inner.ports ? [[key, io[key]]] : [])));
      instance(`u${i}`, inner, { ...(io[`c${i}`] as object), ...clocks } as never);
    }
  };
  const own = { clk: "clk", rst: "rst", reset: "sync", activeLow: activeLow[0]! } as const;
  return module(name, { ...further, ...bundles }, body as never, { doc: "Random circuits side by side.", clock: own });
};

/** Edges under reset: words that were undefined leave chains of read ports, which have no reset, one port an edge. */
const resetCycles = 16;

/** Whether the resets of the three clocks are active low, in a batch of a seed. */
const polarities = (seed: number): boolean[] => clockKeys.map((_, i) => ((seed >> i) & 1) === 1);

export interface BatchResult {
  readonly cycles: number;
  /** Circuits that differ between Verilator and the reference engine, and how. */
  readonly differences: readonly { readonly recipe: CircuitRecipe; readonly text: string }[];
}

/** Runs circuits whose state is all defined, in one build of Verilator and each in the reference engine, with clocks and resets in common. */
export const checkBatch = async (name: string, recipes: readonly CircuitRecipe[], seed: number, cycles: number): Promise<BatchResult> => {
  const activeLow = polarities(seed);
  const circuits = recipes.map((recipe, i) => ({
    recipe,
    module: build(circuitSource(recipe, { constants: "folded", defined: { prefix: `c${i}_` } })),
  }));
  const top = sideBySide(
    name,
    circuits.map(({ module }) => module),
    activeLow,
  );
  const keys = top.circuit.clocks.map(({ key }) => key);
  // Clocks of the top drive all circuits, those that a circuit does not have too.
  const plan = stimulusFor(top.circuit, [], { seed, cycles, resetCycles });
  const players = circuits.map(({ recipe, module }) => {
    const data = stimulusFor(module.circuit, [], { seed: recipe.seed, cycles, resetCycles });
    const ticks = data.ticks.map(({ inputs }, cycle) => ({ ...plan.ticks[cycle]!, inputs }));
    return { circuit: module.circuit, stimulus: { ...plan, ticks } };
  });
  const sim = await simulate(top, { engine: "verilator", seed, clocks: plan.timing, profile: "quick" });
  try {
    const io = sim.io as unknown as Readonly<Record<string, Player["ports"]>>;
    const traces = playSteps(
      sim,
      keys,
      players.map((player, i) => ({ ...player, ports: io[`c${i}`]! })),
    );
    const differences: BatchResult["differences"][number][] = [];
    for (const [i, { recipe, module }] of circuits.entries()) {
      const reference = await run(module, players[i]!.stimulus, "reference", seed);
      const text = traceDifference(reference, traces[i]!, ["reference", "Verilator"]);
      if (text !== undefined) differences.push({ recipe, text });
    }
    return { cycles, differences };
  } finally {
    sim.close();
  }
};
