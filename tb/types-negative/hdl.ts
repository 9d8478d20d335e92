/**
 * What must not compile: tb/hdl/types.test.ts compiles this file, and a line that compiles after all makes its `@ts-expect-error` an error.
 * Nothing here runs.
 */
import { bool, clock, flip, input, instance, match, memory, module, mux, output, reg, sint, states, sync, uint, vec, when } from "../../src/hdl/index.ts";

const link = { valid: output(bool), ready: input(bool), data: output(uint(8)) };
const ports = {
  a: input(uint(8)),
  s: input(sint(8)),
  c: input(bool),
  v: input(vec(4, uint(8))),
  y: output(uint(8)),
  z: output(sint(8)),
  in: flip(link),
  out: link,
};
const state = states("state", "idle", "run");

export const child = module(
  "child",
  ports,
  (io) => {
    // @ts-expect-error an input can't be driven
    io.a.set(1);
    // @ts-expect-error nor can an element of one
    io.v.at(0).set(1);
    // @ts-expect-error nor a bundle's input, seen from the other end
    io.in.valid.set(1);
    // @ts-expect-error a port that does not exist
    io.b.bit(0);
    // @ts-expect-error signed and unsigned don't mix
    io.a.add(io.s);
    // @ts-expect-error in either order
    io.s.mul(io.a);
    // @ts-expect-error nor in a comparison
    io.a.lt(io.s);
    // @ts-expect-error a signed value for an unsigned output
    io.y.set(io.s);
    // @ts-expect-error an unsigned value for a signed one
    io.z.set(io.a);
    // @ts-expect-error a text for a number
    io.y.set("idle");
    // @ts-expect-error arms of two signs
    mux(io.c, io.a, io.s);
    // @ts-expect-error a condition has one bit
    mux(io.a, io.a, io.a);
    // @ts-expect-error conditions are Bools
    when(io.a, () => undefined);
    // @ts-expect-error a Bool meets Bools only
    io.c.and(io.a);
    // @ts-expect-error signals are no numbers
    io.y.set(io.a + 1);
    // @ts-expect-error unsigned values can't be negated
    io.a.neg();
    // @ts-expect-error vectors have no arithmetic
    io.v.add(1);
    // @ts-expect-error too few elements are found when it runs, wrong elements here
    io.v.at("0");
    const now = reg("now", state, { reset: "idle" });
    // @ts-expect-error a reset value that is no state
    reg("then", state, { reset: "stop" });
    sync(() => {
      // @ts-expect-error a state that does not exist
      now.set("stop");
      // @ts-expect-error a missing arm
      match(now, { idle: () => now.set("run") });
      // @ts-expect-error an arm too many
      match(now, { idle: () => undefined, run: () => undefined, stop: () => undefined });
    });
    // @ts-expect-error a state's name is checked where it is compared, too
    now.is("stop");
    // @ts-expect-error what a collision gives is one of three words
    memory("bank", { depth: 4, element: uint(8) }).read("word", io.a.bits(1, 0), { latency: 1, collision: "newest" });
    // @ts-expect-error latency is 0 or 1
    memory("other", { depth: 4, element: uint(8) }).read("word", io.a.bits(1, 0), { latency: 2 });
  },
  "",
);

const two = module("two", { far: clock(), d: input(bool, "", { clock: "far" }), q: output(bool, "", { clock: "far" }) }, (io) => io.q.set(io.d), "");

export const parent = module(
  "parent",
  { a: input(uint(8)), y: output(uint(8)), z: output(sint(8)), c: input(bool) },
  (io) => {
    const bundles = { in: { valid: io.c, data: io.a }, out: { ready: io.c } };
    // @ts-expect-error an input left open
    instance("u0", child, { a: io.a, s: 0, c: io.c, ...bundles });
    // @ts-expect-error a port that does not exist
    instance("u1", child, { a: io.a, s: 0, c: io.c, v: [0, 0, 0, 0], b: 1, ...bundles });
    // @ts-expect-error a signed target for an unsigned output
    instance("u2", child, { a: io.a, s: 0, c: io.c, v: [0, 0, 0, 0], y: io.z, ...bundles });
    // @ts-expect-error an input as a target
    instance("u3", child, { a: io.a, s: 0, c: io.c, v: [0, 0, 0, 0], y: io.a, ...bundles });
    // @ts-expect-error a value of the other sign
    instance("u4", child, { a: io.a.asSInt(), s: 0, c: io.c, v: [0, 0, 0, 0], ...bundles });
    const u = instance("u5", child, { a: io.a, s: 0, c: io.c, v: [0, 0, 0, 0], ...bundles });
    // @ts-expect-error an input of an instance can't be read
    u.a.bit(0);
    // @ts-expect-error a bundle's input neither
    u.out.ready.not();
    // @ts-expect-error a clock is not connected
    instance("u6", two, { d: io.c });
    // @ts-expect-error a signal is no clock
    instance("u7", two, { far: io.c, d: io.c });
  },
  "",
);
