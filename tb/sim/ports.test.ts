import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from "vitest";
import { input, output } from "../../src/hdl/ports.ts";
import { bool, sint, uint, vec } from "../../src/hdl/shape.ts";
import type { Simulation } from "../../src/sim/index.ts";
import { simulate, verilog } from "../../src/sim/index.ts";

const ports = {
  u1: input(bool),
  u7: input(uint(7)),
  u16: input(uint(16)),
  u32: input(uint(32)),
  u33: input(uint(33)),
  u64: input(uint(64)),
  u65: input(uint(65)),
  u200: input(uint(200)),
  s1: input(sint(1)),
  s7: input(sint(7)),
  s16: input(sint(16)),
  s32: input(sint(32)),
  s33: input(sint(33)),
  s64: input(sint(64)),
  s65: input(sint(65)),
  s200: input(sint(200)),
  v9x5: input(vec(9, sint(5))),
  v3x40: input(vec(3, sint(40))),
  v16x8: input(vec(16, uint(8))),
  v2x3x7: input(vec(2, vec(3, sint(7)))),
  u1_now: output(bool),
  u7_now: output(uint(7)),
  u16_now: output(uint(16)),
  u32_now: output(uint(32)),
  u33_now: output(uint(33)),
  u64_now: output(uint(64)),
  u65_now: output(uint(65)),
  u200_now: output(uint(200)),
  s1_wide: output(sint(2)),
  s7_wide: output(sint(8)),
  s16_wide: output(sint(17)),
  s32_wide: output(sint(33)),
  s33_wide: output(sint(34)),
  s64_wide: output(sint(65)),
  s65_wide: output(sint(66)),
  s200_wide: output(sint(201)),
  v9x5_now: output(vec(9, sint(5))),
  v3x40_now: output(vec(3, sint(40))),
  v16x8_now: output(vec(16, uint(8))),
  v2x3x7_now: output(vec(2, vec(3, sint(7)))),
  u200_reg: output(uint(200)),
  u7_reg: output(uint(7)),
};
const widths = verilog({ top: "widths", files: ["tb/reference/widths.sv"], ports });
let sim: Simulation<typeof ports>;

beforeAll(async () => {
  sim = await simulate(widths);
});
afterAll(() => sim.close());

/** Corners of a range more often than its inside. */
const corners = (low: bigint, high: bigint): fc.Arbitrary<bigint> => {
  const special = [low, low + 1n, -1n, 0n, 1n, high - 1n, high].filter((value) => value >= low && value <= high);
  return fc.oneof(fc.constantFrom(...special), fc.bigInt(low, high));
};
const unsigned = (width: number): fc.Arbitrary<bigint> => corners(0n, (1n << BigInt(width)) - 1n);
const signed = (width: number): fc.Arbitrary<bigint> => corners(-(1n << BigInt(width - 1)), (1n << BigInt(width - 1)) - 1n);
/** As the API gives values: a number up to 32 bits. */
const native = (value: bigint, width: number): number | bigint => (width <= 32 ? Number(value) : value);

describe.each([1, 7, 16, 32, 33, 64, 65, 200])("a port of %i bits", (width) => {
  test("gives back what it was set to, unsigned", () => {
    const [from, to] = [`u${width}`, `u${width}_now`] as ["u65", "u65_now"];
    fc.assert(
      fc.property(unsigned(width), fc.boolean(), (value, asBig) => {
        sim.io[from].poke(asBig || width > 53 ? value : Number(value));
        expect(sim.io[to].peek()).toBe(native(value, width));
        expect(sim.io[to].peekBig()).toBe(value);
        expect(sim.io[from].peek()).toBe(native(value, width));
      }),
    );
  });

  test("is sign-extended by the design and comes back signed", () => {
    const [from, to] = [`s${width}`, `s${width}_wide`] as ["s65", "s65_wide"];
    fc.assert(
      fc.property(signed(width), (value) => {
        sim.io[from].poke(native(value, width));
        expect(sim.io[to].peek()).toBe(native(value, width + 1));
        expect(sim.io[from].peekBig()).toBe(value);
      }),
    );
  });

  test("refuses the first value beyond each end and changes nothing", () => {
    const port = sim.io[`s${width}` as "s65"];
    const half = 1n << BigInt(width - 1);
    port.poke(native(-half, width));
    for (const value of [half, -half - 1n]) expect(() => port.poke(value)).toThrow(`port \`s${width}\` is sint(${width})`);
    expect(port.peekBig()).toBe(-half);
    const plain = sim.io[`u${width}` as "u65"];
    for (const value of [-1n, 1n << BigInt(width), -1, 0.5, Number.NaN]) expect(() => plain.poke(value)).toThrow(`port \`u${width}\``);
  });
});

