import { expect, test } from "vitest";
import {
  bool,
  clock,
  crossing,
  discard,
  grid,
  type Index,
  type Inside,
  input,
  instance,
  type Module,
  module,
  mux,
  named,
  output,
  type PortShape,
  reg,
  repeat,
  sint,
  sync,
  type UInt,
  type UIntShape,
  uint,
  type VarOf,
  type VecShape,
  vec,
  when,
  wire,
} from "../../src/hdl/index.ts";
import { Garbage } from "../../src/sim/garbage.ts";
import { simulate } from "../../src/sim/index.ts";
import { flatten } from "../../src/sim/wasm/flatten.ts";
import { difference, run } from "./lockstep.ts";
import { stimulusFor } from "./stimulus.ts";

const cells = 18;

const ports = {
  en: input(bool),
  go: input(bool),
  a: input(uint(8)),
  b: input(uint(8)),
  s: input(sint(8)),
  wide: input(vec(cells, uint(64))),
  bytes: input(vec(cells, uint(8))),
  plane: input(vec(4, vec(cells, uint(8)))),
  other: clock(),
  seen: output(bool),
};

type Io = Inside<typeof ports>;

/** A row of cells; each drives its element of the output `out`, which is of the shape given. */
const row = <S extends PortShape & { readonly kind: "uint" | "sint" | "bool" }>(
  shape: S,
  cell: (io: Io, out: VarOf<S>, c: Index) => void,
  reset: "sync" | "async" = "sync",
): Module =>
  module(
    "row_of_cells",
    { ...ports, out: output(vec(cells, shape)) },
    (io) => {
      const inside = io as unknown as Io & { readonly out: { at(c: Index): VarOf<S> } };
      seeAll(inside);
      repeat("line", cells, (c) => cell(inside, inside.out.at(c), c));
    },
    { doc: "A row of cells.", clock: { clk: "clk", rst: "rst", reset } },
  );

/** Reads everything, and uses both clocks. */
const seeAll = (io: Io): void => {
  const beat = reg("beat", bool, { reset: 0 });
  const tick = reg("tick", bool, { reset: 0, clock: io.other });
  sync(() => beat.set(beat.not().xor(io.en).xor(io.go)));
  sync(io.other, () => tick.set(tick.not()));
  io.seen.set(
    named("everything", io.a.add(io.b).parity().xor(io.s.parity()).xor(io.wide.asUInt().parity()).xor(io.bytes.asUInt().parity()))
      .xor(io.plane.asUInt().parity())
      .xor(beat),
  );
};

const held = (name: string, value: UInt, options = {}): UInt & VarOf<ReturnType<typeof uint>> => {
  const made = reg(name, uint(value.width), options);
  sync(() => made.set(value));
  return made;
};

/** Number of grids in vectors; all engines and ways agree on the outputs and on all state. */
const vectorsOf = async (made: Module): Promise<number> => {
  const stimulus = stimulusFor(made.circuit, [], { seed: 11, cycles: 40, resetCycles: 1 });
  const reference = await run(made, stimulus, "reference", 3);
  expect(difference(reference, await run(made, stimulus, "wasm", 3), ["reference", "wasm"])).toBeUndefined();
  return flatten(made.circuit, new Garbage(3)).grids.length;
};

/** Adds up what it is given. */
const counter = (activeLow = false) =>
  module(
    "counter",
    { d: input(uint(8)), q: output(uint(8)) },
    (io) => {
      const sum = reg("sum", uint(8), { reset: 9 });
      sync(() => sum.set(sum.addWrap(io.d)));
      io.q.set(sum);
    },
    { doc: "Adds up.", clock: { clk: "clk", rst: "rst", activeLow } },
  );

