import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { input, output } from "../../src/hdl/ports.ts";
import { bool, sint, uint, vec } from "../../src/hdl/shape.ts";
import type { Column, Simulation } from "../../src/sim/index.ts";
import { simulate, verilog } from "../../src/sim/index.ts";

const size = 4;
const arrayPorts = {
  valid: input(bool),
  first: input(bool),
  shift: input(bool),
  drain: input(bool),
  a: input(vec(size, sint(8))),
  b: input(vec(size, sint(8))),
  outValid: output(bool),
  out: output(vec(size, sint(32))),
};
const array = verilog({ top: "systolic_array", files: ["tb/reference/systolic_array.sv"], parameters: { N: size }, ports: arrayPorts });
const mixedPorts = {
  in: {
    flag: input(bool),
    u5: input(uint(5)),
    s20: input(sint(20)),
    u33: input(uint(33)),
    s70: input(sint(70)),
    v: input(vec(5, sint(9))),
    w: input(vec(2, uint(64))),
  },
  out: {
    flag: output(bool),
    u5: output(uint(5)),
    s20: output(sint(20)),
    u33: output(uint(33)),
    s70: output(sint(70)),
    v: output(vec(5, sint(9))),
    w: output(vec(2, uint(64))),
  },
};
const widths: Record<string, number> = { flag: 1, u5: 5, s20: 20, u33: 33, s70: 70, v: 45, w: 128 };
const names = Object.keys(widths);
const mixedText = [
  "module mixed(input logic clk,",
  names.map((name) => `  input logic [${widths[name]! - 1}:0] in_${name}, output logic [${widths[name]! - 1}:0] out_${name}`).join(",\n"),
  ");",
  ...names.map((name) => `  always_ff @(posedge clk) out_${name} <= in_${name};`),
  "endmodule",
].join("\n");
const mixed = verilog({ top: "mixed", files: [{ name: "mixed.sv", text: mixedText }], clock: { clk: "clk" }, ports: mixedPorts });

let sim: Simulation<typeof arrayPorts>;
let copy: Simulation<typeof mixedPorts>;
beforeAll(async () => {
  [sim, copy] = [await simulate(array), await simulate(mixed)];
});
afterAll(() => {
  sim.close();
  copy.close();
});

/** The same state each time: the delay lines of the array have no reset, so zeros are sent through. */
const flush = (): void => {
  sim.block({ inputs: { valid: 0, first: 0, shift: 0, drain: 0, a: new Int8Array(8 * size * size), b: new Int8Array(8 * size * size) }, cycles: 8 * size });
  sim.reset();
};

const flags = (length: number): fc.Arbitrary<boolean[]> => fc.array(fc.boolean(), { minLength: length, maxLength: length });
const bytes = (length: number): fc.Arbitrary<Int8Array> => fc.int8Array({ minLength: length, maxLength: length });
const bits = (values: readonly boolean[]): Uint8Array => Uint8Array.from(values, Number);

test("a block gives what stepping cycle by cycle gives", () => {
  const stimulus = fc
    .integer({ min: 1, max: 60 })
    .chain((cycles) => fc.tuple(fc.constant(cycles), flags(cycles), flags(cycles), flags(cycles), flags(cycles), bytes(size * cycles), bytes(size * cycles)));
  fc.assert(
    fc.property(stimulus, ([cycles, valid, first, shift, drain, a, b]) => {
      flush();
      const stepped: number[] = [];
      for (let cycle = 0; cycle < cycles; cycle++) {
        sim.io.valid.poke(valid[cycle]!);
        sim.io.first.poke(first[cycle]!);
        sim.io.shift.poke(shift[cycle]!);
        sim.io.drain.poke(drain[cycle]!);
        sim.io.a.poke([...a.subarray(cycle * size, (cycle + 1) * size)]);
        sim.io.b.poke([...b.subarray(cycle * size, (cycle + 1) * size)]);
        if (sim.io.outValid.peek() === 1) stepped.push(...sim.io.out.peek().map(Number));
        sim.step();
      }
      flush();
      const inputs = { valid: bits(valid), first: bits(first), shift: bits(shift), drain: bits(drain), a, b };
      const { records, columns } = sim.block({ inputs, cycles, capture: ["out"], when: "outValid" });
      expect([...columns.out].map(Number)).toEqual(stepped);
      expect(records * size).toBe(stepped.length);
    }),
  );
});

