import { UserError } from "../../base/error.ts";
import { alsoAt } from "../builder.ts";
import type { Circuit, Place, Signal, Statement } from "../circuit.ts";
import type { Site } from "../location.ts";
import { forEachItem, forEachStatement, readsOf, refsIn } from "./traverse.ts";

/** Text that two places share when they are the same bits of the same signal. */
const keyOf = ({ signal, select }: Place): string => {
  if (select === undefined) return wholeKey(signal);
  const loops = select.loops.map(({ loop, stride }) => `${loop.name}*${stride}`).join("+");
  return `${signal.name}[${select.constant}+${loops}:${select.width}]${select.dynamic.length > 0 ? "?" : ""}`;
};

const wholeKey = (signal: Signal): string => signal.name;

const intersect = (sets: readonly Set<string>[]): Set<string> => {
  const [first, ...others] = sets;
  return new Set([...(first ?? [])].filter((key) => others.every((other) => other.has(key))));
};

/** Keys of the places that are set on every path through `body`. */
const alwaysSet = (body: readonly Statement[]): Set<string> => {
  const done = new Set<string>();
  for (const statement of body) {
    if (statement.kind === "set") done.add(keyOf(statement.place));
    const branches =
      statement.kind === "if"
        ? [alwaysSet(statement.body), alwaysSet(statement.otherwise)]
        : statement.kind === "case"
          ? statement.arms.map((arm) => alwaysSet(arm.body))
          : [];
    for (const key of intersect(branches)) done.add(key);
  }
  return done;
};

/** Each target of a comb() block is set on every path, so that nothing has to be remembered. */
export const checkLatches = (circuit: Circuit): void => {
  forEachItem(circuit.scope, (item) => {
    if (item.kind !== "comb") return;
    if (readsOf(item).every(({ expression }) => refsIn(expression).length === 0))
      throw new UserError("constant-block", "comb() reads no signal, so nothing would make it run", {
        where: item.site.location,
        hint: "set constants outside comb()",
      });
    const done = alwaysSet(item.body);
    forEachStatement(item.body, (statement) => {
      if (statement.kind !== "set") return;
      const { signal } = statement.place;
      if (done.has(wholeKey(signal)) || (done.has(keyOf(statement.place)) && statement.place.select?.dynamic.length === 0)) return;
      refuse(signal, statement.site);
    });
  });
};

const refuse = (signal: Signal, site: Site): never => {
  throw new UserError("latch", `\`${signal.name}\` is not set on every path through comb(), which would make a latch`, {
    where: site.location,
    hint: `give it a default first, or add .otherwise(); ${alsoAt("declared", signal.site)}`,
  });
};