const qualifying: Readonly<Record<string, () => Module>> = {
  "a value read with and without a sign": () =>
    row(uint(20), ({ bytes }, out, c) => {
      const q = held("q", bytes.at(c));
      out.set(held("sum", q.extend(16).addWrap(q.asSInt().extend(16).asUInt()).extend(20)));
    }),
  "a signed bit": () =>
    row(sint(1), ({ bytes }, out, c) => {
      const q = reg("q", sint(1), { reset: -1 });
      const sum = reg("sum", sint(9), { reset: 0 });
      sync(() => {
        q.set(bytes.at(c).bits(3, 3).asSInt());
        sum.set(sum.add(q).wrap(9));
      });
      out.set(q);
    }),
  "a choice that is the same in all cells": () =>
    row(uint(8), ({ en, go, a, b, bytes }, out, c) => {
      const [q, sum] = [reg("q", uint(8)), reg("sum", uint(8), { reset: 0 })];
      sync(() => {
        when(en, () => when(go.not(), () => q.set(a)).otherwise(() => q.set(b)));
        when(go, () => sum.set(sum.addWrap(bytes.at(c)))).otherwise(() => sum.set(q));
      });
      out.set(sum);
    }),
  "bits of an element": () => row(uint(3), ({ bytes }, out, c) => out.set(held("q", bytes.at(c).bits(6, 4)))),
  "a bit of an element that is signed": () => row(uint(8), ({ bytes, a }, out, c) => out.set(held("q", mux(bytes.at(c).asSInt().bit(7), bytes.at(c), a)))),
  "64 bits compared without a sign": () =>
    row(bool, ({ wide }, out, c) => {
      const q = held("q", wide.at(c));
      const below = reg("below", bool);
      sync(() => below.set(q.lt(wide.at(c)).xor(q.le(1n << 63n))));
      out.set(below);
    }),
  "an asynchronous reset, with registers around them that have it too": () =>
    row(
      sint(9),
      ({ s, bytes, en }, out, c) => {
        const [q, sum, plain] = [reg("q", sint(9), { reset: -200 }), reg("sum", uint(8), { reset: 77 }), reg("plain", uint(8))];
        sync(() => {
          when(en, () => q.set(s.add(sum.bits(3, 0).asSInt())));
          sum.set(sum.addWrap(bytes.at(c)));
          plain.set(sum);
        });
        discard("plain", plain);
        out.set(q);
      },
      "async",
    ),
  "a derived reset that all share": () =>
    row(uint(8), ({ bytes, en, go }, out, c) => void instance("u", counter(), { d: bytes.at(c), q: out }, { reset: en.and(go) })),
  "a derived reset of their own": () =>
    row(uint(8), ({ bytes, en }, out, c) => {
      const full = wire("full", bool);
      instance("u", counter(true), { d: bytes.at(c), q: out }, { reset: full.and(en) });
      full.set(out.ge(200).or(bytes.at(c).bits(2, 1).eq(3)));
    }),
  "a shift by 64 amounts": () => row(uint(64), ({ wide, a }, out, c) => out.set(held("q", wide.at(c).shr(a.addWrap(wide.at(c).wrap(8)).wrap(6))))),
};

for (const [what, make] of Object.entries(qualifying))
  test(`vectors hold cells with ${what}`, async () => {
    expect(await vectorsOf(make())).toBe(1);
  });

test("cells below an instance with a derived reset are reset with it", async () => {
  const inner = module(
    "inner_cells",
    { d: input(vec(cells, uint(8))), q: output(vec(cells, uint(8))) },
    (io) => repeat("line", cells, (c) => void instance("u", counter(), { d: io.d.at(c), q: io.q.at(c) })),
    "A row of cells.",
  );
  const made = around(vec(cells, uint(8)), (io) => void instance("u", inner, { d: io.bytes, q: io.out }, { reset: io.a.bits(1, 0).eq(0) }));
  expect(await vectorsOf(made)).toBe(1);
});

type Row = VarOf<VecShape<UIntShape>>;

