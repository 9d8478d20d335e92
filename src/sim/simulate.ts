import { extname } from "node:path";
import { UserError } from "../base/error.ts";
import { deriveSeed } from "../base/random.ts";
import type { Module } from "../hdl/circuit.ts";
import type { PortMap } from "../hdl/ports.ts";
import type { ClockTiming } from "./clocks.ts";
import { makeClocks } from "./clocks.ts";
import { toSource } from "./module-source.ts";
import { Simulation } from "./simulation.ts";
import type { SimSource } from "./source.ts";
import type { BuildOptions } from "./verilator/build.ts";
import { build, isBuilt } from "./verilator/build.ts";
import { VerilatorEngine } from "./verilator/load.ts";
import type { TraceFormat } from "./verilator/runtime.ts";

export interface SimulateOptions {
  /** Seed of registers and memories without reset. Default: derived from `$SYSTOLE_SEED` (1 where unset) and the top's name. */
  readonly seed?: number;
  /** `quick` compiles soonest, `fast` runs fastest; `auto` takes `fast` for long runs and where it is built already. */
  readonly profile?: "auto" | "quick" | "fast";
  /** Cycles that the caller means to run, for `auto`. */
  readonly cycles?: number;
  /** Waveform file, `.fst` or `.vcd`. */
  readonly trace?: string;
  /** Signals inside the design that `peekPath` and `pokePath` will name. */
  readonly paths?: readonly string[];
  /** Timing by key of the clock port, or by its Verilog name. */
  readonly clocks?: Readonly<Record<string, ClockTiming>>;
  /** Cycles after which `run` gives up. Default one million. */
  readonly maxCycles?: number;
  /** Milliseconds of processor time that one evaluation may take. Default 10 000. */
  readonly hangTimeout?: number;
  /** Receives what the design prints. Default: standard error. */
  readonly print?: (text: string) => void;
}

/**
 * Cycles from which the slower build pays: measured at 2.4 and 2.7 million on 8x8 and 16x16 arrays written by hand, nearly the same as both costs grow
 * with the design. Where the code gains less, as on Tender's arrays, a few seconds are lost.
 */
const fastFrom = 2_500_000;

const traceFormat = (path: string): TraceFormat => {
  const extension = extname(path);
  if (extension === ".fst" || extension === ".vcd") return extension.slice(1) as TraceFormat;
  throw new UserError("bad-trace", `waveform file \`${path}\` must end in .fst or .vcd`);
};

/** Name of a signal without its hierarchy and without an index into a memory. */
const leafOf = (path: string): string => path.slice(path.lastIndexOf(".") + 1).replace(/\[\d+\]$/, "");

const buildOptions = (source: SimSource, options: SimulateOptions): BuildOptions => {
  const visible = [...new Set((options.paths ?? []).map(leafOf))].toSorted();
  const common = { trace: options.trace === undefined ? undefined : traceFormat(options.trace), visible };
  const { profile = "auto", cycles = 0 } = options;
  if (profile !== "auto") return { ...common, profile };
  return { ...common, profile: cycles >= fastFrom || isBuilt(source, { ...common, profile: "fast" }) ? "fast" : "quick" };
};

/** The seed that everything random starts from: `$SYSTOLE_SEED`, or 1. */
export const rootSeed = (): number => {
  const stated = process.env["SYSTOLE_SEED"];
  if (stated === undefined || stated === "") return 1;
  if (!/^\d+$/.test(stated) || Number(stated) > 0xffffffff)
    throw new UserError("bad-seed", `SYSTOLE_SEED must be a whole number below 2^32, not \`${stated}\``);
  return Number(stated);
};

/**
 * Builds the design, or takes it from the cache, and loads it into this process.
 * @throws UserError for a missing tool, Verilog that is refused, or ports that differ from their declaration.
 */
export const simulate = async <P extends PortMap>(design: SimSource<P> | Module<P>, options: SimulateOptions = {}): Promise<Simulation<P>> => {
  const source = "circuit" in design ? toSource(design) : design;
  const clocks = makeClocks(source.clocks, options.clocks ?? {});
  const model = await build(source, buildOptions(source, options));
  const seed = options.seed ?? deriveSeed(rootSeed(), source.top);
  const engine = new VerilatorEngine(model, {
    top: source.top,
    seed,
    period: clocks[0]?.period ?? 10_000,
    hangTimeout: options.hangTimeout ?? 10_000,
    trace: options.trace,
    print: options.print ?? ((text) => process.stderr.write(text)),
  });
  try {
    return new Simulation(source, engine, clocks, { seed, maxCycles: options.maxCycles ?? 1_000_000 });
  } catch (error) {
    engine.close();
    throw error;
  }
};
