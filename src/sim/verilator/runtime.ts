import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hash } from "../../base/hash.ts";
import { runTool } from "../../base/tool.ts";
import { cached } from "./cache.ts";
import type { Profile, Toolchain } from "./toolchain.ts";
import { commonFlags, compilerOf, isClang } from "./toolchain.ts";

export type TraceFormat = "fst" | "vcd";

const runtimeSources = ["verilated.cpp", "verilated_dpi.cpp", "verilated_threads.cpp"];

/** Everything that models print goes through this function of the harness. */
const printHeader = `#pragma once
extern "C" int systole_print(const char* format, ...);
#define VL_PRINTF systole_print
`;

/** Verilator's own run-time library, compiled once per set of tools. Returns the object files. */
export const runtimeObjects = async (cache: string, tools: Toolchain, include: string, trace: TraceFormat | undefined): Promise<string[]> => {
  const traceSources = trace === undefined ? [] : [`verilated_${trace}_c.cpp`];
  const sources = [...runtimeSources, ...traceSources].filter((name) => existsSync(join(include, name)));
  const flags = [...commonFlags, "-O2", ...(isClang(tools.quick) ? [] : ["-fno-gnu-unique"])];
  const name = `runtime-${hash([tools.stamp, include, ...flags, ...sources, printHeader])}`;
  const { folder } = await cached(cache, name, async (aside) => {
    await writeFile(join(aside, "print.h"), printHeader);
    const compile = (source: string): Promise<unknown> =>
      runTool(
        tools.quick,
        [...flags, "-include", "print.h", `-I${include}`, `-I${join(include, "vltstd")}`, "-c", join(include, source), "-o", `${source}.o`],
        { cwd: aside },
      );
    await Promise.all(sources.map(compile));
  });
  return sources.map((source) => join(folder, `${source}.o`));
};

/** Arguments that make a compiler use Verilator's headers precompiled: about 0.3 s less for every model. */
export const precompiledHeader = async (cache: string, tools: Toolchain, include: string, profile: Profile): Promise<string[]> => {
  const { compiler, flags } = compilerOf(tools, profile);
  const { folder } = await cached(cache, `runtime-${hash([tools.stamp, include, compiler, ...flags, "header"])}`, async (aside) => {
    await writeFile(join(aside, "header.h"), '#include "verilated.h"\n#include "verilated_dpi.h"\n');
    // Clang's file remembers the path of its source, which must not be the folder that is renamed.
    const [source, output] = isClang(compiler) ? [join(include, "verilated.h"), "header.pch"] : ["header.h", "header.h.gch"];
    await runTool(compiler, [...flags, `-I${include}`, `-I${join(include, "vltstd")}`, "-x", "c++-header", source, "-o", output], { cwd: aside });
  });
  return isClang(compiler) ? ["-include-pch", join(folder, "header.pch")] : ["-include", join(folder, "header.h")];
};
