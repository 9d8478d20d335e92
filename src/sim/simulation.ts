import { UserError } from "../base/error.ts";
import type { PortMap } from "../hdl/ports.ts";
import type { WaveOptions } from "./ascii-wave.ts";
import { drawWave } from "./ascii-wave.ts";
import type { BlockOptions, BlockResult, Column, PortName, Stimulus } from "./block.ts";
import { decodeColumn, encodeColumn, encodeValue } from "./block.ts";
import { matchPorts } from "./check-ports.ts";
import type { EngineName } from "./choose-engine.ts";
import type { Clock } from "./clocks.ts";
import { maskOf, nextEvent } from "./clocks.ts";
import { readBig, writeBig } from "./codec.ts";
import type { BlockPlan, Engine, PortPlace } from "./engine.ts";
import { bytesOf, columnBytes, wordsOf } from "./engine.ts";
import { InternalSignals } from "./internal-signals.ts";
import type { Handles } from "./ports.ts";
import { buildHandles, handleOf } from "./ports.ts";
import type { SimSource, SourcePort } from "./source.ts";
import type { RunningTask, TaskLike } from "./tasks.ts";
import { TaskGroup } from "./tasks.ts";
import { WaveRecorder } from "./wave-recorder.ts";

export interface SimulationOptions {
  readonly engine: EngineName;
  readonly seed: number;
  readonly maxCycles: number;
}

/** A design that runs. Made by `simulate`. */
export class Simulation<P extends PortMap = PortMap> {
  /** The ports, by the keys of the port map. */
  readonly io: Handles<P>;
  readonly top: string;
  /** What simulates. */
  readonly engine: EngineName;
  /** Seed of the undefined state. */
  readonly seed: number;
  /** Cycles of the first clock after which `run` gives up. */
  maxCycles: number;
  readonly #engine: Engine;
  readonly #clocks: readonly Clock[];
  readonly #ports: readonly SourcePort[];
  readonly #inside: InternalSignals;
  /** Handles and simulation share it. */
  readonly #access: { readonly words: Uint32Array; changed: boolean; settleOnRead: boolean; settle: () => void };
  #closed = false;

