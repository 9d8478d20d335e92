import { describe, expect, test } from "vitest";
import {
  type About,
  assert,
  bool,
  delay,
  type Inside,
  input,
  instance,
  memory,
  module,
  output,
  type PortMap,
  reg,
  repeat,
  sync,
  uint,
  vec,
} from "../../src/hdl/index.ts";
import { type EngineName, simulate } from "../../src/sim/index.ts";
import { describeEngines } from "../../src/sim/vitest.ts";

/** Engines of the package's tests, and the reference. */
const onEngines = (name: string, body: (engine: EngineName) => void): void => {
  describeEngines(name, body);
  describe(`${name} in the reference`, () => {
    body("reference");
  });
};

const clocked = (doc: string, activeLow: boolean): About => ({
  doc,
  clock: activeLow ? { clk: "aclk", rst: "aresetn", activeLow } : { clk: "clk", rst: "rst" },
});

/** Counts from 3; says in simulation where `bad` is 1. */
const counter = (activeLow: boolean) =>
  module(
    "counter",
    { bad: input(bool), count: output(uint(8)) },
    (io) => {
      const count = reg("counted", uint(8), { reset: 3 });
      sync(() => count.set(count.addWrap(1)));
      io.count.set(count);
      assert("is_good", io.bad.not());
    },
    clocked("Counts.", activeLow),
  );

const cells = 16;

const innerPorts = {
  clear: input(bool),
  bad: input(bool),
  d: input(uint(8)),
  count: output(uint(8)),
  own: output(uint(8)),
  cleared: output(uint(8)),
  late: output(uint(8)),
  word: output(uint(8)),
  row: output(vec(cells, uint(8))),
} satisfies PortMap;

/** What a reset reaches, and what it doesn't: a counter with a reset of its own beside, registers, lines, a memory and a row of cells. */
const innerBody = (io: Inside<typeof innerPorts>, activeLow: boolean): void => {
  instance("u_counter", counter(activeLow), { bad: io.bad, count: io.count }, { reset: io.clear });
  const own = reg("own_count", uint(8), { reset: 100 });
  const words = memory("words", { depth: 4, element: uint(8), initial: [0, 0, 0, 0] });
  sync(() => {
    own.set(own.addWrap(1));
    words.write(io.d.wrap(2), io.d);
  });
  io.own.set(own);
  io.cleared.set(delay("cleared_line", io.d, 2, { reset: true }));
  io.late.set(delay("late_line", io.d, 2));
  io.word.set(words.read("word_read", io.d.wrap(2), { latency: 1, collision: "old" }));
  repeat("lane", cells, (i) => void instance("u_cell", cell, { d: io.d, q: io.row.at(i) }));
};

const cell = module(
  "lane_cell",
  { d: input(uint(8)), q: output(uint(8)) },
  (io) => {
    const sum = reg("sum", uint(8), { reset: 50 });
    sync(() => sum.set(sum.addWrap(io.d)));
    io.q.set(sum);
  },
  "Adds up.",
);

/** A top around it with a derived reset; the three levels have any polarity. */
const design = (top: boolean, middle: boolean, leaf: boolean) => {
  const inner = module("inner", innerPorts, (io) => innerBody(io, leaf), clocked("Resets.", middle));
  const { clear, bad, d, ...outputs } = innerPorts;
  return module(
    "outer",
    { drain: input(bool), fault: input(bool), clear, bad, d, ...outputs, beyond: output(uint(8)) },
    (io) => {
      const beyond = reg("beyond_count", uint(8), { reset: 0 });
      sync(() => beyond.set(beyond.addWrap(1)));
      const { drain, fault, beyond: shown, ...connections } = io;
      instance("u_inner", inner, connections, { reset: drain.or(fault) });
      shown.set(beyond);
    },
    clocked("Resets what is inside.", top),
  );
};

const polarities = [false, true].flatMap((top) => [false, true].flatMap((middle) => [false, true].map((leaf) => [top, middle, leaf] as const)));
const named = (isLow: boolean): string => (isLow ? "low" : "high");

