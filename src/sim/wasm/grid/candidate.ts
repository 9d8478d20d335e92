import type { Circuit, Item, Loop, Scope } from "../../../hdl/circuit.ts";

type Repeat = Item & { kind: "repeat" };

/** Below this, setting vectors up costs more than they save. */
const leastLanes = 16;
const leastColumns = 4;

interface Content {
  readonly plain: boolean;
  readonly clocked: boolean;
}

const known = new WeakMap<Circuit, Content>();

/** What a cell may hold: logic and registers, in instances too; no memory, delay line, property or loop of its own. */
const contentOf = ({ memories, items }: Scope): Content => {
  let clocked = false;
  let plain = memories.length === 0;
  for (const item of items) {
    if (item.kind === "instance") {
      const inner = contentOfCircuit(item.child);
      plain &&= inner.plain;
      clocked ||= inner.clocked;
    } else if (item.kind === "sync") clocked = true;
    else plain &&= item.kind === "assign" || item.kind === "comb" || item.kind === "discard";
  }
  return { plain, clocked };
};

const contentOfCircuit = (circuit: Circuit): Content => {
  const found = known.get(circuit);
  if (found !== undefined) return found;
  const content = circuit.external === undefined ? contentOf(circuit.scope) : { plain: false, clocked: false };
  known.set(circuit, content);
  return content;
};

/** Loops of cells that are alike, the last one counting columns, and what one cell is. */
export interface Cells {
  readonly loops: readonly Loop[];
  readonly scope: Scope;
}

/** The cells of a generate loop, or of two around one body, where they look as if vectors could hold them. */
export const candidate = (item: Repeat): Cells | undefined => {
  const [inner, ...others] = item.scope.items;
  const nested = inner?.kind === "repeat" && others.length === 0 && item.scope.signals.length === 0 ? inner : undefined;
  const loops = nested === undefined ? [item.loop] : [item.loop, nested.loop];
  const scope = (nested ?? item).scope;
  const lanes = loops.reduce((product, { count }) => product * count, 1);
  if (lanes < leastLanes || loops.at(-1)!.count < leastColumns) return undefined;
  const { plain, clocked } = contentOf(scope);
  return plain && clocked ? { loops, scope } : undefined;
};
