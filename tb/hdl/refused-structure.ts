import {
  type Bool,
  bool,
  comb,
  constant,
  discard,
  extern,
  input,
  instance,
  type MemoryPorts,
  match,
  memory,
  module,
  output,
  reg,
  repeat,
  states,
  sync,
  type UInt,
  type UIntShape,
  uint,
  type VarOf,
  vec,
  when,
  wire,
} from "../../src/hdl/index.ts";
import { verilogFiles } from "../../src/verilog/index.ts";
import { build } from "./refused.ts";

const io8 = { a: input(uint(8)), y: output(uint(8)) };

/** What a JavaScript caller without types may pass. */
const wrong = (value: unknown): never => value as never;

const child = module("child", { d: input(uint(8)), q: output(uint(8)) }, (io) => io.q.set(io.d), "");

const leaked: { wire?: VarOf<UIntShape>; bank?: MemoryPorts<UIntShape> } = {};
/** Builds a module whose signals are used in another one. */
const leak = (): void => {
  build(io8, (io) => {
    const inside = wire("between", uint(8));
    const bank = memory("bank", { depth: 2, element: uint(8) });
    leaked.wire = inside;
    leaked.bank = bank;
    inside.set(io.a);
    sync(() => bank.write(0, io.a));
    io.y.set(inside.addWrap(bank.read("word", constant(uint(1), 0), { latency: 0 })));
  });
};

const memory2 = () => memory("bank", { depth: 2, element: uint(8) });

const signalOf = (value: UInt): unknown => (value.node as unknown as { signal: unknown }).signal;

