import koffi from "koffi";
import { UserError } from "../../base/error.ts";
import type { BlockPlan, Engine, InternalSignal, PortPlace } from "../engine.ts";
import { wordsOf } from "../engine.ts";
import { SimulationError } from "../error.ts";
import type { BuiltModel } from "./build.ts";
import { mailbox } from "./harness.ts";

/** Entry points of a model's library; `harness-body.ts` says what they do. */
interface Library {
  create(seed: number, halfPeriod: number, seconds: number): number;
  attach(handle: number, words: Uint32Array): void;
  select(handle: number): void;
  trace(path: string): number;
  settle(): number;
  cycles(): number;
  edge(): number;
  fall(): number;
  rise(): number;
  block(plan: Uint32Array, stimulus: Uint8Array, captured: Uint8Array): number;
  locate(scope: string, name: string, result: Int32Array): number;
  read(located: number, offset: number, bytes: number, to: Uint32Array): void;
  write(located: number, offset: number, bytes: number, from: Uint32Array): void;
  eventKind(): string;
  eventFile(): string;
  eventLine(): number;
  eventText(): string;
  takePrinted(): string;
  destroy(handle: number): void;
  /** The instance that calls go to at the moment. */
  selected: number;
}

const libraries = new Map<string, Library>();

const openLibrary = (path: string): Library => {
  const known = libraries.get(path);
  if (known !== undefined) return known;
  const shared = koffi.load(path);
  const bind = (name: string, result: string, parameters: string[] = []): never => shared.func(`sim_${name}`, result, parameters) as never;
  const library: Library = {
    create: bind("create", "int", ["uint32_t", "double", "double"]),
    attach: bind("attach", "void", ["int", "uint32_t *"]),
    select: bind("select", "void", ["int"]),
    trace: bind("trace", "int", ["str"]),
    settle: bind("settle", "int"),
    cycles: bind("cycles", "int"),
    edge: bind("edge", "int"),
    fall: bind("fall", "int"),
    rise: bind("rise", "int"),
    block: bind("block", "int", ["uint32_t *", "uint8_t *", "uint8_t *"]),
    locate: bind("locate", "int", ["str", "str", "int32_t *"]),
    read: bind("read", "void", ["int", "uint32_t", "uint32_t", "uint32_t *"]),
    write: bind("write", "void", ["int", "uint32_t", "uint32_t", "uint32_t *"]),
    eventKind: bind("event_kind", "str"),
    eventFile: bind("event_file", "str"),
    eventLine: bind("event_line", "int"),
    eventText: bind("event_text", "str"),
    takePrinted: bind("take_printed", "str"),
    destroy: bind("destroy", "void", ["int"]),
    selected: -1,
  };
  libraries.set(path, library);
  return library;
};

export interface LoadOptions {
  readonly top: string;
  readonly seed: number;
  /** Period of the first clock in thousandths of a nanosecond. */
  readonly period: number;
  /** Milliseconds of processor time that one evaluation may take. */
  readonly hangTimeout: number;
  readonly trace: string | undefined;
  /** Receives what the design prints with `$display` and the like. */
  readonly print: (text: string) => void;
}

/** A compiled model loaded into this process. */
export class VerilatorEngine implements Engine {
  readonly words: Uint32Array;
  readonly places: ReadonlyMap<string, PortPlace>;
  readonly #library: Library;
  readonly #handle: number;
  readonly #options: LoadOptions;
  readonly #timeArgument: Float64Array;
  /** Kept from block to block, because memory of this size is slow to get. */
  #stimulus: Uint8Array = new Uint8Array(1);
  #closed = false;

