import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../base/error.ts";
import type { Module, PortMap } from "../../hdl/index.ts";
import { type SimSource, toSource } from "../../sim/index.ts";

/** A folder of Verilog in place of what the generator would print: same top, same ports, the folder's text. */
export const sourceFrom = <P extends PortMap>(folder: string, top: Module<P>): SimSource<P> => {
  if (!existsSync(folder)) throw new UserError("missing-folder", `the folder ${folder} of --rtl doesn't exist`);
  const names = readdirSync(folder).filter((name) => /\.s?v$/.test(name));
  if (!names.includes(`${top.name}.sv`))
    throw new UserError("missing-file", `${join(folder, `${top.name}.sv`)} doesn't exist`, { hint: "`systole generate DESIGN --out FOLDER` writes it" });
  return { ...toSource(top), circuit: undefined, files: names.map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") })) };
};
