import { describe, expect, test } from "vitest";
import {
  bool,
  cat,
  comb,
  delay,
  discard,
  input,
  type Module,
  match,
  memory,
  module,
  mux,
  output,
  type PortMap,
  reg,
  repeat,
  sint,
  states,
  sync,
  uint,
  vec,
  when,
  wire,
} from "../../src/hdl/index.ts";
import { Garbage } from "../../src/sim/garbage.ts";
import type { SimulateOptions, Simulation } from "../../src/sim/index.ts";
import { simulate } from "../../src/sim/index.ts";

const seed = 5;
/** Undefined state of the top's scope. */
const top = new Garbage(seed);

const reference = <P extends PortMap>(design: Module<P>, options: SimulateOptions = {}): Promise<Simulation<P>> =>
  simulate(design, { engine: "reference", seed, ...options });

test("operators, on the values at their limits", async () => {
  const operators = module(
    "operators",
    {
      a: input(sint(8)),
      b: input(sint(5)),
      u: input(uint(8)),
      v: input(uint(5)),
      n: input(uint(3)),
      sums: output(vec(3, sint(10))),
      wrapped: output(vec(2, uint(8))),
      products: output(vec(2, sint(13))),
      shifts: output(vec(4, uint(15))),
      signedShifts: output(vec(4, sint(15))),
      bitwise: output(vec(4, uint(8))),
      compared: output(vec(8, bool)),
      reduced: output(vec(3, bool)),
      parts: output(uint(13)),
      chosen: output(vec(2, sint(8))),
    },
    ({ a, b, u, v, n, ...io }) => {
      io.sums.set([a.add(b), a.sub(b), u.sub(v).extend(10)]);
      io.wrapped.set([u.addWrap(v), v.extend(8).subWrap(u)]);
      io.products.set([a.mul(b), a.neg().wrap(8).extend(13)]);
      io.shifts.set([u.shl(n), u.shl(2).extend(15), u.shr(n).extend(15), u.shr(2).extend(15)]);
      io.signedShifts.set([a.shl(n), a.shl(2).extend(15), a.shr(n).extend(15), a.shr(2).extend(15)]);
      io.bitwise.set([u.and(v), u.or(v), u.xor(v), u.not()]);
      io.compared.set([a.lt(b), a.le(a), u.lt(v), u.ge(v), a.gt(-1), a.eq(-128), u.ne(255), a.ge(b)]);
      io.reduced.set([v.any(), u.all(), u.parity()]);
      io.parts.set(cat(v, a.add(b).bits(8, 6), b.asUInt()));
      io.chosen.set([mux(n.bit(0), a, b), mux(n.bit(1), a, b)]);
    },
    "Every operator.",
  );
  const { io } = await reference(operators);
  for (const [name, value] of Object.entries({ a: -128, b: -16, u: 255, v: 31, n: 5 })) io[name as "a"].poke(value);
  const seen = Object.fromEntries(Object.entries(io).map(([name, handle]) => [name, handle.peek()]));
  expect(seen).toMatchObject({
    sums: [-144, -112, 224],
    wrapped: [30, 32],
    products: [2048, -128],
    shifts: [8160, 1020, 7, 63],
    signedShifts: [-4096, -512, -4, -32],
    bitwise: [31, 255, 224, 0],
    compared: [1, 1, 0, 1, 0, 1, 0, 0],
    reduced: [1, 1, 0],
    parts: 0b11111_101_10000,
    chosen: [-128, -16],
  });
});

