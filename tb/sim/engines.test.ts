import { describe, expect, test } from "vitest";
import {
  assert,
  bool,
  cat,
  clock,
  crossing,
  discard,
  input,
  instance,
  memory,
  module,
  output,
  reg,
  repeat,
  sint,
  sync,
  uint,
  vec,
  when,
} from "../../src/hdl/index.ts";
import type { Task } from "../../src/sim/index.ts";
import { SimulationError, simulate } from "../../src/sim/index.ts";

/** A lane: a memory of 12 words, a register of 3 bits, one of 90, and one that is never set. */
const lane = module(
  "lane",
  { we: input(bool), address: input(uint(4)), data: input(sint(40)), word: output(sint(40)), state: output(uint(3)), untouched: output(uint(70)) },
  (io) => {
    const words = memory("words", { depth: 12, element: sint(40) });
    const state = reg("stateReg", uint(3), { reset: 6 });
    const history = reg("history", uint(90), { reset: 0 });
    const untouched = reg("untouchedReg", uint(70));
    sync(() => {
      when(io.we, () => words.write(io.address, io.data));
      state.set(state.addWrap(1));
      history.set(cat(history.bits(49, 0), io.data.asUInt()));
      untouched.set(untouched);
    });
    io.word.set(words.read("found", io.address, { latency: 0 }));
    io.state.set(state);
    io.untouched.set(untouched);
    discard("forgotten", history.bits(88, 50));
    assert("history_is_small", history.bit(89).not());
  },
  "A lane.",
);

const lanes = module(
  "lanes",
  {
    we: input(bool),
    address: input(uint(4)),
    data: input(vec(2, sint(40))),
    words: output(vec(2, sint(40))),
    states: output(vec(2, uint(3))),
    untouched: output(vec(2, uint(70))),
  },
  (io) =>
    repeat("lane", 2, (i) =>
      instance("u_lane", lane, {
        we: io.we,
        address: io.address,
        data: io.data.at(i),
        word: io.words.at(i),
        state: io.states.at(i),
        untouched: io.untouched.at(i),
      }),
    ),
  "Two lanes.",
);

const pair = module(
  "pair",
  {
    mem: clock({ reset: "async", activeLow: true }),
    count: output(uint(8)),
    memCount: output(uint(8), "", { clock: "mem" }),
    seen: output(uint(8)),
    memSeen: output(uint(8), "", { clock: "mem" }),
  },
  (io) => {
    const count = reg("countReg", uint(8), { reset: 0 });
    const memCount = reg("memCountReg", uint(8), { clock: io.mem, reset: 0 });
    const seen = reg("seenReg", uint(8), { reset: 0 });
    const memSeen = reg("memSeenReg", uint(8), { clock: io.mem, reset: 0 });
    sync(() => {
      count.set(count.addWrap(1));
      seen.set(crossing(memCount));
    });
    sync(io.mem, () => {
      memCount.set(memCount.addWrap(1));
      memSeen.set(crossing(count));
    });
    io.count.set(count);
    io.memCount.set(memCount);
    io.seen.set(seen);
    io.memSeen.set(memSeen);
  },
  "Counts on two clocks.",
);

