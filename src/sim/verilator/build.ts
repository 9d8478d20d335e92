import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { UserError } from "../../base/error.ts";
import { hash } from "../../base/hash.ts";
import type { ToolResult } from "../../base/tool.ts";
import { runTool } from "../../base/tool.ts";
import type { SimSource, SourceClock } from "../source.ts";
import { cached, cacheFolder, trimCache } from "./cache.ts";
import type { PlacedPort } from "./harness.ts";
import { harness, placePorts } from "./harness.ts";
import { reportedPorts } from "./ports.ts";
import type { TraceFormat } from "./runtime.ts";
import { precompiledHeader, runtimeObjects } from "./runtime.ts";
import type { Profile, Toolchain } from "./toolchain.ts";
import { compilerOf, findToolchain, isClang, verilatorInclude } from "./toolchain.ts";

export interface BuildOptions {
  readonly profile: Profile;
  readonly trace: TraceFormat | undefined;
  /** Names of signals inside the design that stay reachable, without their hierarchy. */
  readonly visible: readonly string[];
}

/** A compiled model in the cache. */
export interface BuiltModel {
  readonly library: string;
  /** Folder of files that the design reads when it starts, as `$readmemh` does. */
  readonly dataFolder: string | undefined;
  readonly ports: readonly PlacedPort[];
  readonly words: number;
}

/** Raised when what is in a cached model changes its meaning. */
const cacheVersion = "1";

/** nodelete: the watchdog's thread runs in the library, which Node would unload while the process ends. */
const linkFlags = ["-shared", "-Wl,-Bsymbolic", "-Wl,-z,defs", "-Wl,-z,nodelete"];

const verilogExtensions = new Set([".v", ".sv", ".vh", ".svh"]);
const isHeader = (name: string): boolean => [".vh", ".svh"].includes(extname(name));

const parameterArgument = ([name, value]: [string, number | string]): string => `-G${name}=${typeof value === "string" ? `"${value}"` : value}`;

/** The two `output-split` options and one compile of all files give the fastest code and the fastest build (measured). */
const fixedArguments =
  "--cc -O3 --prefix Vdut --Mdir ../obj -Wno-fatal -Wno-lint -Wno-style --no-timing --assert --x-assign unique --x-initial unique --output-split 20000 --output-split-cfuncs 500".split(
    " ",
  );

const verilatorArguments = (source: SimSource, options: BuildOptions): string[] => [
  ...fixedArguments,
  "--top-module",
  source.top,
  "--timescale",
  "1ns/1ps",
  ...(options.trace === undefined ? [] : [options.trace === "fst" ? "--trace-fst" : "--trace"]),
  ...Object.entries(source.parameters).map(parameterArgument),
  ...(options.visible.length === 0 ? [] : ["../visible.vlt"]),
  ...source.files.map((file) => file.name).filter((name) => verilogExtensions.has(extname(name)) && !isHeader(name)),
];

/** One port of every kind, so that the key has all the text that the harness can have. */
const samplePorts = placePorts(
  [1, 32, 33, 64, 65].flatMap((width) =>
    (["input", "output"] as const).map((direction) => ({ name: `${direction}${width}`, member: `${direction}${width}`, direction, width })),
  ),
).placed;

const keyOf = (source: SimSource, options: BuildOptions, tools: Toolchain): string =>
  hash([
    cacheVersion,
    tools.stamp,
    ...linkFlags,
    ...compilerOf(tools, options.profile).flags,
    JSON.stringify([verilatorArguments(source, options), options.profile, options.visible, source.clocks.map((clock) => clock.clk)]),
    harness(samplePorts, ["clk"], options.trace),
    unity(["part__Slow.cpp", "part.cpp"], isClang(compilerOf(tools, options.profile).compiler), options.trace),
    ...source.files.flatMap((file) => [file.name, file.text]),
  ]);

/** First error that Verilator printed, as the user's own. */
const verilogError = (result: ToolResult): UserError => {
  const output = `${result.stdout}\n${result.stderr}`;
  const placed = /^%Error[^:\n]*: ([^:\n]+):(\d+):(\d+): (.*)$/m.exec(output);
  if (placed !== null) {
    const where = { file: placed[1] ?? "", line: Number(placed[2]), column: Number(placed[3]) };
    return new UserError("verilog-error", `Verilator refuses the design: ${placed[4]}`, { where, exitCode: 1 });
  }
  const plain = /^%Error[^:\n]*: (.*)$/m.exec(output);
  return new UserError("verilog-error", `Verilator refuses the design: ${plain?.[1] ?? output.trim().slice(-400)}`, { exitCode: 1 });
};

