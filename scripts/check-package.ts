/**
 * Proves that the package works where the clone is not: packs it, installs it without development packages as an
 * ordinary user into another folder, takes away the right to write there, and runs the command line and a user's design.
 * Run by `npm run package:check`.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "..");
const NOBODY = 65534;
const ordinary = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

const say = (text: string): void => console.error(`package: ${text}`);

interface Where {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly asUser?: boolean;
}

/** The environment without what the npm that runs this check set for its children: its folders are another user's. */
const plainEnvironment = (): NodeJS.ProcessEnv => Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.toLowerCase().startsWith("npm_")));

/** Runs a program to its end and returns what it printed; anything but success ends the check. */
const run = (command: string, args: readonly string[], { cwd, env = {}, asUser = false }: Where): string => {
  say([command, ...args].join(" "));
  const { status, stdout, error } = spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    env: { ...(asUser ? plainEnvironment() : process.env), ...env },
    stdio: ["ignore", "pipe", 2],
    ...(asUser ? ordinary : {}),
  });
  if (status !== 0) throw new Error(`${command} ended with ${String(status)} ${error?.message ?? ""}\n${stdout}`);
  return stdout;
};

const expectThat = (fact: boolean, sentence: string): void => {
  if (!fact) throw new Error(`the package is wrong: ${sentence}`);
};

const pack = (folder: string): string => {
  const printed = run("npm", ["pack", "--json", "--foreground-scripts=false", "--pack-destination", folder], { cwd: ROOT });
  const [packed] = JSON.parse(printed.slice(printed.indexOf("["))) as { filename: string; size: number; files: { path: string }[] }[];
  if (packed === undefined) throw new Error("npm pack packed nothing");
  const paths = packed.files.map(({ path }) => path);
  for (const needed of ["LICENSE", "NOTICE", "README.md", "dist/cli/main.js", "dist/index.d.ts", "scripts/tools.json", "models/opt-mini/model.safetensors"])
    expectThat(paths.includes(needed), `it has no ${needed}`);
  for (const kept of ["tb/", "sim_build/", ".ci/", "node_modules/"]) expectThat(!paths.some((path) => path.startsWith(kept)), `it holds ${kept}`);
  say(`${packed.filename}: ${paths.length} files, ${(packed.size / 2 ** 20).toFixed(1)} MiB`);
  return join(folder, packed.filename);
};

/** Takes the right to write from a tree, so that a command that writes into its own package fails. */
const makeReadOnly = (folder: string): void => {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isDirectory()) chmodSync(join(entry.parentPath, entry.name), 0o555);
    else if (entry.isFile()) chmodSync(join(entry.parentPath, entry.name), entry.parentPath.endsWith("bin") || entry.name === "main.js" ? 0o555 : 0o444);
  }
  chmodSync(folder, 0o555);
};

/** The registry's settings belong to whoever runs the check; the ordinary user gets them by the environment. */
const registrySettings = (): Readonly<Record<string, string>> =>
  Object.fromEntries(
    ["registry", "cafile"].flatMap((key) => {
      const value = run("npm", ["config", "get", key], { cwd: ROOT }).trim();
      return value === "" || value === "null" || value === "undefined" ? [] : [[`npm_config_${key}`, value]];
    }),
  );

const giveToUser = (path: string): string => {
  if (ordinary.uid !== undefined) chownSync(path, ordinary.uid, ordinary.gid);
  return path;
};

const ownedFolder = (path: string): string => {
  mkdirSync(path);
  return giveToUser(path);
};

const tryPackage = (folder: string): void => {
  const tarball = pack(folder);
  const app = ownedFolder(join(folder, "an app in Zürich"));
  const home = ownedFolder(join(folder, "home"));
  const user: Where = {
    cwd: app,
    asUser: true,
    env: { HOME: home, NODE_ENV: "production", npm_config_update_notifier: "false", XDG_CACHE_HOME: join(home, "cache"), ...registrySettings() },
  };
  writeFileSync(join(app, "package.json"), '{ "name": "app", "private": true, "type": "module" }\n');
  giveToUser(join(app, "package.json"));
  run("npm", ["install", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", tarball], user);
  makeReadOnly(join(app, "node_modules"));

  const doctor = JSON.parse(run("node_modules/.bin/systole", ["doctor", "--json"], user)) as { ok: boolean; cache: string };
  expectThat(doctor.ok, "`systole doctor` finds something missing");
  expectThat(!doctor.cache.includes("node_modules"), `the cache is in ${doctor.cache}`);

  const small = ["--set", "rows=4", "--set", "cols=4", "--tokens", "4", "--sequences", "0"];
  const demo = JSON.parse(run("node_modules/.bin/systole", ["demo", ...small, "--out", "build/array", "--json"], user)) as { ok: boolean; compared: number };
  expectThat(demo.ok && demo.compared > 0, "`systole demo` compares nothing or fails");

  for (const file of ["running-sum.ts", "design.ts"]) copyFileSync(join(ROOT, "scripts/package", file), join(app, file));
  run("node_modules/.bin/systole", ["generate", "./running-sum.ts", "--out", "build/sum"], user);
  expectThat(existsSync(join(app, "build/sum/running_sum.sv")), "`systole generate` writes no file for a user's design");
  const options = [
    "--module",
    "nodenext",
    "--target",
    "es2023",
    "--strict",
    "--types",
    "node",
    "--typeRoots",
    join(ROOT, "node_modules/@types"),
    "--ignoreConfig",
    "--rewriteRelativeImportExtensions",
  ];
  run(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), ...options, "design.ts"], { cwd: app });
  expectThat(run(process.execPath, ["design.js"], user) === "wasm: 35\nverilator: 35\n", "a user's design does not compute 7 times 5 on both engines");
  expectThat(!existsSync(join(app, "node_modules/systole/sim_build")), "something was written into the package");
};

const folder = mkdtempSync(join(tmpdir(), "systole-package-"));
chmodSync(folder, 0o755);
try {
  tryPackage(folder);
  say("works when installed");
} finally {
  rmSync(folder, { recursive: true, force: true });
}