/** Refusals of names, of things in the wrong place, and of signals driven or read wrongly. */
export const structureCases: Record<string, Record<string, () => unknown>> = {
  names: {
    "a name with a space": () => build(io8, () => wire("two words", bool)),
    "a keyword": () => build({ end: input(bool) }, () => undefined),
    "a keyword after the change to snake case": () => build({ alwaysComb: input(bool) }, () => undefined),
    "a number as a port": () => build({ 1: input(bool) }, () => undefined),
    "one name twice": () =>
      build(io8, () => {
        wire("push", bool);
        wire("push", bool);
      }),
    "one name twice after the change to snake case": () =>
      build(io8, () => {
        wire("inValid", bool);
        reg("in_valid", bool);
      }),
    "a name of an outer scope": () => build(io8, () => repeat("lane", 2, () => wire("y", bool))),
    "the clock's name": () => build({ clk: input(bool) }, () => undefined),
    "states of two enumerations": () =>
      verilogFiles(
        build({ go: input(bool), y: output(bool) }, (io) => {
          const left = reg("left", states("left", "idle", "run"), { reset: "idle" });
          const right = reg("right", states("right", "idle", "stop"), { reset: "idle" });
          sync(() => {
            when(io.go, () => left.set("run"));
            when(io.go, () => right.set("stop"));
          });
          io.y.set(left.is("idle").and(right.is("idle")));
        }).circuit,
      ),
    "two different modules": () => {
      const first = module("same", { a: input(bool), y: output(bool) }, (io) => io.y.set(io.a), "");
      const second = module("same", { a: input(bool), y: output(bool) }, (io) => io.y.set(io.a.not()), "");
      const top = build({ a: input(bool), y: output(bool) }, (io) => {
        io.y.set(instance("u_second", second, { a: instance("u_first", first, { a: io.a }).y }).y);
      });
      verilogFiles(top.circuit);
    },
    "existing Verilog without its file": () => {
      const missing = extern("missing", { a: input(bool), y: output(bool) }, { doc: "", file: "no/such/file.v" });
      verilogFiles(build({ a: input(bool), y: output(bool) }, (io) => io.y.set(instance("u", missing, { a: io.a }).y)).circuit);
    },
  },
  places: {
    "outside a module": () => wire("lost", bool),
    "a declaration in a block": () => build(io8, () => sync(() => reg("kept", bool))),
    "an instance in a block": () => build(io8, (io) => comb(() => instance("u", child, { d: io.a }))),
    "a repeat in a block": () => build(io8, () => sync(() => repeat("lane", 2, () => undefined))),
    "a repeat of no iterations": () => build(io8, () => repeat("lane", 0, () => undefined)),
    "a block in a block": () => build(io8, () => sync(() => comb(() => undefined))),
    "an empty block": () => build(io8, () => sync(() => undefined)),
    "when() outside a block": () => build(io8, (io) => when(io.a.any(), () => undefined)),
    "elsewhen() outside its block": () =>
      build(io8, (io) => {
        let chain: ReturnType<typeof when> | undefined;
        comb(() => {
          chain = when(io.a.any(), () => io.y.set(1));
        });
        chain?.otherwise(() => io.y.set(0));
      }),
    "a register set outside sync()": () => build(io8, (io) => reg("kept", uint(8)).set(io.a)),
    "a register set in comb()": () =>
      build(io8, (io) => {
        const kept = reg("kept", uint(8));
        comb(() => kept.set(io.a));
      }),
    "a wire set in sync()": () => build(io8, (io) => sync(() => io.y.set(io.a))),
    "a memory written in comb()": () => build(io8, (io) => comb(() => memory2().write(0, io.a))),
    "a memory written outside": () => build(io8, (io) => memory("bank", { depth: 2, element: uint(8) }).write(0, io.a)),
    "an asynchronous body": () =>
      build(
        io8,
        wrong(async () => Promise.resolve()),
      ),
    "nesting without end": () =>
      build(io8, (io) =>
        comb(() => {
          const nest = (depth: number): unknown => when(io.a.bit(0), () => (depth === 0 ? io.y.set(0) : nest(depth - 1)));
          nest(80);
        }),
      ),
    "alternatives without end": () =>
      build(io8, (io) =>
        comb(() => {
          let chain = when(io.a.eq(0), () => io.y.set(0));
          for (let i = 1; i < 1000; i += 1) chain = chain.elsewhen(io.a.eq(i % 256), () => io.y.set(i % 256));
        }),
      ),
    "a missing state": () =>
      build({ y: output(bool) }, (io) => {
        const state = reg("state", states("state", "idle", "run"), { reset: "idle" });
        sync(() => match(state, wrong({ idle: () => state.set("run") })));
        io.y.set(state.is("run"));
      }),
    "a signal of another module read": () => {
      leak();
      build({ y: output(uint(8)) }, (io) => io.y.set(leaked.wire ?? 0));
    },
    "a signal of another module driven": () => {
      leak();
      build(io8, (io) => {
        leaked.wire?.set(io.a);
        io.y.set(io.a);
      });
    },
    "a memory of another module": () => {
      leak();
      build({ a: input(uint(1)), y: output(uint(8)) }, (io) => io.y.set(wrong(leaked.bank?.read("word", io.a, { latency: 0 }))));
    },
    "a signal of one iteration read outside": () =>
      build({ y: output(bool) }, (io) => {
        const inner: Bool[] = [];
        repeat("lane", 2, () => {
          const flag = wire("flag", bool);
          flag.set(1);
          inner.push(flag);
        });
        io.y.set(inner[0] ?? 0);
      }),
  },
  drivers: {
    "two drivers": () =>
      build(io8, (io) => {
        io.y.set(io.a);
        io.y.set(0);
      }),
    "two drivers of one element": () =>
      build({ a: input(uint(4)), y: output(vec(2, uint(4))) }, (io) => {
        io.y.set([io.a, 0]);
        io.y.at(1).set(io.a);
      }),
    "every iteration drives the same": () => build({ a: input(uint(4)), y: output(uint(4)) }, (io) => repeat("lane", 2, () => io.y.set(io.a))),
    "an iteration drives what another statement drives in the next": () =>
      build({ a: input(uint(4)), y: output(vec(4, uint(4))) }, (io) =>
        repeat("lane", 3, (i) => {
          io.y.at(i).set(io.a);
          io.y.at(i.plus(1)).set(io.a);
        }),
      ),
    "an output that is never driven": () => build(io8, (io) => discard("a", io.a)),
    "an element that is never driven": () => build({ a: input(uint(4)), y: output(vec(2, uint(4))) }, (io) => io.y.at(0).set(io.a)),
    "a register that is never set": () => build(io8, (io) => io.y.set(reg("kept", uint(8)).xor(io.a))),
    "an input driven by force": () =>
      build(io8, (io) => {
        const forced = wire("other", uint(8));
        (forced as unknown as { place: { signal: unknown } }).place.signal = signalOf(io.a);
        instance("u", child, { d: 0, q: forced });
        io.y.set(io.a);
      }),
    "a block that reads nothing": () =>
      build(io8, (io) => {
        comb(() => io.y.set(3));
        discard("a", io.a);
      }),
    "a latch": () => build(io8, (io) => comb(() => when(io.a.any(), () => io.y.set(1)))),
    "a latch in one state": () =>
      build({ y: output(bool) }, (io) => {
        const state = reg("state", states("state", "idle", "run"), { reset: "idle" });
        sync(() => state.set("run"));
        comb(() => match(state, { idle: () => io.y.set(0), run: () => undefined }));
      }),
    "a wire read before comb() sets it": () =>
      build(io8, (io) => {
        const next = wire("next", uint(8));
        comb(() => {
          io.y.set(next);
          next.set(io.a);
        });
      }),
    "a wire read in a branch before all branches set it": () =>
      build(io8, (io) => {
        const next = wire("next", uint(8));
        comb(() => {
          when(io.a.any(), () => next.set(io.a)).otherwise(() => io.y.set(next.xor(io.a)));
          next.set(1);
          io.y.set(next);
        });
      }),
    "an input that is never read": () => build(io8, (io) => io.y.set(0)),
    "bits that are never read": () => build({ a: input(uint(8)), y: output(uint(4)) }, (io) => io.y.set(io.a.bits(5, 2))),
    "a combinational loop": () =>
      build(io8, (io) => {
        const left = wire("left", uint(8));
        const right = wire("right", uint(8));
        left.set(right.xor(io.a));
        right.set(left);
        io.y.set(right);
      }),
    "a combinational loop through an instance": () =>
      build(io8, (io) => {
        const back = wire("back", uint(8));
        instance("u", child, { d: back.xor(io.a), q: back });
        io.y.set(back);
      }),
  },
};
