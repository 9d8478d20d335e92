import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { input, module, output, uint } from "../../src/hdl/index.ts";
import { addBinary32, addLatency, binary32Adder } from "../../src/lib/float/add.ts";
import { binary32Divider, divideLatency } from "../../src/lib/float/divide.ts";
import { binary32Multiplier, multiplyBinary32, multiplyLatency } from "../../src/lib/float/multiply.ts";
import { wired } from "../../src/lib/float/pipeline.ts";
import { simulate } from "../../src/sim/index.ts";
import { bitsOf, cornerPairs, numberOf, pairs } from "../golden/float-operands.ts";
import { through, wrong } from "./float-bench.ts";

const divider = (bitsPerStage: number) => ({
  name: `divide, ${bitsPerStage} bits a stage`,
  make: () => binary32Divider({ bitsPerStage }),
  latency: divideLatency({ bitsPerStage }),
  of: (a: number, b: number) => a / b,
});

const units = [
  { name: "add", make: () => binary32Adder(), latency: addLatency, of: (a: number, b: number) => a + b },
  { name: "subtract", make: () => binary32Adder({ operation: "subtract" }), latency: addLatency, of: (a: number, b: number) => a - b },
  { name: "multiply", make: binary32Multiplier, latency: multiplyLatency, of: (a: number, b: number) => a * b },
  divider(1),
  divider(4),
];

interface Columns {
  readonly [port: string]: Uint32Array;
  readonly a: Uint32Array;
  readonly b: Uint32Array;
}

/** By `Math.fround`: of two binary32 numbers it is the correctly rounded result, since a double has more than twice the digits. NaN is the canonical one. */
const expected =
  (of: (a: number, b: number) => number, { a, b }: Columns) =>
  (index: number): number =>
    bitsOf(Math.fround(of(numberOf(a[index]!), numberOf(b[index]!))));

const columnsOf = (list: readonly (readonly [number, number])[]): Columns => ({
  a: Uint32Array.from(list, ([a]) => a),
  b: Uint32Array.from(list, ([, b]) => b),
});

describe.each(units)("$name", ({ make, latency, of }) => {
  test.each(["wasm", "verilator"] as const)("equals Math.fround on all pairs of corners, on %s", async (engine) => {
    using sim = await simulate(make(), { engine });
    const [got] = through(sim, latency, cornerPairs);
    expect(got).toHaveLength(cornerPairs.a.length);
    expect(wrong(cornerPairs, got!, expected(of, cornerPairs))).toEqual([]);
  });

  test("equals Math.fround on random operands", async () => {
    using sim = await simulate(make(), { engine: "wasm" });
    fc.assert(
      fc.property(fc.array(pairs, { minLength: 1, maxLength: 1000, size: "max" }), (list) => {
        const columns = columnsOf(list);
        expect(wrong(columns, through(sim, latency, columns)[0]!, expected(of, columns))).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  test("a pipeline that is held keeps everything, and moves by its latency from any state", async () => {
    const circuit = make();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(pairs, fc.boolean()), { maxLength: 80, size: "max" }), fc.nat(), async (list, seed) => {
        using sim = await simulate(circuit, { engine: "wasm", seed });
        const taken: number[] = [];
        for (const [[a, b], enable] of list) {
          sim.io.enable.poke(enable);
          sim.io.a.poke(a);
          sim.io.b.poke(b);
          sim.step();
          if (enable) taken.push(expected(of, columnsOf([[a, b]]))(0));
          if (taken.length >= latency) expect(sim.io.result.peek()).toBe(taken.at(-latency));
        }
      }),
      { numRuns: 25 },
    );
  });
});

test.each([
  ["addition", addBinary32, (a: number, b: number) => a + b],
  ["multiplication", multiplyBinary32, (a: number, b: number) => a * b],
] as const)("the %s is combinational where it is wired", async (name, unit, of) => {
  const design = module(
    `wired_${name}`,
    { a: input(uint(32)), b: input(uint(32)), result: output(uint(32)) },
    (io) => io.result.set(unit(io.a, io.b, wired)),
    "A unit without registers.",
  );
  expect(design.circuit.clocks).toEqual([]);
  using sim = await simulate(design, { engine: "wasm" });
  const columns = columnsOf(fc.sample(pairs, { numRuns: 200 }));
  const got = [...columns.a].map((a, index) => {
    sim.io.a.poke(a);
    sim.io.b.poke(columns.b[index]!);
    return sim.io.result.peekNumber();
  });
  expect(wrong(columns, got, expected(of, columns))).toEqual([]);
});

test.each([0, 14, 1.5])("%d bits of a quotient in a stage are refused", (bitsPerStage) => {
  expect(() => binary32Divider({ bitsPerStage })).toThrow(`1 to 13 bits of the quotient in a stage, not ${bitsPerStage}`);
});
