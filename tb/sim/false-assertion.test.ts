import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runTool } from "../../src/base/tool.ts";
import { assert, input, instance, module, output, reg, repeat, sync, uint, vec } from "../../src/hdl/index.ts";
import { SimulationError, simulate } from "../../src/sim/index.ts";
import { verilogFiles } from "../../src/verilog/index.ts";

/** Its assertion is false in the cycle in which the value is 3. */
const guarded = module(
  "guarded",
  { value: input(uint(4)), kept: output(uint(4)) },
  (io) => {
    const kept = reg("keptValue", uint(4), { reset: 0 });
    sync(() => kept.set(io.value));
    io.kept.set(kept);
    assert("never_3", io.value.ne(3));
  },
  "Keeps a value.",
);

const planted = module(
  "planted",
  { values: input(vec(2, uint(4))), kept: output(vec(2, uint(4))) },
  (io) => repeat("lane", 2, (i) => instance("u_guarded", guarded, { value: io.values.at(i), kept: io.kept.at(i) })),
  "Two of them.",
);

/** Values of lane 1 in cycles 0 to 4, the last of them under reset. */
const stimulus = (fourth: number): readonly number[] => [1, 2, 15, fourth, 3];

describe.each(["verilator", "wasm", "reference"] as const)("on %s", (engine) => {
  const run = async (fourth: number): Promise<number> => {
    using sim = await simulate(planted, { engine });
    sim.reset();
    stimulus(fourth).forEach((value, index) => {
      sim.setReset(index === 4);
      sim.io.values.poke([0, value]);
      sim.step();
    });
    return sim.cycle;
  };

  test("a false assertion is an error with instance and cycle", async () => {
    const error = await run(3).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SimulationError);
    expect(error).toMatchObject({ failure: "assertion", cycle: 4, exitCode: 1, hierarchy: "planted.lane[1].u_guarded.never_3" });
  });

  test("nothing is said where it holds, nor under reset", async () => {
    expect(await run(4)).toBe(6);
  });
});

describe("on Icarus", () => {
  const benchText = (fourth: number): string => `module bench;
  reg clk = 0, rst = 1;
  reg [7:0] values = 0;
  planted dut (.clk(clk), .rst(rst), .values(values), .kept());
  task cycle(input [3:0] value, input reset);
    begin
      values = {value, 4'd0};
      rst = reset;
      #5 clk = 1;
      #5 clk = 0;
    end
  endtask
  initial begin
    cycle(0, 1);
${stimulus(fourth)
  .map((value, index) => `    cycle(${value}, ${Number(index === 4)});`)
  .join("\n")}
    $finish;
  end
endmodule
`;

  const run = async (fourth: number): Promise<string> => {
    const folder = await mkdtemp(join(tmpdir(), "systole-icarus-"));
    try {
      const files = verilogFiles(planted.circuit);
      for (const { name, text } of [...files, { name: "bench.sv", text: benchText(fourth) }]) await writeFile(join(folder, name), text);
      await runTool("iverilog", ["-g2012", "-o", "bench.vvp", "-s", "bench", ...files.map(({ name }) => name), "bench.sv"], { cwd: folder });
      return (await runTool("vvp", ["-n", "bench.vvp"], { cwd: folder })).stdout;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };

  test("a false assertion is an error with instance and time", async () => {
    const printed = await run(3);
    expect(printed.match(/ERROR/g)).toHaveLength(1);
    expect(printed).toMatch(/ERROR: guarded\.sv:\d+: *\n *Time: 45 +Scope: bench\.dut\.lane\[1\]\.u_guarded\.never_3/);
  });

  test("nothing is said where it holds, nor under reset", async () => {
    expect(await run(4)).not.toContain("ERROR");
  });
});
