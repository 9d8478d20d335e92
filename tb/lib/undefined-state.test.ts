import { readdirSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { histogram } from "../../docs/examples/histogram.ts";
import { mac } from "../../docs/examples/mac.ts";
import { timer, timerMap } from "../../docs/examples/timer.ts";
import { type AxiLiteBus, stallProfiles } from "../../src/agents/index.ts";
import type { Random } from "../../src/base/random.ts";
import { type ArrayParameters, type ArrayPorts, designs, tenderArray, tenderCell } from "../../src/designs/index.ts";
import { verifiedArrays } from "../../src/designs/tender/verified.ts";
import { type BoolShape, bool, input, module, output, type PortMap, reg, sync, uint, when } from "../../src/hdl/index.ts";
import { roundRobinArbiter } from "../../src/lib/arbiter.ts";
import { axiLiteRegisters } from "../../src/lib/axi.ts";
import { bundleFifo } from "../../src/lib/bundle-fifo.ts";
import { registerBlock } from "../../src/lib/csr/index.ts";
import { fifo } from "../../src/lib/fifo.ts";
import { addLatency, binary32Adder } from "../../src/lib/float/add.ts";
import { binary32Divider, divideLatency } from "../../src/lib/float/divide.ts";
import { fromIntegerLatency, integerToBinary32Converter } from "../../src/lib/float/from-integer.ts";
import { binary32Multiplier, multiplyLatency } from "../../src/lib/float/multiply.ts";
import { binary32ToBfloat16Converter, toBfloat16Latency } from "../../src/lib/float/to-bfloat16.ts";
import { binary32ToIntegerConverter, toIntegerLatency } from "../../src/lib/float/to-integer.ts";
import { scratchpad } from "../../src/lib/scratchpad.ts";
import { axisSlice } from "../../src/lib/stream.ts";
import { axisDownsizer, axisUpsizer } from "../../src/lib/width.ts";
import type { InputHandle, PortHandle, Simulation, TaskSpec } from "../../src/sim/index.ts";
import { products } from "../golden/arbitraries.ts";
import { runWithStalls } from "../tender/array-bench.ts";
import { readBench, writeBench } from "./axi4/undefined-state.ts";
import { type Bench, seedDependence } from "./seed-dependence.ts";

/** Runs of each property. */
const runs = { wasm: 40, reference: 8 };
const engines = ["wasm", "reference"] as const;

/** A bench without the type of its ports. */
const of =
  <P extends PortMap>(bench: Bench<P>) =>
  (engine: (typeof engines)[number], seeds: readonly number[], stimulusSeed: number) =>
    seedDependence(bench, { engine }, seeds, stimulusSeed);

/** Products with stalls on all streams: a beat once offered stays, and tags follow the protocol. */
const driveArray = (parameters: ArrayParameters) => (sim: Simulation<ArrayPorts>, random: Random, monitor: TaskSpec) => {
  const some = products({ bits: parameters.kind === "int4" ? [4] : [4, 8], rows: 2 * parameters.rows + 1, columns: parameters.cols + 1, channels: 6 });
  const workload = fc.sample(fc.array(some, { minLength: 1, maxLength: 2 }), { numRuns: 1, seed: random.next() | 0 })[0] ?? [];
  const profile = () => stallProfiles[random.integer(0, stallProfiles.length - 1)] ?? "none";
  runWithStalls(sim, parameters, workload, { x: profile(), w: profile(), y: profile() }, random, monitor);
};

const arrays = verifiedArrays.filter(({ rows, cols }) => rows * cols <= 24);

const isResult = ({ y }: Simulation<ArrayPorts>["io"]): boolean => y.valid.peek() === 1;

/** Answers on AXI4-Lite say something while they are there. */
const answers = {
  "sAxil.bresp": ({ sAxil }: { readonly sAxil: AxiLiteBus }) => sAxil.bvalid.peek() === 1,
  "sAxil.rresp": ({ sAxil }: { readonly sAxil: AxiLiteBus }) => sAxil.rvalid.peek() === 1,
  "sAxil.rdata": ({ sAxil }: { readonly sAxil: AxiLiteBus }) => sAxil.rvalid.peek() === 1,
};

/** Beats say something while they are there. */
const beats = {
  "mAxis.tdata": ({ mAxis }: { readonly mAxis: { readonly tvalid: PortHandle<BoolShape> } }) => mAxis.tvalid.peek() === 1,
  "mAxis.tlast": ({ mAxis }: { readonly mAxis: { readonly tvalid: PortHandle<BoolShape> } }) => mAxis.tvalid.peek() === 1,
};

/** A pipeline without resets means something once it has moved by its latency. */
const filled = (latency: number) => ({
  warmUp: latency,
  constrain: (io: { readonly enable: InputHandle<BoolShape> }, cycle: number) => {
    if (cycle < latency) io.enable.poke(1);
  },
});

/** A half goes to the reader once both of its words were written, and the word at the output means something once there was a read. */
const scratchpadBench = (): Bench<ReturnType<typeof scratchpad>["ports"]> => {
  let shows = false;
  return {
    design: scratchpad({ width: 35, depth: 2 }),
    payload: { "drain.data": () => shows },
    drive: (sim, random, monitor) => {
      const { fill, drain } = sim.io;
      shows = false;
      sim.run(function* driver() {
        let written = 0;
        let read = false;
        for (let cycle = 0; cycle < 80; cycle += 1) {
          const address = random.integer(0, 1);
          const isWrite = random.chance(0.7);
          const isDone = written === 3 && random.chance(0.7);
          fill.write.poke(isWrite);
          fill.address.poke(address);
          fill.data.poke(random.next());
          fill.done.poke(isDone);
          drain.read.poke(random.chance(0.5));
          drain.address.poke(random.integer(0, 1));
          drain.done.poke(random.chance(0.2));
          yield;
          shows ||= read;
          read = drain.read.peek() === 1 && drain.ready.peek() === 1;
          if (fill.ready.peek() !== 1) continue;
          if (isWrite) written |= 1 << address;
          if (isDone) written = 0;
        }
      }, monitor);
    },
  };
};

const pairs = bundleFifo("pairs", { word: output(uint(9)), flag: output(bool) }, 2);
const hasPair = ({ to }: { readonly to: { readonly valid: PortHandle<BoolShape> } }): boolean => to.valid.peek() === 1;

const blocks = {
  "src/lib/arbiter.ts": [of({ design: roundRobinArbiter({ requesters: 5 }) })],
  "src/lib/axi.ts": [
    of({
      design: axiLiteRegisters({ registers: 3 }),
      payload: {
        ...answers,
        // A read that is answered with an error brings no data.
        "sAxil.rdata": ({ sAxil }) => sAxil.rvalid.peek() === 1 && sAxil.rresp.peek() === 0,
      },
    }),
  ],
  "src/lib/axi4": [of(readBench(1)), of(readBench(8)), of(writeBench())],
  "src/lib/bundle-fifo.ts": [of({ design: pairs, payload: { "to.word": hasPair, "to.flag": hasPair } })],
  "src/lib/csr": [of({ design: registerBlock(timerMap), payload: answers })],
  "src/lib/fifo.ts": [of({ design: fifo({ width: 40, depth: 4 }), payload: { outData: (io) => io.outValid.peek() === 1 } })],
  "src/lib/float": [
    of({ design: binary32Adder(), ...filled(addLatency) }),
    of({ design: binary32Multiplier(), ...filled(multiplyLatency) }),
    of({ design: binary32Divider({ bitsPerStage: 4 }), ...filled(divideLatency({ bitsPerStage: 4 })) }),
    of({ design: integerToBinary32Converter({ width: 48 }), ...filled(fromIntegerLatency) }),
    of({ design: binary32ToBfloat16Converter(), ...filled(toBfloat16Latency) }),
    of({ design: binary32ToIntegerConverter({ width: 8, signed: true }), ...filled(toIntegerLatency) }),
  ],
  "src/lib/scratchpad.ts": [of(scratchpadBench())],
  "src/lib/stream.ts": [of({ design: axisSlice({ dataWidth: 33 }), payload: beats })],
  "src/lib/width.ts": [
    of({ design: axisUpsizer({ laneWidth: 9, lanes: 4 }), payload: { ...beats, "mAxis.tuser": ({ mAxis }) => mAxis.tvalid.peek() === 1 } }),
    of({ design: axisDownsizer({ laneWidth: 9, lanes: 4 }), payload: beats }),
  ],
  "docs/examples/histogram.ts": [of({ design: histogram({ sampleWidth: 3, countWidth: 8 }), payload: { bin: (io) => io.binValid.peek() === 1 } })],
  "docs/examples/mac.ts": [of({ design: mac({ dataWidth: 8, accWidth: 20 }) })],
  "docs/examples/timer.ts": [of({ design: timer, payload: answers })],
  "tender-cell": arrays.map((parameters) =>
    of({
      design: tenderCell(parameters),
      // The first beat that a cell takes starts a tile.
      warmUp: 1,
      constrain: (io, cycle) => {
        if (cycle > 0) return;
        io.enable.poke(1);
        io.first.poke(1);
      },
    }),
  ),
  "tender-array": arrays.map((parameters) =>
    of({ design: tenderArray(parameters), payload: { "y.data": isResult, "y.last": isResult, "y.overflow": isResult }, drive: driveArray(parameters) }),
  ),
};

test("every block of the library, example of the docs and design is here", () => {
  const files = ["src/lib", "docs/examples"].flatMap((folder) => readdirSync(folder).map((name) => `${folder}/${name}`));
  expect(Object.keys(blocks).toSorted()).toEqual([...files, ...designs.map(({ name }) => name)].toSorted());
});

describe.each(engines)("on %s", (engine) => {
  test.each(Object.entries(blocks))("%s: what the outputs mean does not depend on undefined state", async (_, benches) => {
    const seeds = fc.tuple(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
    const property = fc.asyncProperty(fc.constantFrom(...benches), seeds, fc.nat(), async (run, pair, stimulus) => {
      expect(await run(engine, pair, stimulus)).toBeUndefined();
    });
    await fc.assert(property, { numRuns: runs[engine] });
  });

  test("a control register without reset is found", async () => {
    const ports = { start: input(bool), busy: output(bool) };
    const planted = module(
      "planted",
      ports,
      (io) => {
        const running = reg("running", bool);
        sync(() => {
          when(io.start, () => running.set(running.not()));
        });
        io.busy.set(running);
      },
      "Control without a reset.",
    );
    const run = of({ design: planted });
    const found = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(async (seed) => run(engine, [0, seed], 1)));
    expect(found.filter((lines) => lines !== undefined).map((lines) => lines.toSorted())).toContainEqual(["cycle 0: busy 0", "cycle 0: busy 1"]);
  });
});
