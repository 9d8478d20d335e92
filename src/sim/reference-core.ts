import type { Circuit, ClockDomain } from "../hdl/circuit.ts";
import { readBig, writeBig } from "./codec.ts";
import { type Core, internalSignal, placePorts } from "./embedded.ts";
import type { InternalSignal, NamedSignal, PortPlace } from "./engine.ts";
import { SimulationError } from "./error.ts";
import { Garbage } from "./garbage.ts";
import { type Cell, type Environment, elaborate, type Step } from "./reference/elaborate.ts";
import { Evaluator } from "./reference/evaluate.ts";
import { clockSteps, resetSteps, settleSteps } from "./reference/step.ts";

/** Whether a clocked step's module is in reset. */
const inReset = ({ env, item }: Step): boolean => "domain" in item && item.domain !== undefined && env.clocks.get(item.domain.key)!.inReset();

/**
 * The language's semantics as an engine: `reference` says what a circuit does at an edge and between edges, slow and obvious; here
 * it gets its ports, clocks and resets. Undefined state is as `Garbage` says.
 */
export class ReferenceCore implements Core {
  readonly words: Uint32Array;
  readonly places: ReadonlyMap<string, PortPlace>;
  cycle = 0;
  readonly #name: string;
  readonly #top: Environment;
  readonly #steps: Step[] = [];

  /** `top` is what the design is called in messages. */
  constructor(circuit: Circuit, { seed, top }: { readonly seed: number; readonly top: string }) {
    const { places, size } = placePorts(circuit);
    this.places = places;
    this.words = new Uint32Array(size);
    this.#name = top;
    const clocks = new Map(circuit.clocks.map((domain, clock) => [domain.key, { clock, inReset: () => this.#isActive(domain) }]));
    this.#top = { circuit, path: [], garbage: new Garbage(seed), clocks, loops: new Map(), cells: new Map(), memories: new Map() };
    elaborate(this.#top, circuit.scope, circuit.portSignals, this.#steps);
  }

  settle(): void {
    const { circuit, cells } = this.#top;
    for (const { rst } of circuit.clocks) {
      if (rst === undefined) continue;
      const { value, pending } = this.places.get(rst)!;
      this.words[value] = this.words[pending]! & 1;
    }
    for (const signal of circuit.portSignals)
      if (signal.role === "input") cells.get(signal)!.value = readBig(this.words, this.places.get(signal.name)!.pending, 0, signal.shape.width, false);
    resetSteps(this.#steps.filter((step) => "domain" in step.item && step.item.domain?.reset === "async" && inReset(step)));
    this.#evaluate();
  }

  rise(clocks: number): void {
    const edge = this.#steps.filter((step) => (clocks & (1 << this.#clockOf(step))) !== 0);
    for (const step of edge) this.#check(step);
    clockSteps(edge, inReset);
    if ((clocks & 1) !== 0) this.cycle++;
    this.#evaluate();
  }

  locate(path: string): InternalSignal | undefined {
    const cell = this.#cells().find((candidate) => candidate.path.join(".") === path);
    if (cell !== undefined) return internalSignal(cell.width, undefined, () => cell);
    const memories = this.#steps.flatMap(({ env }) => [...env.memories]);
    const [memory, words] = memories.find(([, [word]]) => word?.path.join(".") === path) ?? [];
    return memory && internalSignal(memory.element.width, memory.depth, (element) => words![element]!);
  }

  signals(): NamedSignal[] {
    return this.#cells().map((cell) => ({ path: cell.path, width: cell.width, read: () => cell.value }));
  }

  #cells(): Cell[] {
    return [...new Set(this.#steps.flatMap(({ env }) => [...env.cells.values()]))];
  }

  /** Number of the top's clock that a step goes by; 31, which no mask has, for what has no clock. */
  #clockOf({ env, item }: Step): number {
    return "domain" in item && item.domain !== undefined ? env.clocks.get(item.domain.key)!.clock : 31;
  }

  #isActive({ rst, activeLow }: ClockDomain): boolean {
    return rst !== undefined && this.words[this.places.get(rst)!.value] === Number(!activeLow);
  }

  /** Properties of a module that uses its reset need not hold during reset. */
  #check(step: Step): void {
    const { env, item } = step;
    if (item.kind !== "assert" && item.kind !== "assume") return;
    const guarded = env.circuit.clocks.some(({ key, rst }) => key === item.domain.key && rst !== undefined);
    if ((guarded && inReset(step)) || new Evaluator(env, new Map(), false).bits(item.condition) === 1n) return;
    throw SimulationError.property([this.#name, ...env.path, item.name].join("."), this.cycle, item.site.location);
  }

  #evaluate(): void {
    settleSteps(this.#steps);
    const { circuit, cells } = this.#top;
    for (const signal of circuit.portSignals) writeBig(this.words, this.places.get(signal.name)!.value, 0, signal.shape.width, cells.get(signal)!.value);
  }
}
