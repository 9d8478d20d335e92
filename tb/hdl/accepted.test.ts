import { expect, test } from "vitest";
import { bool, type Circuit, input, module, mux, named, output, reg, repeat, sint, states, sync, uint, vec, wire } from "../../src/hdl/index.ts";
import { verilogFiles } from "../../src/verilog/index.ts";

const textOf = ({ circuit }: { readonly circuit: Circuit }): string => verilogFiles(circuit).at(-1)?.text ?? "";

// What random circuits found refused, or built wrongly.
test("a state's number can be read as signed", () => {
  const signed = module(
    "signed_state",
    { y: output(sint(8)) },
    (io) => {
      const state = reg("state", states("state", "idle", "run", "done"), { reset: "idle" });
      sync(() => state.set("done"));
      io.y.set(state.asUInt().asSInt());
    },
    "Shows its state.",
  );
  expect(textOf(signed)).toContain("assign y = 8'($signed(state));");
});

test("a chain through the iterations of a loop may pass a wire of each", () => {
  const chain = module(
    "chain",
    { a: input(uint(4)), y: output(uint(4)) },
    (io) => {
      const sums = wire("sums", vec(4, uint(4)));
      sums.at(0).set(io.a);
      repeat("stage", 3, (i) => {
        const next = named("next", sums.at(i).addWrap(i.constant + 3));
        sums.at(i.plus(1)).set(next);
      });
      io.y.set(sums.at(3).xor(sums.asUInt().bits(11, 8)));
    },
    "Adds three times.",
  );
  expect(textOf(chain)).toContain("assign next = sums[4*i +: 4] + 4'd3;");
});

test("a bit that is not a Bool by its type is none when it runs", () => {
  const mixed = module(
    "mixed",
    { c: input(bool), u: input(uint(1)), v: input(uint(4)), y: output(uint(4)), z: output(uint(4)) },
    (io) => {
      io.y.set(named("clamped", io.c.sat(1).or(io.v)));
      io.z.set(named("chosen", mux(io.c, io.c, io.u).xor(io.v)));
    },
    "Bits of both kinds.",
  );
  expect(textOf(mixed)).toContain("assign clamped = 4'(c) | v;");
});
