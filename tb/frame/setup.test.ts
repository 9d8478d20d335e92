import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");
const NOBODY = 65534;
const isRoot = process.getuid?.() === 0;

interface Tool {
  readonly tool?: string;
  readonly file?: string;
  readonly package: string;
  readonly otherwise?: string;
}
interface Table {
  readonly node: string;
  readonly core: readonly Tool[];
  readonly test: readonly Tool[];
  readonly full: readonly Tool[];
}
const TABLE = JSON.parse(readFileSync(join(ROOT, "scripts/tools.json"), "utf8")) as Table;

/** A lock file whose one package is installed in the clone that `beforeEach` makes. */
const LOCK = {
  packages: { "": {}, "node_modules/left": { version: "1.0.0", integrity: "x" }, "node_modules/other-platform": { version: "2.0.0", optional: true } },
};

let folder = "";
let clone = "";
let bin = "";
let log = "";

/** A program of the fake PATH. `$LOG` collects what was called; `$BIN` is the folder, where a fake apt-get can install. */
const fake = (name: string, script: string): void => {
  writeFileSync(join(bin, name), `#!/bin/sh\nBIN='${bin}'\nLOG='${log}'\n${script}\n`);
  chmodSync(join(bin, name), 0o755);
};

const fakeAll = (tools: readonly Tool[]): void => {
  for (const { tool } of tools) if (tool !== undefined) fake(tool, tool === "verilator" ? 'echo "Verilator 5.006 2023-01-22 rev (Debian 5.006-3)"' : "exit 0");
};

/** An apt-get that installs every tool of the table that it is asked for, by way of the package's name. */
const fakeApt = (install: string): void => {
  fake("apt-get", `echo "apt-get $* [$DEBIAN_FRONTEND,$http_proxy]" >> "$LOG"\necho "Reading package lists..."\ncase "$*" in *install*) ${install} ;; esac`);
};

const setup = (tier: string, options: { asUser?: boolean; env?: Record<string, string>; node?: readonly string[] } = {}) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...(options.node ?? []), join(clone, "scripts/setup.mjs"), tier], {
    encoding: "utf8",
    cwd: "/",
    env: { PATH: bin, CI: "true", ...options.env },
    ...(options.asUser === true && isRoot ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  return { status, stdout, stderr, calls: existsSync(log) ? readFileSync(log, "utf8") : "" };
};

const writeLock = (path: string, packages: object): void => {
  writeFileSync(join(clone, path), JSON.stringify({ lockfileVersion: 3, packages }));
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "systole-setup-"));
  chmodSync(folder, 0o755);
  clone = join(folder, "a clone in Zürich");
  bin = join(folder, "bin");
  log = join(folder, "log");
  mkdirSync(bin);
  mkdirSync(join(clone, "scripts"), { recursive: true });
  mkdirSync(join(clone, "node_modules/left"), { recursive: true });
  for (const file of ["setup.mjs", "tools.json"]) cpSync(join(ROOT, "scripts", file), join(clone, "scripts", file));
  const { "": _root, "node_modules/other-platform": _absent, ...installed } = LOCK.packages;
  writeLock("package-lock.json", LOCK.packages);
  writeLock("node_modules/.package-lock.json", installed);
  writeFileSync(join(clone, "node_modules/left/package.json"), "{}");
  fake("npm", 'echo "npm $*" >> "$LOG"');
  fake("apt-cache", 'test "$2" = yosys-abc && exit 100\nexit 0');
  fake("true", "exit 0");
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test("does nothing and says nothing when everything is there", () => {
  fakeAll([...TABLE.core, ...TABLE.test]);
  fakeApt("exit 9");
  expect(setup("test")).toEqual({ status: 0, stdout: "", stderr: "", calls: "" });
});

test("a user who may not install gets the exact line and 2", () => {
  fakeAll(TABLE.core);
  fakeApt("exit 9");
  const install = "-y --no-install-recommends -o DPkg::Lock::Timeout=300 install yosys iverilog nextpnr-ice40 fpga-icestorm";
  expect(setup("test", { asUser: true })).toMatchObject({
    status: 2,
    stderr: `setup: cannot install packages: this user is not root and there is no \`sudo\`. Run this line as root, then repeat the command:\napt-get update && apt-get ${install}\n`,
    calls: "",
  });
  fake("sudo", "exit 1");
  expect(setup("test", { asUser: true })).toMatchObject({
    status: 2,
    stderr: `setup: cannot install packages: this user is not root and \`sudo\` needs a password. Run this line, then repeat the command:\nsudo apt-get update && sudo apt-get ${install}\n`,
    calls: "",
  });
});

