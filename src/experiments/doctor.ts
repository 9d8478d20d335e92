import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { z } from "zod";
import { runTool } from "../base/tool.ts";
import { compareVersions, versionIn } from "../base/version.ts";
import { cacheFolder } from "../sim/verilator/cache.ts";
import type { FieldsOf, ToolRow } from "./results.ts";

const entrySchema = z.strictObject({
  /** Either a program on PATH or a file that a package brings. */
  tool: z.string().optional(),
  file: z.string().optional(),
  package: z.string(),
  /** Package that holds the tool where `package` does not exist. */
  otherwise: z.string().optional(),
  version: z.array(z.string()).optional(),
  minimum: z.string().optional(),
  for: z.string(),
});
type Entry = z.infer<typeof entrySchema>;

const tableSchema = z.strictObject({ node: z.string(), core: z.array(entrySchema), test: z.array(entrySchema), full: z.array(entrySchema) });

/** scripts/tools.json, which the set-up script reads too; it lies two folders up from here in the clone and in the package. */
const readTable = (): z.infer<typeof tableSchema> => tableSchema.parse(JSON.parse(readFileSync(new URL("../../scripts/tools.json", import.meta.url), "utf8")));

const isOnPath = (tool: string): boolean =>
  (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

const versionOf = async ({ tool, version }: Entry): Promise<string | null> => {
  if (tool === undefined || version === undefined) return null;
  // What a tool prints counts, not how it ends: some end with 1 after their version.
  const { stdout, stderr } = await runTool(tool, version, { accept: [0, 1], timeout: 20_000 });
  return versionIn(`${stdout}\n${stderr}`) ?? null;
};

const inspectTool = async (tier: ToolRow["tier"], entry: Entry): Promise<ToolRow> => {
  const name = entry.tool ?? entry.file ?? entry.package;
  const isPresent = entry.tool === undefined ? existsSync(name) : isOnPath(name);
  const version = isPresent ? await versionOf(entry) : null;
  const isOld = entry.minimum !== undefined && version !== null && compareVersions(version, entry.minimum) < 0;
  const state = !isPresent ? "missing" : isOld ? "too old" : "ok";
  return { tool: name, tier, package: entry.package, for: entry.for, state, version, minimum: entry.minimum ?? null };
};

const isKnownPackage = async (name: string): Promise<boolean> =>
  isOnPath("apt-cache") && (await runTool("apt-cache", ["show", name], { accept: [0, 100] })).exitCode === 0;

/** The line that installs what is missing for simulation and tests, or null when nothing is. */
const installLine = async (entries: readonly Entry[], rows: readonly ToolRow[]): Promise<string | null> => {
  const missing = new Set(rows.filter(({ state }) => state === "missing").map(({ package: name }) => name));
  const wanted = entries.filter(({ package: name }) => missing.has(name));
  const packages = await Promise.all(
    wanted.map(async (entry) => (entry.otherwise === undefined || (await isKnownPackage(entry.package)) ? entry.package : entry.otherwise)),
  );
  const sudo = process.getuid?.() === 0 ? "" : "sudo ";
  return packages.length === 0 ? null : `${sudo}apt-get update && ${sudo}apt-get -y --no-install-recommends install ${[...new Set(packages)].join(" ")}`;
};

export interface Diagnosis {
  /** Whether everything of the tier `core` is there. */
  readonly ok: boolean;
  readonly fields: FieldsOf<"doctor">;
}

/** Looks at every tool that systole can use: present, version, new enough, and the line that installs what is missing. */
export const doctor = async (): Promise<Diagnosis> => {
  const table = readTable();
  const nodeVersion = process.versions.node;
  const node: ToolRow = {
    tool: "node",
    tier: "node",
    package: null,
    for: "runs systole",
    state: compareVersions(nodeVersion, table.node) < 0 ? "too old" : "ok",
    version: nodeVersion,
    minimum: table.node,
  };
  const rows = await Promise.all((["core", "test", "full"] as const).flatMap((tier) => table[tier].map((entry) => inspectTool(tier, entry))));
  const needed = [node, ...rows.filter(({ tier }) => tier === "core")];
  const install = await installLine(
    [...table.core, ...table.test],
    rows.filter(({ tier }) => tier !== "full"),
  );
  return { ok: needed.every(({ state }) => state === "ok"), fields: { rows: [node, ...rows], cache: cacheFolder(), install } };
};

/** Versions of the tools that a simulation in Verilator uses, by name, or of some of them. */
export const simulationTools = async (names?: readonly string[]): Promise<Readonly<Record<string, string>>> => {
  const entries = readTable().core.filter(({ tool = "" }) => names?.includes(tool) ?? true);
  const rows = await Promise.all(entries.map((entry) => inspectTool("core", entry)));
  return Object.fromEntries(rows.flatMap(({ tool, version }) => (version === null ? [] : [[tool, version]])));
};
