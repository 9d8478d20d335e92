import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runTool } from "../../src/base/tool.ts";
import type { Circuit } from "../../src/hdl/index.ts";
import type { VerilogFile } from "../../src/verilog/index.ts";

/** Bench that applies one line of packed inputs after another and prints the packed outputs. */
const benchText = (circuit: Circuit, vectors: number): string => {
  const inputs = circuit.ports.filter((port) => port.direction === "input");
  const outputs = circuit.ports.filter((port) => port.direction === "output");
  const width = (ports: Circuit["ports"]): number => ports.reduce((sum, port) => sum + port.shape.width, 0);
  const wires = circuit.ports.map((port) => `  wire [${port.shape.width - 1}:0] ${port.name};`);
  return `module bench;
  reg [${width(inputs) - 1}:0] stimulus [0:${vectors - 1}];
  reg [${width(inputs) - 1}:0] now;
${wires.join("\n")}
  assign {${inputs.map((port) => port.name).join(", ")}} = now;
  ${circuit.name} dut (${circuit.ports.map((port) => `.${port.name}(${port.name})`).join(", ")});
  integer line;
  initial begin
    $readmemh("stimulus.hex", stimulus);
    for (line = 0; line < ${vectors}; line = line + 1) begin
      now = stimulus[line];
      #1 $display("%b", {${outputs.map((port) => port.name).join(", ")}});
    end
  end
endmodule
`;
};

export type Vector = Readonly<Record<string, bigint>>;

const pack = (circuit: Circuit, vector: Vector): bigint =>
  circuit.ports
    .filter((port) => port.direction === "input")
    .reduce((sum, port) => (sum << BigInt(port.shape.width)) | BigInt.asUintN(port.shape.width, vector[port.name] ?? 0n), 0n);

const unpack = (circuit: Circuit, line: string): Record<string, bigint> => {
  // An unknown bit reads as 0 or 1 by its position, which the expected value equals by luck only.
  let rest = BigInt(`0b${line.replaceAll(/[xXzZ]/g, (_, position: number) => String(position % 2))}`);
  const found: Record<string, bigint> = {};
  for (const port of circuit.ports.filter(({ direction }) => direction === "output").toReversed()) {
    const { width, kind } = port.shape;
    const bits = BigInt.asUintN(width, rest);
    found[port.name] = kind === "sint" ? BigInt.asIntN(width, bits) : bits;
    rest >>= BigInt(width);
  }
  return found;
};

/**
 * Outputs of a combinational module for each input vector, by Icarus.
 * @param through `yosys` has Yosys read the text first and simulates the netlist that it made of it
 */
export const simulateVectors = async (
  circuit: Circuit,
  files: readonly VerilogFile[],
  vectors: readonly Vector[],
  through?: "yosys",
): Promise<Record<string, bigint>[]> => {
  const folder = await mkdtemp(join(tmpdir(), "systole-icarus-"));
  try {
    for (const { name, text } of files) await writeFile(join(folder, name), text);
    await writeFile(join(folder, "bench.sv"), benchText(circuit, vectors.length));
    await writeFile(join(folder, "stimulus.hex"), vectors.map((vector) => pack(circuit, vector).toString(16)).join("\n"));
    let names = files.map((file) => file.name);
    if (through === "yosys") {
      await runTool("yosys", ["-q", "-p", `read_verilog -sv ${names.join(" ")}; hierarchy -top ${circuit.name}; proc; write_verilog -noattr netlist.v`], {
        cwd: folder,
      });
      names = ["netlist.v"];
    }
    await runTool("iverilog", ["-g2012", "-o", "bench.vvp", "-s", "bench", ...names, "bench.sv"], { cwd: folder });
    const { stdout } = await runTool("vvp", ["-n", "bench.vvp"], { cwd: folder });
    return stdout
      .trim()
      .split("\n")
      .map((line) => unpack(circuit, line.trim()));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
