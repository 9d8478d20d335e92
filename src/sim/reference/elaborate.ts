import { UserError } from "../../base/error.ts";
import type { Circuit, Item, Loop, Memory, Scope, Signal } from "../../hdl/circuit.ts";
import type { Garbage } from "../garbage.ts";

/** A signal of one instance and iteration; its value is unsigned. */
export interface Cell {
  readonly signal: Signal;
  readonly path: readonly string[];
  readonly garbage: Garbage;
  value: bigint;
}

/** A memory of one instance and iteration; words that nothing has written are not in `written`. */
export interface Words {
  readonly memory: Memory;
  readonly path: readonly string[];
  readonly garbage: Garbage;
  readonly written: Map<bigint, bigint>;
}

/** One instance of a module, or one iteration of a generate loop in it: what names stand for. */
export interface Environment {
  readonly circuit: Circuit;
  readonly path: readonly string[];
  readonly garbage: Garbage;
  /** The module's clocks by key: which of the top's clocks they are. */
  readonly clocks: ReadonlyMap<string, number>;
  readonly loops: ReadonlyMap<Loop, number>;
  readonly cells: Map<Signal, Cell>;
  readonly memories: Map<Memory, Words>;
}

/** Something to do in an environment: `child` is the environment of an instance, `line` the elements of a delay, newest first. */
export interface Step {
  readonly env: Environment;
  readonly item: Item;
  readonly child?: Environment;
  line?: bigint[];
}

/** All that is in a design, in source order; an instance's step comes before those inside it and once more after them. */
export interface Design {
  readonly steps: Step[];
  readonly cells: Cell[];
  readonly memories: Words[];
}

/** Adds what an environment declares and does. @throws UserError for an instance of existing Verilog. */
export const elaborate = (design: Design, env: Environment, { signals, memories, items }: Scope, ports: readonly Signal[] = []): void => {
  const { path, garbage, circuit } = env;
  if (circuit.external !== undefined)
    throw new UserError("extern-module", `\`${circuit.name}\` is existing Verilog, which only Verilator can run`, {
      where: circuit.site.location,
      hint: 'simulate with engine: "verilator"',
    });
  for (const signal of [...ports, ...signals]) {
    const { width } = signal.shape;
    const start = signal.role === "reg" ? (signal.initial ?? garbage.bits(signal.name, width)) : 0n;
    const cell = { signal, path: [...path, signal.name], garbage, value: BigInt.asUintN(width, start) };
    env.cells.set(signal, cell);
    design.cells.push(cell);
  }
  for (const memory of memories) {
    const words = { memory, path: [...path, memory.name], garbage, written: new Map() };
    env.memories.set(memory, words);
    design.memories.push(words);
  }
  for (const item of items) {
    if (item.kind === "repeat") {
      for (let i = 0; i < item.loop.count; i++) {
        const here = { path: [...path, `${item.loop.label}[${i}]`], garbage: garbage.child(item.loop.label, i), loops: new Map(env.loops).set(item.loop, i) };
        elaborate(design, { ...env, ...here, cells: new Map(env.cells), memories: new Map(env.memories) }, item.scope);
      }
    } else if (item.kind === "instance") {
      const { name, child: circuit } = item;
      const clocks = new Map(item.clocks.map((pair) => [pair.child.key, env.clocks.get(pair.parent.key)!]));
      const child = { circuit, path: [...path, name], garbage: garbage.child(name), clocks, loops: new Map(), cells: new Map(), memories: new Map() };
      design.steps.push({ env, item, child });
      elaborate(design, child, circuit.scope, circuit.portSignals);
      design.steps.push({ env, item, child });
    } else if (item.kind === "delay") {
      const length = item.cycles.terms.reduce((sum, { loop, factor }) => sum + factor * env.loops.get(loop)!, item.cycles.constant);
      design.steps.push({ env, item, line: Array.from({ length }, (_, age) => garbage.bits(item.data.name, item.data.shape.width, age)) });
    } else design.steps.push({ env, item });
  }
};
