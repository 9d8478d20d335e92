import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, test, vi } from "vitest";
import { clock, input, output } from "../../src/hdl/ports.ts";
import { bool, uint } from "../../src/hdl/shape.ts";
import { fifo } from "../../src/lib/fifo.ts";
import { simulate, verilog, withWaves } from "../../src/sim/index.ts";

const counter = verilog({ top: "counter", files: ["tb/reference/counter.sv"], ports: { en: input(bool), count: output(uint(8)), wrap: output(bool) } });
const folder = mkdtempSync(join(tmpdir(), "systole wäves "));
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => {
  vi.stubEnv("SYSTOLE_ENGINE", "");
});
afterEach(() => {
  vi.unstubAllEnvs();
});

/** Changes of one signal in a VCD file: time and value. */
const changesOf = (vcd: string, name: string): [number, string][] => {
  const code = new RegExp(`\\$var \\w+ +\\d+ (\\S+) ${name}\\b`).exec(vcd)?.[1] ?? "";
  const changes: [number, string][] = [];
  let time = 0;
  for (const line of vcd.slice(vcd.indexOf("$enddefinitions")).split("\n")) {
    if (line.startsWith("#")) time = Number(line.slice(1));
    else if (line === `0${code}` || line === `1${code}`) changes.push([time, line[0]!]);
    else if (line.startsWith("b") && line.endsWith(` ${code}`)) changes.push([time, line.slice(1, line.indexOf(" "))]);
  }
  return changes;
};

test("a VCD file has every edge; inputs change just after the edge", async () => {
  const trace = join(folder, "one.vcd");
  const sim = await simulate(counter, { trace });
  sim.reset();
  sim.io.en.poke(1);
  sim.step(3);
  sim.close();
  const vcd = readFileSync(trace, "utf8");
  const rises = changesOf(vcd, "clk").filter(([, value]) => value === "1");
  expect(rises.map(([time]) => time)).toEqual([10_000, 20_000, 30_000, 40_000]);
  expect(changesOf(vcd, "en").at(-1)).toEqual([10_001, "1"]);
  expect(changesOf(vcd, "count").slice(-3)).toEqual([
    [20_000, "00000001"],
    [30_000, "00000010"],
    [40_000, "00000011"],
  ]);
});

test("tasks and blocks are traced with the same times", async () => {
  const trace = join(folder, "tasks.vcd");
  const sim = await simulate(counter, { trace, clocks: { "": { period: 4 } } });
  sim.reset();
  sim.run(function* () {
    yield;
    sim.io.en.poke(1);
    yield;
    yield;
  });
  sim.block({ cycles: 2, inputs: { en: Uint8Array.of(0, 1) } });
  sim.close();
  const vcd = readFileSync(trace, "utf8");
  expect(
    changesOf(vcd, "clk")
      .filter(([, value]) => value === "1")
      .map(([time]) => time),
  ).toEqual([4000, 8000, 12_000, 16_000, 20_000, 24_000]);
  expect(changesOf(vcd, "en").slice(1)).toEqual([
    [8001, "1"],
    [16_001, "0"],
    [20_001, "1"],
  ]);
  expect(
    changesOf(vcd, "clk")
      .filter(([, value]) => value === "0")
      .slice(1)
      .map(([time]) => time),
  ).toEqual([6000, 10_000, 14_000, 18_000, 22_000]);
});

test("two clocks are traced at their own times", async () => {
  const trace = join(folder, "two.vcd");
  const ports = {
    mem: clock({ reset: "async", activeLow: true }),
    en: input(bool),
    count: output(uint(8)),
    memCount: output(uint(8)),
    seen: output(uint(8)),
    memSeen: output(uint(8)),
  };
  const sim = await simulate(verilog({ top: "two_clocks", files: ["tb/reference/two_clocks.sv"], ports }), { trace, clocks: { mem: { period: 6, phase: 1 } } });
  sim.step(3);
  sim.close();
  const vcd = readFileSync(trace, "utf8");
  expect(
    changesOf(vcd, "clk")
      .map(([time]) => time)
      .slice(1),
  ).toEqual([10_000, 15_000, 20_000, 25_000, 30_000]);
  expect(
    changesOf(vcd, "mem_clk")
      .filter(([, value]) => value === "1")
      .map(([time]) => time),
  ).toEqual([7000, 13_000, 19_000, 25_000]);
});

