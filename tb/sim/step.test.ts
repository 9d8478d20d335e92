import { expect, test } from "vitest";
import { input, output } from "../../src/hdl/ports.ts";
import { bool, uint } from "../../src/hdl/shape.ts";
import { simulate, verilog } from "../../src/sim/index.ts";

const counter = verilog({ top: "counter", files: ["tb/reference/counter.sv"], ports: { en: input(bool), count: output(uint(8)), wrap: output(bool) } });

test("a counter counts, wraps and resets", async () => {
  const sim = await simulate(counter);
  sim.reset();
  expect(sim.cycle).toBe(1);
  expect(sim.io.count.peek()).toBe(0);
  sim.io.en.poke(true);
  sim.step(5);
  expect(sim.io.count.peek()).toBe(5);
  sim.step(250);
  expect([sim.io.count.peek(), sim.io.wrap.peek()]).toEqual([255, 1]);
  sim.io.en.poke(0);
  expect(sim.io.wrap.peek()).toBe(0);
  sim.step();
  expect(sim.io.count.peek()).toBe(255);
  sim.reset(2);
  expect([sim.io.count.peek(), sim.cycle]).toEqual([0, 259]);
  sim.close();
});
