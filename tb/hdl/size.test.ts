import { expect, test } from "vitest";
import { lint } from "../../src/flow/lint.ts";
import { bool, clock, comb, crossing, input, module, named, output, reg, sync, type UInt, uint, wire } from "../../src/hdl/index.ts";
import { verilogFiles } from "../../src/verilog/index.ts";
import { systolicGrid } from "./grid.ts";

const links = 20_000;

test("a chain of 20,000 named wires passes every check and prints", () => {
  const chain = module(
    "chain",
    { a: input(uint(8)), y: output(uint(8)) },
    (io) => {
      let value: UInt = io.a;
      for (let link = 0; link < links; link += 1) value = named(`link${link}`, value.addWrap(1));
      io.y.set(value);
    },
    "A long chain.",
  );
  const [file] = verilogFiles(chain.circuit);
  expect(file?.text.match(/ {2}assign link/g)).toHaveLength(links);
});

test("a chain of 20,000 wires in one comb() block, closed by a register and read on another clock, passes every check", () => {
  const chain = module(
    "chain",
    { far: clock({ reset: "none" }), a: input(bool), y: output(uint(8), "", { clock: "far" }) },
    (io) => {
      const seen = reg("seen", uint(8), { clock: io.far });
      const kept = reg("kept", uint(8), { reset: 0 });
      const wires = Array.from({ length: links }, (_, link) => wire(`link${link}`, uint(8)));
      comb(() => {
        wires.forEach((target, link) => target.set((wires[link - 1] ?? kept).addWrap(1)));
      });
      sync(() => kept.set((wires.at(-1) ?? kept).xor(io.a)));
      sync(io.far, () => seen.set(crossing(wires.at(-1) ?? kept)));
      io.y.set(seen);
    },
    "A long chain.",
  );
  expect(verilogFiles(chain.circuit)).toHaveLength(1);
});

test("the text of a 64x64 grid is as long as a 4x4 one's, but for the numbers in it", () => {
  const lengthOf = (size: number): number[] => verilogFiles(systolicGrid(size, size).circuit).map((file) => file.text.split("\n").length);
  expect(lengthOf(64)).toEqual(lengthOf(4));
});

test("grids of any shape are silent in all tools", async () => {
  for (const [rows, columns] of [
    [1, 1],
    [1, 5],
    [4, 1],
    [3, 2],
  ] as const) {
    const { circuit } = systolicGrid(rows, columns);
    expect(await lint(verilogFiles(circuit), circuit.name)).toEqual([]);
  }
});
