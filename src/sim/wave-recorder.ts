import { UserError } from "../base/error.ts";
import type { Circuit, Item, Scope } from "../hdl/circuit.ts";
import type { Shape } from "../hdl/shape.ts";
import { sint, uint } from "../hdl/shape.ts";
import { keptCycles, type RecordedWave } from "./ascii-wave.ts";
import { matchPorts } from "./check-ports.ts";
import { readBig } from "./codec.ts";
import { stepBlock } from "./embedded.ts";
import type { BlockPlan, Engine, InternalSignal, PortPlace } from "./engine.ts";
import { InternalSignals } from "./internal-signals.ts";
import type { SimSource } from "./source.ts";

interface Probe {
  readonly name: string;
  readonly shape: Shape;
  readonly values: bigint[];
  readonly read: () => bigint;
}

/** Shape of a signal inside a circuit, which says more than its width; undefined where the path leads out of the language. */
const shapeInside = (circuit: Circuit, path: string): Shape | undefined => {
  const steps = path.split(".").map((step) => step.replace(/\[\d+\]$/, ""));
  const leaf = steps.pop();
  let scope: Scope | undefined = circuit.scope;
  let { portSignals } = circuit;
  for (const step of steps) {
    const item: Item | undefined = scope?.items.find((item) => (item.kind === "repeat" ? item.loop.label : item.kind === "instance" ? item.name : "") === step);
    portSignals = item?.kind === "instance" ? item.child.portSignals : [];
    scope = item?.kind === "instance" ? item.child.scope : item?.kind === "repeat" ? item.scope : undefined;
  }
  const signal = [...portSignals, ...(scope?.signals ?? [])].find(({ name }) => name === leaf);
  const memory = scope?.memories.find(({ name }) => name === leaf);
  return signal?.shape ?? (memory?.element.signed === true ? sint(memory.element.width) : undefined);
};

/** Names of a wave that are no ports: paths of signals inside the design. */
export const pathsOf = (source: SimSource, names: readonly string[]): string[] => {
  const ports = new Set([...source.ports.map(({ path }) => path.join(".")), ...source.clocks.flatMap(({ clk, rst }) => [clk, rst])]);
  return names.filter((name) => !ports.has(name));
};

/** An engine that also keeps the values of some signals just before each rising edge of the first clock. */
export class WaveRecorder implements Engine {
  readonly words: Uint32Array;
  readonly places: ReadonlyMap<string, PortPlace>;
  readonly #engine: Engine;
  readonly #period: number;
  readonly #probes: readonly Probe[];
  #last = -1;

  /**
   * `names` are ports by their keys joined with dots, resets, and paths of signals inside the design. `period` is the first clock's, in thousandths of a nanosecond.
   * @throws UserError for a name that can't be recorded.
   */
  constructor(engine: Engine, source: SimSource, names: readonly string[], period: number) {
    this.words = engine.words;
    this.places = engine.places;
    this.#engine = engine;
    this.#period = period;
    const inside = new Set(pathsOf(source, names));
    const signals = new InternalSignals(engine);
    const ports = matchPorts(source, engine.places);
    if (source.clocks.length === 0) throw new UserError("no-clock", `\`${source.top}\` has no clock, at whose edges a wave could be recorded`);
    this.#probes = names.map((name) => {
      if (inside.has(name)) return insideProbe(name, signals.find(name), source.circuit);
      if (source.clocks.some(({ clk }) => clk === name))
        throw new UserError("bad-wave", `\`${name}\` is a clock, and a wave has the values at the edges of the first clock`);
      const port = ports.find(({ path }) => path.join(".") === name);
      const { value, width } = engine.places.get(port?.name ?? name)!;
      return { name, shape: port?.shape ?? uint(width), values: [], read: () => readBig(engine.words, value, 0, width, false) };
    });
  }

  /** What is kept. @throws UserError before the first edge. */
  get recorded(): RecordedWave {
    const length = Math.min(this.#probes[0]?.values.length ?? 0, keptCycles);
    if (length === 0) throw new UserError("no-wave", "the wave is empty: it has no signal or there was no edge yet");
    return { first: this.#last - length + 1, last: this.#last, signals: this.#probes.map((probe) => ({ ...probe, values: probe.values.slice(-length) })) };
  }

  get cycle(): number {
    return this.#engine.cycle;
  }

  settle(): void {
    this.#engine.settle();
  }

  cycles(count: number): void {
    for (let i = 0; i < count; i++) {
      this.#low();
      this.#high();
    }
  }

  edge(): void {
    this.#sample();
    this.#engine.edge();
  }

  fall(clocks: number, time: number | undefined): void {
    this.#engine.fall(clocks, time);
  }

  rise(clocks: number, time: number): void {
    if ((clocks & 1) !== 0) this.#sample();
    this.#engine.rise(clocks, time);
  }

  block(plan: BlockPlan): number {
    return stepBlock(
      this.words,
      plan,
      () => this.#low(),
      () => this.#high(),
    );
  }

  locate(path: string): InternalSignal {
    return this.#engine.locate(path);
  }

  close(): void {
    this.#engine.close();
  }

  #low(): void {
    const { cycle } = this;
    this.#engine.fall(1, cycle === 0 ? 0 : cycle * this.#period + this.#period / 2);
  }

  #high(): void {
    this.rise(1, (this.cycle + 1) * this.#period);
  }

  #sample(): void {
    this.#last = this.cycle;
    for (const { values, read } of this.#probes) {
      values.push(read());
      if (values.length === 2 * keptCycles) values.splice(0, keptCycles);
    }
  }
}

const insideProbe = (name: string, { signal, element }: ReturnType<InternalSignals["find"]>, circuit: Circuit | undefined): Probe => {
  if (signal.memory !== undefined && !/\[\d+\]$/.test(name))
    throw new UserError("bad-wave", `\`${name}\` is a memory; a wave takes one of its words, as in \`${name}[${signal.memory.low}]\``);
  const shape = (circuit === undefined ? undefined : shapeInside(circuit, name)) ?? uint(signal.width);
  return { name, shape, values: [], read: () => readBig(signal.read(element), 0, 0, signal.width, false) };
};
