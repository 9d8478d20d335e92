import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../base/error.ts";
import { runTool } from "../base/tool.ts";
import type { VerilogFile } from "../verilog/index.ts";

export interface LintFinding {
  readonly tool: "verilator" | "iverilog" | "yosys";
  /** What the tool printed; a silent pass prints nothing. */
  readonly text: string;
}

/** The statistics that Verilator 5.032 ends every successful run with; 5.006 prints none and doesn't know the option that silences them. */
const VERILATOR_STATISTICS = /^- (V e r i l a t i o n {3}R e p o r t|Verilator): .*$/gm;

/** Icarus 11 says so of every `always_comb` that reads a part of a vector, and does the right thing: it runs the block more often than it must. */
const ICARUS_SENSITIVITY = /^.*sorry: constant selects in always_\* processes are not currently supported \(all bits will be included\)\.$/gm;

const yosysScript = (names: readonly string[], top: string, formal: boolean): string =>
  `read_verilog -sv ${formal ? "-formal " : ""}${names.map((name) => `"${name}"`).join(" ")}; hierarchy -check -top ${top}; proc; check -assert`;

/**
 * Reads a design with Verilator (`-Wall`), Icarus (`-g2012 -Wall`) and Yosys (plain and `-formal`), and returns everything that any of them said.
 * @param tools which of them; `npm start` needs only Verilator
 * @throws UserError where a tool is missing
 */
export const lint = async (
  files: readonly VerilogFile[],
  top: string,
  tools: readonly LintFinding["tool"][] = ["verilator", "iverilog", "yosys"],
): Promise<LintFinding[]> => {
  const folder = await mkdtemp(join(tmpdir(), "systole-lint-"));
  try {
    for (const { name, text } of files) await writeFile(join(folder, name), text);
    const names = files.map((file) => file.name);
    const findings: LintFinding[] = [];
    const run = async (tool: LintFinding["tool"], args: readonly string[]): Promise<void> => {
      const { stdout, stderr, exitCode } = await runTool(tool, args, { cwd: folder, accept: Array.from({ length: 256 }, (_, code) => code) });
      const text = `${stdout}\n${stderr}`.replace(VERILATOR_STATISTICS, "").replace(ICARUS_SENSITIVITY, "").trim();
      if (text !== "" || exitCode !== 0) findings.push({ tool, text: text === "" ? `exit code ${exitCode}` : text });
    };
    if (tools.includes("verilator")) await run("verilator", ["--lint-only", "-Wall", "--top-module", top, ...names]);
    // Not /dev/null: Icarus makes its output executable, which as root would change the device for everyone.
    if (tools.includes("iverilog")) await run("iverilog", ["-g2012", "-Wall", "-o", `${top}.vvp`, "-s", top, ...names]);
    if (tools.includes("yosys")) for (const formal of [false, true]) await run("yosys", ["-q", "-p", yosysScript(names, top, formal)]);
    return findings;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** @throws UserError with the first finding */
export const requireLintClean = async (files: readonly VerilogFile[], top: string, tools?: readonly LintFinding["tool"][]): Promise<void> => {
  const [first] = await lint(files, top, tools);
  if (first !== undefined) throw new UserError("lint", `${first.tool} is not silent on \`${top}\``, { hint: first.text, exitCode: 1 });
};
