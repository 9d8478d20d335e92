import { UserError } from "../../base/error.ts";
import { alsoAt } from "../builder.ts";
import type { Circuit, Instance, Signal } from "../circuit.ts";
import { depthOf, describeBits, encloses, firstGap, forEachItem, type Range, rangesOf, readsOf, refsIn, signalsOf } from "./traverse.ts";

const refuseForgottenOutput = ({ name, child, outputs, site }: Instance): void => {
  const placed = new Set(outputs.map(({ port }) => port));
  const forgotten = child.ports.find((port) => port.direction === "output" && !placed.has(port));
  if (forgotten !== undefined)
    throw new UserError("unread", `output \`${forgotten.path.join(".")}\` of instance \`${name}\` is neither placed nor read`, {
      where: site.location,
      hint: `connect it, or say ${forgotten.path.at(-1)}: "unused"`,
    });
};

/** Every bit of every input, wire and register is read somewhere, and nothing reads what another iteration or module declared. */
export const checkUnread = (circuit: Circuit): void => {
  const reads = new Map<Signal, Range[]>();
  forEachItem(circuit.scope, (item, loops, scope) => {
    if (item.kind === "instance") refuseForgottenOutput(item);
    for (const { expression, site } of readsOf(item)) {
      for (const { signal, select } of refsIn(expression)) {
        if (!encloses(signal.scope, scope))
          throw new UserError("out-of-scope", `\`${signal.name}\` can't be read here: it belongs to another module or to one iteration of a repeat()`, {
            where: site.location,
            hint: alsoAt("declared", signal.site),
          });
        const list = reads.get(signal) ?? [];
        reads.set(signal, list);
        for (const range of rangesOf(signal, select, loops.slice(depthOf(signal.scope)))) list.push(range);
      }
    }
  });
  for (const signal of signalsOf(circuit)) {
    if (signal.role === "output" || signal.name.startsWith("unused_")) continue;
    const gap = firstGap(reads.get(signal) ?? [], signal.shape.width);
    if (gap !== undefined)
      throw new UserError("unread", `${describeBits(signal, gap)} never read`, {
        where: signal.site.location,
        hint: "remove it, or say that it is meant to be with discard()",
      });
  }
};
