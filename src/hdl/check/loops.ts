import { UserError } from "../../base/error.ts";
import { alsoAt } from "../builder.ts";
import type { Circuit, FlatPort, Item, Loop, Place, Signal, Statement } from "../circuit.ts";
import type { Node, Select } from "../node.ts";
import { operandsOf } from "../node.ts";
import { depthOf, forEachItem, refsIn } from "./traverse.ts";

/** One combinational dependency: `place` depends on `value` (and, unless `bitwise`, each bit on all of it). */
interface Dependency {
  readonly place: Place;
  readonly value: Node;
  readonly bitwise: boolean;
  readonly loops: readonly Loop[];
}

/** For each output port of a finished module, the inputs that reach it without a register. */
const pathsThrough = new WeakMap<Circuit, ReadonlyMap<FlatPort, ReadonlySet<FlatPort>>>();

const combDependencies = (body: readonly Statement[], conditions: readonly Node[], loops: readonly Loop[]): Dependency[] =>
  body.flatMap((statement): Dependency[] => {
    switch (statement.kind) {
      case "set":
        return [
          { place: statement.place, value: statement.value, bitwise: true, loops },
          ...conditions.map((value) => ({ place: statement.place, value, bitwise: false, loops })),
        ];
      case "if": {
        const inner = [...conditions, statement.condition];
        return [...combDependencies(statement.body, inner, loops), ...combDependencies(statement.otherwise, inner, loops)];
      }
      case "case":
        return statement.arms.flatMap((arm) => combDependencies(arm.body, [...conditions, statement.subject], loops));
      default:
        return [];
    }
  });

const dependenciesOf = (item: Item, loops: readonly Loop[]): Dependency[] => {
  if (item.kind === "assign") return [{ place: item.place, value: item.value, bitwise: true, loops }];
  if (item.kind === "comb") return combDependencies(item.body, [], loops);
  if (item.kind === "read" && item.latency === 0) return [{ place: { signal: item.data }, value: item.address, bitwise: false, loops }];
  if (item.kind === "instance") {
    const paths = pathsThrough.get(item.child);
    return item.outputs.flatMap(({ port, place }) =>
      item.inputs.filter((input) => paths?.get(port)?.has(input.port) === true).map(({ value }) => ({ place, value, bitwise: false, loops })),
    );
  }
  return [];
};

/** Strongly connected part of a graph, as a path back to its start, or undefined. Iterative: graphs are deep. */
const findCycle = <T>(starts: Iterable<T>, next: (node: T) => Iterable<T>): T[] | undefined => {
  const state = new Map<T, "open" | "done">();
  for (const start of starts) {
    if (state.has(start)) continue;
    const stack = [{ node: start, rest: next(start)[Symbol.iterator]() }];
    state.set(start, "open");
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const step = top.rest.next();
      if (step.done === true) {
        state.set(top.node, "done");
        stack.pop();
      } else if (state.get(step.value) === "open") {
        return [...stack.slice(stack.findIndex((entry) => entry.node === step.value)).map((entry) => entry.node), step.value];
      } else if (!state.has(step.value)) {
        state.set(step.value, "open");
        stack.push({ node: step.value, rest: next(step.value)[Symbol.iterator]() });
      }
    }
  }
  return undefined;
};

/** Names of the source bits that bit `bit` of an expression depends on: exact through wiring and bitwise logic, all bits through arithmetic. */
const sourceBits = (root: Node, bit: number | undefined, at: (select: Select | undefined) => number): [Signal, number][] => {
  const found: [Signal, number][] = [];
  const stack: { node: Node; bit: number | undefined }[] = [{ node: root, bit }];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { node, bit: wanted } = top;
    if (node.op === "ref") {
      const dynamic = (node.select?.dynamic.length ?? 0) > 0;
      const low = dynamic ? 0 : at(node.select);
      const bits = dynamic ? node.signal.shape.width : node.width;
      if (wanted === undefined || dynamic) for (let i = 0; i < bits; i += 1) found.push([node.signal, low + i]);
      else found.push([node.signal, low + wanted]);
      for (const term of node.select?.dynamic ?? []) stack.push({ node: term.index, bit: undefined });
    } else {
      stack.push(...operandBits(node, wanted));
    }
  }
  return found;
};

