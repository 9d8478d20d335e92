import { UserError } from "../../base/error.ts";
import { alsoAt } from "../builder.ts";
import type { Circuit, Place, Signal, Statement } from "../circuit.ts";
import type { Node, Select } from "../node.ts";
import { expressionsOf, forEachItem, forEachStatement, refsIn } from "./traverse.ts";

/** A part of a signal; where one depends on a loop or an index, all of it. */
const rangeOf = (signal: Signal, select: Select | undefined): { readonly low: number; readonly high: number } =>
  select === undefined || select.loops.length > 0 || select.dynamic.length > 0
    ? { low: 0, high: signal.shape.width }
    : { low: select.constant, high: select.constant + select.width };

const overlaps = (read: Node & { op: "ref" }, { signal, select }: Place): boolean => {
  if (read.signal !== signal) return false;
  const [a, b] = [rangeOf(signal, read.select), rangeOf(signal, select)];
  return a.low < b.high && b.low < a.high;
};

const same = (a: Select | undefined, b: Select | undefined): boolean =>
  a === b ||
  (a !== undefined &&
    b !== undefined &&
    a.constant === b.constant &&
    a.width === b.width &&
    a.dynamic.length + b.dynamic.length === 0 &&
    a.loops.length === b.loops.length &&
    a.loops.every((term, at) => term.loop === b.loops[at]!.loop && term.stride === b.loops[at]!.stride));

/** What is certainly set before a place in the block. */
class Done {
  readonly own = new Map<Signal, Place[]>();
  readonly #outer: Done | undefined;

  constructor(outer?: Done) {
    this.#outer = outer;
  }

  add(place: Place): void {
    const known = this.own.get(place.signal);
    if (known === undefined) this.own.set(place.signal, [place]);
    else known.push(place);
  }

  has(place: Place): boolean {
    const { signal, select } = place;
    const here = this.own.get(signal)?.some((known) => known.select === undefined || same(known.select, select)) === true;
    return here || this.#outer?.has(place) === true;
  }
}

type SetStatement = Statement & { kind: "set" };

/** Statements of a block that set something, by signal, in order. */
const setsIn = (body: readonly Statement[]): ReadonlyMap<Signal, SetStatement[]> => {
  const sets = new Map<Signal, SetStatement[]>();
  forEachStatement(body, (statement) => {
    if (statement.kind !== "set") return;
    const { signal } = statement.place;
    const known = sets.get(signal);
    if (known === undefined) sets.set(signal, [statement]);
    else known.push(statement);
  });
  return sets;
};

const checkBody = (body: readonly Statement[], sets: ReadonlyMap<Signal, SetStatement[]>, done: Done): void => {
  for (const statement of body) {
    for (const read of expressionsOf(statement).flatMap(refsIn)) {
      const late = sets.get(read.signal)?.find(({ place }) => overlaps(read, place) && !done.has(place));
      if (late !== undefined) refuse(read.signal, statement, late);
    }
    if (statement.kind === "set") done.add(statement.place);
    const branches = statement.kind === "if" ? [statement.body, statement.otherwise] : statement.kind === "case" ? statement.arms.map((arm) => arm.body) : [];
    const ends = branches.map((branch) => {
      const inner = new Done(done);
      checkBody(branch, sets, inner);
      return inner;
    });
    for (const place of [...(ends[0]?.own.values() ?? [])].flat()) if (ends.every((end) => end.has(place))) done.add(place);
  }
};

const refuse = (signal: Signal, { site }: Statement, late: SetStatement): never => {
  throw new UserError("read-before-set", `\`${signal.name}\` is read before comb() sets it, and simulators don't agree on its value there`, {
    where: site.location,
    hint: `set it first, or in another comb(); ${alsoAt("set", late.site)}`,
  });
};

/** A comb() block reads what it sets only after that: a block that an event simulator runs once would see the value from before. */
export const checkOrder = (circuit: Circuit): void =>
  forEachItem(circuit.scope, (item) => {
    if (item.kind === "comb") checkBody(item.body, setsIn(item.body), new Done());
  });
