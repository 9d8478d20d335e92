import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkResult } from "../../src/experiments/results.ts";

const ROOT = resolve(import.meta.dirname, "../..");

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "systole-engine-"));
  mkdirSync(join(folder, "bin"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** The command line where no tool at all is installed. */
const withoutTools = (args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
  const { SYSTOLE_ENGINE: _, ...inherited } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", join(ROOT, "src/cli/main.ts"), ...args], {
    cwd: ROOT,
    encoding: "utf8",
    env: { ...inherited, SYSTOLE_CACHE: join(folder, "cache"), PATH: join(folder, "bin"), ...env },
  });
  return { status, stdout, stderr };
};

const small = ["demo", "--set", "rows=2", "--set", "cols=2", "--tokens", "4", "--sequences", "0"];
const out = (): string[] => ["--out", join(folder, "array")];

const parsed = (text: string): unknown => {
  const value: unknown = JSON.parse(text);
  checkResult(value);
  return value;
};

test("without Verilator the main job runs on the embedded engine and says so", () => {
  const { status, stdout, stderr } = withoutTools([...small, ...out()]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toContain("\nSimulated on the embedded engine (WebAssembly), since `verilator` is not installed; the result is the same\n");
  expect(stdout).toContain("\n`verilator --lint-only -Wall` did not run: `verilator` is not installed\n");
  expect(stdout).toMatch(/12 products through the array: \d+ accumulators compared with the golden model, 0 mismatches/);
});

test("JSON names the engine that ran and no tool that didn't", () => {
  const { status, stdout } = withoutTools([...small, ...out(), "--json"]);
  expect(status).toBe(0);
  expect(parsed(stdout)).toMatchObject({ ok: true, engine: "wasm", tools: {}, mismatches: 0 });
  const array = ["check", "tender", "--vectors", "tb/vectors/tender.json.br", "--level", "array", "--json"];
  expect(parsed(withoutTools(array).stdout)).toMatchObject({ ok: true, engine: "wasm", tools: {}, level: "array", mismatches: 0 });
  expect(parsed(withoutTools(array, { SYSTOLE_ENGINE: "verilator" }).stdout)).toMatchObject({ ok: false, error: { code: "missing-tool" } });
});

test("Verilator asked for by name, and Verilog of --rtl, need it", () => {
  for (const args of [
    ["--engine", "verilator", ...out()],
    ["--rtl", "rtl/tender-array"],
  ]) {
    const { status, stdout, stderr } = withoutTools([...small, ...args]);
    expect({ status, stdout }, args[0]).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain("`verilator` is not installed");
  }
  expect(withoutTools([...small, "--engine", "verilator", ...out()]).stderr).toMatch(
    /hint: apt-get install .*verilator.*\n.*the engine wasm, which needs no tool/,
  );
  const embedded = withoutTools([...small, "--rtl", "rtl/tender-array", "--engine", "wasm", "--json"]);
  expect(embedded.status).toBe(2);
  expect(parsed(embedded.stdout)).toMatchObject({
    ok: false,
    error: { code: "rtl-engine", message: "`--rtl` simulates Verilog, which the engine `wasm` can't run" },
  });
});

test("a value of SYSTOLE_ENGINE or --engine that is no engine is refused", () => {
  expect(withoutTools([...small, ...out()], { SYSTOLE_ENGINE: "icarus" })).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("SYSTOLE_ENGINE is auto, verilator, wasm or reference, not `icarus`") as string,
  });
  expect(withoutTools([...small, "--engine", "icarus"])).toMatchObject({ status: 2, stderr: expect.stringContaining("icarus") as string });
  expect(withoutTools(["check", "tender", "--vectors", "x.json", "--engine", "wasm", "--level", "golden"])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("level golden doesn't run on engine wasm") as string,
  });
});
