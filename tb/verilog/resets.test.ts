import { describe, expect, test } from "vitest";
import { lint } from "../../src/flow/lint.ts";
import { bool, clock, constant, input, instance, module, output, reg, sync, vec } from "../../src/hdl/index.ts";
import { verilogFiles } from "../../src/verilog/index.ts";

type Reset = "sync" | "async" | "none";

/** A register of the module's own clock and one of a further clock. */
const child = (reset: Reset, activeLow: boolean) =>
  module(
    "child",
    { far: clock({ reset: "async", activeLow }), d: input(bool), q: output(bool), e: input(bool, "", { clock: "far" }), p: output(bool, "", { clock: "far" }) },
    (io) => {
      const own = reg("own", bool, { reset: 0 });
      const other = reg("other", bool, { clock: io.far, reset: 1 });
      sync(() => own.set(io.d));
      sync(io.far, () => other.set(io.e));
      io.q.set(own);
      io.p.set(other);
    },
    { doc: "Two registers.", clock: { clk: "clk", rst: activeLow ? "rst_n" : "rst", reset, activeLow } },
  );

interface Around {
  readonly parent: Reset;
  readonly parentLow: boolean;
  readonly child: Exclude<Reset, "none">;
  readonly childLow: boolean;
  /** How many bits of `soft_reset` reset the child. */
  readonly derived: 0 | 1 | 2;
}

/** A parent around it, with a derived reset of the first bits of its input. */
const parent = ({ parent: reset, parentLow, child: inner, childLow, derived }: Around) =>
  module(
    "parent",
    {
      far: clock({ reset: "async", activeLow: parentLow }),
      softReset: input(vec(2, bool)),
      d: input(bool),
      q: output(bool),
      e: input(bool, "", { clock: "far" }),
      p: output(bool, "", { clock: "far" }),
      seen: output(bool),
    },
    ({ softReset, seen, ...connections }) => {
      const bits = derived === 0 ? undefined : derived === 1 ? softReset.at(0) : softReset.at(0).and(softReset.at(1));
      instance("u_child", child(inner, childLow), connections, { reset: bits });
      seen.set(softReset.asUInt().parity());
    },
    { doc: "Resets.", clock: { clk: "aclk", rst: parentLow ? "aresetn" : "areset", reset, activeLow: parentLow } },
  );

/** What the child's two resets connect to. */
const pins = (around: Around): (string | undefined)[] => {
  const text = verilogFiles(parent(around).circuit).find(({ name }) => name === "parent.sv")!.text;
  return [/\.rst(?:_n)? +\((.*)\),$/m, /\.far_rst(?:_n)? *\((.*)\),$/m].map((pattern) => pattern.exec(text)?.[1]);
};

const low = { parentLow: true, childLow: true };
const high = { parentLow: false, childLow: false };
const adapted = { parentLow: true, childLow: false };
const back = { parentLow: false, childLow: true };
const sync2 = { parent: "sync", child: "sync" } as const;
const async2 = { parent: "async", child: "async" } as const;

const cases: readonly (readonly [string, string, Around])[] = [
  ["areset", "far_rst", { ...sync2, ...high, derived: 0 }],
  ["aresetn", "far_rst_n", { ...sync2, ...low, derived: 0 }],
  ["!aresetn", "!far_rst_n", { ...sync2, ...adapted, derived: 0 }],
  ["!areset", "!far_rst", { ...sync2, ...back, derived: 0 }],
  ["!aresetn", "!far_rst_n", { ...async2, ...adapted, derived: 0 }],
  ["!areset", "!far_rst", { ...async2, ...back, derived: 0 }],
  ["areset || soft_reset[0]", "far_rst", { ...sync2, ...high, derived: 1 }],
  ["!aresetn || soft_reset[0]", "!far_rst_n", { ...sync2, ...adapted, derived: 1 }],
  ["aresetn && !soft_reset[0]", "far_rst_n", { ...sync2, ...low, derived: 1 }],
  ["!(areset || soft_reset[0])", "!far_rst", { ...sync2, ...back, derived: 1 }],
  ["areset || (soft_reset[0] && soft_reset[1])", "far_rst", { ...sync2, ...high, derived: 2 }],
  ["!aresetn || (soft_reset[0] && soft_reset[1])", "!far_rst_n", { ...sync2, ...adapted, derived: 2 }],
  ["aresetn && !(soft_reset[0] && soft_reset[1])", "far_rst_n", { ...sync2, ...low, derived: 2 }],
  ["!(areset || (soft_reset[0] && soft_reset[1]))", "!far_rst", { ...sync2, ...back, derived: 2 }],
  ["soft_reset[0]", "far_rst", { parent: "none", child: "sync", ...high, derived: 1 }],
  ["!soft_reset[0]", "!far_rst", { parent: "none", child: "sync", ...back, derived: 1 }],
];

describe.each(cases)("a reset connected to %s, and %s", (own, far, around) => {
  test("prints as such", () => expect(pins(around)).toEqual([own, far]));

  test("is silent in Verilator, Icarus and Yosys", { timeout: 60_000 }, async () => {
    const { circuit } = parent(around);
    expect(await lint(verilogFiles(circuit), circuit.name)).toEqual([]);
  });
});

test("a derived reset that is never active is none, with a child of any kind", () => {
  const made = (reset: 0 | 1) =>
    module(
      "never",
      { far: clock({ reset: "async" }), d: input(bool), q: output(bool), e: input(bool, "", { clock: "far" }), p: output(bool, "", { clock: "far" }) },
      (io) => void instance("u_child", child("async", false), io, { reset: constant(bool, reset) }),
      { doc: "Resets.", clock: { clk: "clk", rst: "rst", reset: "async" } },
    );
  expect(verilogFiles(made(0).circuit).at(-1)!.text).toContain(".rst     (rst),");
  expect(() => made(1)).toThrow("asynchronous reset");
});
