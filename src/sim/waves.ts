import { mkdirSync } from "node:fs";
import { join, relative } from "node:path";
import { deriveSeed, Random, rootSeed } from "../base/random.ts";
import type { Module } from "../hdl/circuit.ts";
import type { PortMap } from "../hdl/ports.ts";
import { defaultEngine } from "./choose-engine.ts";
import { engineFor } from "./engines.ts";
import { toSource } from "./module-source.ts";
import type { SimulateOptions } from "./simulate.ts";
import { simulate } from "./simulate.ts";
import type { Simulation } from "./simulation.ts";
import type { SimSource } from "./source.ts";
import { cacheFolder } from "./verilator/cache.ts";

/** What a test runner says about the running test; vitest's context has this form. */
export interface TestContext {
  readonly task: { readonly name: string; readonly file: { readonly name: string } };
}

/** A test bench: gets the design and a random source, both from one seed. */
export type BenchBody<P extends PortMap> = (sim: Simulation<P>, random: Random) => void | Promise<void>;

const nameOf = (context: TestContext | undefined, top: string): string => context?.task.name ?? top;

const fileNameOf = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")
    .slice(0, 80);

const shellQuoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const repeatLine = (context: TestContext | undefined, seed: number): string => {
  const engine = defaultEngine();
  const line = `SYSTOLE_SEED=${seed} SYSTOLE_WAVES=1${engine === "auto" ? "" : ` SYSTOLE_ENGINE=${engine}`} npx vitest run`;
  return context === undefined ? line : `${line} ${context.task.file.name} -t ${shellQuoted(context.task.name)}`;
};

/**
 * A test, for a runner such as vitest: `test("keeps order", withWaves(fifo, {}, (sim, random) => { ... }))`.
 * Where the body fails it runs again, from the same seed, in a build that writes a waveform; the error then also says where
 * the waveform is and which line repeats the test. With `$SYSTOLE_WAVES` set, the waveform is written from the start.
 */
export const withWaves =
  <P extends PortMap>(design: SimSource<P> | Module<P>, options: SimulateOptions, body: BenchBody<P>) =>
  async (context?: TestContext): Promise<void> => {
    const root = rootSeed();
    // Found out once, so that a run with a waveform is a run of the same engine.
    const engine = engineFor("top" in design ? design : toSource(design), options);
    const seed = options.seed ?? deriveSeed(root, nameOf(context, "top" in design ? design.top : design.name));
    const open = async (trace: string | undefined): Promise<Simulation<P>> =>
      simulate(design, { ...options, engine, seed, ...(trace === undefined ? {} : { trace }) });
    const run = async (sim: Simulation<P>): Promise<void> => {
      try {
        await body(sim, new Random(seed));
      } finally {
        sim.close();
      }
    };
    const waves = options.trace ?? wavePath(nameOf(context, "bench"), root, engine === "verilator" ? "fst" : "vcd");
    const always = options.trace !== undefined || (process.env["SYSTOLE_WAVES"] ?? "") !== "";
    // A design that can't be opened is no failed bench.
    const sim = await open(always ? waves : undefined);
    try {
      await run(sim);
    } catch (error) {
      const again = always
        ? error
        : await open(waves)
            .then(run)
            .then(
              () => undefined,
              (second: unknown) => second,
            );
      const outcome =
        again === undefined ? "The repeated run with waves did not fail: the bench depends on something that its seed does not govern." : `Waves: ${waves}`;
      throw extended(error, `${outcome}\nRepeat: ${repeatLine(context, root)}`);
    }
  };

const wavePath = (name: string, seed: number, extension: "fst" | "vcd"): string => {
  const folder = join(cacheFolder(), "waves");
  mkdirSync(folder, { recursive: true });
  return relative(process.cwd(), join(folder, `${fileNameOf(name)}-${seed}.${extension}`));
};

/** The same error with more lines, so that a runner still shows its difference and its place. */
const extended = (error: unknown, lines: string): unknown => {
  if (!(error instanceof Error)) return new Error(`${String(error)}\n${lines}`, { cause: error });
  error.message = `${error.message}\n\n${lines}`;
  return error;
};
