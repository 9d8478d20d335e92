import { refTo } from "../builder.ts";
import type { Circuit, Item, Loop, Place, Scope, Signal, Statement } from "../circuit.ts";
import type { Site } from "../location.ts";
import type { Node, Select } from "../node.ts";
import { walk } from "../node.ts";

/** Bits `low` to `high - 1`. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

export interface Write {
  readonly place: Place;
  readonly site: Site;
}

/** Visits every item with the generate loops around it. */
export const forEachItem = (scope: Scope, visit: (item: Item, loops: readonly Loop[], scope: Scope) => void, loops: readonly Loop[] = []): void => {
  for (const item of scope.items) {
    if (item.kind === "repeat") forEachItem(item.scope, visit, [...loops, item.loop]);
    else visit(item, loops, scope);
  }
};

export const forEachScope = (scope: Scope, visit: (scope: Scope) => void): void => {
  visit(scope);
  for (const item of scope.items) if (item.kind === "repeat") forEachScope(item.scope, visit);
};

export const forEachStatement = (body: readonly Statement[], visit: (statement: Statement) => void): void => {
  for (const statement of body) {
    visit(statement);
    if (statement.kind === "if") {
      forEachStatement(statement.body, visit);
      forEachStatement(statement.otherwise, visit);
    }
    if (statement.kind === "case") for (const arm of statement.arms) forEachStatement(arm.body, visit);
  }
};

/** An expression and the line that reads it. */
export interface Read {
  readonly expression: Node;
  readonly site: Site;
}

const statementReads = (body: readonly Statement[]): Read[] => {
  const reads: Read[] = [];
  forEachStatement(body, (statement) => {
    for (const expression of expressionsOf(statement)) reads.push({ expression, site: statement.site });
  });
  return reads;
};

export const expressionsOf = (statement: Statement): Node[] => {
  switch (statement.kind) {
    case "set":
      return [statement.value, ...indicesOf(statement.place)];
    case "if":
      return [statement.condition];
    case "case":
      return [statement.subject];
    case "write":
      return [statement.address, statement.data, ...(statement.mask === undefined ? [] : [statement.mask])];
  }
};

const indicesOf = (place: Place): Node[] => place.select?.dynamic.map((term) => term.index) ?? [];

/** Every expression that an item reads, with the line that does. */
export const readsOf = (item: Item): Read[] => {
  if (item.kind === "repeat") return [];
  if (item.kind === "comb" || item.kind === "sync") return statementReads(item.body);
  return ownExpressions(item).map((expression) => ({ expression, site: item.site }));
};

const ownExpressions = (item: Exclude<Item, { kind: "repeat" | "comb" | "sync" }>): Node[] => {
  switch (item.kind) {
    case "assign":
      return [item.value, ...indicesOf(item.place)];
    case "discard":
      return [item.value];
    case "instance":
      return [
        ...item.inputs.map((input) => input.value),
        ...(item.reset === undefined ? [] : [item.reset]),
        ...item.outputs.flatMap(({ place }) => indicesOf(place)),
      ];
    case "read":
      return [item.address, ...(item.enable === undefined ? [] : [item.enable]), ...(item.heldAddress === undefined ? [] : [refTo(item.heldAddress)])];
    case "delay":
      return [item.value, ...(item.enable === undefined ? [] : [item.enable])];
    default:
      return [item.condition];
  }
};

/** Every place that an item drives. */
export const writesOf = (item: Item): Write[] => {
  switch (item.kind) {
    case "assign":
      return [{ place: item.place, site: item.site }];
    case "discard":
      return [{ place: { signal: item.signal }, site: item.site }];
    case "comb":
    case "sync": {
      const writes: Write[] = [];
      forEachStatement(item.body, (statement) => {
        if (statement.kind === "set") writes.push({ place: statement.place, site: statement.site });
      });
      return writes;
    }
    case "delay":
      return [{ place: { signal: item.data }, site: item.site }];
    case "instance":
      return item.outputs.map(({ place }) => ({ place, site: item.site }));
    case "read":
      return [
        { place: { signal: item.data }, site: item.site },
        ...(item.heldAddress === undefined ? [] : [{ place: { signal: item.heldAddress }, site: item.site }]),
      ];
    default:
      return [];
  }
};

/** True where a declaration in `outer` can be seen from `inner`. */
export const encloses = (outer: Scope, inner: Scope): boolean => {
  for (let scope: Scope | undefined = inner; scope !== undefined; scope = scope.parent) if (scope === outer) return true;
  return false;
};

export const depthOf = (scope: Scope): number => {
  let depth = 0;
  for (let outer = scope.parent; outer !== undefined; outer = outer.parent) depth += 1;
  return depth;
};

/** Bits of a signal that a select touches in each iteration of `loops`; a dynamic index may touch all that it can reach. */
export const rangesOf = (signal: Signal, select: Select | undefined, loops: readonly Loop[]): Range[] => {
  const iterations = loops.reduce((product, loop) => product * loop.count, 1);
  if (select === undefined) return Array.from({ length: iterations }, () => ({ low: 0, high: signal.shape.width }));
  if (select.dynamic.length > 0) return Array.from({ length: iterations }, () => ({ low: 0, high: signal.shape.width }));
  const ranges: Range[] = [];
  const strides = loops.map((loop) => select.loops.filter((term) => term.loop === loop).reduce((sum, term) => sum + term.stride, 0));
  const descend = (depth: number, low: number): void => {
    const loop = loops[depth];
    if (loop === undefined) {
      ranges.push({ low, high: low + select.width });
      return;
    }
    for (let value = 0; value < loop.count; value += 1) descend(depth + 1, low + value * (strides[depth] ?? 0));
  };
  descend(0, select.constant);
  return ranges;
};

/** First gap of `ranges` in `0 .. width - 1`, or undefined when they cover it. */
export const firstGap = (ranges: readonly Range[], width: number): Range | undefined => {
  let next = 0;
  for (const { low, high } of ranges.toSorted((a, b) => a.low - b.low)) {
    if (low > next) return { low: next, high: low };
    next = Math.max(next, high);
  }
  return next < width ? { low: next, high: width } : undefined;
};

/** Bits of a signal as the subject of a sentence, with its verb: `\`count\` is`, `bits 7 to 4 of \`count\` are`. */
export const describeBits = (signal: Signal, { low, high }: Range): string => {
  if (low === 0 && high === signal.shape.width) return `\`${signal.name}\` is`;
  return high - low === 1 ? `bit ${low} of \`${signal.name}\` is` : `bits ${high - 1} to ${low} of \`${signal.name}\` are`;
};

/** References to signals in an expression. */
export const refsIn = (node: Node): (Node & { op: "ref" })[] => {
  const refs: (Node & { op: "ref" })[] = [];
  walk(node, (inner) => {
    if (inner.op === "ref") refs.push(inner);
  });
  return refs;
};

/** All signals that a module declares: ports and, in every scope, wires and registers. */
export const signalsOf = (circuit: Circuit): Signal[] => {
  const signals = [...circuit.portSignals];
  forEachScope(circuit.scope, (scope) => {
    for (const signal of scope.signals) signals.push(signal);
  });
  return signals;
};