  constructor(model: BuiltModel, options: LoadOptions) {
    this.#options = options;
    this.#library = openLibrary(model.library);
    // The model keeps the address: memory of an ArrayBuffer made like this stays where it is.
    this.words = new Uint32Array(new ArrayBuffer(model.words * 4));
    this.#timeArgument = new Float64Array(this.words.buffer, mailbox.time * 4, 1);
    this.places = new Map(model.ports.map((port, index) => [port.name, { ...port, index }]));
    this.#handle = this.#library.create(options.seed, options.period / 2, options.hangTimeout / 1000);
    this.#library.attach(this.#handle, this.words);
    this.#select();
    if (options.trace !== undefined && this.#library.trace(options.trace) !== 0)
      throw new UserError("unwritable-file", `the waveform file \`${options.trace}\` can't be written`);
    this.#start(model.dataFolder);
  }

  get cycle(): number {
    return this.words[mailbox.cycle]! + this.words[mailbox.cycle + 1]! * 2 ** 32;
  }

  settle(): void {
    this.#select();
    this.#check(this.#library.settle());
  }

  cycles(count: number): void {
    this.#select();
    for (let left = count; left > 0; left -= 0xffffffff) {
      this.words[mailbox.argument] = Math.min(left, 0xffffffff);
      this.#check(this.#library.cycles());
    }
  }

  edge(): void {
    this.#select();
    this.#check(this.#library.edge());
  }

  fall(clocks: number, time: number | undefined): void {
    this.#select();
    this.words[mailbox.argument] = clocks;
    this.#timeArgument[0] = time ?? -1;
    this.#check(this.#library.fall());
  }

  rise(clocks: number, time: number): void {
    this.#select();
    this.words[mailbox.argument] = clocks;
    this.#timeArgument[0] = time;
    this.#check(this.#library.rise());
  }

  block(plan: BlockPlan): number {
    this.#select();
    const indices = (places: readonly PortPlace[]): number[] => [places.length, ...places.map(({ index }) => index)];
    const inputs = plan.inputs.map(({ place }) => place);
    const numbers = [plan.cycles, plan.room, plan.records, ...indices(inputs), ...indices(plan.when), ...indices(plan.outputs)];
    this.#stimulus = gather(
      plan.inputs.map(({ column }) => column),
      this.#stimulus,
    );
    this.#check(this.#library.block(Uint32Array.from(numbers), this.#stimulus, plan.captured));
    return this.words[mailbox.result]!;
  }

  locate(path: string): InternalSignal {
    this.#select();
    const dot = path.lastIndexOf(".");
    const scope = dot < 0 ? this.#options.top : `${this.#options.top}.${path.slice(0, dot)}`;
    const result = new Int32Array(4);
    const located = this.#library.locate(scope, path.slice(dot + 1), result);
    if (located < 0)
      throw new UserError("no-signal", `\`${this.#options.top}\` has no signal \`${path}\` that can be read`, {
        hint: "give the path from the top, as in `u_mem.words`, without the top's own name",
      });
    const [width = 1, low = 0, length = 0, bytes = 0] = result;
    const buffer = new Uint32Array(wordsOf(width));
    return {
      width,
      memory: length === 0 ? undefined : { low, length },
      read: (element) => {
        this.#select();
        buffer.fill(0);
        this.#library.read(located, element * bytes, bytes, buffer);
        return buffer;
      },
      write: (element, words) => {
        this.#select();
        this.#library.write(located, element * bytes, bytes, words);
      },
    };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#library.destroy(this.#handle);
    this.#library.selected = -1;
  }

  /** The first evaluation runs `initial` blocks, which look for their files in the current folder. */
  #start(dataFolder: string | undefined): void {
    if (dataFolder === undefined) return this.settle();
    const here = process.cwd();
    process.chdir(dataFolder);
    try {
      this.settle();
    } finally {
      process.chdir(here);
    }
  }

  #select(): void {
    if (this.#library.selected === this.#handle) return;
    if (this.#closed) throw new UserError("closed-simulation", "the simulation is closed");
    this.#library.select(this.#handle);
    this.#library.selected = this.#handle;
  }

  #check(status: number): void {
    if (status !== 0) this.#fail(status);
    if (this.words[mailbox.printed] !== 0) this.#options.print(this.#library.takePrinted());
  }

  #fail(status: number): never {
    const printed = this.#library.takePrinted();
    const { cycle } = this;
    if (status === 2) throw SimulationError.hang(this.#options.top, cycle, this.#options.hangTimeout);
    if (status === 3) throw SimulationError.givenUp(this.#options.top, cycle);
    if (status === 4) throw SimulationError.crash(this.#options.top, cycle);
    const event = { kind: this.#library.eventKind(), file: this.#library.eventFile(), line: this.#library.eventLine(), text: this.#library.eventText() };
    throw SimulationError.fromEvent(event, printed, cycle, this.#options.print);
  }
}

/** All columns one after another, in `room` where they fit. */
const gather = (columns: readonly Uint8Array[], room: Uint8Array): Uint8Array => {
  const total = columns.reduce((sum, column) => sum + column.length, 0);
  const all = total > room.length ? new Uint8Array(total) : room;
  let offset = 0;
  for (const column of columns) {
    all.set(column, offset);
    offset += column.length;
  }
  return all;
};
