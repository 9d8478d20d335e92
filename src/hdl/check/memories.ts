import { UserError } from "../../base/error.ts";
import { alsoAt } from "../builder.ts";
import type { Circuit, Item, Loop, Memory, MemoryWrite, Scope } from "../circuit.ts";
import type { Site } from "../location.ts";
import { depthOf, encloses, forEachItem, forEachScope, forEachStatement } from "./traverse.ts";

const writesIn = (item: Item): MemoryWrite[] => {
  const writes: MemoryWrite[] = [];
  if (item.kind === "sync") forEachStatement(item.body, (statement) => (statement.kind === "write" ? writes.push(statement) : undefined));
  return writes;
};

/** Iterations in which an item inside `loops` meets a memory declared outside some of them. */
const iterationsBeyond = (memory: Memory, loops: readonly Loop[]): number =>
  loops.slice(depthOf(memory.scope)).reduce((product, loop) => product * loop.count, 1);

/** Every memory is read, written or given contents, and written from one block only. */
export const checkMemories = (circuit: Circuit): void => {
  const writers = new Map<Memory, { readonly block: Item; readonly site: Site }>();
  const read = new Set<Memory>();
  forEachItem(circuit.scope, (item, loops, scope) => {
    if (item.kind === "read") {
      refuseForeign(item.memory, scope, item.site);
      read.add(item.memory);
    }
    for (const { memory, site } of writesIn(item)) {
      refuseForeign(memory, scope, site);
      const first = writers.get(memory);
      if (first !== undefined && first.block !== item)
        throw new UserError("two-drivers", `memory \`${memory.name}\` is written from two blocks`, {
          where: site.location,
          hint: alsoAt("first written", first.site),
        });
      if (iterationsBeyond(memory, loops) > 1)
        throw new UserError("two-drivers", `memory \`${memory.name}\` is written from every iteration of a repeat()`, {
          where: site.location,
          hint: alsoAt("declared", memory.site),
        });
      writers.set(memory, { block: item, site });
    }
  });
  forEachScope(circuit.scope, ({ memories }) => {
    for (const memory of memories) {
      const { name, initial, site } = memory;
      if (!writers.has(memory) && initial === undefined)
        throw new UserError("undriven", `memory \`${name}\` is never written and has no initial contents`, { where: site.location });
      if (!read.has(memory))
        throw new UserError("unread", `memory \`${name}\` is never read`, { where: site.location, hint: "remove it, or give it a read port" });
    }
  });
};

const refuseForeign = (memory: Memory, scope: Scope, site: Site): void => {
  if (encloses(memory.scope, scope)) return;
  throw new UserError("out-of-scope", `memory \`${memory.name}\` belongs to another module or to one iteration of a repeat()`, {
    where: site.location,
    hint: alsoAt("declared", memory.site),
  });
};
