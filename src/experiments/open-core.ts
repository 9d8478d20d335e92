import { tenderCore } from "../designs/tender/core/core.ts";
import type { CoreParameters } from "../designs/tender/core/parameters.ts";
import { CoreDevice } from "../driver/tender/core/device.ts";
import type { MemoryTiming } from "../driver/tender/core/plan.ts";
import { runOnCore } from "../driver/tender/core/products.ts";
import { CoreRunner } from "../driver/tender/core/run.ts";
import { sourceFrom } from "../driver/tender/source.ts";
import type { EngineChoice } from "../sim/index.ts";
import { simulate } from "../sim/index.ts";
import type { ModelCore } from "./run-tender-core.ts";

export interface OpenCoreOptions {
  readonly engine?: EngineChoice | undefined;
  /** Folder of Verilog to simulate instead of generated text. */
  readonly rtl?: string | undefined;
  readonly seed?: number | undefined;
}

/** Cycles of a whole model, from which `auto` chooses an engine: a layer of opt-mini takes 0.2 million for 64 tokens. */
const expectedCycles = 1_000_000;

/**
 * The tensor core in simulation, with a memory of 64 MiB and the driver.
 * @throws UserError for what `simulate` refuses
 */
export const openCore = async (parameters: CoreParameters, memory: MemoryTiming, { engine, rtl, seed }: OpenCoreOptions): Promise<ModelCore> => {
  const top = tenderCore(parameters);
  const sim = await simulate(rtl === undefined ? top : sourceFrom(rtl, top), { engine, cycles: expectedCycles, ...(seed === undefined ? {} : { seed }) });
  const runner = new CoreRunner(new CoreDevice(sim, parameters, memory));
  return { engine: sim.engine, run: (products, onProgress) => runOnCore(runner, products, onProgress), [Symbol.dispose]: () => sim.close() };
};