test("the message names port, range and value", () => {
  expect(() => sim.io.u7.poke(128)).toThrow("port `u7` is uint(7) and takes whole numbers from 0 to 127, not 128");
  expect(() => sim.io.s200.poke(1n << 199n)).toThrow("from -2^199 to 2^199-1");
  expect(() => sim.io.u1.poke("1" as unknown as number)).toThrow("from 0 to 1, not 1");
});

test("vectors go in and come out element by element", () => {
  fc.assert(
    fc.property(
      fc.array(signed(5), { minLength: 9, maxLength: 9 }),
      fc.array(signed(40), { minLength: 3, maxLength: 3 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      (v9, v3, v16) => {
        sim.io.v9x5.poke(v9.map(Number));
        sim.io.v3x40.poke(v3);
        sim.io.v16x8.poke([...v16]);
        expect(sim.io.v9x5_now.peek()).toEqual(v9.map(Number));
        expect(sim.io.v3x40_now.peek()).toEqual(v3);
        expect(sim.io.v16x8_now.peek()).toEqual([...v16]);
        expect(sim.io.v9x5_now.peekBig()).toBe(v9.reduceRight((all, value) => (all << 5n) | BigInt.asUintN(5, value), 0n));
      },
    ),
  );
  sim.io.v2x3x7.poke([
    [-64, 63, 0],
    [1, -1, 2],
  ]);
  expect(sim.io.v2x3x7_now.peek()).toEqual([
    [-64, 63, 0],
    [1, -1, 2],
  ]);
  expect(() => sim.io.v9x5.poke([1])).toThrow("port `v9x5` takes an array of 9 values, not 1 values");
  expect(() => sim.io.v9x5.poke([0, 0, 0, 16, 0, 0, 0, 0, 0])).toThrow("port `v9x5[3]` is sint(5)");
});

test("raw words go through ports of any width", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 0xffffffff }), { minLength: 7, maxLength: 7 }), (values) => {
      const words = Uint32Array.from(values);
      words[6]! &= 0xff;
      const seen = new Uint32Array(8);
      sim.io.u200.pokeWords(words);
      sim.io.u200_now.peekWords(seen, 1);
      expect([...seen.subarray(1)]).toEqual([...words]);
    }),
  );
  expect(() => sim.io.u200.pokeWords(new Uint32Array(7).fill(0xffffffff))).toThrow("bits above its 200");
  expect(() => sim.io.u200.pokeWords(new Uint32Array(6))).toThrow("takes 7 words");
});

test("registers take the value at the edge, not before", () => {
  sim.reset();
  sim.io.u200.poke(1n << 199n);
  expect(sim.io.u200_reg.peek()).toBe(0n);
  sim.step();
  expect(sim.io.u200_reg.peek()).toBe(1n << 199n);
});

test("types follow the port map", () => {
  expectTypeOf(sim.io.u1_now.peek()).toEqualTypeOf<number>();
  expectTypeOf(sim.io.u200_now.peek()).toEqualTypeOf<number | bigint>();
  expectTypeOf(sim.io.v2x3x7_now.peek()).toEqualTypeOf<(number | bigint)[][]>();
  expectTypeOf(sim.io).not.toHaveProperty("nothing");
  expectTypeOf(sim.io.u1_now).not.toHaveProperty("poke");
  expectTypeOf(sim.io.u1).toHaveProperty("poke");
  expect(() => sim.io.v9x5.peekNumber()).toThrow("is a vector");
});