describe("parts of signals", () => {
  const picks = module(
    "picks",
    {
      d: input(vec(3, uint(8))),
      n: input(uint(2)),
      fixed: output(uint(8)),
      chosen: output(uint(8)),
      reversed: output(vec(3, uint(8))),
      put: output(vec(3, uint(8))),
      back: output(uint(8)),
    },
    (io) => {
      const kept = wire("kept", vec(3, uint(8)));
      kept.set(io.d);
      io.fixed.set(kept.at(1));
      io.chosen.set(kept.at(io.n));
      repeat("turn", 3, (i) => io.reversed.at(i).set(io.d.at(i.times(-1).plus(2))));
      const made = wire("made", vec(3, uint(8)));
      comb(() => {
        made.set([1, 2, 3]);
        made.at(io.n).set(9);
      });
      io.put.set(made);
      io.back.set(made.at(io.n));
    },
    "Indices of each kind.",
  );

  test("constant, loop and signal choose elements", async () => {
    const { io } = await reference(picks);
    io.d.poke([10, 20, 30]);
    io.n.poke(2);
    expect([io.fixed.peek(), io.chosen.peek(), io.reversed.peek(), io.put.peek(), io.back.peek()]).toEqual([20, 30, [30, 20, 10], [1, 2, 9], 9]);
  });

  test("above the top bit reads are undefined and writes are lost", async () => {
    const { io } = await reference(picks);
    io.d.poke([10, 20, 30]);
    io.n.poke(3);
    expect(io.chosen.peek()).toBe(Number(top.bits("kept beyond", 8)));
    expect([io.put.peek(), io.back.peek()]).toEqual([[1, 2, 3], Number(top.bits("made beyond", 8))]);
  });
});

describe("statements", () => {
  test("in a clocked block all reads see the old values, in a combinational one those of earlier statements; the last one wins", async () => {
    const order = module(
      "order",
      { c: input(bool), x: output(uint(4)), y: output(uint(4)), z: output(uint(4)) },
      (io) => {
        const a = reg("a", uint(4), { initial: 3 });
        const b = reg("b", uint(4), { initial: 12 });
        const mid = wire("mid", uint(4));
        sync(() => {
          a.set(b);
          b.set(a);
          when(io.c, () => b.set(7));
        });
        comb(() => {
          mid.set(1);
          when(io.c, () => mid.set(2));
          io.z.set(mid.addWrap(1));
          mid.set(7);
        });
        discard("mid", mid);
        io.x.set(a);
        io.y.set(b);
      },
      "Order.",
    );
    const sim = await reference(order, { paths: ["unused_mid"] });
    const seen = (): unknown => [sim.io.x.peek(), sim.io.y.peek(), sim.io.z.peek()];
    expect(seen()).toEqual([3, 12, 2]);
    expect(sim.peekPath("unused_mid")).toBe(1);
    sim.step();
    expect(seen()).toEqual([12, 3, 2]);
    sim.io.c.poke(1);
    expect(seen()).toEqual([12, 3, 3]);
    sim.step();
    expect(seen()).toEqual([3, 7, 3]);
  });

  test("the last arm of a case takes the encodings that no state has", async () => {
    const partial = module(
      "partial",
      { y: output(uint(2)) },
      (io) => {
        const state = reg("state", states("state", "one", "two", "three"), { reset: "one" });
        sync(() =>
          match(state, {
            one: () => state.set("two"),
            two: () => state.set("one"),
            three: () => state.set("three"),
          }),
        );
        io.y.set(state.asUInt());
      },
      "Three states.",
    );
    const sim = await reference(partial, { paths: ["state"] });
    for (const [from, to] of [
      [0, 1],
      [1, 0],
      [2, 2],
      [3, 2],
    ]) {
      sim.pokePath("state", from!);
      expect(sim.io.y.peek()).toBe(from);
      sim.step();
      expect(sim.io.y.peek()).toBe(to);
    }
    sim.reset();
    expect(sim.io.y.peek()).toBe(0);
  });
});

