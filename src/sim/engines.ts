import { extname } from "node:path";
import { UserError } from "../base/error.ts";
import type { EngineChoice, EngineName } from "./choose-engine.ts";
import { chooseEngine, externalIn } from "./choose-engine.ts";
import { EmbeddedEngine } from "./embedded.ts";
import type { Engine } from "./engine.ts";
import { ReferenceCore } from "./reference-core.ts";
import type { SimSource } from "./source.ts";
import type { BuildOptions } from "./verilator/build.ts";
import { build, isBuilt } from "./verilator/build.ts";
import { VerilatorEngine } from "./verilator/load.ts";
import type { TraceFormat } from "./verilator/runtime.ts";
import { wasmCore } from "./wasm/index.ts";

export interface EngineOptions {
  /** What simulates. Default: `$SYSTOLE_ENGINE`, or `auto`, which is Verilator for long runs and for what only it can do, otherwise `wasm`. */
  readonly engine?: EngineChoice | undefined;
  /** `quick` compiles soonest, `fast` runs fastest; `auto` takes `fast` for long runs and where it is built already. For Verilator. */
  readonly profile?: "auto" | "quick" | "fast";
  /** Cycles that the caller means to run, for `auto`. */
  readonly cycles?: number;
  /** Waveform file, `.fst` or `.vcd`; only Verilator writes `.fst`. */
  readonly trace?: string;
  /** Signals inside the design that `peekPath` and `pokePath` will name. */
  readonly paths?: readonly string[];
  /** `scalar`: the engine `wasm` computes cells of grids one by one, not in vectors. */
  readonly grids?: "scalar";
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

const buildOptions = (source: SimSource, options: EngineOptions): BuildOptions => {
  const visible = [...new Set((options.paths ?? []).map(leafOf))].toSorted();
  const common = { trace: options.trace === undefined ? undefined : traceFormat(options.trace), visible };
  const { profile = "auto", cycles = 0 } = options;
  if (profile !== "auto") return { ...common, profile };
  return { ...common, profile: cycles >= fastFrom || isBuilt(source, { ...common, profile: "fast" }) ? "fast" : "quick" };
};

/** What every engine is given; `period` is the first clock's, in thousandths of a nanosecond. */
export interface OpenOptions {
  readonly seed: number;
  readonly period: number;
}

const openVerilator = async (source: SimSource, options: EngineOptions, { seed, period }: OpenOptions): Promise<Engine> => {
  const model = await build(source, buildOptions(source, options));
  const { hangTimeout = 10_000, trace, print = (text) => process.stderr.write(text) } = options;
  return new VerilatorEngine(model, { top: source.top, seed, period, hangTimeout, trace, print });
};

const useVerilator = 'use engine: "verilator"';

const openEmbedded = (source: SimSource, engine: "wasm" | "reference", options: EngineOptions, { seed, period }: OpenOptions): Engine => {
  const { trace } = options;
  const { circuit, top } = source;
  if (circuit === undefined)
    throw new UserError("verilog-source", `\`${top}\` is given as Verilog, which the engine \`${engine}\` can't run`, { hint: useVerilator });
  if (trace !== undefined && traceFormat(trace) === "fst")
    throw new UserError("bad-trace", `the engine \`${engine}\` can't write \`${trace}\`, only .vcd`, { hint: 'name a .vcd file, or use engine: "verilator"' });
  const external = externalIn(circuit);
  if (external !== undefined)
    throw new UserError("needs-verilator", `\`${external.name}\` is existing Verilog, which the engine \`${engine}\` can't run`, { hint: useVerilator });
  const visible = trace === undefined ? (options.paths ?? []).map(leafOf) : "all";
  const core =
    engine === "wasm"
      ? wasmCore(circuit, { seed, visible, ...(options.grids === undefined ? {} : { grids: options.grids }) })
      : new ReferenceCore(circuit, { seed, top });
  return new EmbeddedEngine(core, { top, clocks: source.clocks.map(({ clk }) => clk), period, trace });
};

/** The engine that runs a source. @throws UserError for a name that is no engine. */
export const engineFor = (source: SimSource, options: EngineOptions): EngineName =>
  chooseEngine(source, options, () => isBuilt(source, buildOptions(source, options)));

/**
 * An engine, ready to run.
 * @throws UserError for an engine that can't run the source or write the waveform, a missing tool, or Verilog that is refused.
 */
export const openEngine = async (source: SimSource, engine: EngineName, options: EngineOptions, open: OpenOptions): Promise<Engine> =>
  engine === "verilator" ? openVerilator(source, options, open) : openEmbedded(source, engine, options, open);