const around = <S extends VecShape>(shape: S, body: (io: Io & { readonly out: VarOf<S> }) => unknown): Module =>
  module(
    "plane_of_cells",
    { ...ports, out: output(shape) },
    (io) => {
      seeAll(io);
      body(io);
    },
    { doc: "Cells." },
  );

test("cells of a plane read columns, rows, diagonals and rows in reverse", async () => {
  const made = around(vec(3, vec(8, uint(16))), (io) => {
    const { out } = io;
    grid("mesh", 3, 8, (r, c) => {
      const reads = [io.plane.at(r).at(2), io.plane.at(r).at(r.plus(4)), io.plane.at(3).at(c), io.plane.at(r.times(-1).plus(2)).at(c), io.bytes.at(r.times(2))];
      out
        .at(r)
        .at(c)
        .set(held("q", reads.reduce<UInt>((sum, value) => sum.shl(1).addWrap(value).wrap(15), held("zero", io.a.extend(15))).extend(16)));
    });
  });
  expect(await vectorsOf(made)).toBe(1);
});

test("grids read each other's vectors, in both directions", async () => {
  const made = around(vec(cells, uint(8)), (io) => {
    const back = wire("back", vec(cells + 1, uint(8)));
    repeat("first", cells, (c) => io.out.at(c).set(held("q", back.at(c.plus(1)).addWrap(io.bytes.at(c)))));
    repeat("second", cells, (c) => back.at(c).set(held("p", io.out.at(c).xor(io.bytes.at(c)), { reset: 3 })));
    back.at(cells).set(io.out.at(0).xor(back.at(0)));
  });
  expect(await vectorsOf(made)).toBe(2);
});

test("cells of a further clock", async () => {
  const made = around(vec(cells, uint(8)), (io) => {
    const theirs = wire("theirs", vec(cells, uint(8)));
    repeat("others", cells, (c) => {
      const p = reg("p", uint(8), { clock: io.other, reset: 9 });
      sync(io.other, () => p.set(p.addWrap(crossing(io.a)).shl(1).wrap(8)));
      theirs.at(c).set(p);
    });
    for (let i = 0; i < cells; i++) io.out.at(i).set(crossing(theirs.at(i)));
  });
  expect(await vectorsOf(made)).toBe(1);
});

const line = uint(8);
const q8 = (io: Io): UInt & VarOf<typeof line> => held("q", io.a.addWrap(io.b), { reset: 5 });

const refused: Readonly<Record<string, () => Module>> = {
  "an index that is computed": () => row(uint(8), ({ bytes, a }, out) => out.set(held("q", bytes.at(a.wrap(5))))),
  "a value of more than 64 bits": () => row(uint(8), ({ wide }, out, c) => out.set(held("q", wide.at(c).add(1).shr(60).extend(8)))),
  "a register of more than 64 bits": () =>
    row(uint(8), ({ wide, en }, out, c) => {
      const q = held("q", wide.at(c).extend(70));
      discard("q", q);
      out.set(held("low", mux(en, q.wrap(8), q.shr(62))));
    }),
  "an output that is logic": () => row(uint(8), (io, out) => out.set(q8(io).xor(io.b))),
  "an output with another sign than its register": () => row(sint(8), (io, out) => out.set(q8(io).asSInt())),
  "two clocks": () =>
    row(uint(8), (io, out) => {
      const slow = reg("slow", uint(8), { clock: io.other });
      sync(io.other, () => slow.set(slow.addWrap(1)));
      out.set(held("q", io.a.addWrap(crossing(slow))));
    }),
  "a vector of their own that each takes another part of": () =>
    row(uint(3), ({ en }, out, c) => {
      const all = reg("all", vec(cells, uint(3)), { reset: Array.from({ length: cells }, (_, i) => i % 8) });
      sync(() => void when(en, () => all.set(Array.from({ length: cells }, (_, i) => all.at((i + 1) % cells).addWrap(1)))));
      out.set(held("q", all.at(c)));
    }),
  "elements in another order": () => row(uint(8), ({ bytes }, out, c) => out.set(held("q", bytes.at(c.times(-1).plus(cells - 1))))),
};