describe("memories", () => {
  const store = module(
    "store",
    {
      we: input(bool),
      lanes: input(uint(2)),
      at: input(uint(3)),
      data: input(uint(8)),
      go: input(bool),
      now: output(uint(8)),
      old: output(uint(8)),
      fresh: output(uint(8)),
      open: output(uint(8)),
    },
    (io) => {
      const words = memory("words", { depth: 6, element: uint(8), lane: 4, initial: [0x11, 0x22] });
      sync(() => when(io.we, () => words.write(io.at, io.data, io.lanes)));
      io.now.set(words.read("now_word", io.at, { latency: 0 }));
      io.old.set(words.read("old_word", io.at, { latency: 1, collision: "old", enable: io.go }));
      io.fresh.set(words.read("fresh_word", io.at, { latency: 1, collision: "new" }));
      io.open.set(words.read("open_word", io.at, { latency: 1, collision: "undefined" }));
    },
    "Every kind of read.",
  );
  const poke = ({ io }: Simulation<typeof store.ports>, we: number, lanes: number, at: number, data: number, go = 1): void => {
    io.we.poke(we);
    io.lanes.poke(lanes);
    io.at.poke(at);
    io.data.poke(data);
    io.go.poke(go);
  };
  const seen = ({ io }: Simulation<typeof store.ports>): unknown[] => [io.now.peek(), io.old.peek(), io.fresh.peek(), io.open.peek()];

  test("reads at once and after the edge; lanes; initial words; an enable", async () => {
    const sim = await reference(store);
    poke(sim, 0, 3, 1, 0xff);
    expect(seen(sim)[0]).toBe(0x22);
    sim.step();
    expect(seen(sim)).toEqual([0x22, 0x22, 0x22, 0x22]);
    poke(sim, 0, 3, 0, 0);
    // The kept address is that of the edge.
    expect(seen(sim)).toEqual([0x11, 0x22, 0x22, 0x22]);
    poke(sim, 1, 2, 0, 0xab, 0);
    sim.step();
    // The upper lane is written; the collision is undefined even in the lane that is not.
    expect(seen(sim)).toEqual([0xa1, 0x22, 0xa1, Number(top.bits("open_word collision", 8))]);
    poke(sim, 1, 1, 0, 0xcd);
    sim.step();
    expect(seen(sim).slice(0, 3)).toEqual([0xad, 0xa1, 0xad]);
    poke(sim, 1, 0, 0, 0xff);
    sim.step();
    // A write of no lane changes nothing and collides with nothing.
    expect(seen(sim)).toEqual([0xad, 0xad, 0xad, 0xad]);
  });

  test("words without contents are undefined; those beyond the depth stay so", async () => {
    const sim = await reference(store);
    for (const at of [2, 5, 6, 7]) {
      poke(sim, 0, 3, at, 0x5a);
      expect(seen(sim)[0]).toBe(Number(top.bits("words", 8, at)));
    }
    poke(sim, 1, 3, 7, 0x5a);
    sim.step();
    const beyond = Number(top.bits("words", 8, 7));
    expect(seen(sim)).toEqual([beyond, beyond, beyond, beyond]);
    expect(sim.peekMemory("words")).toHaveLength(6);
    sim.pokePath("words[5]", 0x77);
    poke(sim, 0, 3, 5, 0);
    expect([seen(sim)[0], sim.peekPath("words[5]")]).toEqual([0x77, 0x77]);
  });
});

describe("delays", () => {
  const late = module(
    "late",
    { d: input(uint(4)), go: input(bool), two: output(uint(4)), cleared: output(uint(4)), skewed: output(vec(3, uint(4))) },
    (io) => {
      io.two.set(delay("two_late", io.d, 2, { enable: io.go }));
      io.cleared.set(delay("cleared_late", io.d, 2, { reset: true, enable: io.go }));
      repeat("row", 3, (i) => io.skewed.at(i).set(delay("skew", io.d, i.plus(1))));
    },
    "Delays.",
  );

  test("a line moves while its enable is high, is cleared by reset, starts undefined, and may be as long as its iteration says", async () => {
    const sim = await reference(late);
    const { d, go, two, cleared, skewed } = sim.io;
    const start = [0, 1].map((age) => Number(top.bits("two_late", 4, age)));
    expect(two.peek()).toBe(start[1]);
    const line = (row: number, age: number): number => Number(top.child("row", row).bits("skew", 4, age));
    expect(skewed.peek()).toEqual([line(0, 0), line(1, 1), line(2, 2)]);
    go.poke(1);
    d.poke(9);
    sim.step();
    expect([two.peek(), skewed.peek()]).toEqual([start[0], [9, line(1, 0), line(2, 1)]]);
    go.poke(0);
    d.poke(4);
    sim.step();
    expect([two.peek(), skewed.peek()]).toEqual([start[0], [4, 9, line(2, 0)]]);
    go.poke(1);
    sim.step();
    expect([two.peek(), cleared.peek()]).toEqual([9, 9]);
    // The reset wins over the enable and leaves the other line alone.
    sim.reset();
    expect([two.peek(), cleared.peek()]).toEqual([4, 0]);
    sim.step(2);
    expect([two.peek(), cleared.peek()]).toEqual([4, 4]);
  });
});
