import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { UserError } from "../base/error.ts";
import type { Circuit } from "../hdl/circuit.ts";
import { toSnake } from "../hdl/names.ts";
import type { PortMap } from "../hdl/ports.ts";
import { isPort } from "../hdl/ports.ts";
import type { PortShape } from "../hdl/shape.ts";

/** One Verilog file. `name` is a plain file name; every file is also found by `include` under it. */
export interface SourceFile {
  readonly name: string;
  readonly text: string;
}

/** One Verilog port and where it sits in the port map. */
export interface SourcePort {
  readonly path: readonly string[];
  readonly name: string;
  readonly direction: "input" | "output";
  readonly shape: PortShape;
}

/** A clock with its reset. `key` is its name in the port map, "" for the module's own clock. */
export interface SourceClock {
  readonly key: string;
  readonly clk: string;
  readonly rst: string | undefined;
  readonly activeLow: boolean;
}

/** What an engine simulates: Verilog text, and the ports as the test bench sees them. */
export interface SimSource<P extends PortMap = PortMap> {
  readonly top: string;
  readonly files: readonly SourceFile[];
  readonly parameters: Readonly<Record<string, number | string>>;
  readonly ports: readonly SourcePort[];
  readonly clocks: readonly SourceClock[];
  /** What the text was printed from, if the text is the language's: embedded engines simulate it. */
  readonly circuit?: Circuit | undefined;
  /** Carries the type of the port map; never set. */
  readonly portMap?: P;
}

export interface VerilogOptions<P extends PortMap> {
  readonly top: string;
  /** Paths of files, or files by name and text. */
  readonly files: readonly (string | SourceFile)[];
  /** Every port but the module's own clock and reset. Keys are the Verilog names, or those in camelCase; bundles join with `_`. */
  readonly ports: P;
  /** The module's own clock and reset; "none" for a module without. Default `clk` and an active-high `rst`. */
  readonly clock?: { readonly clk: string; readonly rst?: string; readonly activeLow?: boolean } | "none";
  /** Values of the top's parameters. */
  readonly parameters?: Readonly<Record<string, number | string>>;
}

const load = (file: string | SourceFile): SourceFile => {
  if (typeof file !== "string") return file;
  try {
    return { name: basename(file), text: readFileSync(file, "utf8") };
  } catch (cause) {
    throw new UserError("unreadable-file", `Verilog file \`${file}\` can't be read`, { cause });
  }
};

const flatten = (ports: PortMap, clocks: SourceClock[], path: readonly string[] = []): SourcePort[] =>
  Object.entries(ports).flatMap(([key, entry]): SourcePort[] => {
    const here = [...path, key];
    const name = here.map(toSnake).join("_");
    if (!isPort(entry)) return flatten(entry, clocks, here);
    if (entry.port !== "clock") return [{ path: here, name, direction: entry.port, shape: entry.shape }];
    const rst = entry.reset === "none" ? undefined : entry.activeLow ? `${name}_rst_n` : `${name}_rst`;
    clocks.push({ key: here.join("."), clk: `${name}_clk`, rst, activeLow: entry.activeLow });
    return [];
  });

/**
 * Existing Verilog as something to simulate. The ports are typed from the declaration; building checks it against
 * the ports that the simulator found.
 * @throws UserError for a file that can't be read or two files of one name.
 */
export const verilog = <const P extends PortMap>(options: VerilogOptions<P>): SimSource<P> => {
  const files = options.files.map(load);
  const seen = new Set<string>();
  for (const { name } of files) {
    if (name !== basename(name) || name === "") throw new UserError("bad-file-name", `\`${name}\` must be a file name without a folder`);
    if (seen.has(name)) throw new UserError("duplicate-file", `two Verilog files are called \`${name}\``);
    seen.add(name);
  }
  const clocks: SourceClock[] = [];
  if (options.clock !== "none") {
    const { clk, rst, activeLow } = options.clock ?? { clk: "clk", rst: "rst" };
    clocks.push({ key: "", clk, rst, activeLow: activeLow ?? false });
  }
  const ports = flatten(options.ports, clocks);
  return { top: options.top, files, parameters: options.parameters ?? {}, ports, clocks };
};
