import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lint } from "../../src/flow/lint.ts";

const path = process.env["PATH"] ?? "";
let bin = "";

beforeEach(() => {
  bin = mkdtempSync(join(tmpdir(), "systole-fake-verilator-"));
  process.env["PATH"] = `${bin}${delimiter}${path}`;
});

afterEach(() => {
  process.env["PATH"] = path;
  rmSync(bin, { recursive: true, force: true });
});

/** What `lint` makes of a Verilator that prints these lines and ends with this code. */
const findings = async (printed: readonly string[], exitCode: number) => {
  const script = join(bin, "verilator");
  writeFileSync(script, `#!/bin/sh\ncat <<'EOF'\n${printed.join("\n")}\nEOF\nexit ${exitCode}\n`);
  chmodSync(script, 0o755);
  return lint([{ name: "top.sv", text: "module top;\nendmodule\n" }], "top", ["verilator"]);
};

/** The end of every successful run of Debian 13's Verilator. */
const STATISTICS = [
  "- V e r i l a t i o n   R e p o r t: Verilator 5.032 2025-01-01 rev (Debian 5.032-1+b2)",
  "- Verilator: Built from 0.043 MB sources in 3 modules, into 2.769 MB in 6 C++ files needing 0.000 MB",
  "- Verilator: Walltime 1.653 s (elab=0.121, cvt=1.441, bld=0.000); cpu 0.861 s on 1 threads; alloced 36.758 MB",
];

test("Verilator's closing statistics are no finding, everything else is", async () => {
  const warning = "%Warning-UNUSEDSIGNAL: top.sv:2:7: Signal is not used: 'a'\n    2 | wire a;\n      |      ^";
  expect(await findings([], 0)).toEqual([]);
  expect(await findings(STATISTICS, 0)).toEqual([]);
  expect(await findings([warning, ...STATISTICS], 0)).toEqual([{ tool: "verilator", text: warning }]);
  expect(await findings([warning], 1)).toEqual([{ tool: "verilator", text: warning }]);
  expect(await findings(STATISTICS, 3)).toEqual([{ tool: "verilator", text: "exit code 3" }]);
});
