import { createRequire } from "node:module";
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

/** TypeScript is compiled as it is loaded, whatever kind of module the user's package.json makes of it. */
const load = async (file: string): Promise<unknown> => {
  const path = resolve(file);
  if (!/\.[cm]?ts$/.test(path)) return import(pathToFileURL(path).href);
  const { register } = await import("tsx/cjs/api");
  const unregister = register();
  try {
    return createRequire(pathToFileURL(path))(path);
  } finally {
    unregister();
  }
};

/** The user's file may have loaded a copy of the language of its own, whose errors are of another class. */
const ownError = (thrown: unknown, file: string): UserError => {
  const { name, code, message, where, hint } = thrown as Partial<UserError>;
  if (name === "UserError" && code !== undefined && message !== undefined) return new UserError(code, message, { where, hint, cause: thrown });
  return new UserError("bad-design-file", `${file} can't be loaded: ${message ?? String(thrown)}`, { cause: thrown });
};

const designFrom = async (file: string): Promise<Design> => {
  let loaded: unknown;
  try {
    loaded = await load(file);
  } catch (thrown) {
    throw ownError(thrown, file);
  }
  return asDesign((loaded as { default?: unknown }).default, file);
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
