import { describe, expect, test } from "vitest";
import {
  assert,
  assume,
  bool,
  clock,
  cover,
  crossing,
  delay,
  extern,
  input,
  instance,
  type Module,
  module,
  output,
  type PortMap,
  reg,
  repeat,
  sint,
  sync,
  uint,
  vec,
  when,
} from "../../src/hdl/index.ts";
import { Garbage } from "../../src/sim/garbage.ts";
import type { SimulateOptions, Simulation } from "../../src/sim/index.ts";
import { SimulationError, simulate, toSource, verilog } from "../../src/sim/index.ts";

const seed = 5;
/** Undefined state of the top's scope. */
const top = new Garbage(seed);

const reference = <P extends PortMap>(design: Module<P>, options: SimulateOptions = {}): Promise<Simulation<P>> =>
  simulate(design, { engine: "reference", seed, ...options });

const failureOf = (action: () => void): SimulationError => {
  try {
    action();
  } catch (error) {
    if (error instanceof SimulationError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
};

describe("registers and resets", () => {
  test("a synchronous reset waits for the edge and leaves registers without one alone; power-up values are as given or undefined", async () => {
    const inner = module(
      "inner",
      { d: input(uint(40)), q: output(uint(40)) },
      (io) => {
        const kept = reg("kept", uint(40));
        sync(() => kept.set(io.d));
        io.q.set(kept);
      },
      "A register.",
    );
    const starts = module(
      "starts",
      { d: input(uint(40)), given: output(sint(4)), held: output(uint(8)), deep: output(vec(2, uint(40))) },
      (io) => {
        const given = reg("given_reg", sint(4), { initial: -3, reset: -8 });
        const held = reg("held_reg", uint(8), { reset: 200 });
        sync(() => {
          given.set(5);
          when(io.d.eq(1), () => given.set(4)).otherwise(() => held.set(held.addWrap(1)));
        });
        io.given.set(given);
        io.held.set(held);
        repeat("lane", 2, (i) => void instance("u_inner", inner, { d: io.d, q: io.deep.at(i) }));
      },
      "Power-up.",
    );
    const sim = await reference(starts);
    const { d, given, held, deep } = sim.io;
    const scopes = [0, 1].map((i) => top.child("lane", i).child("u_inner"));
    expect([given.peek(), held.peek()]).toEqual([-3, Number(top.bits("held_reg", 8))]);
    expect(deep.peek()).toEqual(scopes.map((scope) => scope.bits("kept", 40)));
    expect(sim.peekPath("lane[1].u_inner.kept")).toBe(scopes[1]!.bits("kept", 40));
    d.poke(123);
    sim.setReset(true);
    expect(given.peek()).toBe(-3);
    sim.step();
    expect([given.peek(), held.peek(), deep.peek()]).toEqual([-8, 200, [123n, 123n]]);
    sim.setReset(false);
    sim.step();
    expect([given.peek(), held.peek()]).toEqual([5, 201]);
    const other = await reference(starts, { seed: seed + 1 });
    expect(other.io.deep.peek()).not.toEqual(scopes.map((scope) => scope.bits("kept", 40)));
  });

  test("an asynchronous reset acts without an edge and as long as it is active", async () => {
    const asynchronous = module(
      "asynchronous",
      { d: input(uint(4)), q: output(uint(4)), late: output(uint(4)), free: output(uint(4)) },
      (io) => {
        const kept = reg("kept", uint(4), { reset: 6 });
        const free = reg("free_reg", uint(4));
        sync(() => {
          kept.set(io.d);
          free.set(io.d);
        });
        io.q.set(kept);
        io.free.set(free);
        io.late.set(delay("late_d", io.d, 1, { reset: true }));
      },
      { doc: "Asynchronous, active low.", clock: { clk: "clk", rst: "rst_n", reset: "async", activeLow: true } },
    );
    const sim = await reference(asynchronous);
    const seen = (): unknown => [sim.io.q.peek(), sim.io.late.peek(), sim.io.free.peek()];
    sim.io.d.poke(9);
    sim.step();
    expect(seen()).toEqual([9, 9, 9]);
    sim.setReset(true);
    expect(seen()).toEqual([6, 0, 9]);
    sim.io.d.poke(3);
    sim.step();
    expect(seen()).toEqual([6, 0, 3]);
    sim.setReset(false);
    expect(seen()).toEqual([6, 0, 3]);
    sim.step();
    expect(seen()).toEqual([3, 3, 3]);
  });

  test("clocks that rise together see each other's old values; one alone moves its own registers", async () => {
    const swap = module(
      "swap",
      { a: clock({ reset: "none" }), b: clock({ reset: "none" }), x: output(uint(4), "", { clock: "a" }), y: output(uint(4), "", { clock: "b" }) },
      (io) => {
        const x = reg("x_reg", uint(4), { clock: io.a, initial: 1 });
        const y = reg("y_reg", uint(4), { clock: io.b, initial: 2 });
        sync(io.a, () => x.set(crossing(y)));
        sync(io.b, () => y.set(crossing(x)));
        io.x.set(x);
        io.y.set(y);
      },
      "Swaps.",
    );
    const together = await reference(swap);
    together.step();
    expect([together.io.x.peek(), together.io.y.peek(), together.cycle]).toEqual([2, 1, 1]);
    const apart = await reference(swap, { clocks: { b: { phase: 2 } } });
    apart.step();
    expect([apart.io.x.peek(), apart.io.y.peek()]).toEqual([2, 2]);
    apart.step(1, "b");
    expect([apart.io.x.peek(), apart.io.y.peek(), apart.cycle]).toEqual([2, 2, 1]);
  });
});

describe("properties", () => {
  const watched = module(
    "watched",
    { d: input(uint(4)), calm: input(bool), q: output(uint(4)) },
    (io) => {
      const count = reg("count", uint(4), { reset: 0 });
      sync(() => count.set(count.addWrap(1)));
      io.q.set(count);
      assert("below_nine", io.d.lt(9));
      assume("stays_calm", io.calm);
      cover("never_seen", io.d.eq(15));
    },
    "Watches.",
  );
  const around = module(
    "around",
    { d: input(uint(4)), calm: input(bool), q: output(uint(4)) },
    (io) => {
      repeat("lane", 2, () => void instance("u_watched", watched, { d: io.d, calm: io.calm, q: "unused" }));
      instance("u_last", watched, { d: 0, calm: true, q: io.q });
    },
    "Around.",
  );

  test.each(["reference", "verilator"] as const)("%s: one that fails says where, and nothing moves", async (engine) => {
    const sim = await simulate(around, { engine, seed });
    sim.io.calm.poke(1);
    sim.reset();
    sim.step(2);
    sim.io.d.poke(9);
    sim.setReset(true);
    sim.step();
    sim.setReset(false);
    sim.step(0);
    const cycle = sim.cycle;
    const failure = failureOf(() => sim.step(3));
    expect(failure).toMatchObject({ failure: "assertion", cycle, exitCode: 1 });
    expect(failure.hierarchy).toMatch(/^around\.lane\[\d\]\.u_watched\.below_nine$/);
    if (engine === "reference") expect(failure.where?.file).toBe("tb/sim/reference-clocks.test.ts");
    sim.io.d.poke(0);
    sim.step();
    expect([sim.io.q.peek(), sim.cycle]).toEqual([1, cycle + 1]);
    sim.io.calm.poke(0);
    expect(failureOf(() => sim.step()).hierarchy).toMatch(/stays_calm$/);
  });
});

test("what it can't run is refused", async () => {
  const ram = extern("vendor_ram", { address: input(uint(4)), data: output(uint(8)) }, { doc: "", file: "tb/verilog/vendor_ram.sv", clock: { clk: "CLK" } });
  const uses = module("uses", { a: input(uint(4)), d: output(uint(8)) }, (io) => void instance("u_ram", ram, { address: io.a, data: io.d }), "Uses it.");
  await expect(reference(uses)).rejects.toThrow("`vendor_ram` is existing Verilog, which the engine `reference` can't run");
  const text = verilog({ top: "counter", files: ["tb/reference/counter.sv"], ports: { en: input(bool), count: output(uint(8)), wrap: output(bool) } });
  await expect(simulate(text, { engine: "reference" })).rejects.toThrow("`counter` is given as Verilog, which the engine `reference` can't run");
  const plain = module("plain", { a: input(bool), y: output(bool) }, (io) => io.y.set(io.a), "Plain.");
  await expect(reference(plain, { trace: "x.fst" })).rejects.toThrow("the engine `reference` can't write `x.fst`, only .vcd");
  await expect(reference(plain, { trace: "x.txt" })).rejects.toThrow("`x.txt` must end in .fst or .vcd");
  const sim = await simulate(toSource(plain), { engine: "reference" });
  sim.io.a.poke(1);
  expect(sim.io.y.peek()).toBe(1);
  expect(() => sim.peekPath("nothing")).toThrow("`plain` has no signal `nothing` that can be read");
  sim.close();
  expect(() => sim.io.y.peek()).toThrow("the simulation is closed");
});