describe.each(["verilator", "wasm", "reference"] as const)("a simulation on %s", (engine) => {
  const paths = ["lane[0].u_lane.words[4]", "lane[1].u_lane.state_reg", "history"];

  test("signals and memories inside the design are read and written by path", async () => {
    using sim = await simulate(lanes, { engine, paths });
    sim.reset();
    sim.io.we.poke(1);
    sim.io.address.poke(7);
    sim.io.data.poke([-5, 2n ** 38n]);
    sim.step();
    expect([sim.peekPath("lane[0].u_lane.words[7]"), sim.peekPath("lane[1].u_lane.words[7]")]).toEqual([2n ** 40n - 5n, 2n ** 38n]);
    expect(sim.io.words.peek()).toEqual([-5n, 2n ** 38n]);
    sim.io.we.poke(0);
    sim.pokePath("lane[1].u_lane.words[11]", 2n ** 40n - 1n);
    sim.pokePath("lane[1].u_lane.state_reg", 2);
    sim.io.address.poke(11);
    expect([sim.io.words.peek()[1], sim.io.states.peek()]).toEqual([-1n, [7, 2]]);
    const words = sim.peekMemory("lane[1].u_lane.words");
    expect([words.length, words[7], words[11]]).toEqual([12, 2n ** 38n, 2n ** 40n - 1n]);
    sim.pokePath("lane[0].u_lane.history", 2n ** 48n);
    sim.io.data.poke([3, 0]);
    sim.step();
    expect(sim.peekPath("lane[0].u_lane.history")).toBe(2n ** 88n + 3n);
    expect(sim.io.states.peek()).toEqual([0, 3]);
  });

  test("paths that lead nowhere, words that are not there and values that don't fit are refused", async () => {
    using sim = await simulate(lanes, { engine, paths });
    expect(() => sim.peekPath("lane[2].u_lane.state_reg")).toThrow("`lanes` has no signal `lane[2].u_lane.state_reg` that can be read");
    expect(() => sim.peekPath("lane[0].u_lane.nothing")).toThrow("no signal");
    expect(() => sim.peekPath("lane[0].u_lane.words[12]")).toThrow("has the words 0 to 11, not 12");
    expect(() => sim.peekPath("lane[0].u_lane.state_reg[1]")).toThrow("is no memory");
    expect(() => sim.pokePath("lane[0].u_lane.state_reg", 8)).toThrow("takes 0 to 2^3-1, not 8");
    expect(() => sim.io.address.poke(16)).toThrow("takes whole numbers from 0 to 15, not 16");
  });

  test("undefined state is the seed's, and instances have their own", async () => {
    const untouchedOf = async (seed: number): Promise<(number | bigint)[]> => {
      using sim = await simulate(lanes, { engine, seed });
      sim.reset(3);
      return sim.io.untouched.peek();
    };
    const [first, again, other] = [await untouchedOf(1), await untouchedOf(1), await untouchedOf(2)];
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    expect(first[0]).not.toBe(first[1]);
  });

  test("a false assertion says where it is; the simulation and others go on", async () => {
    using sim = await simulate(lanes, { engine, paths });
    using other = await simulate(lanes, { engine, paths });
    for (const one of [sim, other]) one.reset();
    sim.pokePath("lane[1].u_lane.history", 2n ** 89n);
    const cycle = sim.cycle;
    expect(() => sim.step(3)).toThrow(SimulationError);
    expect(() => sim.step(3)).toThrow(`lanes.lane[1].u_lane.history_is_small in cycle ${cycle}`);
    other.step(4);
    expect(other.io.states.peek()).toEqual([2, 2]);
    sim.pokePath("lane[1].u_lane.history", 0);
    sim.step(2);
    expect(sim.cycle).toBe(cycle + 2);
  });

  test("what is closed is refused", async () => {
    const sim = await simulate(lanes, { engine });
    sim.close();
    sim.close();
    expect(() => sim.step()).toThrow("the simulation is closed");
    expect(() => sim.io.words.peek()).toThrow("the simulation is closed");
  });

  test("the watchdog names the task that waits", async () => {
    using sim = await simulate(lanes, { engine, maxCycles: 20 });
    sim.reset();
    const waiting = function* waiting(): Task {
      for (;;) yield;
    };
    expect(() => sim.run(waiting)).toThrow("after 20 cycles `waiting` is still waiting");
    expect(sim.cycle).toBe(21);
  });

  test("clocks have their own pace; edges of one instant see each other's old values", async () => {
    using same = await simulate(pair, { engine });
    same.reset();
    same.step(5);
    expect([same.io.count.peek(), same.io.memSeen.peek()]).toEqual([5, 4]);
    expect(same.io.memCount.peekNumber() - same.io.seen.peekNumber()).toBe(1);
    using sim = await simulate(pair, { engine, clocks: { "": { period: 10 }, mem: { period: 4, phase: 1 } } });
    sim.reset();
    sim.step();
    const before = sim.io.memCount.peekNumber();
    sim.step(10);
    expect([sim.io.count.peek(), sim.io.memCount.peekNumber() - before]).toEqual([11, 25]);
    sim.step(5, "mem");
    expect([sim.io.count.peek(), sim.io.memCount.peekNumber() - before]).toEqual([12, 30]);
    expect(() => sim.step(1, "bus")).toThrow("`bus` is no clock of `pair`");
  });

  test("an asynchronous reset acts at once, a synchronous one with the edge", async () => {
    using sim = await simulate(pair, { engine });
    sim.reset();
    sim.step(3);
    sim.setReset(true, "mem");
    sim.setReset(true);
    expect([sim.io.memCount.peek(), sim.io.count.peek()]).toEqual([0, 3]);
    sim.setReset(false, "mem");
    sim.step();
    expect([sim.io.memCount.peek(), sim.io.count.peek()]).toEqual([1, 0]);
  });
});
