import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { UserError } from "../base/error.ts";
import { isPristine, signedText } from "../base/signed-text.ts";
import type { VerilogFile } from "../verilog/index.ts";

const list = "filelist.f";

const fileList = (design: string, files: readonly VerilogFile[]): VerilogFile => ({
  name: list,
  text: signedText("//", [`// ${design}, children first`, ...files.map(({ name }) => name), ""].join("\n")),
});

/** FuseSoC core description, CAPI 2. No FuseSoC ran here; the text follows its documented form. */
const core = (design: string, top: string, doc: string, files: readonly VerilogFile[]): VerilogFile => {
  const lines = [
    `name: systole:designs:${design}:0.1.0`,
    `description: ${JSON.stringify(doc)}`,
    "filesets:",
    "  rtl:",
    "    files:",
    ...files.map(({ name }) => `      - ${name}`),
    "    file_type: systemVerilogSource",
    "targets:",
    "  default: &default",
    "    filesets: [rtl]",
    `    toplevel: ${top}`,
    "  lint:",
    "    <<: *default",
    "    default_tool: verilator",
    "    tools:",
    "      verilator:",
    "        mode: lint-only",
    "        verilator_options: [-Wall]",
  ];
  return { name: `${design}.core`, text: signedText("#", `${lines.join("\n")}\n`, "CAPI=2:") };
};

const existing = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new UserError("unreadable", `${path} can't be read: ${(cause as Error).message}`, { cause });
  }
};

/** Files that an earlier run listed and this one doesn't have: only names in the folder itself, only unedited texts. */
const staleFiles = async (folder: string, files: readonly VerilogFile[]): Promise<string[]> => {
  const text = await existing(join(folder, list));
  if (text === undefined || !isPristine(text)) return [];
  const kept = new Set(files.map(({ name }) => name));
  const gone = text.split("\n").filter((line) => /^[\w.-]+\.s?v$/.test(line) && !kept.has(line));
  const pristine = await Promise.all(gone.map(async (name) => isPristine((await existing(join(folder, name))) ?? "")));
  return gone.filter((_, index) => pristine[index]);
};

/** @throws UserError exit 2 for a file that somebody edited, or that isn't ours */
const refuseEdited = async (folder: string, files: readonly VerilogFile[]): Promise<void> => {
  for (const { name, text } of files) {
    const found = await existing(join(folder, name));
    if (found === undefined || found === text || isPristine(found)) continue;
    throw new UserError("edited-file", `${join(folder, name)} was edited or written by something else, so it is not replaced`, {
      hint: "replace it with --force, or write elsewhere with --out",
    });
  }
};

const write = async (folder: string, { name, text }: VerilogFile): Promise<void> => {
  const aside = join(folder, `.${name}.${randomUUID()}`);
  try {
    await writeFile(aside, text);
    await rename(aside, join(folder, name));
  } catch (cause) {
    await rm(aside, { force: true });
    throw new UserError("unwritable", `${join(folder, name)} can't be written: ${(cause as Error).message}`, {
      hint: "choose another folder with --out",
      cause,
    });
  }
};

/** Makes a folder and its parents one by one: Node's own recursive way never ends in places like /proc. */
const makeFolder = async (folder: string): Promise<void> => {
  const missing: string[] = [];
  for (let at = folder; !existsSync(at); at = dirname(at)) missing.unshift(at);
  try {
    for (const at of missing) await mkdir(at);
    if (!(await stat(folder)).isDirectory()) throw new Error("it is a file");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return;
    throw new UserError("unwritable", `the folder ${folder} can't be used: ${(cause as Error).message}`, { hint: "choose another folder with --out", cause });
  }
};

export interface Delivery {
  readonly design: string;
  readonly top: string;
  readonly doc: string;
  readonly files: readonly VerilogFile[];
}

/**
 * Writes a design's files, its file list and its FuseSoC description into `folder`: each aside first, then renamed; files of an earlier run that are
 * not part of it any more are removed. A file that somebody edited is replaced only with `force`.
 * @returns names of all files written
 * @throws UserError exit 2 for an edited file or a folder that can't be written
 */
export const deliver = async (delivery: Delivery, folder: string, force = false): Promise<string[]> => {
  const { design, top, doc, files } = delivery;
  const all = [...files, fileList(design, files), core(design, top, doc, files)];
  await makeFolder(resolve(folder));
  if (!force) await refuseEdited(folder, all);
  const stale = await staleFiles(folder, files);
  for (const file of all) await write(folder, file);
  for (const name of stale) await rm(join(folder, name), { force: true });
  return all.map(({ name }) => name);
};
