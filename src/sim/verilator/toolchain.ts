import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { UserError } from "../../base/error.ts";
import { runTool } from "../../base/tool.ts";

/** Oldest Verilator whose generated code the harness understands: major, minor. */
const oldest = [5, 6] as const;

const installLine = "apt-get install -y --no-install-recommends verilator g++ clang zlib1g-dev";
const wayOut = `${installLine}\nor take the engine wasm, which needs no tool, for a design in TypeScript`;

/** The programs that a build uses, and what identifies their versions without running them. */
export interface Toolchain {
  readonly verilator: string;
  /** Quick to compile. */
  readonly quick: string;
  /** Its code runs fastest. */
  readonly fast: string;
  /** Changes when one of the programs is replaced. */
  readonly stamp: string;
}

/** `profile`: `quick` compiles soonest, `fast` runs fastest. */
export type Profile = "quick" | "fast";

/** Flags that both the runtime objects and the models are compiled with. Loops are kept even where C++ would let a compiler drop them, so that a hang stays one. */
export const commonFlags = [
  "-std=c++17",
  "-fPIC",
  "-fvisibility=hidden",
  "-fno-finite-loops",
  "-DVL_USER_FINISH",
  "-DVL_USER_STOP",
  "-DVL_USER_FATAL",
  "-w",
] as const;

export const compilerOf = (tools: Toolchain, profile: Profile): { readonly compiler: string; readonly flags: readonly string[] } => {
  const compiler = profile === "quick" ? tools.quick : tools.fast;
  return { compiler, flags: [...commonFlags, profile === "quick" ? "-O1" : "-O3", ...(isClang(compiler) ? [] : ["-fno-gnu-unique"])] };
};

export const isClang = (compiler: string): boolean => compiler.includes("clang");

const findProgram = (name: string): string | undefined => {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder of the PATH.
    }
  }
  return undefined;
};

const stampOf = (path: string): string => {
  const { size, mtimeMs } = statSync(path);
  return `${realpathSync(path)}:${size}:${mtimeMs}`;
};

/** @throws UserError `missing-tool` with the line that installs what is missing. */
export const findToolchain = (): Toolchain => {
  const verilator = findProgram("verilator");
  if (verilator === undefined) throw new UserError("missing-tool", "`verilator` is not installed", { hint: wayOut });
  const gcc = findProgram("g++");
  const clang = findProgram("clang++");
  const quick = clang ?? gcc;
  const fast = gcc ?? clang;
  if (quick === undefined || fast === undefined)
    throw new UserError("missing-tool", "no C++ compiler is installed: neither `g++` nor `clang++`", { hint: wayOut });
  // Debian's `verilator` is a script beside the program.
  const program = findProgram("verilator_bin");
  const parts = [verilator, program, quick, fast].filter((path): path is string => path !== undefined);
  return { verilator, quick, fast, stamp: parts.map(stampOf).join("\n") };
};

/** Folder of Verilator's C++ headers. @throws UserError `old-tool` below 5.006. */
export const verilatorInclude = async (tools: Toolchain): Promise<string> => {
  const { stdout } = await runTool(tools.verilator, ["--version"]);
  const version = /Verilator (\d+)\.(\d+)/.exec(stdout);
  const [major, minor] = [Number(version?.[1]), Number(version?.[2])];
  if (version === null || major < oldest[0] || (major === oldest[0] && minor < oldest[1]))
    throw new UserError("old-tool", `Verilator 5.006 or later is needed, not ${stdout.trim()}`, { hint: wayOut });
  const root = (await runTool(tools.verilator, ["--getenv", "VERILATOR_ROOT"])).stdout.trim();
  return join(root === "" ? join(dirname(tools.verilator), "..", "share", "verilator") : root, "include");
};
