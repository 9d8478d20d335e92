import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { Writable } from "node:stream";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { UserError } from "../../src/base/error.ts";
import { compareVersions, versionIn } from "../../src/base/version.ts";
import { errorText, failureOf, toJson } from "../../src/cli/output.ts";
import { withProgress } from "../../src/cli/progress.ts";
import { checkResult } from "../../src/experiments/results.ts";

const ROOT = resolve(import.meta.dirname, "../..");

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "systole-cli-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const systole = (args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", join(ROOT, "src/cli/main.ts"), ...args], {
    cwd: ROOT,
    encoding: "utf8",
    env: { ...process.env, SYSTOLE_CACHE: join(folder, "cache"), ...env },
  });
  return { status, stdout, stderr };
};

const parsed = (text: string): unknown => {
  const value: unknown = JSON.parse(text);
  checkResult(value);
  return value;
};

test("help and version go to standard output and end with 0", () => {
  const help = systole(["--help"]);
  expect(help).toMatchObject({ status: 0, stderr: "" });
  for (const verb of ["check", "bench", "doctor", "clean"]) expect(help.stdout).toContain(`\n  ${verb} `);
  expect(systole(["doctor", "--help"]).stdout).toMatch(/Examples:\n {2}\$ systole doctor\n/);
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
  expect(systole(["--version"])).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
});

test("wrong use ends with 2 and a hint, on standard error only", () => {
  expect(systole(["doctr"])).toEqual({ status: 2, stdout: "", stderr: "systole: unknown command 'doctr'\n  hint: Did you mean doctor?\n" });
  expect(systole(["doctor", "--sed", "1"])).toEqual({ status: 2, stdout: "", stderr: "systole: unknown option '--sed'\n  hint: Did you mean --seed?\n" });
  expect(systole([])).toMatchObject({ status: 2, stdout: "", stderr: expect.stringContaining("Usage: systole") as string });
});

test("with --json wrong use is one object on standard output", () => {
  const { status, stdout, stderr } = systole(["doctor", "--seed", "x", "--json"]);
  expect({ status, stderr }).toEqual({ status: 2, stderr: "" });
  expect(parsed(stdout)).toMatchObject({
    schema: 1,
    command: "doctor",
    ok: false,
    error: { code: "invalid-argument", message: expect.stringContaining("'x'") as string },
  });
});

test("doctor names a missing Verilator and the line that installs it", () => {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  for (const tool of ["g++", "clang++", "make", "ccache"]) writeFileSync(join(bin, tool), '#!/bin/sh\necho "tool 1.2"\n', { mode: 0o755 });
  const { status, stdout } = systole(["doctor", "--json"], { PATH: bin });
  expect(status).toBe(2);
  expect(parsed(stdout)).toMatchObject({
    ok: false,
    tools: { "g++": "1.2" },
    install: expect.stringMatching(
      process.getuid?.() === 0 ? /^apt-get update && apt-get .* install verilator yosys/ : /^sudo apt-get update && sudo apt-get .* install verilator yosys/,
    ) as string,
    rows: expect.arrayContaining([expect.objectContaining({ tool: "verilator", state: "missing", version: null, minimum: "5.006" })]) as unknown[],
  });
  writeFileSync(join(bin, "verilator"), '#!/bin/sh\necho "Verilator 4.228 2022-10-01"\n', { mode: 0o755 });
  expect(systole(["doctor"], { PATH: bin })).toMatchObject({
    status: 2,
    stdout: expect.stringMatching(/too old +verilator +core +4\.228 \(needs 5\.006\)/) as string,
  });
  writeFileSync(join(bin, "verilator"), '#!/bin/sh\necho "Verilator 5.032 2025-01-01"\n', { mode: 0o755 });
  expect(systole(["doctor"], { PATH: bin }).status).toBe(0);
});

test("clean removes what the cache holds and nothing else", () => {
  const cache = join(folder, "cache");
  mkdirSync(join(cache, "model-1"), { recursive: true });
  writeFileSync(join(cache, "model-1/library"), Buffer.alloc(3000));
  writeFileSync(join(cache, "mine.txt"), "keep");
  expect(parsed(systole(["clean", "--json"]).stdout)).toMatchObject({ ok: true, folder: cache, bytes: 3000 });
  expect(existsSync(join(cache, "model-1"))).toBe(false);
  expect(existsSync(join(cache, "mine.txt"))).toBe(true);
});