const verilate = async (aside: string, source: SimSource, options: BuildOptions, tools: Toolchain): Promise<void> => {
  await mkdir(join(aside, "src"));
  for (const file of source.files) await writeFile(join(aside, "src", file.name), file.text);
  const rules = options.visible.map((name) => `public_flat_rw -module "*" -var "${name}"\n`);
  if (rules.length > 0) await writeFile(join(aside, "visible.vlt"), ["`verilator_config\n", ...rules].join(""));
  const result = await runTool(tools.verilator, verilatorArguments(source, options), { cwd: join(aside, "src"), accept: [0, 1, 2, 10, 134, 255] });
  if (result.exitCode !== 0) throw verilogError(result);
};

const clockMember = (clock: SourceClock, ports: readonly PlacedPort[]): string => {
  const port = ports.find((candidate) => candidate.name === clock.clk);
  if (port?.direction === "input" && port.width === 1) return port.member;
  throw new UserError("no-clock", `the design has no 1-bit input \`${clock.clk}\` for its clock`, {
    hint: 'state the clock\'s name with `clock: { clk: "..." }`, or `clock: "none"`',
  });
};

/**
 * All of the model in one text. Verilator's `Slow` files, 40 % of it, run when a simulation starts, and aren't worth an optimiser's time;
 * the headers come before, because what is inline in them is optimised only there.
 */
const unity = (parts: readonly string[], clang: boolean, trace: TraceFormat | undefined): string => {
  const [off, on] = clang
    ? [["#pragma clang optimize off"], "#pragma clang optimize on"]
    : [["#pragma GCC push_options", '#pragma GCC optimize("O0")'], "#pragma GCC pop_options"];
  const include = (name: string): string => `#include "${name}"`;
  const isSlow = (name: string): boolean => name.endsWith("__Slow.cpp");
  const headers = ["obj/Vdut.h", "obj/Vdut__Syms.h", ...(trace === undefined ? [] : [`verilated_${trace}_c.h`])];
  const bodies = (slow: boolean): string[] => parts.filter((name) => isSlow(name) === slow).map((name) => include(`obj/${name}`));
  return [...headers.map(include), ...off, ...bodies(true), on, ...bodies(false), ""].join("\n");
};

const compile = async (aside: string, cache: string, source: SimSource, options: BuildOptions, tools: Toolchain): Promise<void> => {
  const include = await verilatorInclude(tools);
  const [objects, header] = await Promise.all([
    runtimeObjects(cache, tools, include, options.trace),
    precompiledHeader(cache, tools, include, options.profile),
    verilate(aside, source, options, tools),
  ]);
  const { placed, size } = placePorts(reportedPorts(await readFile(join(aside, "obj", "Vdut.h"), "utf8")));
  const clocks = source.clocks.map((clock) => clockMember(clock, placed));
  const parts = (await readdir(join(aside, "obj"))).filter((name) => name.endsWith(".cpp")).toSorted();
  const { compiler, flags } = compilerOf(tools, options.profile);
  await writeFile(join(aside, "all.cpp"), [unity(parts, isClang(compiler), options.trace), harness(placed, clocks, options.trace), "\n"].join(""));
  const folders = ["-Iobj", `-I${include}`, `-I${join(include, "vltstd")}`];
  const libraries = ["-lpthread", "-latomic", ...(options.trace === "fst" ? ["-lz"] : [])];
  await runTool(compiler, [...flags, ...header, ...folders, ...linkFlags, "all.cpp", ...objects, "-o", "model.so", ...libraries], { cwd: aside });
  for (const name of ["obj", "all.cpp"]) await rm(join(aside, name), { recursive: true });
  await writeFile(join(aside, "model.json"), JSON.stringify({ ports: placed, words: size }));
};

/** The model is in the cache. */
export const isBuilt = (source: SimSource, options: BuildOptions, cache: string = cacheFolder()): boolean =>
  existsSync(join(cache, `model-${keyOf(source, options, findToolchain())}`));

/**
 * The compiled model of a source: from the cache where the same text was built before with the same tools and options.
 * @throws UserError for a missing tool, for Verilog that Verilator refuses, and for ports that can't be simulated.
 */
export const build = async (source: SimSource, options: BuildOptions, cache: string = cacheFolder()): Promise<BuiltModel> => {
  const tools = findToolchain();
  const { folder, made } = await cached(cache, `model-${keyOf(source, options, tools)}`, async (aside) => {
    await compile(aside, cache, source, options, tools);
  });
  if (made) await trimCache(cache);
  const model = JSON.parse(readFileSync(join(folder, "model.json"), "utf8")) as Pick<BuiltModel, "ports" | "words">;
  const hasData = source.files.some((file) => !verilogExtensions.has(extname(file.name)));
  return { library: join(folder, "model.so"), dataFolder: hasData ? join(folder, "src") : undefined, ...model };
};
