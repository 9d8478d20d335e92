import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { runTool } from "../../src/base/tool.ts";
import { verilogFiles } from "../../src/verilog/index.ts";
import { type ReviewedBlock, reviewedBlocks } from "./blocks.ts";

/** Reads one side and makes it flat, its memories registers, so that the two sides' states pair up by name. */
const readSide = (file: string, top: string, name: string, parameters = ""): string =>
  `read_verilog -sv "${file}"; ${parameters} hierarchy -check -top ${top}; proc; flatten; memory -nomap; memory_map; opt_clean; rename -top ${name}; design -stash ${name}; design -reset;`;

/** Proves by induction over the paired states that the printed and the hand-written module are the same machine. */
const prove = async ({ circuit, reference, parameters }: ReviewedBlock, printed = verilogFiles(circuit)[0]?.text ?? ""): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "systole-equivalence-"));
  try {
    await writeFile(join(folder, "printed.sv"), printed);
    const chosen = `chparam ${Object.entries(parameters)
      .map(([name, value]) => `-set ${name} ${value}`)
      .join(" ")} ${reference};`;
    const script = [
      readSide("printed.sv", circuit.name, "printed"),
      readSide(resolve("tb/reference", `${reference}.sv`), reference, "written", chosen),
      "design -copy-from printed -as printed printed; design -copy-from written -as written written;",
      "equiv_make printed written pair; hierarchy -top pair; opt_clean; equiv_simple; equiv_induct; equiv_status -assert;",
    ];
    const { stdout, exitCode } = await runTool("yosys", ["-p", script.join(" ")], { cwd: folder, accept: [0, 1] });
    return exitCode === 0 ? "equivalent" : stdout.trim().split("\n").slice(-12).join("\n");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

test.each(reviewedBlocks)("$reference: the printed text is equivalent to what an engineer wrote", async (block) => {
  expect(await prove(block)).toBe("equivalent");
});

test("a printed text with another operator is not equivalent", async () => {
  const [block] = reviewedBlocks;
  if (block === undefined) throw new Error("no block");
  const printed = verilogFiles(block.circuit)[0]?.text ?? "";
  expect(printed).toContain("held + 5'd1");
  expect(await prove(block, printed.replace("held + 5'd1", "held + 5'd2"))).not.toBe("equivalent");
});
