/**
 * rtl/ holds the default configuration of every design. `npm run rtl` writes it anew; `npm run rtl:check` generates into a
 * temporary folder and says which files differ, so that what is committed is what the generators print.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { argv } from "node:process";
import { designs } from "../src/designs/index.ts";
import { generate } from "../src/experiments/generate.ts";

const ROOT = resolve(import.meta.dirname, "..");

/** Writes every design of the registry into a folder of its own below `folder`. */
const generateAll = async (folder: string): Promise<void> => {
  for (const { name } of designs) await generate({ design: name, out: join(folder, name) });
};

const filesIn = (folder: string): readonly string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
        entry.isFile() ? [relative(folder, join(entry.parentPath, entry.name))] : [],
      )
    : [];

/** Files that only one of two folders holds or whose bytes differ, sorted. */
export const differences = (expected: string, found: string): readonly string[] => {
  const names = [...new Set([...filesIn(expected), ...filesIn(found)])].toSorted();
  const textIn = (folder: string, name: string): string | undefined =>
    existsSync(join(folder, name)) ? readFileSync(join(folder, name), "latin1") : undefined;
  return names.filter((name) => textIn(expected, name) !== textIn(found, name));
};

const check = async (): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), "systole-rtl-"));
  try {
    await generateAll(folder);
    const differing = differences(folder, join(ROOT, "rtl"));
    for (const name of differing) console.error(`rtl/${name} is not what the generators print: run \`npm run rtl\` and look at the difference`);
    process.exitCode = differing.length > 0 ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

if (argv[1] === import.meta.filename) await (argv[2] === "check" ? check() : generateAll(join(ROOT, "rtl")));