  constructor(source: SimSource<P>, engine: Engine, clocks: readonly Clock[], options: SimulationOptions) {
    this.top = source.top;
    this.engine = options.engine;
    this.seed = options.seed;
    this.maxCycles = options.maxCycles;
    this.#engine = engine;
    this.#inside = new InternalSignals(engine);
    this.#clocks = clocks;
    this.#ports = matchPorts(source, engine.places);
    this.#access = { words: engine.words, changed: false, settleOnRead: true, settle: () => this.eval() };
    this.io = buildHandles<P>(this.#ports.map(({ path, name, shape }) => ({ path, handle: handleOf(this.#access, shape, this.#place(name)) })));
    for (const clock of clocks) this.#driveReset(clock, false);
    this.eval();
  }

  /** Rising edges of the first clock so far. */
  get cycle(): number {
    return this.#engine.cycle;
  }

  /** Lets the design settle on the inputs as they are; reading a port does so by itself where it is needed. */
  eval(): void {
    this.#engine.settle();
    this.#access.changed = false;
  }

  /** `count` rising edges of a clock, by default the first; other clocks keep their pace. */
  step(count = 1, clock?: string): void {
    if (!Number.isInteger(count) || count < 0) throw new UserError("bad-count", `step takes a whole number of cycles from 0, not ${count}`);
    this.#outsideTasks("step");
    const stepped = this.#clock(clock);
    if (this.#clocks.length === 1) {
      this.#engine.cycles(count);
      this.#access.changed = false;
      return;
    }
    for (const end = stepped.edges + count; stepped.edges < end; ) this.#advance();
  }

  /** Holds all resets for `cycles` edges of each clock, then releases them. */
  reset(cycles = 1): void {
    for (const clock of this.#clocks) this.#driveReset(clock, true);
    for (const clock of this.#clocks) this.step(cycles, clock.key);
    for (const clock of this.#clocks) this.#driveReset(clock, false);
    this.#access.changed = true;
  }

  /** Drives the reset of one clock, by default the first; takes effect like a poke. */
  setReset(active: boolean, clock?: string): void {
    this.#driveReset(this.#clock(clock), active);
    this.#access.changed = true;
  }

  /**
   * Runs tasks until all but background tasks have ended; the edge after a task's last action is part of the run.
   * @throws UserError `watchdog` after `maxCycles`, and whatever a task throws.
   */
  run(...tasks: readonly TaskLike[]): void {
    this.#outsideTasks("run");
    if (this.#access.changed) this.eval();
    const group = new TaskGroup(tasks);
    this.#access.settleOnRead = false;
    try {
      group.resume(group.all);
      if (group.busy) this.#runGroup(group);
    } finally {
      this.#access.settleOnRead = true;
      group.end();
    }
  }

  /**
   * Many cycles in one call: each cycle takes its inputs from the columns, is recorded before its edge, then has its edge.
   * @throws UserError for a port that does not exist, a column of the wrong length, or a value out of range.
   */
  block<N extends PortName<P> = never>(options: BlockOptions<P, N>): BlockResult<N> {
    this.#outsideTasks("block");
    const { cycles, capture = [], when = [] } = options;
    if (!Number.isInteger(cycles) || cycles < 0) throw new UserError("bad-count", `a block has a whole number of cycles from 0, not ${cycles}`);
    if (this.#clocks.length !== 1) throw new UserError("bad-clock", `a block needs a design with one clock, and \`${this.top}\` has ${this.#clocks.length}`);
    const stimuli = this.#inputColumns(options.inputs ?? {}).map(({ port, stimulus }) => ({ port, place: this.#place(port.name), stimulus }));
    const inputs = stimuli.flatMap(({ port, place, stimulus }) =>
      typeof stimulus === "object" ? [{ place, column: encodeColumn(port.name, port.shape, stimulus, cycles) }] : [],
    );
    const constants = stimuli.flatMap(({ port, place, stimulus }) =>
      typeof stimulus === "object" ? [] : [{ place, words: encodeValue(port.name, port.shape, stimulus) }],
    );
    const ports = capture.map((name) => this.#port(name));
    const outputs = ports.map((port) => this.#place(port.name));
    const conditions = (typeof when === "string" ? [when] : (when as readonly string[])).map((name) => this.#condition(name));
    const captured = new Uint8Array(outputs.reduce((total, { width }) => total + columnBytes(width, cycles), 0));
    if (cycles > 0) for (const { place, words } of constants) this.#access.words.set(words, place.pending);
    const records = this.#runPieces({ cycles, inputs, when: conditions, outputs, captured, room: cycles, records: 0 });
    this.#access.changed = false;
    let offset = 0;
    const columns = ports.map((port, i): [N, Column] => {
      const here = offset;
      offset += columnBytes(port.shape.width, cycles);
      return [capture[i]!, decodeColumn(port.shape, captured.subarray(here, offset), records)];
    });
    return { records, columns: Object.fromEntries(columns) as Record<N, Column> };
  }

  /** Bits of a signal inside the design, as in `u_mem.words[3]` or `state`; listed in the option `paths`. Number up to 32 bits, bigint above. */
  peekPath(path: string): number | bigint {
    if (this.#access.changed && this.#access.settleOnRead) this.eval();
    const { signal, element } = this.#inside.find(path);
    const value = readBig(signal.read(element), 0, 0, signal.width, false);
    return signal.width <= 32 ? Number(value) : value;
  }

  /** Sets a register or memory word inside the design. */
  pokePath(path: string, value: number | bigint): void {
    const { signal, element } = this.#inside.find(path);
    const big = BigInt(value);
    if (big < 0n || big >> BigInt(signal.width) !== 0n) throw new UserError("bad-value", `\`${path}\` takes 0 to 2^${signal.width}-1, not ${value}`);
    const words = new Uint32Array(wordsOf(signal.width));
    writeBig(words, 0, 0, signal.width, big);
    signal.write(element, words);
    this.#access.changed = true;
  }

  /** All words of a memory inside the design, element by element. */
  peekMemory(path: string): (number | bigint)[] {
    const { memory } = this.#inside.find(path).signal;
    if (memory === undefined) throw new UserError("no-memory", `\`${path}\` is no memory`);
    return Array.from({ length: memory.length }, (_, i) => this.peekPath(`${path}[${memory.low + i}]`));
  }

  /**
   * Drawing of the signals in the option `wave`, with the values that each rising edge of the first clock saw: `drawWave` says how.
   * @throws UserError where nothing was recorded, and for options that don't fit.
   */
  wave(options: WaveOptions = {}): string {
    if (this.#engine instanceof WaveRecorder) return drawWave(this.#engine.recorded, options);
    throw new UserError("no-wave", `the simulation of \`${this.top}\` records no wave`, { hint: "name signals in the option `wave` of `simulate`" });
  }

  /** Ends the simulation and closes its waveform file; handles can't be used any more. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#engine.close();
    // So that the next read asks the engine, which refuses.
    this.#access.changed = true;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #runGroup(group: TaskGroup): void {
    const first = this.#clock(undefined);
    const byClock = this.#clocks.map((clock) => group.all.filter((task) => this.#clock(task.clock) === clock));
    const limit = this.cycle + this.maxCycles;
    if (this.#clocks.length > 1) {
      while (group.busy) {
        if (this.cycle >= limit) throw group.timeout(this.maxCycles);
        this.#advance((rising) => group.resume(rising.flatMap((clock): readonly RunningTask[] => byClock[clock.index]!)));
      }
      return;
    }
    this.#engine.fall(1, this.cycle === 0 ? 0 : this.cycle * first.period + first.period / 2);
    for (;;) {
      if (this.cycle >= limit) throw group.timeout(this.maxCycles);
      group.resume(group.all);
      if (!group.busy) break;
      this.#engine.edge();
      this.#access.changed = false;
    }
    this.#engine.rise(1, (this.cycle + 1) * first.period);
  }

  /** The next change of any clock; `beforeRise` runs on settled values just before clocks rise. */
  #advance(beforeRise?: (rising: readonly Clock[]) => void): void {
    const { time, falling, rising } = nextEvent(this.#clocks);
    if (falling.length > 0 || this.#access.changed || beforeRise !== undefined) {
      this.#engine.fall(maskOf(falling), rising.length > 0 ? undefined : time);
      this.#access.changed = false;
    }
    for (const clock of falling) clock.fall();
    if (rising.length === 0) return;
    beforeRise?.(rising);
    this.#engine.rise(maskOf(rising), time);
    for (const clock of rising) clock.rise();
  }

  /** In pieces, so that their stimulus stays in the processor's cache. */
  #runPieces(plan: BlockPlan): number {
    const bytesPerCycle = plan.inputs.reduce((total, { place }) => total + bytesOf(place.width), 1);
    const piece = Math.min(4096, Math.max(64, Math.floor(32_768 / bytesPerCycle)));
    let records = 0;
    for (let done = 0; done < plan.cycles; done += piece) {
      const cycles = Math.min(piece, plan.cycles - done);
      const inputs = plan.inputs.map(({ place, column }) => ({
        place,
        column: column.subarray(done * bytesOf(place.width), (done + cycles) * bytesOf(place.width)),
      }));
      records = this.#engine.block({ ...plan, cycles, inputs, records });
    }
    return records;
  }

  #inputColumns(inputs: Readonly<Record<string, unknown>>, path: readonly string[] = []): { port: SourcePort; stimulus: Stimulus }[] {
    return Object.entries(inputs).flatMap(([key, value]) => {
      const here = [...path, key];
      if (typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value))
        return this.#inputColumns(value as Record<string, unknown>, here);
      const port = this.#port(here.join("."));
      if (port.direction !== "input") throw new UserError("no-port", `\`${here.join(".")}\` is an output and takes no stimulus`);
      return value === undefined ? [] : [{ port, stimulus: value as Stimulus }];
    });
  }

  #port(name: string): SourcePort {
    const port = this.#ports.find((candidate) => candidate.path.join(".") === name);
    if (port === undefined) throw new UserError("no-port", `\`${this.top}\` has no port \`${name}\``);
    return port;
  }

  #condition(name: string): PortPlace {
    const port = this.#port(name);
    if (port.shape.width !== 1) throw new UserError("bad-value", `\`when\` takes 1-bit ports, and \`${name}\` has ${port.shape.width} bits`);
    return this.#place(port.name);
  }

  #place(name: string): PortPlace {
    return this.#engine.places.get(name)!;
  }

  #clock(key: string | undefined): Clock {
    const clock = key === undefined ? this.#clocks[0] : this.#clocks.find((candidate) => candidate.key === key || candidate.source.clk === key);
    if (clock !== undefined) return clock;
    throw new UserError("no-clock", key === undefined ? `\`${this.top}\` has no clock` : `\`${key}\` is no clock of \`${this.top}\``);
  }

  #driveReset(clock: Clock, active: boolean): void {
    if (clock.source.rst === undefined) return;
    this.#engine.words[this.#place(clock.source.rst).pending] = active === clock.source.activeLow ? 0 : 1;
  }

  #outsideTasks(what: string): void {
    if (!this.#access.settleOnRead)
      throw new UserError("inside-task", `${what}() can't be called inside a task`, { hint: "a task waits for an edge with `yield`" });
  }
}
