import { randomBytes } from "node:crypto";
import { accessSync, constants, existsSync, readdirSync, statSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { UserError } from "../../base/error.ts";

/** Bytes of compiled models that the cache keeps; the least recently used go first. */
export const cacheLimit = 2 * 1024 ** 3;
/** A model younger than this is never removed: another process may be about to load it. */
const graceMs = 10 * 60_000;
/** A build folder older than this was left by a process that ended. */
const abandonedMs = 60 * 60_000;

const isWritable = (folder: string): boolean => {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
};

const projectFolder = (from: string): string | undefined => {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json"))) return isWritable(folder) && !folder.includes("node_modules") ? folder : undefined;
    if (dirname(folder) === folder) return undefined;
  }
};

/** Where compiled simulations are kept: `$SYSTOLE_CACHE` where set, `sim_build` in a project folder, else the user's cache folder. */
export const cacheFolder = (): string => {
  const stated = process.env["SYSTOLE_CACHE"];
  if (stated !== undefined && stated !== "") return resolve(stated);
  const project = projectFolder(process.cwd());
  if (project !== undefined) return join(project, "sim_build");
  const xdg = process.env["XDG_CACHE_HOME"];
  return join(xdg === undefined || xdg === "" ? join(homedir(), ".cache") : xdg, "systole");
};

/** A folder in the cache, and whether this call made it. */
export interface CachedFolder {
  readonly folder: string;
  readonly made: boolean;
}

const building = new Map<string, Promise<CachedFolder>>();

/**
 * The folder `<cache>/<name>`, made by `make` where it does not exist yet. It appears whole or not at all: it is made
 * aside and renamed, and where two processes make the same one, the first stays. Reading marks it as used.
 */
export const cached = async (cache: string, name: string, make: (folder: string) => Promise<void>): Promise<CachedFolder> => {
  const folder = join(cache, name);
  if (existsSync(folder)) {
    const now = new Date();
    await utimes(folder, now, now).catch(() => undefined);
    return { folder, made: false };
  }
  const running = building.get(folder);
  if (running !== undefined) return running;
  const build = makeAside(cache, folder, make).finally(() => building.delete(folder));
  building.set(folder, build);
  return build;
};

const makeAside = async (cache: string, folder: string, make: (folder: string) => Promise<void>): Promise<CachedFolder> => {
  const aside = join(cache, `tmp-${process.pid}-${randomBytes(6).toString("hex")}`);
  try {
    await mkdir(aside, { recursive: true });
  } catch (cause) {
    throw new UserError("unwritable-folder", `the simulation cache \`${cache}\` can't be written`, { cause, hint: "set SYSTOLE_CACHE to a folder that can" });
  }
  try {
    await make(aside);
    await rename(aside, folder).catch((cause: unknown) => {
      if (!existsSync(folder)) throw cause;
    });
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
  return { folder, made: true };
};

const sizeOf = async (folder: string): Promise<number> => {
  let size = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) size += (await stat(join(entry.parentPath, entry.name))).size;
  return size;
};

/** Removes abandoned builds, and the least recently used models beyond `limit` bytes. */
export const trimCache = async (cache: string, limit: number = cacheLimit, grace: number = graceMs): Promise<void> => {
  const models: { folder: string; used: number; size: number }[] = [];
  for (const name of await readdir(cache)) {
    const folder = join(cache, name);
    const info = await stat(folder).catch(() => undefined);
    if (info === undefined) continue;
    const age = Date.now() - info.mtimeMs;
    if (name.startsWith("tmp-") && age > abandonedMs) await rm(folder, { recursive: true, force: true });
    // Another process may remove the folder while it is measured.
    if (name.startsWith("model-")) models.push({ folder, used: info.mtimeMs, size: await sizeOf(folder).catch(() => 0) });
  }
  models.sort((a, b) => b.used - a.used);
  let total = 0;
  for (const model of models) {
    total += model.size;
    if (total > limit && Date.now() - model.used > grace) await rm(model.folder, { recursive: true, force: true });
  }
};

/** Removes everything that builds left in the cache folder; returns the number of bytes freed. */
export const cleanCache = async (cache: string): Promise<number> => {
  if (!existsSync(cache)) return 0;
  let freed = 0;
  for (const name of readdirSync(cache)) {
    if (!/^(model|runtime|tmp|waves)(-|$)/.test(name)) continue;
    const path = join(cache, name);
    freed += statSync(path).isDirectory() ? await sizeOf(path) : statSync(path).size;
    await rm(path, { recursive: true, force: true });
  }
  return freed;
};