const operandBits = (node: Node, wanted: number | undefined): { node: Node; bit: number | undefined }[] => {
  if (wanted === undefined) return operandsOf(node).map((inner) => ({ node: inner, bit: undefined }));
  switch (node.op) {
    case "cat": {
      let low = 0;
      for (const part of node.parts.toReversed()) {
        if (wanted < low + part.width) return [{ node: part, bit: wanted - low }];
        low += part.width;
      }
      return [];
    }
    case "slice":
      return [{ node: node.a, bit: node.low + wanted }];
    case "ext":
      return wanted < node.a.width ? [{ node: node.a, bit: wanted }] : node.signed ? [{ node: node.a, bit: node.a.width - 1 }] : [];
    case "not":
    case "cast":
    case "trunc":
    case "cross":
      return [{ node: node.a, bit: wanted }];
    case "and":
    case "or":
    case "xor":
      return [
        { node: node.a, bit: wanted },
        { node: node.b, bit: wanted },
      ];
    case "mux":
      return [
        { node: node.sel, bit: undefined },
        { node: node.a, bit: wanted },
        { node: node.b, bit: wanted },
      ];
    default:
      return operandsOf(node).map((inner) => ({ node: inner, bit: undefined }));
  }
};

/** Runs `visit` for each combination of the loops' values. */
const forEachIteration = (loops: readonly Loop[], visit: (values: ReadonlyMap<Loop, number>) => void): void => {
  const values = new Map<Loop, number>();
  const descend = (depth: number): void => {
    const loop = loops[depth];
    if (loop === undefined) {
      visit(values);
      return;
    }
    for (let value = 0; value < loop.count; value += 1) {
      values.set(loop, value);
      descend(depth + 1);
    }
  };
  descend(0);
};

/** Cycle through single bits, over the dependencies of the signals that lie on a cycle of whole signals. */
const bitCycle = (dependencies: readonly Dependency[]): string[] | undefined => {
  const ids = new Map<Signal, number>();
  const edges = new Map<string, string[]>();
  for (const { place, value, bitwise, loops } of dependencies) {
    forEachIteration(loops, (values) => {
      // What is declared inside a loop is another signal in each iteration.
      const key = (signal: Signal, bit: number): string => {
        if (!ids.has(signal)) ids.set(signal, ids.size);
        const iteration = loops.slice(0, depthOf(signal.scope)).map((loop) => values.get(loop));
        return `${signal.name}[${bit}]#${ids.get(signal)}.${iteration.join(".")}`;
      };
      const offset = (select: Select | undefined): number =>
        (select?.constant ?? 0) + (select?.loops ?? []).reduce((sum, term) => sum + term.stride * (values.get(term.loop) ?? 0), 0);
      const low = offset(place.select);
      const width = place.select?.width ?? place.signal.shape.width;
      for (let bit = 0; bit < width; bit += 1) {
        const target = key(place.signal, low + bit);
        for (const [signal, source] of sourceBits(value, bitwise ? bit : undefined, offset)) {
          const from = key(signal, source);
          const targets = edges.get(from);
          if (targets === undefined) edges.set(from, [target]);
          else targets.push(target);
        }
      }
    });
  }
  return findCycle(edges.keys(), (node) => edges.get(node) ?? []);
};

/** No signal depends on itself without a register in between, through instances and bit by bit. */
export const checkLoops = (circuit: Circuit): void => {
  const dependencies: Dependency[] = [];
  forEachItem(circuit.scope, (item, loops) => dependencies.push(...dependenciesOf(item, loops)));
  const edges = new Map<Signal, Set<Signal>>();
  for (const { place, value } of dependencies)
    for (const { signal } of refsIn(value)) {
      const targets = edges.get(signal) ?? new Set();
      edges.set(signal, targets.add(place.signal));
    }
  const coarse = findCycle(edges.keys(), (signal) => edges.get(signal) ?? []);
  if (coarse !== undefined) {
    const exact = bitCycle(dependencies);
    if (exact !== undefined) {
      const [start, second] = coarse;
      const other = second === undefined || second === start ? "" : `; ${alsoAt(`\`${second.name}\` declared`, second.site)}`;
      throw new UserError("combinational-loop", `combinational loop: ${exact.map((bit) => bit.replace(/#[\d.]+$/, "")).join(" -> ")}`, {
        where: start?.site.location,
        hint: `put a register in the path${other}`,
      });
    }
  }
  pathsThrough.set(circuit, portPaths(circuit, edges));
};

const portPaths = (circuit: Circuit, edges: ReadonlyMap<Signal, ReadonlySet<Signal>>): ReadonlyMap<FlatPort, ReadonlySet<FlatPort>> => {
  const paths = new Map<FlatPort, Set<FlatPort>>();
  const portOf = new Map(circuit.portSignals.map((signal, index) => [signal, circuit.ports[index]] as const));
  for (const [start, port] of portOf) {
    if (port?.direction !== "input") continue;
    const seen = new Set<Signal>();
    const stack = [start];
    for (let signal = stack.pop(); signal !== undefined; signal = stack.pop()) {
      if (seen.has(signal)) continue;
      seen.add(signal);
      const reached = portOf.get(signal);
      if (reached?.direction === "output") paths.set(reached, (paths.get(reached) ?? new Set()).add(port));
      stack.push(...(edges.get(signal) ?? []));
    }
  }
  return paths;
};