test("an FST file is written", async () => {
  const trace = join(folder, "one.fst");
  const sim = await simulate(counter, { trace });
  sim.reset();
  sim.step(100);
  sim.close();
  const bytes = readFileSync(trace);
  expect(bytes.length).toBeGreaterThan(300);
  expect(bytes.readBigUInt64BE(1)).toBe(329n);
});

test("other endings and places that can't be written are refused", async () => {
  await expect(simulate(counter, { trace: "x.txt" })).rejects.toThrow("`x.txt` must end in .fst or .vcd");
  await expect(simulate(counter, { trace: join(folder, "none", "x.fst") })).rejects.toThrow("can't be written");
});

test("a failed bench is run again with waves and says how to repeat it", async () => {
  let runs = 0;
  const failing = withWaves(counter, {}, (sim, random) => {
    runs++;
    sim.reset();
    sim.io.en.poke(1);
    const steps = random.integer(3, 9);
    sim.step(steps);
    expect(sim.io.count.peek()).toBe(steps + 1);
  });
  const context = { task: { name: "counts one's own steps", file: { name: "tb/sim/planted.test.ts" } } };
  const error: unknown = await failing(context).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(runs).toBe(2);
  expect(error).toBeInstanceOf(Error);
  const { message } = error as Error;
  const path = /^Waves: (.+)$/m.exec(message)?.[1] ?? "";
  expect(existsSync(path)).toBe(true);
  expect(message).toContain(`Repeat: SYSTOLE_SEED=1 SYSTOLE_WAVES=1 npx vitest run tb/sim/planted.test.ts -t 'counts one'\\''s own steps'`);
  rmSync(path);
});

test("the repeated run is one of the same engine, which writes what it can", async () => {
  vi.stubEnv("SYSTOLE_ENGINE", "wasm");
  const queue = fifo({ width: 8, depth: 4 });
  const engines: string[] = [];
  const failing = withWaves(queue, {}, (sim) => {
    engines.push(sim.engine);
    sim.reset();
    sim.io.inValid.poke(1);
    sim.step(3);
    expect(sim.io.count.peek()).toBe(4);
  });
  const { message } = (await failing({ task: { name: "fills up", file: { name: "x.test.ts" } } }).catch((reason: unknown) => reason)) as Error;
  expect(engines).toEqual(["wasm", "wasm"]);
  expect(message).toContain("SYSTOLE_SEED=1 SYSTOLE_WAVES=1 SYSTOLE_ENGINE=wasm npx vitest run x.test.ts -t 'fills up'");
  const path = /^Waves: (.+\.vcd)$/m.exec(message)?.[1] ?? "";
  expect(readFileSync(path, "utf8")).toContain("in_valid");
  rmSync(path);
});

test("a design that can't be opened is no failed bench", async () => {
  const bench = withWaves(fifo({ width: 8, depth: 4 }), { engine: "wasm", clocks: { none: {} } }, () => undefined);
  await expect(bench()).rejects.toThrow(/^[^\n]*`none`[^\n]*$/);
});

test("a failure that does not repeat is called so", async () => {
  let runs = 0;
  const fickle = withWaves(counter, {}, () => {
    if (runs++ === 0) throw new Error("only once");
  });
  await expect(fickle()).rejects.toThrow(/only once[^]*did not fail/);
});

test(
  "a bench that passes runs once, without waves",
  withWaves(counter, {}, (sim) => {
    sim.reset();
    sim.step();
    expect(sim.io.count.peek()).toBe(0);
  }),
);
