import { describe, expect, test } from "vitest";
import { clock, input, output } from "../../src/hdl/ports.ts";
import { bool, uint } from "../../src/hdl/shape.ts";
import type { Task } from "../../src/sim/index.ts";
import { simulate, verilog } from "../../src/sim/index.ts";

const counter = verilog({ top: "counter", files: ["tb/reference/counter.sv"], ports: { en: input(bool), count: output(uint(8)), wrap: output(bool) } });
const garbage = verilog({
  top: "garbage",
  files: ["tb/reference/garbage.sv"],
  clock: { clk: "clk" },
  ports: { address: input(uint(4)), neverSet: output(uint(64)), word: output(uint(32)) },
});
const pair = verilog({
  top: "two_clocks",
  files: ["tb/reference/two_clocks.sv"],
  ports: {
    mem: clock({ reset: "async", activeLow: true }),
    en: input(bool),
    count: output(uint(8)),
    memCount: output(uint(8)),
    seen: output(uint(8)),
    memSeen: output(uint(8)),
  },
});

test("instances of one model do not share state", async () => {
  const sims = await Promise.all([simulate(counter), simulate(counter), simulate(counter)]);
  for (const sim of sims) sim.reset();
  for (const [i, sim] of sims.entries()) {
    sim.io.en.poke(1);
    sim.step(10 * i);
  }
  expect(sims.map((sim) => sim.io.count.peek())).toEqual([0, 10, 20]);
  expect(sims.map((sim) => sim.cycle)).toEqual([1, 11, 21]);
  sims[1].close();
  sims[2].step();
  expect(sims[2].io.count.peek()).toBe(21);
  expect(() => sims[1].step()).toThrow("the simulation is closed");
  expect(() => sims[1].io.count.peek()).toThrow("the simulation is closed");
  sims[0].close();
  sims[2].close();
});

test("parameters make another model", async () => {
  const wide = await simulate(
    verilog({
      top: "counter",
      files: ["tb/reference/counter.sv"],
      parameters: { WIDTH: 70 },
      ports: { en: input(bool), count: output(uint(70)), wrap: output(bool) },
    }),
  );
  wide.reset();
  wide.io.en.poke(1);
  wide.step(300);
  expect(wide.io.count.peek()).toBe(300n);
  wide.close();
});

const garbageOf = async (seed: number): Promise<(number | bigint)[]> => {
  const sim = await simulate(garbage, { seed });
  const words = Array.from({ length: 16 }, (_, address) => {
    sim.io.address.poke(address);
    return sim.io.word.peek();
  });
  const all = [sim.io.neverSet.peek(), ...words];
  sim.close();
  return all;
};

test("undefined state is the seed's: same seed, same garbage", async () => {
  const [first, again, other] = [await garbageOf(1), await garbageOf(1), await garbageOf(2)];
  expect(again).toEqual(first);
  expect(other).not.toEqual(first);
  expect(new Set(first).size).toBeGreaterThan(14);
});

describe("two clocks", () => {
  test("each has its own pace, and stepping one moves the other", async () => {
    const sim = await simulate(pair, { clocks: { "": { period: 10 }, mem: { period: 4, phase: 1 } } });
    sim.io.en.poke(1);
    sim.setReset(false);
    sim.reset();
    // Resetting ends with an edge of the second clock; this step ends with one of the first.
    sim.step();
    const before = sim.io.memCount.peekNumber();
    sim.step(10);
    expect(sim.io.count.peek()).toBe(11);
    expect(sim.io.memCount.peekNumber() - before).toBe(25);
    const slow = sim.io.count.peekNumber();
    sim.step(5, "mem");
    expect(sim.io.count.peekNumber() - slow).toBe(1);
    expect(() => sim.step(1, "bus")).toThrow("`bus` is no clock of `two_clocks`");
    sim.close();
  });

  test("edges of one instant see each other's old values", async () => {
    const sim = await simulate(pair);
    sim.io.en.poke(1);
    sim.reset();
    sim.step(5);
    expect([sim.io.count.peek(), sim.io.memSeen.peek()]).toEqual([5, 4]);
    expect(sim.io.memCount.peekNumber() - sim.io.seen.peekNumber()).toBe(1);
    sim.close();
  });

  test("tasks wait for edges of their own clock", async () => {
    const sim = await simulate(pair, { clocks: { mem_clk: { period: 20 / 3 } } });
    sim.io.en.poke(1);
    sim.reset();
    const seen: [string, number][] = [];
    const watch = (name: string, count: number) =>
      function* (): Task {
        for (let i = 0; i < count; i++) {
          yield;
          seen.push([name, name === "mem" ? sim.io.memCount.peekNumber() : sim.io.count.peekNumber()]);
        }
      };
    sim.run({ task: watch("own", 4) }, { task: watch("mem", 6), clock: "mem" });
    const own = seen.filter(([name]) => name === "own").map(([, count]) => count);
    const mem = seen.filter(([name]) => name === "mem").map(([, count]) => count - seen.find(([name]) => name === "mem")![1]);
    expect(own).toEqual([0, 1, 2, 3]);
    expect(mem).toEqual([0, 1, 2, 3, 4, 5]);
    sim.close();
  });

  test("a clock that does not exist is refused by name", async () => {
    await expect(simulate(pair, { clocks: { fast: { period: 2 } } })).rejects.toThrow("`fast` is no clock of the design");
    await expect(simulate(pair, { clocks: { mem: { period: 0 } } })).rejects.toThrow("needs a period");
  });
});
