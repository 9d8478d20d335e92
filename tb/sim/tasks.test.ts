import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { input, output } from "../../src/hdl/ports.ts";
import { bool, uint } from "../../src/hdl/shape.ts";
import type { Simulation, Task } from "../../src/sim/index.ts";
import { background, edges, simulate, verilog } from "../../src/sim/index.ts";

const ports = {
  s: { valid: input(bool), data: input(uint(8)), ready: output(bool) },
  m: { valid: output(bool), data: output(uint(8)), ready: input(bool) },
};
const fifo = verilog({ top: "fifo2", files: ["tb/reference/fifo2.sv"], ports });
let sim: Simulation<typeof ports>;

beforeAll(async () => {
  sim = await simulate(fifo);
});
afterAll(() => sim.close());

const source = function* (values: readonly number[], pause: readonly number[] = []): Task {
  const { s } = sim.io;
  for (const [i, value] of values.entries()) {
    yield* edges(pause[i] ?? 0);
    s.valid.poke(1);
    s.data.poke(value);
    do yield;
    while (s.ready.peek() === 0);
    s.valid.poke(0);
  }
};

const sink = function* (got: number[], count: number, pause: readonly number[] = []): Task {
  const { m } = sim.io;
  while (got.length < count) {
    m.ready.poke(0);
    yield* edges(pause[got.length] ?? 0);
    m.ready.poke(1);
    do yield;
    while (m.valid.peek() === 0);
    got.push(m.data.peekNumber());
  }
  m.ready.poke(0);
};

test("a FIFO keeps order under any pauses, whatever the order of the tasks", () => {
  const pauses = fc.array(fc.nat(3), { maxLength: 20 });
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 20 }), pauses, pauses, (values, before, after) => {
      const runs = [true, false].map((sourceFirst) => {
        sim.reset();
        const start = sim.cycle;
        const got: number[] = [];
        const tasks = [source(values, before), sink(got, values.length, after)];
        sim.run(...(sourceFirst ? tasks : tasks.toReversed()));
        return { got, cycles: sim.cycle - start };
      });
      expect(runs[0]!.got).toEqual(values);
      expect(runs[1]).toEqual(runs[0]);
    }),
  );
});

test("a full-rate FIFO takes one cycle a value and one more of latency", () => {
  sim.reset();
  const start = sim.cycle;
  const got: number[] = [];
  sim.run(source([1, 2, 3, 4, 5]), sink(got, 5));
  expect([got, sim.cycle - start]).toEqual([[1, 2, 3, 4, 5], 6]);
});

test("reads in a task give the values before the edge, of inputs too", () => {
  sim.reset();
  const seen: number[][] = [];
  const driver = function* (): Task {
    for (const data of [10, 20, 30]) {
      sim.io.s.data.poke(data);
      seen.push([sim.io.s.data.peekNumber()]);
      yield;
    }
  };
  sim.io.s.data.poke(5);
  sim.run(driver);
  expect(seen).toEqual([[5], [10], [20]]);
  expect(sim.io.s.data.peek()).toBe(30);
});

test("the run ends with the foreground tasks, and background tasks get to clean up", () => {
  sim.reset();
  const start = sim.cycle;
  let served = 0;
  let ended = false;
  const server = function* (): Task {
    try {
      for (;;) {
        yield;
        served++;
      }
    } finally {
      ended = true;
    }
  };
  sim.run(background(server), () => edges(7));
  expect([sim.cycle - start, served, ended]).toEqual([7, 7, true]);
  sim.run(background(server));
  expect(sim.cycle - start).toBe(7);
});

test("the watchdog names the tasks that still wait", () => {
  sim.reset();
  const start = sim.cycle;
  const waitForNothing = function* (): Task {
    for (;;) yield;
  };
  sim.maxCycles = 100;
  expect(() => sim.run(waitForNothing, () => edges(3), { task: waitForNothing(), name: "late answer" }, background(waitForNothing))).toThrow(
    "after 100 cycles `waitForNothing`, `late answer` are still waiting",
  );
  expect(sim.cycle - start).toBe(100);
  sim.run(() => edges(100));
  sim.maxCycles = 1_000_000;
});

test("what a task throws comes out, the others are ended, and the simulation goes on", () => {
  sim.reset();
  const start = sim.cycle;
  let ended = false;
  const failing = function* (): Task {
    yield;
    yield;
    throw new Error("no such luck");
  };
  const other = function* (): Task {
    try {
      yield* edges(10);
    } finally {
      ended = true;
    }
  };
  expect(() => sim.run(other, failing)).toThrow("no such luck");
  expect([ended, sim.cycle - start]).toEqual([true, 1]);
  sim.step(2);
  expect(sim.cycle - start).toBe(3);
});

test("step inside a task is refused", () => {
  const stepping = function* (): Task {
    yield;
    sim.step();
  };
  expect(() => sim.run(stepping)).toThrow("step() can't be called inside a task");
});
