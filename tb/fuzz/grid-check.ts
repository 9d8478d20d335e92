import { Garbage } from "../../src/sim/garbage.ts";
import { simulate } from "../../src/sim/index.ts";
import { flatten } from "../../src/sim/wasm/flatten.ts";
import { gridModule } from "./grid-circuit.ts";
import type { GridRecipe } from "./grid-recipe.ts";
import { difference, type Run } from "./lockstep.ts";
import { type Player, playBlocks, playSteps } from "./play.ts";
import { stimulusFor } from "./stimulus.ts";

export interface CheckedGrid {
  /** Grids that run in vectors. */
  readonly vectors: number;
  /** How two ways to simulate differ. */
  readonly difference: string | undefined;
}

/** Registers of one cell: the reference engine searches long for a path, and the nets' registers show at the outputs. */
const registerPaths = ({ rows, columns, isPlane, isModule, nets, registers, phases, child, seed }: GridRecipe): string[] => {
  const [r, c] = seed % 3 === 0 ? [rows - 1, columns - 1] : [seed % rows, seed % columns];
  const names = [...registers.map((_, i) => `q${nets.length + i}`), ...(phases.length > 1 ? ["phase"] : []), ...(child === null ? [] : ["u_child.held_q"])];
  return names.map((name) => `${isPlane ? `mesh_row[${r}].mesh_col[${c}]` : `mesh[${c}]`}.${isModule ? "u_cell." : ""}${name}`);
};

/** Runs random cells in vectors, edge by edge and in blocks, one by one, and in the reference engine. */
export const checkGrid = async (recipe: GridRecipe): Promise<CheckedGrid> => {
  const { seed, cycles } = recipe;
  const module = gridModule(recipe, "random_grid");
  const { circuit } = module;
  const stimulus = stimulusFor(circuit, [], { seed, cycles, resetCycles: seed % 3 });
  const paths = registerPaths(recipe);
  const play = async (options: Parameters<typeof simulate>[1], isBlock: boolean): Promise<Run> => {
    const sim = await simulate(module, { ...options, seed });
    try {
      const player: Player = { circuit, ports: sim.io as unknown as Player["ports"], stimulus };
      const trace = isBlock ? playBlocks(sim, player) : playSteps(sim, [""], [player])[0]!;
      return { ...trace, state: new Map(paths.map((path) => [path, BigInt(sim.peekPath(path))])) };
    } finally {
      sim.close();
    }
  };
  const vectors = flatten(circuit, new Garbage(seed)).grids.length;
  const reference = await play({ engine: "reference" }, false);
  const found =
    difference(reference, await play({ engine: "wasm", grids: "scalar" }, false), ["reference", "cells one by one"]) ??
    difference(reference, await play({ engine: "wasm" }, false), ["reference", "vectors"]) ??
    difference(reference, await play({ engine: "wasm" }, true), ["reference", "vectors in blocks"]);
  return { vectors, difference: found };
};
