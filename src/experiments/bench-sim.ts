import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { UserError } from "../base/error.ts";
import { Random } from "../base/random.ts";
import { runTool } from "../base/tool.ts";
import type { ArrayPorts } from "../designs/index.ts";
import { tenderArray } from "../designs/index.ts";
import type { SimSource, Simulation } from "../sim/index.ts";
import { simulate, toSource } from "../sim/index.ts";
import { build } from "../sim/verilator/build.ts";
import { compilerOf, findToolchain, verilatorInclude } from "../sim/verilator/toolchain.ts";
import type { BenchSimRow, FieldsOf } from "./results.ts";

export interface BenchSimOptions {
  /** Rows and columns of the arrays: multiples of 4. Default 8, 16 and 64; the C++ bench runs on arrays up to 16. */
  readonly sizes?: readonly number[];
  /** Repetitions, of which the median counts. Default 7. */
  readonly repetitions?: number;
  /** Seconds that one repetition of the C++ bench takes, about. Default 0.3. */
  readonly seconds?: number;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** One cycle each: tags, then activations and weights, `size` bytes of each. `valid` and `ready` are always high. */
interface Stimulus {
  readonly cycles: number;
  readonly first: Uint8Array;
  readonly last: Uint8Array;
  readonly shift: Uint8Array;
  readonly x: Uint8Array;
  readonly w: Int8Array;
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

/** Tiles of `2 * size` channels back to back: a beat every cycle, and results in half of the cycles. One boundary in ten has a shift. */
const makeStimulus = (size: number): Stimulus => {
  const channels = 2 * size;
  const cycles = channels * Math.ceil(4096 / channels);
  const random = new Random(size);
  const column = (f: (channel: number) => number): Uint8Array => Uint8Array.from({ length: cycles }, (_, cycle) => f(cycle % channels));
  return {
    cycles,
    first: column((channel) => Number(channel === 0)),
    last: column((channel) => Number(channel === channels - 1)),
    shift: column((channel) => (channel > 0 && random.chance(0.1) ? random.integer(1, 3) : 0)),
    x: Uint8Array.from({ length: cycles * size }, () => random.integer(0, 255)),
    w: Int8Array.from({ length: cycles * size }, () => random.integer(-128, 127)),
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

/** What `simulate` takes by itself for a first run. On these arrays the code of `fast` is hardly quicker, and takes twice as long to build. */
const profile = "quick";

type Opener = () => Promise<Simulation<ArrayPorts>>;

/** As a test bench would be written that reacts every cycle: set the inputs, step, look at the outputs. */
const stepRunner =
  (open: Opener, size: number, stimulus: Stimulus): Runner =>
  async (repeats) => {
    const sim = await open();
    const { x, w, y } = sim.io;
    const [xWords, wWords] = [new Uint32Array(stimulus.x.buffer), new Uint32Array(stimulus.w.buffer)];
    const words = size / 4;
    const seen = new Uint32Array(size);
    let hash = fnvStart;
    const start = processorSeconds();
    for (let repeat = 0; repeat < repeats; repeat++) {
      for (let cycle = 0; cycle < stimulus.cycles; cycle++) {
        x.first.poke(stimulus.first[cycle]!);
        x.last.poke(stimulus.last[cycle]!);
        x.shift.poke(stimulus.shift[cycle]!);
        x.data.pokeWords(xWords, cycle * words);
        w.data.pokeWords(wWords, cycle * words);
        sim.step();
        if (y.valid.peek() === 0) continue;
        y.data.peekWords(seen);
        hash = hashWords(hash, seen);
      }
    }
    const seconds = processorSeconds() - start;
    sim.close();
    return { seconds, hash: hashText(hash) };
  };

/** All stimulus in one call, valid results captured. A result that comes with the last edge of a repeat is seen in the first cycle of the next. */
const blockRunner =
  (open: Opener, { cycles, first, last, shift, x, w }: Stimulus): Runner =>
  async (repeats) => {
    const sim = await open();
    const inputs = { x: { first, last, shift, data: x }, w: { data: w } };
    let hash = fnvStart;
    const start = processorSeconds();
    const hashCaptured = (columns: { readonly "y.data": unknown }): void => {
      const { buffer, byteOffset, byteLength } = columns["y.data"] as Int32Array;
      hash = hashWords(hash, new Uint32Array(buffer, byteOffset, byteLength / 4));
    };
    for (let repeat = 0; repeat < repeats; repeat++) hashCaptured(sim.block({ inputs, cycles, capture: ["y.data"], when: "y.valid" }).columns);
    if (sim.io.y.valid.peek() === 1) hashCaptured(sim.block({ cycles: 1, capture: ["y.data"] }).columns);
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

const recordsOf = (size: number, { cycles, first, last, shift, x, w }: Stimulus): Uint32Array => {
  const words = 1 + size / 2;
  const records = new Uint32Array(words * cycles);
  const bytes = new Uint8Array(records.buffer);
  for (let cycle = 0; cycle < cycles; cycle++) {
    records[cycle * words] = first[cycle]! | (last[cycle]! << 1) | (shift[cycle]! << 2);
    bytes.set(x.subarray(cycle * size, (cycle + 1) * size), (cycle * words + 1) * 4);
    bytes.set(w.subarray(cycle * size, (cycle + 1) * size), (cycle * words + 1) * 4 + size);
  }
  return records;
};

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

const timed = async <T>(work: () => Promise<T>): Promise<{ seconds: number; result: T }> => {
  const start = performance.now();
  const result = await work();
  return { seconds: (performance.now() - start) / 1000, result };
};

/** Time before the first cycle, and where a model is built, what that takes. */
interface Start {
  readonly startupMs: number | null;
  readonly cold: number | null;
  readonly cached: number | null;
}

interface Contestant {
  readonly engine: BenchSimRow["engine"];
  readonly mode: BenchSimRow["mode"];
  readonly run: Runner;
  readonly start: Start;
}

/** Everything about one array that the repetitions need. */
interface Contest {
  readonly size: number;
  readonly stimulus: Stimulus;
  readonly contestants: readonly Contestant[];
  readonly samples: { seconds: number; hash: string }[][];
  repeats: number;
}

/** Larger ones take a C++ compiler minutes at -O3. */
const largestCpp = 16;

const sourceOf = (size: number): SimSource<ArrayPorts> => toSource(tenderArray({ rows: size, cols: size, kind: "int8", accWidth: 32, shiftBits: 2 }));

const opener =
  (source: SimSource<ArrayPorts>, engine: "verilator" | "wasm"): Opener =>
  async () => {
    const sim = await simulate(source, { engine, profile });
    sim.reset(2);
    const { x, w, y } = sim.io;
    for (const port of [x.valid, w.valid, y.ready]) port.poke(1);
    return sim;
  };

/** Until the two cycles of the reset have run. */
const startupMs = async (open: Opener): Promise<number> => {
  const { seconds, result } = await timed(open);
  result.close();
  return seconds * 1000;
};

const verilatorStart = async (source: SimSource<ArrayPorts>): Promise<Start> => {
  const options = { profile, trace: undefined, visible: [] } as const;
  // Once before, so that the tools' own run-time library is there, as it is after a machine's first simulation.
  await build(source, options);
  const unseen = { ...source, files: source.files.map((file) => ({ ...file, text: `${file.text}// ${randomUUID()}\n` })) };
  const cold = await timed(() => build(unseen, options));
  await rm(dirname(cold.result.library), { recursive: true });
  const cached = await timed(() => build(source, options));
  const open = opener(source, "verilator");
  await open().then((sim) => sim.close());
  return { startupMs: await startupMs(open), cold: cold.seconds, cached: cached.seconds };
};

const noStart: Start = { startupMs: null, cold: null, cached: null };

/** @param wasmMs start-up of the embedded engine, measured before anything else ran */
const prepare = async (folder: string, size: number, wasmMs: number): Promise<Contest> => {
  const source = sourceOf(size);
  const stimulus = makeStimulus(size);
  const here = await mkdtemp(join(folder, "size-"));
  const contestants: Contestant[] = [];
  if (size <= largestCpp) {
    const records = join(here, "stimulus");
    await writeFile(records, recordsOf(size, stimulus));
    const run = cppRunner(await buildCpp(here, size, source), records, stimulus);
    contestants.push({ engine: "cpp", mode: "step", run, start: noStart });
  }
  const starts = { verilator: await verilatorStart(source), wasm: { startupMs: wasmMs, cold: null, cached: null } };
  for (const engine of ["verilator", "wasm"] as const) {
    const open = opener(source, engine);
    const start = starts[engine];
    contestants.push(
      { engine, mode: "step", run: stepRunner(open, size, stimulus), start },
      { engine, mode: "block", run: blockRunner(open, stimulus), start },
    );
  }
  return { size, stimulus, contestants, samples: contestants.map(() => []), repeats: 1 };
};

/** Acceptance figures: of Verilator the least ratio to the C++ bench (issue 3, section 3), of WebAssembly the least ratio to Verilator and the most milliseconds (issue 4). */
const expectedRatio = (size: number, { engine, mode }: Contestant): number | null => {
  const figures: Readonly<Record<string, number>> = {
    "verilator step 8": 0.5,
    "verilator block 8": 0.75,
    "verilator step 16": 0.75,
    "verilator block 16": 0.85,
    "wasm block 8": 1.2,
    "wasm block 16": 4,
    "wasm block 64": 4,
  };
  return figures[`${engine} ${mode} ${size}`] ?? null;
};

const expectedStart = (size: number, { engine }: Contestant): number | null => {
  const figures: Readonly<Record<number, number>> = { 8: 30, 16: 100, 64: 300 };
  return engine === "wasm" ? (figures[size] ?? null) : null;
};

const rowOf = ({ size, stimulus, contestants, samples, repeats }: Contest, index: number): BenchSimRow => {
  const contestant = contestants[index]!;
  const { engine, mode, start } = contestant;
  const own = samples[index]!;
  const ratioTo = (other: BenchSimRow["engine"], otherMode: BenchSimRow["mode"]): number | null => {
    const at = contestants.findIndex((candidate) => candidate.engine === other && candidate.mode === otherMode);
    return at < 0 ? null : median(own.map(({ seconds }, i) => samples[at]![i]!.seconds / seconds));
  };
  const ratioToCpp = ratioTo("cpp", "step");
  const ratioToVerilator = engine === "wasm" ? ratioTo("verilator", mode) : null;
  const expected = expectedRatio(size, contestant);
  const expectedStartupMs = expectedStart(size, contestant);
  const ratio = engine === "wasm" ? ratioToVerilator : ratioToCpp;
  const verdicts = [
    ...(expected === null || ratio === null ? [] : [ratio >= expected]),
    ...(expectedStartupMs === null || start.startupMs === null ? [] : [start.startupMs <= expectedStartupMs]),
  ];
  return {
    design: `tender-array ${size}x${size}`,
    engine,
    mode,
    cyclesPerSecond: Math.round((stimulus.cycles * repeats) / median(own.map(({ seconds }) => seconds))),
    ratioToCpp,
    ratioToVerilator,
    startupMs: start.startupMs,
    buildSecondsCold: start.cold,
    buildSecondsCached: start.cached,
    hash: own[0]!.hash,
    expected,
    expectedStartupMs,
    met: verdicts.length === 0 ? null : verdicts.every(Boolean),
  };
};

const checkSize = (size: number): void => {
  if (!Number.isInteger(size) || size < 4 || size % 4 !== 0 || size > 64)
    throw new UserError("bad-size", `an array for \`bench sim\` has 4 to 64 rows, a multiple of 4, not ${size}`);
};

/** One repetition of everything. @throws UserError where two ways to run the stimulus give different outputs */
const repetition = async ({ size, contestants, samples, repeats }: Contest): Promise<void> => {
  for (const [index, { run }] of contestants.entries()) samples[index]!.push(await run(repeats));
  const hashes = new Set(samples.map((own) => own.at(-1)!.hash));
  if (hashes.size > 1)
    throw new UserError("hash-mismatch", `the outputs of the ${size}x${size} array differ between the ways to run it: ${[...hashes].join(", ")}`, {
      exitCode: 1,
    });
};

/**
 * Speed of the engines beside each other and a hand-written C++ test bench, on the same design, stimulus and outputs, interleaved in one run; medians.
 * Ratios compare processor time. WebAssembly's start-up is the first in this process for each size, smaller ones before it; it includes all compiling.
 * @throws UserError outside a clone, and where two ways to run the stimulus give different outputs.
 */
export const benchSim = async (options: BenchSimOptions = {}): Promise<FieldsOf<"bench sim">> => {
  const { sizes = [8, 16, 64], repetitions = 7, seconds = 0.3 } = options;
  for (const size of sizes) checkSize(size);
  const wasmStarts = new Map<number, number>();
  for (const size of sizes.toSorted((a, b) => a - b)) wasmStarts.set(size, await startupMs(opener(sourceOf(size), "wasm")));
  const folder = await mkdtemp(join(tmpdir(), "systole-bench-"));
  try {
    const contests: Contest[] = [];
    for (const size of sizes) contests.push(await prepare(folder, size, wasmStarts.get(size)!));
    const total = contests.length * repetitions;
    for (const contest of contests) {
      // The slowest of the compiled ways, so that a repetition takes about as long for every size.
      const probe = await contest.contestants.find(({ engine }) => engine !== "wasm")!.run(1);
      contest.repeats = Math.max(1, Math.round(seconds / probe.seconds));
    }
    for (let done = 0; done < total; done++) {
      await repetition(contests[done % contests.length]!);
      options.onProgress?.(done + 1, total);
    }
    return { rows: contests.flatMap((contest) => contest.contestants.map((_, index) => rowOf(contest, index))) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