test("a long block is the same as its pieces, and counts its cycles", () => {
  const cycles = 10_000;
  const a = Int8Array.from({ length: cycles * size }, (_, i) => (i * 37) % 256);
  const b = Int8Array.from({ length: cycles * size }, (_, i) => (i * 91) % 256);
  const drain = Uint8Array.from({ length: cycles }, (_, i) => Number(i % 16 > 11));
  const part = (from: number, to: number): number[] => {
    const inputs = {
      valid: 1,
      first: 0,
      shift: false,
      drain: drain.subarray(from, to),
      a: a.subarray(from * size, to * size),
      b: b.subarray(from * size, to * size),
    };
    return [...sim.block({ inputs, cycles: to - from, capture: ["out"], when: ["outValid", "drain"] }).columns.out].map(Number);
  };
  flush();
  const start = sim.cycle;
  const whole = part(0, cycles);
  expect(sim.cycle - start).toBe(cycles);
  flush();
  expect([...part(0, 4097), ...part(4097, 4099), ...part(4099, cycles)]).toEqual(whole);
  expect(whole.length).toBeGreaterThan(1000);
});

test("columns of every kind go in and come out, one cycle later", () => {
  const signedBig = (width: number) => fc.bigInt(-(1n << BigInt(width - 1)), (1n << BigInt(width - 1)) - 1n);
  const record = fc.record({
    flag: fc.nat(1),
    u5: fc.nat(31),
    s20: fc.integer({ min: -(2 ** 19), max: 2 ** 19 - 1 }),
    u33: fc.bigInt(0n, 2n ** 33n - 1n),
    s70: signedBig(70),
    v: fc.array(fc.integer({ min: -256, max: 255 }), { minLength: 5, maxLength: 5 }),
    w: fc.array(fc.bigInt(0n, 2n ** 64n - 1n), { minLength: 2, maxLength: 2 }),
  });
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 30 }), (records) => {
      const inputs = {
        flag: Uint8Array.from(records, (r) => r.flag),
        u5: Uint16Array.from(records, (r) => r.u5),
        s20: Int32Array.from(records, (r) => r.s20),
        u33: BigUint64Array.from(records, (r) => r.u33),
        s70: records.map((r) => r.s70),
        v: Int16Array.from(records.flatMap((r) => r.v)),
        w: BigUint64Array.from(records.flatMap((r) => r.w)),
      };
      const capture = ["out.flag", "out.u5", "out.s20", "out.u33", "out.s70", "out.v", "out.w"] as const;
      copy.block({ inputs: { in: inputs }, cycles: records.length });
      const { columns } = copy.block({ inputs: { in: inputs }, cycles: records.length, capture });
      const later = <T>(column: ArrayLike<T>, per = 1): T[] => [...Array.from(column).slice(-per), ...Array.from(column).slice(0, -per)];
      for (const [name, column] of Object.entries(inputs)) {
        const per = name === "v" ? 5 : name === "w" ? 2 : 1;
        expect(Array.from(columns[`out.${name}` as "out.v"] as ArrayLike<number>)).toEqual(later(column as ArrayLike<number>, per));
      }
      expect([columns["out.s20"], columns["out.u5"], columns["out.w"]].map((column: Column) => column.constructor.name)).toEqual([
        "Int32Array",
        "Uint8Array",
        "BigUint64Array",
      ]);
    }),
  );
});

test("columns that don't fit are refused by name", () => {
  expect(() => sim.block({ inputs: { a: new Int8Array(7) }, cycles: 2 })).toThrow("the column for port `a` needs 8 values for 2 cycles, not 7");
  expect(() => copy.block({ inputs: { in: { u5: [1, 32] as never } }, cycles: 2 })).toThrow(
    "port `in_u5` is uint(5) and takes whole numbers from 0 to 31, not 32",
  );
  expect(() => copy.block({ inputs: { in: { u5: Uint8Array.of(31, 33) } }, cycles: 2 })).toThrow("not 33");
  expect(() => copy.block({ inputs: { in: { u5: Int8Array.of(0, -1) } }, cycles: 2 })).toThrow("not -1");
  expect(() => copy.block({ inputs: { in: { s20: Uint32Array.of(2 ** 32 - 1) } }, cycles: 1 })).toThrow("not 4294967295");
  expect(() => copy.block({ inputs: { in: { s70: [1n << 69n] } }, cycles: 1 })).toThrow("port `in_s70` is sint(70)");
  expect(() => sim.block({ cycles: 1, capture: ["nothing" as "out"] })).toThrow("has no port `nothing`");
  expect(() => sim.block({ cycles: 1, when: "out" })).toThrow("`when` takes 1-bit ports");
  expect(() => sim.block({ cycles: -1 })).toThrow("whole number of cycles");
});

test("inputs keep the values of a block's last cycle, constants and columns alike", () => {
  const { in: from, out } = copy.io;
  from.u33.poke(5n);
  copy.block({ inputs: { in: { flag: 1, u5: Uint8Array.of(3, 17), s70: [1n, -2n] } }, cycles: 2 });
  expect([from.flag.peek(), from.u5.peek(), from.s70.peek(), from.u33.peek()]).toEqual([1, 17, -2n, 5n]);
  from.flag.poke(0);
  copy.step();
  expect([out.flag.peek(), out.u5.peek(), out.s70.peek(), out.u33.peek()]).toEqual([0, 17, -2n, 5n]);
});
