import { deriveSeed, rootSeed } from "../base/random.ts";
import type { Module } from "../hdl/circuit.ts";
import type { PortMap } from "../hdl/ports.ts";
import type { ClockTiming } from "./clocks.ts";
import { makeClocks } from "./clocks.ts";
import type { EngineOptions } from "./engines.ts";
import { engineFor, openEngine } from "./engines.ts";
import { toSource } from "./module-source.ts";
import { Simulation } from "./simulation.ts";
import type { SimSource } from "./source.ts";
import { pathsOf, WaveRecorder } from "./wave-recorder.ts";

export interface SimulateOptions extends EngineOptions {
  /** Seed of registers and memories without reset. Default: derived from `$SYSTOLE_SEED` (1 where unset) and the top's name. */
  readonly seed?: number;
  /** Ports and signals inside the design that `wave()` draws; the last 1000 cycles are kept. Runs are slower with it. */
  readonly wave?: readonly string[];
  /** Timing by key of the clock port, or by its Verilog name. */
  readonly clocks?: Readonly<Record<string, ClockTiming>>;
  /** Cycles after which `run` gives up. Default one million. */
  readonly maxCycles?: number;
}

/**
 * Opens the design in an engine, in this process; Verilator builds it first, or takes it from the cache.
 * @throws UserError for what `openEngine` refuses, or ports that differ from their declaration.
 */
export const simulate = async <P extends PortMap>(design: SimSource<P> | Module<P>, options: SimulateOptions = {}): Promise<Simulation<P>> => {
  const source = "top" in design ? design : toSource(design);
  const clocks = makeClocks(source.clocks, options.clocks ?? {});
  const seed = options.seed ?? deriveSeed(rootSeed(), source.top);
  const { wave } = options;
  const period = clocks[0]?.period ?? 10_000;
  const paths = [...(options.paths ?? []), ...pathsOf(source, wave ?? [])];
  const name = engineFor(source, { ...options, paths });
  const engine = await openEngine(source, name, { ...options, paths }, { seed, period });
  try {
    const recorded = wave === undefined ? engine : new WaveRecorder(engine, source, wave, period);
    return new Simulation(source, recorded, clocks, { engine: name, seed, maxCycles: options.maxCycles ?? 1_000_000 });
  } catch (error) {
    engine.close();
    throw error;
  }
};