onEngines("a derived reset", (engine) => {
  const some = engine === "verilator" ? polarities.filter(([top, middle, leaf]) => (top !== middle && middle !== leaf) || (top && middle && leaf)) : polarities;
  test.each(some.map((levels) => [levels.map(named).join(", "), levels] as const))(
    "reaches all that is below it and nothing beside it: active %s",
    async (_, levels) => {
      const sim = await simulate(design(...levels), { engine, seed: 1 });
      const { io } = sim;
      const shown = (): Record<string, number | bigint> => ({
        beyond: io.beyond.peek(),
        own: io.own.peek(),
        count: io.count.peek(),
        cleared: io.cleared.peek(),
        late: io.late.peek(),
        word: io.word.peek(),
        first: io.row.peek()[0]!,
        last: io.row.peek()[cells - 1]!,
      });
      io.d.poke(9);
      sim.reset(4);
      expect(shown()).toEqual({ beyond: 0, own: 100, count: 3, cleared: 0, late: 9, word: 9, first: 50, last: 50 });
      sim.step(2);
      expect(shown()).toEqual({ beyond: 2, own: 102, count: 5, cleared: 9, late: 9, word: 9, first: 68, last: 68 });
      io.clear.poke(1);
      sim.step();
      expect(shown()).toEqual({ beyond: 3, own: 103, count: 3, cleared: 9, late: 9, word: 9, first: 77, last: 77 });
      io.clear.poke(0);
      sim.step();
      // Either bit of the expression resets, at the edge and not before; memory and lines without a reset go on.
      io.d.poke(6);
      io.drain.poke(1);
      expect(shown()).toEqual({ beyond: 4, own: 104, count: 4, cleared: 9, late: 9, word: 9, first: 86, last: 86 });
      sim.step();
      expect(shown()).toEqual({ beyond: 5, own: 100, count: 3, cleared: 0, late: 9, word: 0, first: 50, last: 50 });
      io.drain.poke(0);
      io.fault.poke(1);
      sim.step();
      expect(shown()).toEqual({ beyond: 6, own: 100, count: 3, cleared: 0, late: 6, word: 6, first: 50, last: 50 });
      io.fault.poke(0);
      sim.step(3);
      expect(shown()).toEqual({ beyond: 9, own: 103, count: 6, cleared: 6, late: 6, word: 6, first: 68, last: 68 });
      sim.close();
    },
  );

  test("keeps properties below it silent, and no longer than it lasts", async () => {
    for (const reset of ["drain", "clear"] as const) {
      const sim = await simulate(design(false, false, false), { engine, seed: 1 });
      const { io } = sim;
      sim.reset(2);
      io.bad.poke(1);
      io[reset].poke(1);
      sim.step(3);
      io[reset].poke(0);
      expect(() => sim.step()).toThrow("is_good");
      sim.close();
    }
  });

  test("is all the reset of a child whose parent has none", async () => {
    const bare = module(
      "bare",
      { clear: input(bool), bad: input(bool), count: output(uint(8)) },
      (io) => void instance("u_counter", counter(true), { bad: io.bad, count: io.count }, { reset: io.clear }),
      { doc: "Has no reset.", clock: { clk: "clk" } },
    );
    const sim = await simulate(bare, { engine, seed: 1 });
    const { clear, count } = sim.io;
    clear.poke(1);
    sim.step();
    expect(count.peek()).toBe(3);
    clear.poke(0);
    sim.step(4);
    expect(count.peek()).toBe(7);
    sim.close();
  });

  test("can come from the child itself", async () => {
    const ring = module(
      "ring",
      { count: output(uint(8)) },
      (io) => void instance("u_counter", counter(false), { bad: false, count: io.count }, { reset: io.count.eq(6) }),
      "Counts from 3 to 6.",
    );
    const sim = await simulate(ring, { engine, seed: 1 });
    sim.reset(1);
    const seen = Array.from({ length: 9 }, () => {
      sim.step();
      return sim.io.count.peek();
    });
    expect(seen).toEqual([4, 5, 6, 3, 4, 5, 6, 3, 4]);
    sim.close();
  });
});
