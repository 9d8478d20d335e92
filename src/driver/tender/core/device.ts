import { axiLiteManager } from "../../../agents/axi-lite.ts";
import { AxiMemory, type AxiMemoryOptions } from "../../../agents/axi-memory.ts";
import { UserError } from "../../../base/error.ts";
import type { CorePorts } from "../../../designs/tender/core/core.ts";
import type { CoreParameters } from "../../../designs/tender/core/parameters.ts";
import { coreIdentity, coreRegisters } from "../../../designs/tender/core/registers.ts";
import { packFields, type RegisterConstantsOf, registerConstants } from "../../../lib/csr/index.ts";
import type { Simulation, Task } from "../../../sim/index.ts";
import { CoreMemory, type PlacedJob } from "./memory.ts";
import type { MemoryTiming } from "./plan.ts";
import { Ring } from "./ring.ts";

const registers = registerConstants(coreRegisters);
type RegisterName = keyof typeof registers;

export interface CoreDeviceOptions extends Pick<AxiMemoryOptions, "outstanding" | "beatsPerCycle" | "shared" | "stalls" | "respond" | "reorder" | "random"> {
  /** Bytes of memory, a multiple of 64. Default 64 MiB. */
  readonly bytes?: number;
  /** Address of its first byte, a multiple of 4096. Default 0. */
  readonly base?: number;
  /** Of the memory, as `AxiMemory` has it. Default 40. */
  readonly latency?: number | readonly [number, number];
  /** Slots of the ring. Default 64. */
  readonly slots?: number;
  /** Cycles without a beat on the bus and without a record after which a run is given up. Default 100000. */
  readonly patience?: number;
  /** Cycles that the jobs of one doorbell may take. Default 1e9. */
  readonly maxCycles?: number;
}

/** Cycles between two looks at what has moved. */
const glance = 1024;

const allOnes = 0xffffffff;

const middle = (latency: number | readonly [number, number]): number => (typeof latency === "number" ? latency : (latency[0] + latency[1]) / 2);

/** The core in a simulation with the memory at its port, and the software that drives it by its registers. The first use resets it. */
export class CoreDevice {
  readonly parameters: CoreParameters;
  readonly timing: MemoryTiming;
  readonly ring: Ring;
  /** Where images and results are placed. */
  readonly places: CoreMemory;
  readonly #memory: AxiMemory;
  readonly #sim: Simulation<CorePorts>;
  readonly #options: CoreDeviceOptions;
  readonly #bus: ReturnType<typeof axiLiteManager>;
  #ready = false;

  /** @throws UserError `bad-parameter` or `bad-address` for options that don't fit */
  constructor(sim: Simulation<CorePorts>, parameters: CoreParameters, options: CoreDeviceOptions) {
    const { outstanding, beatsPerCycle = 1, shared = false, stalls, respond, reorder, random } = options;
    const { bytes = 1 << 26, base = 0, latency = 40, slots = 64 } = options;
    const given = { outstanding, stalls, respond, reorder, random };
    const stated = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    this.parameters = parameters;
    this.timing = { latency: middle(latency), beatsPerCycle, shared };
    this.#memory = new AxiMemory({ ...stated, bytes, base, latency, beatsPerCycle, shared });
    this.ring = new Ring(this.#memory.bytes, slots);
    this.places = new CoreMemory(parameters, this.#memory.bytes, base, this.ring.bytes);
    this.#sim = sim;
    this.#options = options;
    this.#bus = axiLiteManager(sim.io.sAxil);
  }

  /** What has moved on the memory port so far. */
  get counts(): Readonly<AxiMemory["counts"]> {
    return this.#memory.counts;
  }

  /**
   * Runs placed jobs, at most `ring.room`, and returns the cycles from the doorbell to the interrupt after the last one's record.
   * @param onRecord called now and then with the number of jobs that have ended
   * @throws UserError exit 1: `core-identity` where this is not the core of the parameters, `core-stuck`, `watchdog` after `maxCycles`, `core-record`
   */
  execute(jobs: readonly PlacedJob[], onRecord?: (done: number) => void): number {
    const { tail, interruptState } = registers;
    this.ring.fill(jobs.map(({ descriptor }, at) => ({ ...descriptor, interrupt: at === jobs.length - 1 ? 1 : 0 })));
    const bus = this.#bus;
    const sim = this.#sim;
    const next = this.ring.tail;
    const wait = this.#waiting(jobs, onRecord);
    let cycles = 0;
    this.#session(function* software() {
      yield* bus.write(tail.offset, next);
      const start = sim.cycle;
      yield* wait();
      cycles = sim.cycle - start;
      yield* bus.write(interruptState.offset, allOnes);
    });
    for (const [at, { descriptor, plan }] of jobs.entries()) {
      const { done, tag } = this.ring.record(at);
      if (done === 1 && tag === descriptor.tag) continue;
      const what = done === 1 ? `has the record of tag ${tag} instead of ${descriptor.tag}` : "has no record";
      throw new UserError("core-record", `${plan.job.product.name} ${what}, but the interrupt has come`, { exitCode: 1 });
    }
    return cycles;
  }

