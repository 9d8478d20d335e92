import type { Circuit } from "../../hdl/circuit.ts";
import type { Core } from "../embedded.ts";
import type { BlockPlan, InternalSignal, NamedSignal, PortPlace } from "../engine.ts";
import { wordsOf } from "../engine.ts";
import { SimulationError } from "../error.ts";
import { Garbage } from "../garbage.ts";
import { type BlockLoop, blockKey, blockModule, runBlock, stageBytes } from "./block.ts";
import { compile } from "./compile.ts";
import { type Flat, flatten } from "./flatten.ts";
import { Image } from "./image.ts";
import { type Exports, instantiate } from "./instance.ts";
import type { Net } from "./net.ts";
import { store } from "./storage.ts";

export interface WasmOptions {
  readonly seed: number;
  /** Names of wires that can be read, without their hierarchy; "all" for waveforms. Registers and memories always can. */
  readonly visible: readonly string[] | "all";
  /** `scalar` computes cells of grids one by one. Default: in vectors, where nothing inside them has to be visible. */
  readonly grids?: "scalar";
  /** Nodes that one function may hold: larger ones take V8's compiler more than their share of time. Default 2500. */
  readonly functionSize?: number;
}

const isState = (net: Net): boolean => net.driver?.kind === "register" || net.driver?.kind === "line" || net.driver?.kind === "input";

const lastOf = ({ path }: { readonly path: readonly string[] }): string => path.at(-1)!;

/** Flat, with grids where all that has to be visible stays so. */
const flattenFor = (circuit: Circuit, { seed, visible, grids }: WasmOptions): Flat => {
  const garbage = new Garbage(seed);
  if (grids === "scalar" || visible === "all") return flatten(circuit, garbage, true);
  const flat = flatten(circuit, garbage);
  if (flat.grids.length === 0 || visible.length === 0) return flat;
  const names = new Set([
    ...flat.signals.map(lastOf),
    ...flat.memories.map(lastOf),
    ...flat.grids.flatMap(({ grid }) => grid.registers.map(({ net }) => net.name)),
  ]);
  return visible.every((name) => names.has(name)) ? flat : flatten(circuit, garbage, true);
};

const shownNets = (flat: Flat, visible: WasmOptions["visible"]): Net[] => {
  const names = new Set(visible === "all" ? [] : visible);
  const shown = flat.signals.filter((signal) => visible === "all" || names.has(lastOf(signal)));
  return [...new Set(shown.flatMap(({ nets }) => nets))].filter((net) => !isState(net));
};

/** A circuit compiled to WebAssembly in this process. */
class WasmCore implements Core {
  readonly words: Uint32Array;
  readonly places: ReadonlyMap<string, PortPlace>;
  readonly #flat: Flat;
  readonly #image: Image;
  readonly #exports: Exports;
  readonly #memory: Uint8Array;
  /** Room for columns of blocks. */
  readonly #stage: { readonly start: number; readonly size: number };
  readonly #link: (module: Uint8Array) => BlockLoop;
  readonly #loops = new Map<string, BlockLoop>();
  readonly #edges: readonly (() => void)[];
  readonly #commits: readonly (() => void)[];
  /** Pairs of words: where an input waits, and where it is in use. */
  readonly #inputs: readonly { readonly pending: number; readonly value: number; readonly words: number }[];

  constructor(circuit: Circuit, options: WasmOptions) {
    this.#flat = flattenFor(circuit, options);
    const storage = store(this.#flat);
    const compiled = compile(this.#flat, storage, shownNets(this.#flat, options.visible), options.functionSize ?? 2500);
    this.#stage = { start: compiled.end, size: stageBytes(storage.places.values()) };
    const { buffer, exports, link } = instantiate(compiled.bytes, compiled.end + this.#stage.size, (index) => this.#fail(index));
    this.#exports = exports;
    this.#link = (module) => link(module)["block"] as BlockLoop;
    this.#memory = new Uint8Array(buffer);
    this.#image = new Image(buffer, storage, (clock) => (exports[`g${clock}`] as { readonly value: number }).value);
    this.#image.fill(this.#flat);
    this.words = new Uint32Array(buffer, 0, storage.portWords);
    this.places = storage.places;
    this.#edges = circuit.clocks.map((_, clock) => this.#exports[`edge${clock}`] as () => void);
    this.#commits = circuit.clocks.map((_, clock) => this.#exports[`commit${clock}`] as () => void);
    const clocks = new Set(circuit.clocks.map(({ clk }) => clk));
    this.#inputs = [...storage.places.values()]
      .filter(({ name, direction }) => direction === "input" && !clocks.has(name))
      .map(({ pending, value, width }) => ({ pending, value, words: wordsOf(width) }));
  }

  get cycle(): number {
    return this.#image.cycle;
  }

  settle(): void {
    this.#takeInputs();
    this.#exports.evaluate();
  }

  rise(clocks: number): void {
    this.#image.rising = clocks;
    if (clocks === 1) {
      this.#edges[0]!();
      this.#commits[0]!();
    } else {
      this.#edges.forEach((edge, clock) => (clocks & (1 << clock)) !== 0 && edge());
      this.#commits.forEach((commit, clock) => (clocks & (1 << clock)) !== 0 && commit());
    }
    this.#exports.evaluate();
  }

  cycles(count: number): void {
    if (count === 0) return;
    this.settle();
    this.#image.rising = 1;
    this.#exports.cycles(count);
    this.#exports.evaluate();
  }

  block(plan: BlockPlan): number {
    if (plan.cycles === 0) return plan.records;
    this.#takeInputs();
    this.#image.rising = 1;
    try {
      return runBlock(plan, this.#memory, this.#stage, this.#loopFor(plan));
    } finally {
      // The inputs keep the values of the last cycle that ran.
      for (const { place } of plan.inputs) for (let i = 0; i < wordsOf(place.width); i++) this.words[place.pending + i] = this.words[place.value + i]!;
      this.#exports.evaluate();
    }
  }

  locate(path: string): InternalSignal | undefined {
    return this.#image.locate(this.#flat, path);
  }

  signals(): NamedSignal[] {
    return this.#flat.signals.flatMap((signal): NamedSignal[] => {
      const read = this.#image.reader(signal);
      return read === undefined ? [] : [{ path: signal.path, width: signal.width, read }];
    });
  }

  #loopFor(plan: BlockPlan): BlockLoop {
    const key = blockKey(plan);
    let loop = this.#loops.get(key);
    if (loop === undefined) {
      loop = this.#link(blockModule(plan));
      this.#loops.set(key, loop);
    }
    return loop;
  }

  #takeInputs(): void {
    const { words } = this;
    for (const { pending, value, words: count } of this.#inputs) {
      words[value] = words[pending]!;
      for (let i = 1; i < count; i++) words[value + i] = words[pending + i]!;
    }
  }

  #fail(index: number): never {
    const { property, hierarchy } = this.#flat.checks[index]!;
    throw SimulationError.property(hierarchy, this.cycle, property.site.location);
  }
}

/** Compiles a circuit and fills its state. */
export const wasmCore = (circuit: Circuit, options: WasmOptions): Core => new WasmCore(circuit, options);