test("runs from any folder and through a link, as `bin` does", () => {
  const link = join(folder, "a folder in Zürich", "systole.ts");
  mkdirSync(dirname(link));
  symlinkSync(join(ROOT, "src/cli/main.ts"), link);
  const { status, stdout } = spawnSync(process.execPath, ["--import", join(ROOT, "node_modules/tsx/dist/loader.mjs"), link, "--version"], {
    cwd: folder,
    encoding: "utf8",
  });
  expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d/) as string });
});

test("JSON numbers are finite or null, and from 2^53 decimal strings", () => {
  const numbers = fc.oneof(fc.constantFrom(0, -0, 1, -1, 2 ** 53 - 1, 2 ** 53, -(2 ** 53), 1e300, Number.NaN, Infinity, -Infinity), fc.double(), fc.bigInt());
  fc.assert(
    fc.property(numbers, (value) => {
      const back: unknown = JSON.parse(toJson({ value: [value] }), (_key, read: unknown) => read);
      const [read] = (back as { value: unknown[] }).value;
      if (typeof value === "number" && !Number.isFinite(value)) expect(read).toBeNull();
      else if (value >= 2 ** 53 || value <= -(2 ** 53)) expect(read).toBe(BigInt(value).toString());
      else expect(read).toBe(Number(value) + 0);
    }),
  );
  expect(JSON.parse(toJson({ codes: Int8Array.of(1, -2) }))).toEqual({ codes: [1, -2] });
});

test("the user's own errors show their place and hint without a stack; others say that they are bugs", () => {
  const error = new UserError("width", "`a` has 8 bits where `b` has 9", {
    where: { file: "my.ts", line: 3, column: 7 },
    hint: "use `.wrap(8)`\nor `.sat(8)`",
  });
  expect(errorText(error)).toBe("my.ts:3:7: `a` has 8 bits where `b` has 9\n  hint: use `.wrap(8)`\n  or `.sat(8)`\n");
  expect(failureOf("generate", error).error).toEqual({ code: "width", message: error.message, file: "my.ts", line: 3, hint: error.hint });
  const bug = new TypeError("x is not a function");
  expect(errorText(bug)).toMatch(/^TypeError: x is not a function\n {4}at [^]*This is a bug in systole/);
  expect(failureOf("demo", bug).error).toMatchObject({ code: "internal", message: "x is not a function" });
  checkResult(failureOf("demo", bug));
});

/** A stream that keeps what is written, and says whether it is a terminal. */
const terminal = (isTTY: boolean): { readonly stream: NodeJS.WriteStream; readonly written: () => string } => {
  const chunks: string[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(chunk.toString());
      done();
    },
  });
  const cursor = { isTTY, columns: 80, clearLine: () => true, cursorTo: () => true, moveCursor: () => true };
  return { stream: Object.assign(stream, cursor) as unknown as NodeJS.WriteStream, written: () => chunks.join("") };
};

test("progress is shown on a terminal only, and ends when the work fails", async () => {
  const pipe = terminal(false);
  const half = async (update: (line: string) => void): Promise<string> => Promise.resolve(update("half")).then(() => "done");
  expect(await withProgress("working", half, pipe.stream)).toBe("done");
  expect(pipe.written()).toBe("");
  const screen = terminal(true);
  await expect(withProgress("working", async () => Promise.reject(new Error("failed")), screen.stream)).rejects.toThrow("failed");
  expect(screen.written()).toContain("working");
  const shown = screen.written().length;
  await new Promise((resolveLater) => setTimeout(resolveLater, 200));
  expect(screen.written(), "the spinner went on after the work").toHaveLength(shown);
});

test("versions compare by their numbers", () => {
  expect(versionIn("Verilator 5.006 2023-01-22 rev (Debian 5.006-3)")).toBe("5.006");
  expect(versionIn("no number")).toBeUndefined();
  for (const [a, b, sign] of [
    ["5.006", "5.6", 0],
    ["5.005", "5.006", -1],
    ["5.032", "5.006", 1],
    ["6", "5.999", 1],
    ["20.9.0", "20.19", -1],
  ] as const)
    expect(Math.sign(compareVersions(a, b)), `${a} ${b}`).toBe(sign);
});
