import { afterAll, beforeAll, expect, test } from "vitest";
import { input, output } from "../../src/hdl/ports.ts";
import { bool, uint } from "../../src/hdl/shape.ts";
import type { Simulation } from "../../src/sim/index.ts";
import { simulate, verilog } from "../../src/sim/index.ts";

const ports = { we: input(bool), address: input(uint(4)), data: input(uint(40)), q0: output(uint(40)), q1: output(uint(40)) };
const lanes = verilog({ top: "lanes", files: ["tb/reference/lanes.sv"], clock: { clk: "clk" }, ports });
let sim: Simulation<typeof ports>;

beforeAll(async () => {
  sim = await simulate(lanes, { paths: ["g_lane[0].u_lane.words[4]", "g_lane[1].u_lane.state", "history"] });
});
afterAll(() => sim.close());

test("a memory word inside the design is read and written", () => {
  sim.io.we.poke(1);
  sim.io.address.poke(7);
  sim.io.data.poke(2n ** 39n + 5n);
  sim.step();
  expect(sim.peekPath("g_lane[0].u_lane.words[7]")).toBe(2n ** 39n + 5n);
  expect(sim.peekPath("g_lane[1].u_lane.words[7]")).toBe(2n ** 39n + 6n);
  sim.io.we.poke(0);
  sim.pokePath("g_lane[1].u_lane.words[15]", 2n ** 40n - 1n);
  sim.pokePath("g_lane[1].u_lane.state", 0);
  sim.io.address.poke(15);
  expect(sim.io.q1.peek()).toBe(2n ** 40n - 1n);
  const words = sim.peekMemory("g_lane[1].u_lane.words");
  expect([words.length, words[3], words[11]]).toEqual([12, 2n ** 39n + 6n, 2n ** 40n - 1n]);
});

test("a register is read and written; wider than 64 bits too", () => {
  sim.pokePath("g_lane[0].u_lane.state", 6);
  sim.step();
  expect(sim.peekPath("g_lane[0].u_lane.state")).toBe(7);
  sim.step();
  expect(sim.peekPath("g_lane[0].u_lane.state")).toBe(0);
  sim.pokePath("g_lane[0].u_lane.history", 2n ** 50n);
  sim.io.data.poke(3);
  sim.step();
  expect(sim.peekPath("g_lane[0].u_lane.history")).toBe(2n ** 90n + 3n);
});

test("what is not there is refused", () => {
  expect(() => sim.peekPath("g_lane[2].u_lane.state")).toThrow("`lanes` has no signal `g_lane[2].u_lane.state` that can be read");
  expect(() => sim.peekPath("g_lane[0].u_lane.we")).toThrow("no signal");
  expect(() => sim.peekPath("g_lane[0].u_lane.words[3]")).toThrow("has the words 4 to 15, not 3");
  expect(() => sim.peekPath("g_lane[0].u_lane.state[1]")).toThrow("is no memory");
  expect(() => sim.pokePath("g_lane[0].u_lane.state", 8)).toThrow("takes 0 to 2^3-1, not 8");
});
