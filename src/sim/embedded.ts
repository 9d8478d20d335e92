import { UserError } from "../base/error.ts";
import type { Circuit } from "../hdl/circuit.ts";
import { readBig, writeBig } from "./codec.ts";
import type { BlockPlan, Engine, InternalSignal, NamedSignal, PortPlace } from "./engine.ts";
import { bytesOf, columnBytes, wordsOf } from "./engine.ts";
import { VcdWriter } from "./vcd.ts";

/** What simulates a circuit in this process: the part in which embedded engines differ. */
export interface Core {
  readonly words: Uint32Array;
  /** All ports, clocks and resets too. The words of clocks belong to `EmbeddedEngine`. */
  readonly places: ReadonlyMap<string, PortPlace>;
  /** Edges of clock 0 so far. */
  readonly cycle: number;
  /** Takes pending inputs, lets asynchronous resets act as long as they are active, evaluates, publishes all ports. */
  settle(): void;
  /**
   * The clocks in the mask rise together: properties are checked on the settled values, registers take the values that follow
   * from them, then the rest is evaluated and published. Pending inputs wait for `settle`.
   * @throws SimulationError before anything changes, where a property doesn't hold.
   */
  rise(clocks: number): void;
  /** `count` times `settle` and `rise` of the only clock, where that can be done quicker than by calling them. */
  cycles?(count: number): void;
  /** As `Engine.block`, where that can be done quicker than by `settle` and `rise` in turn. */
  block?(plan: BlockPlan): number;
  /** A signal by its path below the top, as in `u_mem.words` or `lane[2].state`; undefined where it is not there. */
  locate(path: string): InternalSignal | undefined;
  /** Signals for waveforms, without clocks and resets of the top. */
  signals(): NamedSignal[];
  close?(): void;
}

export interface EmbeddedOptions {
  readonly top: string;
  /** Names of the clock ports, in the order of the masks. */
  readonly clocks: readonly string[];
  /** Period of the first clock in thousandths of a nanosecond. */
  readonly period: number;
  /** Path of a VCD file. */
  readonly trace: string | undefined;
}

/** Places for the ports of a circuit from word `first` on, pending inputs first; wide values start at an even word. */
export const placePorts = (circuit: Circuit, first = 0): { readonly places: Map<string, PortPlace>; readonly size: number } => {
  const controls = circuit.clocks.flatMap(({ clk, rst }) => (rst === undefined ? [clk] : [clk, rst]));
  const ports = [
    ...controls.map((name) => ({ name, direction: "input" as const, width: 1 })),
    ...circuit.ports.map(({ name, direction, shape }) => ({ name, direction, width: shape.width })),
  ];
  let next = first;
  const take = (width: number): number => {
    const here = next;
    next += 2 * Math.ceil(wordsOf(width) / 2);
    return here;
  };
  const pending = ports.map(({ direction, width }) => (direction === "input" ? take(width) : -1));
  const placed = ports.map((port, index): [string, PortPlace] => [port.name, { ...port, index, value: take(port.width), pending: pending[index]! }]);
  return { places: new Map(placed), size: next };
};

/** What `Core.locate` gives, from something that holds the bits, or each word of a memory of `depth` words. */
export const internalSignal = (width: number, depth: number | undefined, holder: (element: number) => { value: bigint }): InternalSignal => ({
  width,
  memory: depth === undefined ? undefined : { low: 0, length: depth },
  read(element) {
    const words = new Uint32Array(wordsOf(width));
    writeBig(words, 0, 0, width, holder(element).value);
    return words;
  },
  write(element, words) {
    holder(element).value = readBig(words, 0, 0, width, false);
  },
});

/** A block, one cycle at a time: `low` takes the pending inputs and evaluates, `high` is the edge. */
export const stepBlock = (words: Uint32Array, plan: BlockPlan, low: () => void, high: () => void): number => {
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  let { records } = plan;
  let end = 0;
  const outputs = plan.outputs.map(({ value, width }) => {
    const start = end;
    end += columnBytes(width, plan.room);
    return { from: 4 * value, size: bytesOf(width), start };
  });
  for (let cycle = 0; cycle < plan.cycles; cycle++) {
    for (const { place, column } of plan.inputs) {
      const size = bytesOf(place.width);
      bytes.set(column.subarray(cycle * size, (cycle + 1) * size), 4 * place.pending);
    }
    low();
    if (plan.when.every(({ value }) => words[value] !== 0)) {
      for (const { from, size, start } of outputs) plan.captured.set(bytes.subarray(from, from + size), start + records * size);
      records++;
    }
    high();
  }
  return records;
};

