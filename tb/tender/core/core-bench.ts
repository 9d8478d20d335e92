import { AxiMemory, type AxiMemoryOptions, axiLiteManager } from "../../../src/agents/index.ts";
import { type CorePorts, tenderCore } from "../../../src/designs/tender/core/core.ts";
import type { CoreParameters } from "../../../src/designs/tender/core/parameters.ts";
import { coreRegisters } from "../../../src/designs/tender/core/registers.ts";
import { GoldenMemory } from "../../../src/golden/tender/core/memory.ts";
import { registerConstants } from "../../../src/lib/csr/index.ts";
import { type Simulation, simulate } from "../../../src/sim/index.ts";
import type { JobImage } from "./images.ts";

export const registers = registerConstants(coreRegisters);

const softReset = registers.control.fields.softReset.mask;
const resetting = registers.status.fields.resetting.mask;

type Engine = NonNullable<NonNullable<Parameters<typeof simulate>[1]>["engine"]>;

export const openCore = (parameters: CoreParameters, engine: Engine): Promise<Simulation<CorePorts>> =>
  simulate(tenderCore(parameters), { engine, maxCycles: 2_000_000 });

/** Runs all jobs of an image, the doorbell rung once; returns the memory afterwards, the cycles, and the counters by name. */
export const runImage = (
  sim: Simulation<CorePorts>,
  image: JobImage,
  options: Omit<AxiMemoryOptions, "bytes" | "base"> = {},
  /** Cycles after which a first run is broken off by a soft reset. */
  breakOff?: number,
) => {
  const { base, bytes } = image.memory;
  const size = Math.ceil(bytes.length / 64) * 64;
  const contents = new Uint8Array(size);
  contents.set(bytes);
  const memory = new AxiMemory({ ...options, bytes: contents, base: Number(base) });
  const bus = axiLiteManager(sim.io.sAxil);
  const read: Record<string, number> = {};
  let cycles = 0;
  sim.reset();
  sim.run(memory.serve({ read: sim.io.mAxi, write: sim.io.mAxi }), function* software() {
    const write = (name: keyof typeof registers, value: number) => bus.write(registers[name].offset, value);
    yield* write("ringLow", Number(image.ring % 2n ** 32n));
    yield* write("ringHigh", Number(image.ring / 2n ** 32n));
    yield* write("ringSize", Math.log2(image.slots));
    yield* write("control", 1);
    yield* write("tail", image.jobs.length);
    if (breakOff !== undefined) {
      for (let cycle = 0; cycle < breakOff; cycle += 1) yield;
      yield* write("control", softReset);
      while (((yield* bus.read(registers.status.offset)) & resetting) !== 0) yield;
      yield* write("control", 1);
      yield* write("tail", image.jobs.length);
    }
    const start = sim.cycle;
    while ((yield* bus.read(registers.jobs.offset)) < image.jobs.length) yield;
    cycles = sim.cycle - start;
    for (const name of Object.keys(registers)) read[name] = yield* bus.read(registers[name as keyof typeof registers].offset);
  });
  return { memory: new GoldenMemory(memory.bytes.slice(0, bytes.length), base), cycles, registers: read, counts: memory.counts };
};
