import type { Circuit, ClockDomain, Signal, Statement } from "../../hdl/circuit.ts";
import { readBig, writeBig } from "../codec.ts";
import { type Core, placePorts, stepBlock } from "../embedded.ts";
import { type BlockPlan, type InternalSignal, type NamedSignal, type PortPlace, wordsOf } from "../engine.ts";
import { SimulationError } from "../error.ts";
import { Garbage } from "../garbage.ts";
import { type Cell, type Design, type Environment, elaborate, type Step } from "./elaborate.ts";
import { type Changes, Evaluator, type Write, wordAt } from "./evaluate.ts";

const targets = (body: readonly Statement[]): Signal[] =>
  body.flatMap((statement) => {
    if (statement.kind === "set") return [statement.place.signal];
    if (statement.kind === "if") return targets([...statement.body, ...statement.otherwise]);
    return statement.kind === "case" ? statement.arms.flatMap((arm) => targets(arm.body)) : [];
  });

/** Gives signals their new values; true where one differs. */
const commit = (changes: Changes): boolean => {
  const differ = [...changes].some(([cell, value]) => cell.value !== value);
  for (const [cell, value] of changes) cell.value = value;
  return differ;
};

/** The resets of a step, as far as it has any. */
const reset = ({ env, item }: Step, into: Changes, line: bigint[] | undefined): void => {
  if (item.kind === "delay" && item.reset) line?.fill(0n);
  if (item.kind !== "sync") return;
  for (const signal of targets(item.body)) if (signal.reset !== undefined) into.set(env.cells.get(signal)!, BigInt.asUintN(signal.shape.width, signal.reset));
};

/** What the wires that an item drives become. */
const drive = ({ env, item, child, line }: Step): Changes => {
  const into: Changes = new Map();
  const at = new Evaluator(env, into);
  const port = ({ circuit, cells }: Environment, name: string): Cell => cells.get(circuit.portSignals.find((signal) => signal.name === name)!)!;
  if (item.kind === "assign") at.set(item.place, at.bits(item.value), into);
  else if (item.kind === "discard") at.set(item, at.bits({ op: "parity", a: item.value, width: 1, signed: false }), into);
  else if (item.kind === "comb") at.run(item.body, into, []);
  else if (item.kind === "delay") at.set({ signal: item.data }, line!.at(-1)!, into);
  else if (item.kind === "instance") {
    for (const input of item.inputs) into.set(port(child!, input.port.name), at.bits(input.value));
    for (const output of item.outputs) at.set(output.place, port(child!, output.port.name).value, into);
  } else if (item.kind === "read" && (item.latency === 0 || item.heldAddress !== undefined)) {
    const address = item.heldAddress === undefined ? at.bits(item.address) : env.cells.get(item.heldAddress)!.value;
    at.set({ signal: item.data }, wordAt(env.memories.get(item.memory)!, address), into);
  }
  return into;
};

/** What a read port and a delay line take at an edge; `writes` are those of the same edge. */
const take = (step: Step, into: Changes, writes: readonly Write[]): void => {
  const { env, item } = step;
  const at = new Evaluator(env);
  if ((item.kind !== "read" && item.kind !== "delay") || (item.enable !== undefined && at.bits(item.enable) === 0n)) return;
  if (item.kind === "delay") step.line = [at.bits(item.value), ...step.line!.slice(0, -1)];
  else if (item.heldAddress !== undefined) at.set({ signal: item.heldAddress }, at.bits(item.address), into);
  else {
    const address = at.bits(item.address);
    const words = env.memories.get(item.memory)!;
    const collides = item.collision === "undefined" && writes.some((write) => write.words === words && write.address === address && write.mask !== 0n);
    const { name, shape } = item.data;
    at.set({ signal: item.data }, collides ? env.garbage.bits(`${name} collision`, shape.width) : wordAt(words, address), into);
  }
};

/**
 * The language's semantics, slow and obvious: combinational items run in order, again and again, until nothing changes; at an edge
 * everything clocked looks at the values from before it. Undefined state is as `Garbage` says.
 */
export class ReferenceCore implements Core {
  readonly words: Uint32Array;
  readonly places: ReadonlyMap<string, PortPlace>;
  cycle = 0;
  readonly #name: string;
  readonly #top: Environment;
  readonly #design: Design = { steps: [], cells: [], memories: [] };

