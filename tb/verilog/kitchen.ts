import {
  assert,
  assume,
  bool,
  type Circuit,
  cat,
  clock,
  comb,
  cover,
  crossing,
  delay,
  discard,
  extern,
  grid,
  input,
  instance,
  match,
  memory,
  module,
  mux,
  named,
  output,
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

const ops = module(
  "kitchen_ops",
  {
    a: input(sint(8)),
    b: input(sint(5)),
    u: input(uint(8)),
    v: input(uint(5)),
    s: input(uint(2)),
    c: input(bool),
    sum: output(sint(9)),
    diff: output(sint(9)),
    udiff: output(sint(9)),
    prod: output(sint(13)),
    sh: output(sint(11)),
    shr: output(sint(8)),
    satd: output(sint(4)),
    usat: output(uint(4)),
    neg: output(sint(9)),
    inv: output(uint(8)),
    lt: output(bool),
    ult: output(bool),
    red: output(uint(3)),
    cc: output(uint(13)),
    m: output(sint(8)),
    sl: output(uint(3)),
    w: output(sint(6)),
    shc: output(uint(10)),
    shrc: output(sint(5)),
    xx: output(uint(8)),
    big: output(uint(70)),
    fit: output(bool),
    ext: output(sint(16)),
    e2: output(bool),
    mn: output(sint(8)),
    dyn: output(uint(5)),
  },
  (io) => {
    io.sum.set(io.a.add(io.b));
    io.diff.set(io.a.sub(io.b));
    io.udiff.set(io.u.sub(io.v));
    io.prod.set(io.a.mul(io.b));
    io.sh.set(io.a.shl(io.s));
    io.shr.set(io.a.shr(io.s));
    io.satd.set(io.a.sat(4));
    io.usat.set(io.u.sat(4));
    io.neg.set(io.a.neg());
    io.inv.set(io.u.not());
    io.lt.set(io.a.lt(io.b));
    io.ult.set(io.u.ge(io.v).or(io.c.and(io.u.eq(3))));
    io.red.set(cat(io.u.any(), io.u.all(), io.u.parity()));
    io.cc.set(cat(io.a, io.v));
    io.m.set(mux(io.c, io.a, io.b));
    io.sl.set(io.u.add(io.v).bits(6, 4));
    io.w.set(io.a.mul(io.b).add(io.a).wrap(6));
    io.shc.set(io.u.shl(2));
    io.shrc.set(io.a.shr(3));
    io.xx.set(io.u.xor(io.v).and(io.u.or(0x55)).or(io.u.not()));
    io.big.set(mux(io.c, 0x3fffffffffffffffffn, io.u.extend(70)));
    io.fit.set(io.a.add(io.b).fits(8));
    io.ext.set(io.a.extend(16));
    io.e2.set(io.a.eq(-128).and(io.c.not()));
    io.mn.set(mux(io.c, io.a, -128));
    const t = named("both", cat(io.u, io.u.not()));
    const tv = wire("tv", vec(4, uint(5)));
    tv.set([1, 2, io.v, 4]);
    io.dyn.set(tv.at(io.s));
    discard("both", t);
  },
  "ops",
);
const st = states("state", "idle", "run", "done");
const fsm = module(
  "kitchen_fsm",
  {
    go: input(bool),
    addr: input(uint(4)),
    we: input(bool),
    be: input(uint(2)),
    wdata: input(uint(16)),
    rd: output(uint(16)),
    rn: output(uint(16)),
    r0: output(sint(8)),
    busy: output(bool),
    idle: output(bool),
    y: output(uint(4)),
  },
  (io) => {
    const state = reg("state", st, { reset: "idle" });
    const n = reg("n", uint(4), { reset: 3, initial: 1 });
    const bank = memory("bank", { depth: 16, element: uint(16), lane: 8 });
    const rom = memory("rom", { depth: 10, element: sint(8), initial: [1, -2, -128, 127, 0, 5, 6, 7, 8, 9] });
    io.rd.set(bank.read("word", io.addr, { latency: 1, enable: io.go, collision: "old" }));
    io.rn.set(bank.read("fresh", io.addr, { latency: 1, collision: "new" }));
    io.r0.set(rom.read("coefficient", io.addr, { latency: 0 }));
    sync(() => {
      when(io.we, () => bank.write(io.addr, io.wdata, io.be));
      when(io.we, () => rom.write(io.addr, 3));
      match(state, {
        idle() {
          when(io.go, () => state.set("run"));
        },
        run() {
          n.set(n.sub(1).asUInt().wrap(4));
          when(n.eq(0), () => state.set("done"));
        },
        done() {
          state.set("idle");
        },
      });
    });
    io.busy.set(state.is("idle").not());
    io.idle.set(state.is("idle"));
    comb(() => {
      io.y.set(0);
      match(state, {
        idle() {},
        run() {
          io.y.set(1);
        },
        done() {
          when(io.go, () => io.y.set(n)).otherwise(() => io.y.set(3));
        },
      });
    });
    assert("never_wild", n.le(15));
    cover("reach_done", state.is("done"));
    assume("polite", io.go.not().or(io.we));
  },
  "fsm",
);
const cell = module(
  "kitchen_cell",
  { a: input(sint(8)), b: input(sint(8)), aOut: output(sint(8)), bOut: output(sint(8)), acc: output(sint(32)) },
  (io) => {
    const ar = reg("a_reg", sint(8));
    const br = reg("b_reg", sint(8));
    const acc = reg("sum", sint(32), { reset: 0 });
    sync(() => {
      ar.set(io.a);
      br.set(io.b);
      acc.set(acc.add(io.a.mul(io.b)).wrap(32));
    });
    io.aOut.set(ar);
    io.bOut.set(br);
    io.acc.set(acc);
  },
  "cell",
);
const R = 3,
  C = 4;
const arr = module(
  "kitchen_array",
  { a: input(vec(R, sint(8))), b: input(vec(C, sint(8))), acc: output(vec(R, vec(C, sint(32)))) },
  (io) => {
    const an = wire("aNet", vec(R, vec(C + 1, sint(8))));
    const bn = wire("bNet", vec(R + 1, vec(C, sint(8))));
    bn.at(0).set(io.b);
    repeat("feed", R, (r) => an.at(r).at(0).set(io.a.at(r)), "r");
    grid("cell", R, C, (r, c) => {
      instance("u_cell", cell, { a: an.at(r).at(c), b: bn.at(r).at(c), aOut: an.at(r).at(c.plus(1)), bOut: bn.at(r.plus(1)).at(c), acc: io.acc.at(r).at(c) });
    });
    repeat("east", R, (r) => discard("a_edge", an.at(r).at(C)), "r");
    discard("b_edge", bn.at(R));
  },
  "array",
);
const two = module(
  "kitchen_cdc",
  { rd: clock(), wr: clock({ reset: "async", activeLow: true }), d: input(bool, "", { clock: "wr" }), q: output(bool, "", { clock: "rd" }) },
  (io) => {
    const src = reg("src", bool, { clock: io.wr, reset: 0 });
    const s1 = reg("s1", bool, { clock: io.rd });
    const s2 = reg("s2", bool, { clock: io.rd, reset: 0 });
    sync(io.wr, () => src.set(io.d));
    sync(io.rd, () => {
      s1.set(crossing(src));
      s2.set(s1);
    });
    io.q.set(s2);
  },
  "two clocks",
);

const ram = extern(
  "vendor_ram",
  { address: input(uint(4)), data: output(uint(8)) },
  { doc: "A vendor's memory.", file: "tb/verilog/vendor_ram.sv", values: { WIDTH: 8, KIND: "block" }, clock: { clk: "CLK" } },
);

const inner = module(
  "kitchen_inner",
  { d: input(vec(2, uint(4))), bus: { valid: input(bool), ready: output(bool) }, q: output(uint(4)), spare: output(bool) },
  (io) => {
    const kept = reg("kept", vec(2, uint(4)), { reset: [1, 2] });
    sync(() => {
      when(io.bus.valid, () => kept.at(0).set(io.d.at(1)));
      kept.at(1).set(kept.at(0));
    });
    io.q.set(kept.at(1));
    io.bus.ready.set(kept.at(1).eq(0));
    io.spare.set(io.d.at(0).parity());
  },
  { doc: "Reset by an asynchronous active-low reset.", clock: { clk: "aclk", rst: "aresetn", reset: "async", activeLow: true } },
);

/** Instances of one module twice, outputs read, placed and unused, existing Verilog, statements and memories inside a loop. */
const top = module(
  "kitchen_top",
  {
    a: input(vec(2, uint(4))),
    go: input(bool),
    address: input(uint(4)),
    q: output(vec(2, uint(4))),
    ready: output(bool),
    ram: output(uint(8)),
    old: output(vec(2, uint(4))),
  },
  (io) => {
    const first = instance("first", inner, { d: io.a, bus: { valid: io.go }, q: io.q.at(0), spare: "unused" });
    const second = instance("second", inner, { d: [io.a.at(1), 3], bus: { valid: first.bus.ready }, spare: "unused" });
    io.q.at(1).set(second.q);
    io.ready.set(second.bus.ready);
    io.ram.set(delay("late", instance("store", ram, { address: io.address }).data, 2));
    repeat("lane", 2, (lane) => {
      const bank = memory("bank", { depth: 4, element: uint(4) });
      const tail = reg("tail", uint(2), { reset: 0 });
      sync(() => {
        when(io.go, () => bank.write(tail, io.a.at(lane)));
        tail.set(tail.addWrap(1));
      });
      io.old.at(lane).set(bank.read("oldest", tail, { latency: 1, collision: "undefined" }));
    });
    cover("both_ready", first.bus.ready.and(second.bus.ready));
  },
  { doc: "Instances, loops and existing Verilog.", clock: { clk: "aclk", rst: "aresetn", reset: "async", activeLow: true } },
);

/** Modules that together use every construct of the language. */
export const kitchenSink: readonly Circuit[] = [ops, fsm, arr, two, top].map(({ circuit }) => circuit);
