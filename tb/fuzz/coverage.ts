import { forEachItem, forEachScope, forEachStatement, readsOf, writesOf } from "../../src/hdl/check/traverse.ts";
import { type Circuit, childrenOf, type Instance, type Item, type Signal } from "../../src/hdl/circuit.ts";
import { type Node, type Select, walk } from "../../src/hdl/node.ts";

/** All that random circuits have to contain, so that a kind that drops out of the recipes is noticed. */
export const kinds: readonly string[] =
  `lit, ref, add, sub, mul, and, or, xor, eq, ne, lt, le, gt, ge, shl, shr, neg, not, ext, cast, trunc, cross, any, all, parity, slice, mux, cat,
  shl by a value, shr by a value, signed shr, constant part, part by a loop, part by a signal, part by loop and signal,
  assign, comb, sync, repeat, discard, instance, read, delay, assert, assume, cover, set, set a part,
  set a part by a signal, if, else, case, case with unused encodings, write, masked write, states, vector, vector of vectors, 1 bit, 2 to 32 bits,
  33 to 64 bits, 65 to 128 bits, more than 128 bits, register with a reset, register without, initial value, initial contents, part of the contents,
  depth not a power of two, latency 0, latency 1, collision old, collision new, collision undefined, read with an enable, delay with an enable,
  delay with a reset, growing delay, one clock, two clocks, three clocks, no clock, synchronous reset, asynchronous reset, no reset, active low,
  active high, two levels, a child used twice, nested loops, instance in a loop, derived reset, derived reset in a loop, reset of the other polarity`.split(
    /,\s+/,
  );

const selectKinds = ({ loops, dynamic }: Select): string[] => [
  ...(loops.length === 0 && dynamic.length === 0 ? ["constant part"] : []),
  ...(loops.length > 0 ? ["part by a loop"] : []),
  ...(dynamic.length > 0 ? ["part by a signal"] : []),
  ...(loops.length > 0 && dynamic.length > 0 ? ["part by loop and signal"] : []),
];

const nodeKinds = (node: Node): string[] => {
  if (node.op === "ref") return ["ref", ...(node.select === undefined ? [] : selectKinds(node.select))];
  const { op } = node;
  const by = (op === "shl" || op === "shr") && typeof node.amount !== "number" ? [`${op} by a value`] : [];
  return [op, ...by, ...(op === "shr" && node.signed ? ["signed shr"] : [])];
};

const resetKinds = ({ reset, clocks }: Instance, loops: number): string[] => [
  ...(reset === undefined ? [] : ["derived reset", ...(loops > 0 ? ["derived reset in a loop"] : [])]),
  ...(clocks.some(({ child, parent }) => child.rst !== undefined && child.activeLow !== parent.activeLow) ? ["reset of the other polarity"] : []),
];

const itemKinds = (item: Item, loops: number): string[] => {
  switch (item.kind) {
    case "read":
      return [
        `latency ${item.latency}`,
        ...(item.latency === 1 ? [`collision ${item.collision}`] : []),
        ...(item.enable === undefined ? [] : ["read with an enable"]),
      ];
    case "delay":
      return [
        ...(item.enable === undefined ? [] : ["delay with an enable"]),
        ...(item.reset ? ["delay with a reset"] : []),
        ...(item.cycles.terms.length > 0 ? ["growing delay"] : []),
      ];
    case "instance":
      return [...(loops > 0 ? ["instance in a loop"] : []), ...resetKinds(item, loops)];
    case "comb":
    case "sync": {
      const found: string[] = [];
      forEachStatement(item.body, (statement) => {
        found.push(statement.kind);
        if (statement.kind === "set" && statement.place.select !== undefined)
          found.push(statement.place.select.dynamic.length > 0 ? "set a part by a signal" : "set a part");
        if (statement.kind === "if" && statement.otherwise.length > 0) found.push("else");
        if (statement.kind === "case" && statement.arms.length < 2 ** statement.subject.width) found.push("case with unused encodings");
        if (statement.kind === "write" && statement.mask !== undefined) found.push("masked write");
      });
      return found;
    }
    default:
      return [];
  }
};

const signalKinds = ({ shape, role, reset, initial }: Signal): string[] => {
  const { width } = shape;
  const size = width === 1 ? "1 bit" : width <= 32 ? "2 to 32 bits" : width <= 64 ? "33 to 64 bits" : width <= 128 ? "65 to 128 bits" : "more than 128 bits";
  return [
    size,
    ...(shape.kind === "enum" ? ["states"] : []),
    ...(shape.kind === "vec" ? [shape.element.kind === "vec" ? "vector of vectors" : "vector"] : []),
    ...(role === "reg" ? [reset === undefined ? "register without" : "register with a reset"] : []),
    ...(role === "reg" && initial !== undefined ? ["initial value"] : []),
  ];
};

/** Counts what random circuits contain. */
export class Coverage {
  readonly counts = new Map<string, number>(kinds.map((kind) => [kind, 0]));

  #add(kind: string): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }

  get missing(): string[] {
    return kinds.filter((kind) => this.counts.get(kind) === 0);
  }

  addTop(circuit: Circuit): void {
    this.#add(["no clock", "one clock", "two clocks", "three clocks"][circuit.clocks.length]!);
    for (const { reset, rst, activeLow } of circuit.clocks) {
      this.#add(rst === undefined ? "no reset" : reset === "async" ? "asynchronous reset" : "synchronous reset");
      if (rst !== undefined) this.#add(activeLow ? "active low" : "active high");
    }
    if (childrenOf(circuit).some((child) => childrenOf(child).length > 0)) this.#add("two levels");
    this.#addModule(circuit);
  }

  #addModule(circuit: Circuit): void {
    const instances: Circuit[] = [];
    for (const signal of circuit.portSignals) for (const kind of signalKinds(signal)) this.#add(kind);
    forEachScope(circuit.scope, ({ signals, memories, items }) => {
      for (const signal of signals) for (const kind of signalKinds(signal)) this.#add(kind);
      for (const { depth, initial } of memories) {
        if (!Number.isInteger(Math.log2(depth))) this.#add("depth not a power of two");
        if (initial !== undefined) this.#add(initial.length < depth ? "part of the contents" : "initial contents");
      }
      for (const { kind } of items) if (kind === "repeat") this.#add(kind);
    });
    forEachItem(circuit.scope, (item, loops) => {
      this.#add(item.kind);
      if (loops.length > 1) this.#add("nested loops");
      for (const kind of itemKinds(item, loops.length)) this.#add(kind);
      for (const { expression } of readsOf(item)) walk(expression, (node) => nodeKinds(node).forEach((kind) => this.#add(kind)));
      for (const { place } of writesOf(item)) if (place.select !== undefined) for (const kind of selectKinds(place.select)) this.#add(kind);
      if (item.kind === "instance") instances.push(item.child);
    });
    for (const child of new Set(instances)) {
      if (instances.indexOf(child) !== instances.lastIndexOf(child)) this.#add("a child used twice");
      this.#addModule(child);
    }
  }

  /** The counts of node kinds as one text. */
  get nodes(): string {
    return kinds
      .slice(0, kinds.indexOf("shl by a value"))
      .map((kind) => `${kind} ${this.counts.get(kind)}`)
      .join(", ");
  }
}