  constructor(circuit: Circuit, { seed, top }: { readonly seed: number; readonly top: string }) {
    const { places, size } = placePorts(circuit);
    this.places = places;
    this.words = new Uint32Array(size);
    this.#name = top;
    const clocks = new Map(circuit.clocks.map(({ key }, index) => [key, index]));
    this.#top = { circuit, path: [], garbage: new Garbage(seed), clocks, loops: new Map(), cells: new Map(), memories: new Map() };
    elaborate(this.#design, this.#top, circuit.scope, circuit.portSignals);
  }

  settle(): void {
    const { circuit, cells } = this.#top;
    for (const { rst } of circuit.clocks) if (rst !== undefined) this.words[this.places.get(rst)!.value] = this.words[this.places.get(rst)!.pending]! & 1;
    for (const signal of circuit.portSignals)
      if (signal.role === "input") cells.get(signal)!.value = readBig(this.words, this.places.get(signal.name)!.pending, 0, signal.shape.width, false);
    const resets: Changes = new Map();
    for (const step of this.#design.steps) {
      const { env, item } = step;
      if ((item.kind === "sync" || item.kind === "delay") && item.domain.reset === "async" && this.#inReset(env, item.domain)) reset(step, resets, step.line);
    }
    commit(resets);
    this.#evaluate();
  }

  rise(clocks: number): void {
    const edge = this.#design.steps.filter(
      ({ env, item }) => "domain" in item && item.domain !== undefined && (clocks & (1 << env.clocks.get(item.domain.key)!)) !== 0,
    );
    for (const { env, item } of edge) {
      if (item.kind !== "assert" && item.kind !== "assume") continue;
      const guarded = env.circuit.clocks.find(({ key }) => key === item.domain.key)?.rst !== undefined && this.#inReset(env, item.domain);
      if (guarded || new Evaluator(env).bits(item.condition) === 1n) continue;
      throw SimulationError.property([this.#name, ...env.path, item.name].join("."), this.cycle, item.site.location);
    }
    const next: Changes = new Map();
    const writes: Write[] = [];
    for (const { env, item } of edge) if (item.kind === "sync") new Evaluator(env).run(item.body, next, writes);
    for (const step of edge) take(step, next, writes);
    for (const step of edge) if ("domain" in step.item && this.#inReset(step.env, step.item.domain!)) reset(step, next, step.line);
    commit(next);
    for (const { words, address, data, mask } of writes)
      if (address < words.memory.depth) words.written.set(address, (wordAt(words, address) & ~mask) | (data & mask));
    if ((clocks & 1) !== 0) this.cycle++;
    this.#evaluate();
  }

  cycles(count: number): void {
    for (let i = 0; i < count; i++) {
      this.settle();
      this.rise(1);
    }
  }

  block(plan: BlockPlan): number {
    return stepBlock(
      this.words,
      plan,
      () => this.settle(),
      () => this.rise(1),
    );
  }

  locate(path: string): InternalSignal | undefined {
    const toWords = (value: bigint, width: number): Uint32Array => {
      const words = new Uint32Array(wordsOf(width));
      writeBig(words, 0, 0, width, value);
      return words;
    };
    const cell = this.#design.cells.find((candidate) => candidate.path.join(".") === path);
    if (cell !== undefined) {
      const { width } = cell.signal.shape;
      const write = (_: number, words: Uint32Array): void => void (cell.value = readBig(words, 0, 0, width, false));
      return { width, memory: undefined, read: () => toWords(cell.value, width), write };
    }
    const found = this.#design.memories.find((candidate) => candidate.path.join(".") === path);
    if (found === undefined) return undefined;
    const { width } = found.memory.element;
    const write = (element: number, words: Uint32Array): void => void found.written.set(BigInt(element), readBig(words, 0, 0, width, false));
    return { width, memory: { low: 0, length: found.memory.depth }, read: (element) => toWords(wordAt(found, BigInt(element)), width), write };
  }

  signals(): NamedSignal[] {
    return this.#design.cells.map((cell) => ({ path: cell.path, width: cell.signal.shape.width, read: () => cell.value }));
  }

  close(): void {}

  #inReset(env: Environment, { key }: ClockDomain): boolean {
    const { rst, activeLow } = this.#top.circuit.clocks[env.clocks.get(key)!]!;
    return rst !== undefined && this.words[this.places.get(rst)!.value] === Number(!activeLow);
  }

  #evaluate(): void {
    for (let changed = true; changed; ) {
      changed = false;
      for (const step of this.#design.steps) changed = commit(drive(step)) || changed;
    }
    for (const [signal, { value }] of this.#top.cells) {
      const place = this.places.get(signal.name);
      if (place !== undefined) writeBig(this.words, place.value, 0, place.width, value);
    }
  }
}
