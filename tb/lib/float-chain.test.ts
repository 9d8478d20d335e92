import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { symQuant } from "../../src/golden/tender/quantize.ts";
import { bool, delay, input, instance, module, output, sint, uint } from "../../src/hdl/index.ts";
import { addLatency, binary32Adder } from "../../src/lib/float/add.ts";
import { binary32Divider, divideLatency } from "../../src/lib/float/divide.ts";
import { fromIntegerLatency, integerToBinary32Converter } from "../../src/lib/float/from-integer.ts";
import { binary32Multiplier, multiplyLatency } from "../../src/lib/float/multiply.ts";
import { binary32ToIntegerConverter, toIntegerLatency } from "../../src/lib/float/to-integer.ts";
import { simulate } from "../../src/sim/index.ts";
import { bitsOf, integers, numberOf } from "../golden/float-operands.ts";
import { through, wrong } from "./float-bench.ts";

/** One lane of a vector unit: `y = fround(fround(float(acc) * s) + c)`, and the code of `y` in the next layer. */
const lane = module(
  "lane",
  {
    enable: input(bool),
    acc: input(sint(32)),
    s: input(uint(32)),
    c: input(uint(32)),
    bias: input(uint(32)),
    scale: input(uint(32)),
    y: output(uint(32)),
    code: output(uint(8)),
  },
  (io) => {
    const { enable } = io;
    const held = { enable };
    const soFar = fromIntegerLatency + multiplyLatency;
    const { result: whole } = instance("u_convert", integerToBinary32Converter({ width: 32 }), { enable, value: io.acc });
    const { result: product } = instance("u_multiply", binary32Multiplier(), { enable, a: whole, b: delay("s_late", io.s, fromIntegerLatency, held) });
    const { result: y } = instance("u_add", binary32Adder(), { enable, a: product, b: delay("c_late", io.c, soFar, held) });
    const toY = soFar + addLatency;
    const { result: moved } = instance("u_subtract", binary32Adder({ operation: "subtract" }), {
      enable,
      a: y,
      b: delay("bias_late", io.bias, toY, held),
    });
    const { result: quotient } = instance("u_divide", binary32Divider(), { enable, a: moved, b: delay("scale_late", io.scale, toY + addLatency, held) });
    instance("u_code", binary32ToIntegerConverter({ width: 8, signed: true }), { enable, value: quotient, result: io.code, nan: "unused" });
    io.y.set(y);
  },
  "Dequantises and requantises.",
);

const yLatency = 10;
const codeLatency = yLatency + addLatency + divideLatency() + toIntegerLatency;

const ordinary = fc.float({ min: -1000, max: 1000, noNaN: true }).map(bitsOf);
const scales = fc.float({ min: Math.fround(2 ** -20), max: 64, noNaN: true }).map(bitsOf);
const job = fc.record({ acc: integers(32).map(Number), s: scales, c: ordinary, bias: ordinary, scale: scales });

describe.each(["wasm", "verilator"] as const)("on %s", (engine) => {
  test("units chain under one enable: a lane of a vector unit, from accumulator to the next layer's code", async () => {
    using sim = await simulate(lane, { engine });
    fc.assert(
      fc.property(fc.array(job, { minLength: 1, maxLength: 500, size: "max" }), (jobs) => {
        const given = {
          acc: Int32Array.from(jobs, ({ acc }) => acc),
          s: Uint32Array.from(jobs, ({ s }) => s),
          c: Uint32Array.from(jobs, ({ c }) => c),
          bias: Uint32Array.from(jobs, ({ bias }) => bias),
          scale: Uint32Array.from(jobs, ({ scale }) => scale),
        };
        const outputs = jobs.map(({ acc, s, c }) => Math.fround(Math.fround(Math.fround(acc) * numberOf(s)) + numberOf(c)));
        const codes = outputs.map((y, index) => symQuant(Math.fround(y - numberOf(jobs[index]!.bias)), numberOf(jobs[index]!.scale), 8));
        expect(wrong(given, through(sim, yLatency, given, ["y"])[0]!, (index) => bitsOf(outputs[index]!))).toEqual([]);
        expect(wrong(given, through(sim, codeLatency, given, ["code"])[0]!, (index) => codes[index]! & 0xff)).toEqual([]);
      }),
      { numRuns: 20 },
    );
  });
});
