import { type Circuit, childrenOf, type Module, type Scope } from "../../src/hdl/circuit.ts";
import type { Node } from "../../src/hdl/node.ts";
import type { PortMap } from "../../src/hdl/ports.ts";

/** An error: the named value of a module, by the beginning of the module's name, is computed otherwise. */
export interface Plant {
  readonly module: string;
  readonly signal: string;
  readonly change: (value: Node) => Node;
}

const inScope = (scope: Scope, { signal, change }: Plant): number => {
  let found = 0;
  for (const [index, item] of scope.items.entries()) {
    if (item.kind === "repeat") found += inScope(item.scope, { module: "", signal, change });
    if (item.kind !== "assign" || item.place.signal.name !== signal) continue;
    const value = change(item.value);
    if (value === item.value || value.width !== item.value.width) continue;
    scope.items[index] = { ...item, value };
    found += 1;
  }
  return found;
};

const inCircuit = (circuit: Circuit, plant: Plant): number =>
  (circuit.name.startsWith(plant.module) ? inScope(circuit.scope, plant) : 0) +
  childrenOf(circuit).reduce((found, child) => found + inCircuit(child, plant), 0);

/** The module with an error in it, or as it was where it has no such value. Circuits are data, so that this needs no second source. */
export const planted = <P extends PortMap>(module: Module<P>, plant: Plant): Module<P> => {
  inCircuit(module.circuit, plant);
  return module;
};
