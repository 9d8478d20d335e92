import { clog2 } from "../../base/clog2.ts";
import type { Circuit, Instance, Item, Loop, Memory, Scope, Signal } from "../../hdl/circuit.ts";
import type { Garbage } from "../garbage.ts";
import { Evaluator } from "./evaluate.ts";

/** What holds bits: a signal, a word of a memory or an element of a delay line, of one instance and iteration. Unsigned. */
export interface Cell {
  readonly name: string;
  readonly path: readonly string[];
  readonly width: number;
  readonly garbage: Garbage;
  value: bigint;
}

/** A clock as a module sees it: which of the top's clocks it is, and whether the module is in reset now. */
export interface Clocking {
  readonly clock: number;
  readonly inReset: () => boolean;
}

/** One instance of a module, or one iteration of a generate loop in it: what names stand for. */
export interface Environment {
  readonly circuit: Circuit;
  readonly path: readonly string[];
  readonly garbage: Garbage;
  /** By key. */
  readonly clocks: ReadonlyMap<string, Clocking>;
  readonly loops: ReadonlyMap<Loop, number>;
  readonly cells: Map<Signal, Cell>;
  /** A word for each value that an address can have. */
  readonly memories: Map<Memory, Cell[]>;
}

/** Something to do: with an instance goes the environment inside it, with a delay its elements, newest first. */
export interface Step {
  readonly env: Environment;
  readonly item: Item;
  readonly child?: Environment;
  readonly line?: readonly Cell[];
}

/** Clocks of an instance. It is in reset while its parent is, where the parent has a reset, and while its derived reset is 1. */
const clocksOf = (env: Environment, { clocks, reset }: Instance): Environment["clocks"] =>
  new Map(
    clocks.map(({ child, parent }) => {
      const { clock, inReset } = env.clocks.get(parent.key)!;
      const derived = child.key === "" ? reset : undefined;
      const inEither = (): boolean => inReset() || (derived !== undefined && new Evaluator(env, new Map(), false).bits(derived) === 1n);
      return [child.key, { clock, inReset: child.rst === undefined ? () => false : inEither }];
    }),
  );

/** Declares what a scope has, and adds what it does to `steps`; an instance comes after the steps inside it. */
export const elaborate = (env: Environment, { signals, memories, items }: Scope, ports: readonly Signal[], steps: Step[]): void => {
  const { path, garbage, loops } = env;
  const cell = (name: string, width: number, value: bigint): Cell => ({ name, path: [...path, name], width, garbage, value: BigInt.asUintN(width, value) });
  for (const signal of [...ports, ...signals]) {
    const { name, role, shape, initial } = signal;
    env.cells.set(signal, cell(name, shape.width, role === "reg" ? (initial ?? garbage.bits(name, shape.width)) : 0n));
  }
  for (const memory of memories) {
    const { name, depth, element, initial } = memory;
    const word = (_: unknown, address: number): Cell => cell(name, element.width, initial?.[address] ?? garbage.bits(name, element.width, address));
    env.memories.set(memory, Array.from({ length: 2 ** clog2(depth) }, word));
  }
  for (const item of items) {
    if (item.kind === "repeat") {
      for (let i = 0; i < item.loop.count; i++) {
        const here = { path: [...path, `${item.loop.label}[${i}]`], garbage: garbage.child(item.loop.label, i), loops: new Map(loops).set(item.loop, i) };
        elaborate({ ...env, ...here, cells: new Map(env.cells), memories: new Map(env.memories) }, item.scope, [], steps);
      }
    } else if (item.kind === "instance") {
      const { name, child: inner } = item;
      const clocks = clocksOf(env, item);
      const child = { circuit: inner, path: [...path, name], garbage: garbage.child(name), clocks, loops: new Map(), cells: new Map(), memories: new Map() };
      elaborate(child, inner.scope, inner.portSignals, steps);
      steps.push({ env, item, child });
    } else if (item.kind === "delay") {
      const { name, shape } = item.data;
      const length = item.cycles.terms.reduce((sum, { loop, factor }) => sum + factor * loops.get(loop)!, item.cycles.constant);
      const line = Array.from({ length }, (_, age) => cell(`${name}_line`, shape.width, garbage.bits(name, shape.width, age)));
      steps.push({ env, item, line });
    } else steps.push({ env, item });
  }
};