/** Engine around a core: clocks, waveforms with the times that Verilator's have, and refusal after the end. */
export class EmbeddedEngine implements Engine {
  readonly words: Uint32Array;
  readonly places: ReadonlyMap<string, PortPlace>;
  readonly #core: Core;
  readonly #options: EmbeddedOptions;
  readonly #clocks: readonly PortPlace[];
  readonly #half: number;
  readonly #waves: VcdWriter | undefined;
  /** Time of the last dump. */
  #dumped = 0;
  #closed = false;

  constructor(core: Core, options: EmbeddedOptions) {
    this.words = core.words;
    this.places = core.places;
    this.#core = core;
    this.#options = options;
    this.#clocks = options.clocks.map((name) => core.places.get(name)!);
    this.#half = Math.max(4, options.period / 2);
    if (options.trace === undefined) return;
    const signals = core.signals();
    const shown = new Set(signals.flatMap(({ path }) => (path.length === 1 ? path : [])));
    const controls = [...core.places.values()].flatMap(({ name, value }): NamedSignal[] =>
      shown.has(name) ? [] : [{ path: [name], width: 1, read: () => BigInt(this.words[value]!) }],
    );
    this.#waves = new VcdWriter(options.trace, options.top, [...controls, ...signals]);
    // Verilator's first evaluation, of which only a design without clocks shows the time.
    if (this.#clocks.length === 0) this.settle();
  }

  get cycle(): number {
    return this.#core.cycle;
  }

  settle(): void {
    this.#checkOpen();
    this.#core.settle();
    if (this.#clocks.length === 0) this.#dump(this.#dumped + this.#half);
  }

  cycles(count: number): void {
    this.#checkOpen();
    if (this.#waves === undefined && this.#core.cycles !== undefined) {
      if (count > 0) this.#drive(1, 1);
      this.#core.cycles(count);
      return;
    }
    for (let i = 0; i < count; i++) {
      this.#lower();
      this.#raise();
    }
  }

  edge(): void {
    this.#checkOpen();
    this.#raise();
    this.#lower();
  }

  fall(clocks: number, time: number | undefined): void {
    this.#checkOpen();
    this.#core.settle();
    this.#showInputs();
    this.#drive(clocks, 0);
    if (time !== undefined) this.#dump(time);
  }

  rise(clocks: number, time: number): void {
    this.#checkOpen();
    this.#drive(clocks, 1);
    this.#core.rise(clocks);
    this.#dump(time);
  }

  block(plan: BlockPlan): number {
    this.#checkOpen();
    if (this.#waves === undefined && this.#core.block !== undefined) {
      if (plan.cycles > 0) this.#drive(1, 1);
      return this.#core.block(plan);
    }
    return stepBlock(
      this.words,
      plan,
      () => this.#lower(),
      () => this.#raise(),
    );
  }

  locate(path: string): InternalSignal {
    this.#checkOpen();
    const found = this.#core.locate(path);
    if (found === undefined)
      throw new UserError("no-signal", `\`${this.#options.top}\` has no signal \`${path}\` that can be read`, {
        hint: "give the path from the top, as in `u_mem.words`, without the top's own name",
      });
    return {
      ...found,
      read: (element) => {
        this.#checkOpen();
        return found.read(element);
      },
      write: (element, words) => {
        this.#checkOpen();
        found.write(element, words);
      },
    };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#waves?.close();
    this.#core.close?.();
  }

  /** The only clock falls, with the pending inputs taken. */
  #lower(): void {
    this.#core.settle();
    this.#showInputs();
    this.#drive(1, 0);
    this.#dump((2 * this.cycle + 1) * this.#half);
  }

  #raise(): void {
    this.#drive(1, 1);
    this.#core.rise(1);
    this.#dump(2 * this.cycle * this.#half);
  }

  #drive(clocks: number, level: 0 | 1): void {
    for (let i = 0; i < this.#clocks.length; i++) if ((clocks & (1 << i)) !== 0) this.words[this.#clocks[i]!.value] = level;
  }

  /** In a waveform inputs change just after the edge, not half a cycle later. */
  #showInputs(): void {
    this.#dump(this.#dumped + 1);
  }

  /** Two events of one instant are dumped one unit of time apart: waveforms accept no second value for a time. */
  #dump(time: number): void {
    this.#dumped = Math.max(time, this.#dumped + 1);
    this.#waves?.dump(this.#dumped);
  }

  #checkOpen(): void {
    if (this.#closed) throw new UserError("closed-simulation", "the simulation is closed");
  }
}
