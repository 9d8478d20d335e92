import { UserError } from "../../base/error.ts";
import { alsoAt } from "../builder.ts";
import type { Circuit } from "../circuit.ts";
import type { Site } from "../location.ts";
import { type Node, operandsOf } from "../node.ts";
import { operatorsIn } from "../size.ts";
import { forEachItem, readsOf } from "./traverse.ts";

/** Operators that may be printed again because an expression without a name is used several times. */
const maxRepeated = 32;

interface Uses {
  count: number;
  readonly first: Site;
}

/** An unnamed expression is printed wherever it is used: short ones may be, long ones need a name. */
export const checkRepeated = (circuit: Circuit): void => {
  const uses = new Map<Node, Uses>();
  const use = (root: Node, site: Site): void => {
    const stack = [root];
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      const operators = operatorsIn(node);
      const found = uses.get(node);
      if (operators === 0) continue;
      if (found === undefined) {
        uses.set(node, { count: 1, first: site });
        stack.push(...operandsOf(node));
        continue;
      }
      found.count += 1;
      if ((found.count - 1) * operators > maxRepeated)
        throw new UserError("repeated", `an unnamed expression of ${operators} operators is printed ${found.count} times or more`, {
          where: site.location,
          hint: `give it a name: named("partialSum", value); ${alsoAt("first used", found.first)}`,
        });
    }
  };
  forEachItem(circuit.scope, (item) => {
    for (const { expression, site } of readsOf(item)) use(expression, site);
  });
};
