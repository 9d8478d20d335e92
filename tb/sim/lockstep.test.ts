import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { Random } from "../../src/base/random.ts";
import type { Circuit, FlatPort } from "../../src/hdl/circuit.ts";
import { bool, input, module, output, reg, sync, uint, when } from "../../src/hdl/index.ts";
import type { InputHandle, Simulation } from "../../src/sim/index.ts";
import { simulate } from "../../src/sim/index.ts";
import { reviewedBlocks } from "../verilog/blocks.ts";
import { kitchenSink } from "../verilog/kitchen.ts";

const folder = mkdtempSync(join(tmpdir(), "systole-lockstep-"));
afterAll(() => rmSync(folder, { recursive: true }));

const circuits = new Map<string, Circuit>([...reviewedBlocks.map(({ circuit }) => circuit), ...kitchenSink].map((circuit) => [circuit.name, circuit]));

/** What the circuit's assumptions, or addresses that exist, allow. */
const limits: Readonly<Record<string, Readonly<Record<string, (low: number) => number>>>> = {
  axi_lite_registers_n3: { s_axil_araddr: (low) => low & 7 },
  kitchen_fsm: { we: () => 1, addr: (low) => low % 10 },
};

const handleOf = (sim: Simulation, { path }: FlatPort): InputHandle =>
  path.reduce((at: unknown, key) => (at as Record<string, unknown>)[key], sim.io) as InputHandle;

const randomWords = (random: Random, width: number): Uint32Array => {
  const words = Uint32Array.from({ length: Math.ceil(width / 32) }, () => random.next());
  // Limits show more often than chance would have them.
  const corner = random.integer(0, 5);
  if (corner < 2) words.fill(corner === 0 ? 0 : 0xffffffff);
  words[words.length - 1]! &= 0xffffffff >>> (words.length * 32 - width);
  return words;
};

/** Outputs in each cycle after everything undefined has been driven out: a reset, cycles of random inputs, another reset. */
const outputsOf = async (circuit: Circuit, engine: "reference" | "verilator", seed: number, periods: readonly number[]): Promise<string[]> => {
  const timing = Object.fromEntries(circuit.clocks.map(({ key }, index) => [key, { period: periods[index % periods.length]! }]));
  using sim = await simulate({ name: circuit.name, ports: {}, circuit }, { engine, clocks: timing });
  const random = new Random(seed);
  const rows: string[] = [];
  if (circuit.clocks.length > 0) sim.reset();
  for (let cycle = 0; cycle < 550; cycle++) {
    for (const port of circuit.ports) {
      if (port.direction === "output") continue;
      const words = randomWords(random, port.shape.width);
      words[0] = limits[circuit.name]?.[port.name]?.(words[0]!) ?? words[0]!;
      handleOf(sim, port).pokeWords(words);
    }
    sim.eval();
    const outputs = circuit.ports.filter(({ direction }) => direction === "output");
    if (cycle >= 400) rows.push(`${cycle}: ${outputs.map((port) => `${port.name}=${handleOf(sim, port).peekBig()}`).join(" ")}`);
    if (circuit.clocks.length === 0) continue;
    if (cycle === 399) sim.reset();
    else sim.step();
  }
  return rows;
};

test.each([...circuits.keys()].filter((name) => name !== "kitchen_top"))("the reference evaluator and Verilator agree on %s", async (name) => {
  const circuit = circuits.get(name)!;
  const anyPeriods = fc.array(fc.constantFrom(6, 10, 14), { minLength: 2, maxLength: 2 });
  await fc.assert(
    fc.asyncProperty(fc.nat(), anyPeriods, async (seed, periods) => {
      expect(await outputsOf(circuit, "reference", seed, periods)).toEqual(await outputsOf(circuit, "verilator", seed, periods));
    }),
    { numRuns: 3 },
  );
});

const counter = module(
  "counter",
  { en: input(bool), by: input(uint(3)), count: output(uint(8)), odd: output(bool) },
  (io) => {
    const count = reg("held", uint(8), { reset: 0 });
    sync(() => when(io.en, () => count.set(count.addWrap(io.by))));
    io.count.set(count);
    io.odd.set(count.bit(0));
  },
  "Counts.",
);

/** Cycles in every way that there is, and what they gave. */
const exercise = (sim: Simulation<typeof counter.ports>): unknown[] => {
  const { en, by, count } = sim.io;
  const seen: unknown[] = [];
  sim.reset(2);
  en.poke(1);
  by.poke(3);
  sim.step(4);
  seen.push(count.peek(), sim.cycle);
  sim.run(function* () {
    for (let i = 0; i < 3; i++) {
      seen.push(count.peek());
      by.poke(i);
      yield;
    }
  });
  seen.push(count.peek(), sim.cycle);
  const block = sim.block({ cycles: 5, inputs: { en: Uint8Array.of(1, 0, 1, 1, 0), by: 7 }, capture: ["count", "en"], when: ["en", "odd"] });
  seen.push(block.records, [...block.columns.count], [...block.columns.en], count.peek(), en.peek(), sim.cycle);
  sim.step();
  seen.push(count.peek());
  return seen;
};

/** Times and values of the top's signals in a VCD file, by name. */
const changesOf = (vcd: string, names: readonly string[]): Record<string, [number, string][]> => {
  const codes = names.map((name) => new RegExp(`\\$var \\w+ +\\d+ (\\S+) ${name}\\b`).exec(vcd)![1]!);
  const changes: Record<string, [number, string][]> = Object.fromEntries(names.map((name) => [name, []]));
  let time = 0;
  for (const line of vcd.slice(vcd.indexOf("$enddefinitions")).split("\n")) {
    if (line.startsWith("#")) time = Number(line.slice(1));
    const match = /^b?([01]+) ?(\S+)$/.exec(line);
    const index = match === null ? -1 : codes.indexOf(match[2]!);
    if (index >= 0) changes[names[index]!]!.push([time, BigInt(`0b${match![1]}`).toString()]);
  }
  return changes;
};

test("steps, tasks and blocks give the same, with and without a waveform, and the waveforms have the same times", async () => {
  const results: unknown[] = [];
  const waves: Record<string, [number, string][]>[] = [];
  for (const engine of ["verilator", "reference", "wasm"] as const) {
    const plain = await simulate(counter, { engine });
    results.push(exercise(plain));
    const trace = join(folder, `${engine}.vcd`);
    const traced = await simulate(counter, { engine, trace });
    results.push(exercise(traced));
    traced.close();
    waves.push(changesOf(readFileSync(trace, "utf8"), ["clk", "rst", "en", "by"]));
  }
  expect(results[0]).toEqual([12, 6, 12, 12, 12, 15, 9, 2, [15, 29], [1, 1], 36, 0, 14, 36]);
  for (const result of results) expect(result).toEqual(results[0]);
  for (const wave of waves) expect(wave).toEqual(waves[0]);
});

test("a design without a clock has a waveform as Verilator's", async () => {
  const inverter = module("inverter", { a: input(uint(4)), y: output(uint(4)) }, (io) => io.y.set(io.a.not()), "Inverts.");
  const waves: unknown[] = [];
  for (const engine of ["verilator", "reference"] as const) {
    const trace = join(folder, `inverter-${engine}.vcd`);
    const sim = await simulate(inverter, { engine, trace });
    for (const value of [3, 3, 9]) {
      sim.io.a.poke(value);
      expect(sim.io.y.peek()).toBe(15 - value);
    }
    sim.close();
    waves.push(changesOf(readFileSync(trace, "utf8"), ["a", "y"]));
  }
  expect(waves[1]).toEqual(waves[0]);
});
