import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { UserError } from "../base/error.ts";
import { type ParameterValues, parseParameters } from "../base/parameters.ts";
import { suggest } from "../base/suggest.ts";
import { type Design, designs } from "../designs/index.ts";
import { deliver } from "../flow/deliver.ts";
import type { Module } from "../hdl/index.ts";
import { verilogFiles } from "../verilog/index.ts";
import type { FieldsOf } from "./results.ts";

export interface GenerateOptions {
  /** Name of a design of the registry, or path of a user's file whose default export is a module or a design. */
  readonly design: string;
  /** Parameters by name, unchecked. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** Default: `rtl/<design>`. */
  readonly out?: string | undefined;
  readonly force?: boolean | undefined;
}

/** @throws UserError for a name that no design has */
export const designNamed = (name: string): Design => {
  const found = designs.find((design) => design.name === name);
  if (found === undefined) {
    const names = designs.map((design) => design.name);
    throw new UserError("unknown-design", `\`${name}\` is no design`, { hint: suggest(name, names) });
  }
  return found;
};

const isPath = (name: string): boolean => /[\\/]|\.[cm]?[jt]s$/.test(name);

const asDesign = (exported: unknown, file: string): Design => {
  const value = (exported ?? {}) as Partial<Design> & Partial<Module>;
  if (value.circuit !== undefined && typeof value.name === "string") {
    const made = value as Module;
    return { name: made.name, doc: made.circuit.about.doc, parameters: {}, verified: [], build: () => made };
  }
  if (typeof value.build === "function" && typeof value.name === "string" && value.parameters !== undefined) return value as Design;
  throw new UserError("no-design", `the default export of ${file} is neither a module nor a design`, {
    hint: "export default module(...), or { name, doc, parameters, verified, build }",
  });
};

/** A user's file: TypeScript is compiled as it is loaded. */
const designFrom = async (file: string): Promise<Design> => {
  const url = pathToFileURL(resolve(file)).href;
  try {
    const loaded: unknown = /\.[cm]?ts$/.test(file) ? await (await import("tsx/esm/api")).tsImport(url, import.meta.url) : await import(url);
    return asDesign((loaded as { default?: unknown }).default, file);
  } catch (cause) {
    if ((cause as { name?: string }).name === "UserError") throw cause;
    throw new UserError("bad-design-file", `${file} can't be loaded: ${(cause as Error).message}`, { cause });
  }
};

/** A design by name or file, with all its parameters. @throws UserError for unknown designs and illegal parameters */
export const configuredDesign = async (
  name: string,
  parameters: Readonly<Record<string, unknown>>,
): Promise<{ readonly design: Design; readonly values: ParameterValues; readonly top: Module }> => {
  const design = isPath(name) ? await designFrom(name) : designNamed(name);
  const values = parseParameters(design.parameters, parameters);
  return { design, values, top: design.build(values) };
};

/**
 * `systole generate`: writes a design's SystemVerilog, file list and FuseSoC description.
 * @throws UserError exit 2 for an unknown design, illegal parameters, an unwritable folder or an edited file
 */
export const generate = async ({
  design: name,
  parameters = {},
  out,
  force,
}: GenerateOptions): Promise<FieldsOf<"generate"> & { readonly config: ParameterValues }> => {
  const { design, values, top } = await configuredDesign(name, parameters);
  const folder = out ?? join("rtl", design.name);
  const files = await deliver({ design: design.name, top: top.name, doc: design.doc, files: verilogFiles(top.circuit) }, folder, force);
  return { out: folder, files, config: values };
};