test("a user with sudo installs through it, with the proxies and without a question", () => {
  fakeAll(TABLE.core.filter(({ tool }) => tool !== "ccache"));
  fakeApt(`printf '#!/bin/sh\\n' > "$BIN/ccache"; /bin/chmod 755 "$BIN/ccache"`);
  // Like the real one, it hands on no variable of the caller's.
  fake("sudo", 'echo "sudo $1" >> "$LOG"\nshift\n/usr/bin/env -i PATH="$PATH" "$@"');
  fake("env", 'for word in "$@"; do case "$word" in *=*) export "$word"; shift ;; *) break ;; esac; done\n"$@"');
  chmodSync(folder, 0o777);
  chmodSync(bin, 0o777);
  const { status, stdout, calls } = setup("core", { asUser: true, env: { http_proxy: "http://proxy:3128" } });
  expect(status).toBe(0);
  expect(stdout).toBe("");
  expect(calls.split("\n")).toEqual([
    "sudo -n",
    "sudo -n",
    "apt-get -q -o DPkg::Lock::Timeout=300 update [noninteractive,http://proxy:3128]",
    "sudo -n",
    "apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 install ccache [noninteractive,http://proxy:3128]",
    "",
  ]);
});

test("takes yosys-abc from its own package where there is one", () => {
  fakeAll(TABLE.core);
  fakeAll(TABLE.test.filter(({ tool }) => tool !== "yosys-abc"));
  fakeApt("exit 9");
  expect(setup("test", { asUser: true }).stderr).toMatch(/install yosys\n/);
  fake("apt-cache", "exit 0");
  expect(setup("test", { asUser: true }).stderr).toMatch(/install yosys-abc\n/);
});

test("a package that does not bring its tool is an error that names it", () => {
  fakeAll(TABLE.core.filter(({ tool }) => tool !== "make"));
  fakeApt("exit 0");
  fakeAll(TABLE.test);
  fake("sudo", 'shift\n"$@"');
  fake("env", 'while :; do case "$1" in *=*) shift ;; *) break ;; esac; done\n"$@"');
  const { status, stderr } = setup("test", { asUser: true });
  expect(status).toBe(2);
  expect(stderr).toContain("make still missing");
});

test("old Verilator and old Node are refused by name", () => {
  fakeAll([...TABLE.core, ...TABLE.test]);
  for (const [printed, isAccepted] of [
    ["Verilator 5.032 2025-01-01", true],
    ["Verilator 5.005", false],
    ["Verilator 4.228 2022-10-01", false],
  ] as const) {
    fake("verilator", `echo "${printed}"`);
    expect(setup("core").status, printed).toBe(isAccepted ? 0 : 2);
  }
  expect(setup("core").stderr).toContain("verilator 4.228 is below 5.006");
  const old = join(folder, "old-node.cjs");
  writeFileSync(old, 'Object.defineProperty(process, "version", { value: "v20.18.3" });');
  const refused = setup("core", { node: ["--require", old] });
  expect(refused.status).toBe(2);
  expect(refused.stderr).toContain("Node 20.18.3 is below 20.19");
});

test("runs npm ci when node_modules differs from the lock, and only then", () => {
  fakeAll(TABLE.core);
  const ci = "npm ci --include=dev --ignore-scripts --no-audit --no-fund\n";
  const left = LOCK.packages["node_modules/left"];
  const cases: readonly (readonly [string, object, string])[] = [
    ["equal", { "node_modules/left": left }, ""],
    ["another version", { "node_modules/left": { ...left, version: "1.0.1" } }, ci],
    ["another content", { "node_modules/left": { ...left, integrity: "y" } }, ci],
    ["a package too few", {}, ci],
    ["a package too many", { "node_modules/left": left, "node_modules/extra": left }, ci],
  ];
  for (const [name, installed, calls] of cases) {
    rmSync(log, { force: true });
    writeLock("node_modules/.package-lock.json", installed);
    expect(setup("core"), name).toMatchObject({ status: 0, calls });
  }
  writeLock("node_modules/.package-lock.json", { "node_modules/left": left });
  rmSync(join(clone, "node_modules/left"), { recursive: true });
  rmSync(log, { force: true });
  expect(setup("core").calls, "a folder removed by hand").toBe(ci);
  fake("npm", "exit 1");
  expect(setup("core").status, "npm ci fails").toBe(2);
});

