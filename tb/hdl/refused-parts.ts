import {
  assert,
  bool,
  type ClockDomain,
  clock,
  crossing,
  delay,
  discard,
  input,
  instance,
  memory,
  module,
  named,
  output,
  reg,
  repeat,
  sync,
  uint,
  wires,
} from "../../src/hdl/index.ts";
import { build } from "./refused.ts";

const io8 = { a: input(uint(8)), y: output(uint(8)) };

/** What a JavaScript caller without types may pass. */
const wrong = (value: unknown): never => value as never;

const child = module("child", { d: input(uint(8)), q: output(uint(8)) }, (io) => io.q.set(io.d), "");

const clocked = module(
  "clocked",
  { d: input(uint(8)), q: output(uint(8)) },
  (io) => {
    const kept = reg("kept", uint(8), { reset: 0 });
    sync(() => kept.set(io.d));
    io.q.set(kept);
  },
  "",
);

const atOnce = module(
  "at_once",
  { d: input(uint(8)), q: output(uint(8)) },
  (io) => {
    const kept = reg("kept", uint(8), { reset: 0 });
    sync(() => kept.set(io.d));
    io.q.set(kept);
  },
  { doc: "", clock: { clk: "clk", rst: "rst", reset: "async" } },
);

const aroundAtOnce = module(
  "around_at_once",
  { d: input(uint(8)), q: output(uint(8)) },
  (io) => repeat("lane", 1, () => instance("u_inner", atOnce, { d: io.d, q: io.q })),
  "",
);

const twoClocks = module(
  "two_clocks",
  { far: clock(), d: input(bool, "", { clock: "far" }), q: output(bool, "", { clock: "far" }) },
  (io) => {
    const kept = reg("kept", bool, { clock: io.far });
    sync(io.far, () => kept.set(io.d));
    io.q.set(kept);
  },
  "",
);

const memory2 = () => memory("bank", { depth: 2, element: uint(8) });

const lanes = () => memory("bank", { depth: 2, element: uint(8), lane: 4 });

const discardClock = (domain: ClockDomain): void => {
  const seen = reg("seen", bool, { clock: domain });
  sync(domain, () => seen.set(1));
  discard("seen", seen);
};