for (const [what, make] of Object.entries(refused))
  test(`cells with ${what} run one by one`, async () => {
    expect(await vectorsOf(make())).toBe(0);
  });

const refusedAround: Readonly<Record<string, (io: Io & { readonly out: Row }) => void>> = {
  "a register around them that they set": (io) => {
    const all = reg("all", vec(cells, uint(8)), { reset: Array.from({ length: cells }, () => 0) });
    repeat("line", cells, (c) => {
      const q = held("q", all.at(c).addWrap(io.bytes.at(c)));
      sync(() => all.at(c).set(q));
    });
    io.out.set(all);
  },
  "two results in one vector": (io) => {
    const both = wire("both", vec(2 * cells, uint(8)));
    repeat("line", cells, (c) => {
      both.at(c).set(held("q", io.bytes.at(c).addWrap(io.a)));
      both.at(c.plus(cells)).set(held("p", io.bytes.at(c).addWrap(io.b)));
    });
    joined(io.out, both);
  },
  "a vector that belongs to another clock's cells too": (io) => {
    repeat("line", cells, (c) => io.out.at(c).set(held("q", io.bytes.at(c).addWrap(io.a))));
    const theirs = wire("theirs", vec(cells, uint(8)));
    repeat("others", cells, (c) => {
      const q = reg("p", uint(8), { clock: io.other });
      sync(io.other, () => q.set(crossing(io.bytes.at(c))));
      theirs.at(c).set(q);
    });
    discard("theirs", theirs);
  },
};

const joined = (out: Row, both: Row): void => out.set(Array.from({ length: cells }, (_, i) => both.at(i).addWrap(both.at(i + cells))));

for (const [what, body] of Object.entries(refusedAround))
  test(`cells with ${what} run one by one`, async () => {
    const grids = await vectorsOf(around(vec(cells, uint(8)), body));
    expect(grids).toBe(what.includes("another clock") ? 1 : 0);
  });

test("cells with results in every other row, and two grids with results in one vector, run one by one", async () => {
  const apart = around(vec(5, vec(8, uint(8))), (io) => {
    const { out } = io;
    grid("mesh", 3, 8, (r, c) =>
      out
        .at(r.times(2))
        .at(c)
        .set(held("q", io.plane.at(r).at(c).addWrap(io.a))),
    );
    for (const r of [1, 3]) out.at(r).set(Array.from({ length: 8 }, (_, c) => io.plane.at(r).at(c)));
  });
  expect(await vectorsOf(apart)).toBe(0);
  const shared = around(vec(2 * cells, uint(8)), (io) => {
    const { out } = io;
    repeat("low", cells, (c) => out.at(c).set(held("q", io.bytes.at(c).addWrap(io.a))));
    repeat("high", cells, (c) => out.at(c.plus(cells)).set(held("p", io.bytes.at(c).addWrap(io.b))));
  });
  expect(await vectorsOf(shared)).toBe(1);
});

test("registers of a cell are read and changed by path, vectors too", async () => {
  const made = row(uint(8), ({ bytes, a }, out, c) => {
    const pair = reg("pair", vec(2, uint(8)), { reset: [1, 2] });
    sync(() => pair.set([bytes.at(c), a]));
    out.set(held("q", pair.at(0).addWrap(pair.at(1))));
  });
  const sim = await simulate(made, { engine: "wasm", seed: 1 });
  sim.reset(2);
  expect(sim.peekPath("line[7].pair")).toBe(0x0201);
  sim.pokePath("line[7].pair", 0x0503);
  sim.step();
  const out = (sim.io as unknown as { out: { peek(): readonly number[] } }).out.peek();
  expect([out[6], out[7]]).toEqual([3, 8]);
  expect(flatten(made.circuit, new Garbage(1)).grids.length).toBe(1);
  sim.close();
});