test("without apt-get it names the packages and the way out", () => {
  fakeAll([...TABLE.core.filter(({ tool }) => tool !== "verilator"), ...TABLE.test]);
  expect(setup("test")).toMatchObject({ status: 2, stderr: expect.stringMatching(/missing: verilator\. .*Debian 12 container/) as string });
  for (const [platform, way] of [
    ["darwin", "Debian 12 container"],
    ["win32", "WSL2"],
  ] as const) {
    const other = join(folder, `${platform}.cjs`);
    writeFileSync(other, `Object.defineProperty(process, "platform", { value: "${platform}" });`);
    expect(setup("test", { node: ["--require", other] }), platform).toMatchObject({ status: 2, stderr: expect.stringContaining(way) as string });
  }
});

const wayOn = "setup: going on without verilator, since the embedded engine needs no tool; ";
const goesOn = (reason: string) => ({
  status: 0,
  stdout: "",
  stderr: expect.stringMatching(new RegExp(`^([^\\n]*\\n)*${wayOn}[^\\n]*${reason}[^\\n]*\\n$`)) as string,
});

test("the tier `core` goes on with one line where Verilator can't be installed", () => {
  fakeAll(TABLE.core.filter(({ tool }) => tool !== "verilator"));
  expect(setup("core"), "no apt-get").toMatchObject(goesOn("no apt-get"));
  fakeApt("exit 9");
  expect(setup("core", { asUser: true }), "no sudo").toMatchObject({ ...goesOn("there is no `sudo`.* install verilator"), calls: "" });
  fake("sudo", "exit 1");
  expect(setup("core", { asUser: true }), "sudo with a password").toMatchObject({ ...goesOn("sudo apt-get update && .* install verilator"), calls: "" });
  fake("sudo", 'shift\n"$@"');
  fake("env", 'while :; do case "$1" in *=*) shift ;; *) break ;; esac; done\n"$@"');
  chmodSync(folder, 0o777);
  fake("apt-get", 'echo "E: Failed to fetch" >&2\nexit 100');
  expect(setup("core", { asUser: true }), "no network").toMatchObject(goesOn("apt-get could not install verilator"));
  const darwin = join(folder, "darwin.cjs");
  writeFileSync(darwin, 'Object.defineProperty(process, "platform", { value: "darwin" });');
  expect(setup("core", { node: ["--require", darwin] }), "no Debian").toMatchObject(goesOn("Debian 12 container"));
});

test("SYSTOLE_ENGINE says which engine the tier `core` is for", () => {
  fakeApt("exit 9");
  for (const engine of ["wasm", "reference"])
    expect(setup("core", { env: { SYSTOLE_ENGINE: engine } }), engine).toEqual({ status: 0, stdout: "", stderr: "", calls: "" });
  const verilator = setup("core", { env: { SYSTOLE_ENGINE: "verilator" }, asUser: true });
  expect(verilator).toMatchObject({ status: 2, stderr: expect.stringContaining("install verilator g++") as string });
  expect(setup("test", { env: { SYSTOLE_ENGINE: "wasm" }, asUser: true })).toMatchObject({ status: 2, stderr: expect.stringContaining("yosys") as string });
  writeLock("node_modules/.package-lock.json", {});
  expect(setup("core", { env: { SYSTOLE_ENGINE: "wasm" } }).calls).toContain("npm ci");
});

test("an unknown tier is refused", () => {
  expect(setup("everything")).toMatchObject({ status: 2, stderr: "setup: usage: node scripts/setup.mjs core|test|full\n" });
});

test("package.json and the table of tools ask for the same Node", () => {
  const { engines } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { engines: { node: string } };
  expect(engines.node).toBe(`>=${TABLE.node}`);
});
