import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { UserError } from "../base/error.ts";
import { Random } from "../base/random.ts";
import { runTool } from "../base/tool.ts";
import { input, output } from "../hdl/ports.ts";
import { bool, sint, vec } from "../hdl/shape.ts";
import type { SimSource, Simulation } from "../sim/index.ts";
import { simulate, verilog } from "../sim/index.ts";
import { build } from "../sim/verilator/build.ts";
import { compilerOf, findToolchain, verilatorInclude } from "../sim/verilator/toolchain.ts";
import type { BenchSimRow, FieldsOf } from "./results.ts";

export interface BenchSimOptions {
  /** Rows and columns of the arrays: multiples of 4. Default 8 and 16. */
  readonly sizes?: readonly number[];
  /** Repetitions, of which the median counts. Default 7. */
  readonly repetitions?: number;
  /** Seconds that one repetition of the C++ bench takes, about. Default 0.3. */
  readonly seconds?: number;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

const arrayPorts = (size: number) => ({
  valid: input(bool),
  first: input(bool),
  shift: input(bool),
  drain: input(bool),
  a: input(vec(size, sint(8))),
  b: input(vec(size, sint(8))),
  outValid: output(bool),
  out: output(vec(size, sint(32))),
});
type ArrayPorts = ReturnType<typeof arrayPorts>;

/** One cycle each: control bits, then activations and weights, `size` bytes of each. */
interface Stimulus {
  readonly cycles: number;
  readonly valid: Uint8Array;
  readonly first: Uint8Array;
  readonly shift: Uint8Array;
  readonly drain: Uint8Array;
  readonly a: Int8Array;
  readonly b: Int8Array;
}

/** A way to run the stimulus `repeats` times; `seconds` of processor time without preparation, `hash` over every valid output word. */
type Runner = (repeats: number) => Promise<{ readonly seconds: number; readonly hash: string }>;

const benchFile = (path: string): string => {
  const file = fileURLToPath(new URL(`../../tb/${path}`, import.meta.url));
  if (existsSync(file)) return file;
  throw new UserError("no-bench", "`bench sim` compares with a C++ test bench that comes with the project's clone only", {
    hint: "run it in a clone of the repository",
  });
};

/** Tiles of `2 * size` products, then as many idle cycles for the skew, then `size` drain cycles: 40 % of the cycles feed, 20 % drain. */
const makeStimulus = (size: number): Stimulus => {
  const period = 5 * size;
  const cycles = period * Math.ceil(4096 / period);
  const random = new Random(size);
  const column = (f: (phase: number) => boolean): Uint8Array => Uint8Array.from({ length: cycles }, (_, cycle) => Number(f(cycle % period)));
  const bytes = (): Int8Array => Int8Array.from({ length: cycles * size }, () => random.integer(-128, 127));
  return {
    cycles,
    valid: column((phase) => phase < 2 * size),
    first: column((phase) => phase === 0),
    shift: column((phase) => phase > 0 && phase < 2 * size && random.chance(0.1)),
    drain: column((phase) => phase >= 4 * size),
    a: bytes(),
    b: bytes(),
  };
};

const fnvStart = 2166136261;
const hashWords = (hash: number, words: Uint32Array): number => {
  for (let i = 0; i < words.length; i++) hash = Math.imul(hash ^ words[i]!, 16777619);
  return hash;
};
const hashText = (hash: number): string => (hash >>> 0).toString(16).padStart(8, "0");

/** Processor time of this process: other work on the machine does not count, the engine's own threads do. */
const processorSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** As a test bench would be written that reacts every cycle: set the inputs, step, look at the outputs. */
const stepRunner =
  (open: () => Promise<Simulation<ArrayPorts>>, size: number, stimulus: Stimulus): Runner =>
  async (repeats) => {
    const sim = await open();
    const { valid, first, shift, drain, a, b, outValid, out } = sim.io;
    const [aWords, bWords] = [new Uint32Array(stimulus.a.buffer), new Uint32Array(stimulus.b.buffer)];
    const words = size / 4;
    const seen = new Uint32Array(size);
    let hash = fnvStart;
    const start = processorSeconds();
    for (let repeat = 0; repeat < repeats; repeat++) {
      for (let cycle = 0; cycle < stimulus.cycles; cycle++) {
        valid.poke(stimulus.valid[cycle]!);
        first.poke(stimulus.first[cycle]!);
        shift.poke(stimulus.shift[cycle]!);
        drain.poke(stimulus.drain[cycle]!);
        a.pokeWords(aWords, cycle * words);
        b.pokeWords(bWords, cycle * words);
        sim.step();
        if (outValid.peek() === 0) continue;
        out.peekWords(seen);
        hash = hashWords(hash, seen);
      }
    }
    const seconds = processorSeconds() - start;
    sim.close();
    return { seconds, hash: hashText(hash) };
  };

/** All stimulus in one call, valid outputs captured. The last valid output of a repeat is seen in the first cycle of the next. */
const blockRunner =
  (open: () => Promise<Simulation<ArrayPorts>>, stimulus: Stimulus): Runner =>
  async (repeats) => {
    const sim = await open();
    const { cycles, ...inputs } = stimulus;
    let hash = fnvStart;
    const start = processorSeconds();
    const hashCaptured = (columns: { readonly out: unknown }): void => {
      const { buffer, byteOffset, byteLength } = columns.out as Int32Array;
      hash = hashWords(hash, new Uint32Array(buffer, byteOffset, byteLength / 4));
    };
    for (let repeat = 0; repeat < repeats; repeat++) hashCaptured(sim.block({ inputs, cycles, capture: ["out"], when: "outValid" }).columns);
    hashCaptured(sim.block({ inputs: { valid: 0, drain: 0 }, cycles: 1, capture: ["out"], when: "outValid" }).columns);
    const seconds = processorSeconds() - start;
    sim.close();
    return { seconds, hash: hashText(hash) };
  };

/** The best that Verilator and a C++ compiler give: undefined values fast, no assertions, one compile of everything, `g++ -O3`. */
const buildCpp = async (folder: string, size: number, source: SimSource): Promise<string> => {
  const tools = findToolchain();
  const include = await verilatorInclude(tools);
  for (const file of source.files) await writeFile(join(folder, file.name), file.text);
  const options =
    "--cc -O3 --x-assign fast --x-initial fast --noassert --output-split 20000 --output-split-cfuncs 500 -Wno-fatal -Wno-lint --prefix Vdut --Mdir obj".split(
      " ",
    );
  const parameters = Object.entries(source.parameters).map(([name, value]) => `-G${name}=${value}`);
  await runTool(tools.verilator, [...options, "--top-module", source.top, ...parameters, ...source.files.map((file) => file.name)], { cwd: folder });
  const generated = (await readdir(join(folder, "obj"))).filter((name) => name.endsWith(".cpp")).toSorted();
  const parts = [...generated.map((name) => `obj/${name}`), benchFile("bench/array_bench.cpp")];
  await writeFile(join(folder, "all.cpp"), parts.map((part) => `#include "${part}"\n`).join(""));
  const { compiler } = compilerOf(tools, "fast");
  const runtime = ["verilated.cpp", "verilated_threads.cpp"];
  const flags = ["-std=c++17", "-O3", "-w", `-DSIZE=${size}`, "-Iobj", `-I${include}`, `-I${join(include, "vltstd")}`];
  const compile = (file: string, object: string): Promise<unknown> => runTool(compiler, [...flags, "-c", file, "-o", object], { cwd: folder });
  const objects = runtime.map((name) => `../${name}.o`);
  if (!existsSync(join(folder, objects[0]!))) await Promise.all(runtime.map((name, i) => compile(join(include, name), objects[i]!)));
  await runTool(compiler, [...flags, "all.cpp", ...objects, "-o", "bench", "-lpthread", "-latomic"], { cwd: folder });
  return join(folder, "bench");
};

const cppRunner =
  (program: string, records: string, stimulus: Stimulus): Runner =>
  async (repeats) => {
    const { stdout } = await runTool(program, [records, String(stimulus.cycles), String(repeats)]);
    const [, seconds, hash] = stdout.trim().split(" ");
    return { seconds: Number(seconds), hash: hash ?? "" };
  };

const recordsOf = (size: number, stimulus: Stimulus): Uint32Array => {
  const words = 1 + size / 2;
  const records = new Uint32Array(words * stimulus.cycles);
  const bytes = new Int8Array(records.buffer);
  for (let cycle = 0; cycle < stimulus.cycles; cycle++) {
    records[cycle * words] = stimulus.valid[cycle]! | (stimulus.first[cycle]! << 1) | (stimulus.shift[cycle]! << 2) | (stimulus.drain[cycle]! << 3);
    bytes.set(stimulus.a.subarray(cycle * size, (cycle + 1) * size), (cycle * words + 1) * 4);
    bytes.set(stimulus.b.subarray(cycle * size, (cycle + 1) * size), (cycle * words + 1) * 4 + size);
  }
  return records;
};

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

const timed = async <T>(work: () => Promise<T>): Promise<{ seconds: number; result: T }> => {
  const start = performance.now();
  const result = await work();
  return { seconds: (performance.now() - start) / 1000, result };
};

/** Everything about one array that the repetitions need. */
interface Contest {
  readonly size: number;
  readonly stimulus: Stimulus;
  readonly runners: readonly { readonly engine: "cpp" | "verilator"; readonly mode: "step" | "block"; readonly run: Runner }[];
  readonly cold: number;
  readonly cachedSeconds: number;
  readonly startupMs: number;
  readonly samples: { seconds: number; hash: string }[][];
  repeats: number;
}

const prepare = async (folder: string, size: number): Promise<Contest> => {
  if (!Number.isInteger(size) || size < 4 || size % 4 !== 0 || size > 64)
    throw new UserError("bad-size", `an array for \`bench sim\` has 4 to 64 rows, a multiple of 4, not ${size}`);
  const text = await readFile(benchFile("reference/systolic_array.sv"), "utf8");
  const source = verilog({ top: "systolic_array", files: [{ name: "systolic_array.sv", text }], ports: arrayPorts(size), parameters: { N: size } });
  const stimulus = makeStimulus(size);
  const here = await mkdtemp(join(folder, "size-"));
  const options = { profile: "fast", trace: undefined, visible: [] } as const;
  // Once before, so that the tools' own run-time library is there, as it is after a machine's first simulation.
  await build(source, options);
  const unseen = { ...source, files: [{ name: "systolic_array.sv", text: `${text}// ${randomUUID()}\n` }] };
  const cold = await timed(() => build(unseen, options));
  await rm(dirname(cold.result.library), { recursive: true });
  const cachedSeconds = await timed(() => build(source, options));
  const open = async (): Promise<Simulation<ArrayPorts>> => {
    const sim = await simulate(source, { profile: "fast" });
    sim.reset(2);
    return sim;
  };
  await open().then((sim) => sim.close());
  const startup = await timed(open);
  startup.result.close();
  const records = join(here, "stimulus");
  await writeFile(records, recordsOf(size, stimulus));
  const program = await buildCpp(here, size, source);
  return {
    size,
    stimulus,
    runners: [
      { engine: "cpp", mode: "step", run: cppRunner(program, records, stimulus) },
      { engine: "verilator", mode: "step", run: stepRunner(open, size, stimulus) },
      { engine: "verilator", mode: "block", run: blockRunner(open, stimulus) },
    ],
    cold: cold.seconds,
    cachedSeconds: cachedSeconds.seconds,
    startupMs: startup.seconds * 1000,
    samples: [[], [], []],
    repeats: 1,
  };
};

/** Least ratio to the C++ bench: the engine's acceptance figures (issue 3, section 3). */
const expectedRatio = (size: number, mode: "step" | "block"): number | null =>
  size === 16 ? (mode === "step" ? 0.75 : 0.85) : size === 8 ? (mode === "step" ? 0.5 : 0.75) : null;

const rowsOf = (contest: Contest): BenchSimRow[] =>
  contest.runners.map(({ engine, mode }, index): BenchSimRow => {
    const samples = contest.samples[index]!;
    const total = contest.stimulus.cycles * contest.repeats;
    const isCpp = engine === "cpp";
    const expected = isCpp ? null : expectedRatio(contest.size, mode);
    const ratio = median(samples.map((sample, i) => contest.samples[0]![i]!.seconds / sample.seconds));
    return {
      design: `systolic_array ${contest.size}x${contest.size}`,
      engine,
      mode,
      cyclesPerSecond: Math.round(total / median(samples.map((sample) => sample.seconds))),
      ratioToCpp: ratio,
      ratioToVerilator: null,
      startupMs: isCpp ? null : contest.startupMs,
      buildSecondsCold: isCpp ? null : contest.cold,
      buildSecondsCached: isCpp ? null : contest.cachedSeconds,
      hash: samples[0]!.hash,
      expected,
      met: expected === null ? null : ratio >= expected,
    };
  });

/**
 * Speed of the Verilator engine beside a hand-written C++ test bench on the same design, stimulus and outputs, interleaved in one run; medians.
 * @throws UserError outside a clone, and where two ways to run the stimulus give different outputs.
 */
export const benchSim = async (options: BenchSimOptions = {}): Promise<FieldsOf<"bench sim">> => {
  const { sizes = [8, 16], repetitions = 7, seconds = 0.3 } = options;
  const folder = await mkdtemp(join(tmpdir(), "systole-bench-"));
  try {
    const contests: Contest[] = [];
    for (const size of sizes) contests.push(await prepare(folder, size));
    const total = contests.length * repetitions;
    for (const contest of contests) {
      const probe = await contest.runners[0]!.run(20);
      contest.repeats = Math.max(1, Math.round((20 * seconds) / probe.seconds));
    }
    for (let done = 0; done < total; done++) {
      const contest = contests[done % contests.length]!;
      for (const [index, runner] of contest.runners.entries()) contest.samples[index]!.push(await runner.run(contest.repeats));
      const hashes = new Set(contest.samples.map((samples) => samples.at(-1)!.hash));
      if (hashes.size > 1)
        throw new UserError(
          "hash-mismatch",
          `the outputs of the ${contest.size}x${contest.size} array differ between the ways to run it: ${[...hashes].join(", ")}`,
          { exitCode: 1 },
        );
      options.onProgress?.(done + 1, total);
    }
    return { rows: contests.flatMap(rowsOf) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
