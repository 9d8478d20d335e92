import fc from "fast-check";
import { type ReadDmaParameters, readDma } from "../../../src/lib/axi4/read-dma.ts";
import { writeDma } from "../../../src/lib/axi4/write-dma.ts";
import type { Bench } from "../seed-dependence.ts";
import { conditions, memoryBase, memoryOf, type ReadSim, readJob, smallDma, type WriteSim, writeJob } from "./dma-bench.ts";

const given = fc.record({
  condition: conditions,
  commands: fc.array(fc.record({ address: fc.nat(200).map((at) => memoryBase + 8 * at), bytes: fc.oneof(fc.constantFrom(0, 8), fc.nat(80)) }), {
    minLength: 1,
    maxLength: 4,
  }),
});

const draw = (seed: number) => fc.sample(given, { numRuns: 1, seed: seed | 0 })[0]!;

const data = ({ mAxis }: ReadSim["io"]) => mAxis.tvalid.peek() === 1;
const readRequest = ({ mAxi }: ReadSim["io"]) => mAxi.arvalid.peek() === 1;
const writeRequest = ({ mAxi }: WriteSim["io"]) => mAxi.awvalid.peek() === 1;
const beat = ({ mAxi }: WriteSim["io"]) => mAxi.wvalid.peek() === 1;

/** A read DMA at work, for the property that undefined state does not show. */
export const readBench = (alignment: number): Bench<ReturnType<typeof readDma>["ports"]> => {
  const parameters: ReadDmaParameters = { ...smallDma(), alignment };
  return {
    design: readDma(parameters),
    payload: { "mAxis.tdata": data, "mAxis.tkeep": data, "mAxis.tlast": data, "mAxis.tuser": data, "mAxi.araddr": readRequest, "mAxi.arlen": readRequest },
    drive: (sim, random, monitor) => {
      const { condition, commands } = draw(random.next());
      const { memory, random: own } = memoryOf(condition);
      sim.run(memory.serve({ read: sim.io.mAxi }), ...readJob(sim, commands, condition.how, own).tasks, monitor);
    },
  };
};

/** A write DMA at work, for the same property. */
export const writeBench = (): Bench<ReturnType<typeof writeDma>["ports"]> => ({
  design: writeDma(smallDma()),
  payload: {
    "mAxi.awaddr": writeRequest,
    "mAxi.awlen": writeRequest,
    "mAxi.wdata": beat,
    "mAxi.wstrb": beat,
    "mAxi.wlast": beat,
    "done.status": ({ done }) => done.valid.peek() === 1,
  },
  drive: (sim, random, monitor) => {
    const { condition, commands } = draw(random.next());
    const { memory, random: own } = memoryOf(condition);
    const bytes = commands.map((command) => Uint8Array.from({ length: command.bytes }, () => own.integer(0, 255)));
    sim.run(memory.serve({ write: sim.io.mAxi }), ...writeJob(sim, commands, bytes, condition.how, own).tasks, monitor);
  },
});
