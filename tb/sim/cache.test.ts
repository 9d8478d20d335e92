import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runTool } from "../../src/base/tool.ts";
import { input, output } from "../../src/hdl/ports.ts";
import { bool, uint } from "../../src/hdl/shape.ts";
import { verilog } from "../../src/sim/index.ts";
import { build, isBuilt } from "../../src/sim/verilator/build.ts";
import { cached, cacheFolder, cleanCache, trimCache } from "../../src/sim/verilator/cache.ts";
import { findToolchain } from "../../src/sim/verilator/toolchain.ts";

const ports = { en: input(bool), count: output(uint(8)), wrap: output(bool) };
const counter = verilog({ top: "counter", files: ["tb/reference/counter.sv"], ports });
const options = { profile: "quick", trace: undefined, visible: [] } as const;
const cache = mkdtempSync(join(tmpdir(), "systole cäche "));
afterAll(() => rmSync(cache, { recursive: true, force: true }));

const count = async (steps: number): Promise<string> =>
  (await runTool(process.execPath, ["--import", "tsx", "tb/sim/planted/count.ts", String(steps)], { env: { SYSTOLE_CACHE: cache } })).stdout;
const models = (): string[] => readdirSync(cache).filter((name) => name.startsWith("model-"));

test("three processes that build the same model at once, in a path with a space and a letter beyond ASCII, leave one", async () => {
  // The tools' own run-time library is not what this is about: taken from the common cache, it need not be compiled three times.
  await build(counter, options);
  for (const name of readdirSync(cacheFolder()))
    if (name.startsWith("runtime-")) cpSync(join(cacheFolder(), name), join(cache, name), { recursive: true, preserveTimestamps: true });
  expect(await Promise.all([count(3), count(4), count(5)])).toEqual(["3", "4", "5"]);
  expect(models()).toHaveLength(1);
  expect(readdirSync(cache).filter((name) => name.startsWith("tmp-"))).toEqual([]);
});

test("a model that is built already is taken as it is; another text, option or parameter is another model", async () => {
  expect(isBuilt(counter, options, cache)).toBe(true);
  const before = models().map((name) => statSync(join(cache, name, "model.so")).mtimeMs);
  const model = await build(counter, options, cache);
  expect(models().map((name) => statSync(join(cache, name, "model.so")).mtimeMs)).toEqual(before);
  expect(model.ports.map((port) => port.name)).toEqual(["clk", "rst", "en", "count", "wrap"]);
  const [file] = counter.files;
  const others = [
    isBuilt({ ...counter, files: [{ ...file!, text: `${file!.text}\n` }] }, options, cache),
    isBuilt({ ...counter, parameters: { WIDTH: 9 } }, options, cache),
    isBuilt(counter, { ...options, profile: "fast" }, cache),
    isBuilt(counter, { ...options, trace: "fst" }, cache),
    isBuilt(counter, { ...options, visible: ["count"] }, cache),
  ];
  expect(others).toEqual([false, false, false, false, false]);
});

test("a build that fails leaves nothing, and the next try builds again", async () => {
  const folder = mkdtempSync(join(tmpdir(), "systole-cache-"));
  const make = (fail: boolean) =>
    cached(folder, "model-x", async (aside) => {
      writeFileSync(join(aside, "half"), "");
      await Promise.resolve();
      if (fail) throw new Error("broken");
    });
  await expect(make(true)).rejects.toThrow("broken");
  expect(readdirSync(folder)).toEqual([]);
  expect(await make(false)).toEqual({ folder: join(folder, "model-x"), made: true });
  expect(await make(true)).toEqual({ folder: join(folder, "model-x"), made: false });
  rmSync(folder, { recursive: true });
});

test("the least recently used models go first, never a young one, and abandoned builds go too", async () => {
  const folder = mkdtempSync(join(tmpdir(), "systole-cache-"));
  const age = (name: string, minutes: number, bytes: number): void => {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "model.so"), Buffer.alloc(bytes));
    const time = new Date(Date.now() - minutes * 60_000);
    utimesSync(join(folder, name), time, time);
  };
  age("model-old", 50, 1000);
  age("model-older", 60, 1000);
  age("model-new", 1, 5000);
  age("model-recent", 20, 1000);
  age("runtime-oldest", 600, 1000);
  age("tmp-1-abandoned", 600, 1000);
  age("tmp-2-running", 5, 1000);
  await trimCache(folder, 7500);
  expect(readdirSync(folder).toSorted()).toEqual(["model-new", "model-old", "model-recent", "runtime-oldest", "tmp-2-running"]);
  await trimCache(folder, 0);
  expect(readdirSync(folder).toSorted()).toEqual(["model-new", "runtime-oldest", "tmp-2-running"]);
  writeFileSync(join(folder, "mine.txt"), "kept");
  expect(await cleanCache(folder)).toBe(7000);
  expect(readdirSync(folder)).toEqual(["mine.txt"]);
  rmSync(folder, { recursive: true });
});

test("the cache is where the environment says, else in the project", () => {
  const before = process.env["SYSTOLE_CACHE"];
  delete process.env["SYSTOLE_CACHE"];
  expect(cacheFolder()).toBe(join(process.cwd(), "sim_build"));
  process.env["SYSTOLE_CACHE"] = "/somewhere/else";
  expect(cacheFolder()).toBe("/somewhere/else");
  if (before === undefined) delete process.env["SYSTOLE_CACHE"];
  else process.env["SYSTOLE_CACHE"] = before;
});

test("a missing Verilator is an error with the line that installs it", () => {
  const before = process.env["PATH"];
  process.env["PATH"] = cache;
  try {
    expect(() => findToolchain()).toThrow(expect.objectContaining({ code: "missing-tool", hint: expect.stringContaining("apt-get install") as string }));
  } finally {
    process.env["PATH"] = before;
  }
});
