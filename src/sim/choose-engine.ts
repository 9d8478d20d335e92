import { extname } from "node:path";
import { UserError } from "../base/error.ts";
import { type Circuit, childrenOf } from "../hdl/circuit.ts";
import type { SimSource } from "./source.ts";
import { findToolchain } from "./verilator/toolchain.ts";

/** `verilator` runs the Verilog that is shipped; `wasm` compiles the circuit in this process; `reference` interprets it, slow and obvious. */
export type EngineName = "verilator" | "wasm" | "reference";

/** `auto` is Verilator for long runs and for what only it can do, otherwise `wasm`. */
export type EngineChoice = "auto" | EngineName;

const engineChoices: readonly EngineChoice[] = ["auto", "verilator", "wasm", "reference"];

/**
 * Cycles from which `auto` waits for Verilator's build: what ships is then what runs, and the build is no longer most of the time. On Tender's 16x16 array
 * the build takes 3.5 to 7.5 s and 5 million cycles take 19 s more; speed is no reason there, since `wasm` runs grids faster. On a file of 16 AXI-Lite
 * registers, where Verilator runs twice as fast as `wasm`, its build of 0.75 s pays from some 6 million cycles (docs/decisions.md says how measured).
 */
const longRun = 5_000_000;

/** Cycles from which a model of Verilator's that is in the cache is worth the look. */
const tinyRun = 10_000;

/** @throws UserError for a name that is no engine */
export const engineChoice = (name: string, origin: string): EngineChoice => {
  const choice = engineChoices.find((known) => known === name);
  if (choice !== undefined) return choice;
  throw new UserError("bad-engine", `${origin} is auto, verilator, wasm or reference, not \`${name}\``);
};

/** The engine of calls that name none, as far as it can run what they are given: `$SYSTOLE_ENGINE`, or `auto`. */
export const defaultEngine = (): EngineChoice => {
  const stated = process.env["SYSTOLE_ENGINE"];
  return stated === undefined || stated === "" ? "auto" : engineChoice(stated, "SYSTOLE_ENGINE");
};

const problems = new Map<string, UserError | undefined>();

/** Why Verilator can't run here, or undefined where it can. Looks once for each PATH, and starts nothing. */
export const verilatorProblem = (): UserError | undefined => {
  const path = process.env["PATH"] ?? "";
  if (!problems.has(path)) {
    try {
      findToolchain();
      problems.set(path, undefined);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.set(path, error);
    }
  }
  return problems.get(path);
};

/** The first module in a circuit that exists as Verilog only. */
export const externalIn = (circuit: Circuit): Circuit | undefined => {
  if (circuit.external !== undefined) return circuit;
  for (const child of childrenOf(circuit)) {
    const found = externalIn(child);
    if (found !== undefined) return found;
  }
  return undefined;
};

/** Whether no other engine than Verilator can do it. */
const needsVerilator = ({ circuit }: SimSource, trace: string | undefined): boolean =>
  circuit === undefined || (trace !== undefined && extname(trace) === ".fst") || externalIn(circuit) !== undefined;

/**
 * The engine that runs a source.
 * @param isBuilt says whether Verilator's model is in the cache
 */
export const chooseEngine = (
  source: SimSource,
  options: { readonly engine?: EngineChoice | undefined; readonly cycles?: number | undefined; readonly trace?: string | undefined },
  isBuilt: () => boolean,
): EngineName => {
  const named = options.engine === undefined ? undefined : engineChoice(options.engine, "the engine");
  if (named !== undefined && named !== "auto") return named;
  const standing = named ?? defaultEngine();
  const { cycles = 0, trace } = options;
  if (needsVerilator(source, trace)) return "verilator";
  if (standing !== "auto") return standing;
  if (cycles < tinyRun || verilatorProblem() !== undefined) return "wasm";
  return cycles >= longRun || isBuilt() ? "verilator" : "wasm";
};
