import { describe, expect, test } from "vitest";
import { input, output } from "../../src/hdl/ports.ts";
import { bool, uint } from "../../src/hdl/shape.ts";
import { simulate, verilog } from "../../src/sim/index.ts";

const files = ["tb/reference/counter.sv"];
const good = { en: input(bool), count: output(uint(8)), wrap: output(bool) };

describe("ports that differ from their declaration", () => {
  const { wrap: _, ...withoutWrap } = good;
  test.each([
    ["a name", { ...good, enable: input(bool) }, "input `enable`, bool, is declared, but it is no port of module `counter`"],
    ["a direction", { ...good, wrap: input(bool) }, "input `wrap`, bool, is declared, but it is an output of module `counter`"],
    ["a width", { ...good, count: output(uint(9)) }, "output `count`, uint(9), is declared, but it is an output `count` of 8 bits of module `counter`"],
    ["a port left out", withoutWrap, "output `wrap` of 1 bit is not declared, but it is a port of module `counter`"],
  ])("are refused: %s", async (_name, ports, message) => {
    await expect(simulate(verilog({ top: "counter", files, ports }))).rejects.toThrow(message);
  });

  test("are refused: the clock's name", async () => {
    await expect(simulate(verilog({ top: "counter", files, ports: good, clock: { clk: "clock" } }))).rejects.toThrow(
      "the design has no 1-bit input `clock` for its clock",
    );
  });

  test("are refused: a reset that is not there", async () => {
    await expect(simulate(verilog({ top: "counter", files, ports: good, clock: { clk: "clk", rst: "rst_n", activeLow: true } }))).rejects.toThrow(
      "`rst_n` is declared as a reset",
    );
  });

  test("are refused: inout and unpacked", async () => {
    const text = "module odd(input logic clk, input logic [3:0] a [0:1], output logic q); assign q = ^a[0] ^ ^a[1] ^ clk; endmodule";
    const odd = verilog({ top: "odd", files: [{ name: "odd.sv", text }], ports: { a: input(uint(8)), q: output(bool) }, clock: { clk: "clk" } });
    await expect(simulate(odd)).rejects.toThrow("port `a` is an unpacked array");
  });
});

test("Verilog that Verilator refuses is reported at its line", async () => {
  const text = "module broken(input logic clk, output logic q);\n  assign q = missing_name;\n  assign q = 1 +;\nendmodule\n";
  const broken = verilog({ top: "broken", files: [{ name: "broken.sv", text }], ports: { q: output(bool) }, clock: { clk: "clk" } });
  await expect(simulate(broken)).rejects.toMatchObject({ code: "verilog-error", where: { file: "broken.sv", line: 3 } });
});

test("a file that can't be read is named", () => {
  expect(() => verilog({ top: "x", files: ["tb/reference/none.sv"], ports: {} })).toThrow("`tb/reference/none.sv` can't be read");
  expect(() => verilog({ top: "x", files: [{ name: "../x.sv", text: "" }], ports: {} })).toThrow("must be a file name without a folder");
});

test("a design without clock settles at once, and names of any kind are found", async () => {
  const text =
    "module both(input logic [3:0] \\odd.name , input logic [3:0] B__x, input logic [3:0] new_, output logic [3:0] dataOut); assign dataOut = \\odd.name & B__x | new_; endmodule";
  const ports = { "odd.name": input(uint(4)), B__x: input(uint(4)), new_: input(uint(4)), dataOut: output(uint(4)) };
  const sim = await simulate(verilog({ top: "both", files: [{ name: "both.sv", text }], ports, clock: "none" }));
  sim.io["odd.name"].poke(12);
  sim.io.B__x.poke(6);
  expect(sim.io.dataOut.peek()).toBe(4);
  sim.io.new_.poke(1);
  expect(sim.io.dataOut.peek()).toBe(5);
  expect(() => sim.step()).toThrow("`both` has no clock");
  expect(() =>
    sim.run(function* () {
      yield;
    }),
  ).toThrow("`both` has no clock");
  sim.close();
});

test("files that the design reads when it starts are found beside its sources", async () => {
  const text = `module rom(input logic clk, input logic [1:0] address, output logic [15:0] word);
  logic [15:0] words [0:3];
  initial $readmemh("start.hex", words);
  assign word = words[address];
endmodule
`;
  const files = [
    { name: "rom.sv", text },
    { name: "start.hex", text: "cafe 0001 ffff beef\n" },
  ];
  const sim = await simulate(verilog({ top: "rom", files, ports: { address: input(uint(2)), word: output(uint(16)) }, clock: { clk: "clk" } }));
  const words = [0, 1, 2, 3].map((address) => {
    sim.io.address.poke(address);
    return sim.io.word.peek();
  });
  expect(words).toEqual([0xcafe, 1, 0xffff, 0xbeef]);
  sim.close();
});