/** Refusals of memories, clocks and instances. */
export const partCases: Record<string, Record<string, () => unknown>> = {
  memories: {
    "one word": () => build(io8, () => memory("bank", { depth: 1, element: uint(8) })),
    "lanes that don't divide": () => build(io8, () => memory("bank", { depth: 4, element: uint(8), lane: 3 })),
    "too many initial words": () => build(io8, () => memory("bank", { depth: 2, element: uint(8), initial: [1, 2, 3] })),
    "an initial word too wide": () => build(io8, () => memory("bank", { depth: 2, element: uint(8), initial: [256] })),
    "a write without its mask": () => build(io8, (io) => sync(() => lanes().write(0, io.a))),
    "a mask too many": () => build(io8, (io) => sync(() => memory2().write(0, io.a, io.a.bits(0, 0)))),
    "an enable without latency": () => build(io8, (io) => memory2().read("word", io.a.bits(0, 0), { latency: 0, enable: 1 })),
    "no word on collisions": () => build(io8, (io) => memory2().read("word", io.a.bits(0, 0), { latency: 1 })),
    "never written": () => build({ a: input(uint(1)), y: output(uint(8)) }, (io) => io.y.set(memory2().read("word", io.a, { latency: 0 }))),
    "never read": () =>
      build({ a: input(uint(8)) }, (io) => {
        const bank = memory2();
        sync(() => bank.write(0, io.a));
      }),
    "two writers": () =>
      build(io8, (io) => {
        const bank = memory2();
        sync(() => bank.write(0, io.a));
        sync(() => bank.write(1, io.a));
        io.y.set(bank.read("word", io.a.bit(0), { latency: 0 }));
      }),
    "a writer in each iteration": () =>
      build(io8, (io) => {
        const bank = memory2();
        repeat("lane", 2, () => sync(() => bank.write(0, io.a)));
        io.y.set(bank.read("word", io.a.bit(0), { latency: 0 }));
      }),
  },
  clocks: {
    "an unknown clock": () => build({ a: input(bool, "", { clock: "far" }) }, () => undefined),
    "a reset value on a clock without one": () => build({ far: clock({ reset: "none" }) }, (io) => reg("kept", bool, { clock: io.far, reset: 0 })),
    "a delay's reset on a clock without one": () =>
      build({ far: clock({ reset: "none" }), a: input(bool) }, (io) => delay("late", io.a, 2, { clock: io.far, reset: true })),
    "a delay of no cycle": () => build(io8, (io) => io.y.set(delay("late", io.a, 0))),
    "a register in another clock's block": () =>
      build({ far: clock(), a: input(bool), y: output(bool) }, (io) => {
        const kept = reg("kept", bool);
        sync(io.far, () => kept.set(io.a));
      }),
    "a crossing in a block": () =>
      build({ far: clock(), a: input(bool), y: output(bool, "", { clock: "far" }) }, (io) => {
        const near = reg("near", bool);
        const kept = reg("kept", bool, { clock: io.far });
        sync(() => near.set(io.a));
        sync(io.far, () => kept.set(near));
        io.y.set(kept);
      }),
    "a crossing through wires": () =>
      build({ far: clock(), a: input(bool), y: output(bool, "", { clock: "far" }) }, (io) => {
        const between = named("between", io.a.not());
        const kept = reg("kept", bool, { clock: io.far });
        sync(io.far, () => kept.set(between));
        io.y.set(kept);
      }),
    "a crossing at an output": () =>
      build({ far: clock(), a: input(bool), y: output(bool) }, (io) => {
        const kept = reg("kept", bool, { clock: io.far });
        sync(io.far, () => kept.set(crossing(io.a)));
        io.y.set(kept);
      }),
    "a crossing at an instance": () =>
      build({ near: clock(), a: input(bool, "", { clock: "near" }), far: clock(), y: output(bool, "", { clock: "far" }) }, (io) => {
        io.y.set(instance("u", twoClocks, { far: io.far, d: io.a }).q);
        discardClock(io.near);
      }),
    "a crossing in a property": () =>
      build({ far: clock(), a: input(bool), y: output(bool) }, (io) => {
        io.y.set(io.a);
        assert("quiet", io.a, io.far);
      }),
  },
  instances: {
    "an input left open": () => build(io8, (io) => io.y.set(instance("u", child, wrong({})).q)),
    "an output left open": () => build({ a: input(uint(8)) }, (io) => instance("u", child, { d: io.a })),
    "a clock left open": () => build({ a: input(bool), y: output(bool) }, (io) => io.y.set(instance("u", twoClocks, wrong({ d: io.a })).q)),
    "a target that is none": () => build(io8, (io) => instance("u", child, { d: io.a, q: wrong(3) })),
    "a target of another width": () => build({ a: input(uint(8)), y: output(uint(9)) }, (io) => instance("u", child, { d: io.a, q: io.y })),
    "a value too wide": () => build({ a: input(uint(9)), y: output(uint(8)) }, (io) => io.y.set(instance("u", child, { d: io.a }).q)),
    "a reset that is not there": () => build(io8, (io) => io.y.set(instance("u", clocked, { d: io.a }).q), { doc: "", clock: { clk: "clk" } }),
    "a derived reset of what has none": () => build(io8, (io) => io.y.set(instance("u", child, { d: io.a }, { reset: io.a.any() }).q)),
    "a derived reset of what only another clock resets": () =>
      build({ far: clock(), a: input(bool, "", { clock: "far" }), y: output(bool, "", { clock: "far" }) }, (io) =>
        io.y.set(instance("u", twoClocks, { far: io.far, d: io.a }, { reset: io.a }).q),
      ),
    "a derived reset of what resets at once": () => build(io8, (io) => io.y.set(instance("u", atOnce, { d: io.a }, { reset: io.a.any() }).q)),
    "a derived reset of what resets at once further down": () =>
      build(io8, (io) => io.y.set(instance("u", aroundAtOnce, { d: io.a }, { reset: io.a.any() }).q)),
    "a derived reset of several bits": () => build(io8, (io) => io.y.set(instance("u", clocked, { d: io.a }, { reset: wrong(io.a) }).q)),
    "a derived reset of another clock": () =>
      build({ far: clock(), clear: input(bool, "", { clock: "far" }), a: input(uint(8)), y: output(uint(8)) }, (io) => {
        io.y.set(instance("u", clocked, { d: io.a }, { reset: io.clear }).q);
        discardClock(io.far);
      }),
    "a bundle's wire that nobody drives": () =>
      build({ y: output(bool) }, (io) => {
        const link = wires("link", { valid: output(bool), ready: input(bool) });
        io.y.set(link.valid);
      }),
  },
};