  /** Reads registers by name, such as counters. */
  readRegisters<N extends RegisterName>(...names: readonly N[]): Record<N, number> {
    const values = {} as Record<N, number>;
    const bus = this.#bus;
    this.#session(function* software() {
      for (const name of names) values[name] = yield* bus.read(registers[name].offset);
    });
    return values;
  }

  /** Sets the core's counters to 0. */
  clearCounters(): void {
    const { control } = registers;
    const bus = this.#bus;
    this.#session(() => bus.write(control.offset, packFields(control, { enable: 1, clearCounters: 1 })));
  }

  /** Waits for the interrupt, the bus at rest meanwhile; looks at memory and counts only now and then, since it runs every cycle. */
  #waiting(jobs: readonly PlacedJob[], onRecord: ((done: number) => void) | undefined): () => Task {
    const { irq } = this.#sim.io;
    const { patience = 100_000 } = this.#options;
    const { ring } = this;
    const { counts } = this.#memory;
    return function* wait() {
      let done = 0;
      let last = -1;
      let quiet = 0;
      for (let cycle = 1; irq.peekNumber() !== 1; cycle += 1) {
        yield;
        if (cycle % glance !== 0) continue;
        while (done < jobs.length && ring.record(done).done === 1) done += 1;
        const moved = done + counts.readBeats + counts.writeBeats;
        quiet = moved === last ? quiet + glance : 0;
        last = moved;
        onRecord?.(done);
        if (quiet < patience) continue;
        const where = jobs[done] === undefined ? "all jobs have ended without an interrupt" : `${jobs[done]?.plan.job.product.name} has not ended`;
        throw new UserError("core-stuck", `the core has moved nothing for ${quiet} cycles: ${where}`, { exitCode: 1 });
      }
    };
  }

  /** Checks that this is the core of the parameters, and gives it its ring. */
  *#setUp(): Task {
    const hex = (value: number): string => `0x${value.toString(16)}`;
    const identity = coreIdentity(this.parameters);
    for (const name of Object.keys(identity) as (keyof typeof identity)[]) {
      const register: RegisterConstantsOf = registers[name];
      const word = yield* this.#bus.read(register.offset);
      const wanted = packFields(register, identity[name]);
      if (word !== wanted)
        throw new UserError("core-identity", `register ${name} of the core reads as ${hex(word)}, and the driver's parameters make it ${hex(wanted)}`, {
          exitCode: 1,
        });
    }
    const { ringLow, ringHigh, ringSize, interruptEnable, control } = registers;
    yield* this.#bus.write(ringLow.offset, this.places.base % 2 ** 32);
    yield* this.#bus.write(ringHigh.offset, Math.floor(this.places.base / 2 ** 32));
    yield* this.#bus.write(ringSize.offset, Math.log2(this.ring.slots));
    yield* this.#bus.write(interruptEnable.offset, allOnes);
    yield* this.#bus.write(control.offset, packFields(control, { enable: 1 }));
    this.#ready = true;
  }

  /** Runs software with the memory at the core's port, after a reset and the set-up where it is the first. */
  #session(software: () => Task): void {
    const { mAxi } = this.#sim.io;
    const setUp = (): Task => this.#setUp();
    const first = !this.#ready;
    if (first) this.#sim.reset();
    this.#sim.maxCycles = this.#options.maxCycles ?? 1e9;
    this.#sim.run(this.#memory.serve({ read: mAxi, write: mAxi }), function* driver() {
      if (first) yield* setUp();
      yield* software();
    });
  }
}
