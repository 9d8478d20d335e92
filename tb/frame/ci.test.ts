import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { differences } from "../../scripts/rtl.ts";

const ROOT = resolve(import.meta.dirname, "../..");

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "systole-ci-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Runs .ci/run in an empty clone whose `npm` is a script. */
const ci = (npm: string) => {
  mkdirSync(join(folder, "bin"), { recursive: true });
  cpSync(join(ROOT, ".ci"), join(folder, ".ci"), { recursive: true });
  writeFileSync(join(folder, "bin/npm"), `#!/bin/sh\n${npm}\n`, { mode: 0o755 });
  const { status, stdout } = spawnSync("bash", [join(folder, ".ci/run")], {
    encoding: "utf8",
    env: { ...process.env, PATH: `${join(folder, "bin")}:${process.env["PATH"] ?? ""}` },
  });
  return { status, last: stdout.trimEnd().split("\n").at(-1) };
};

const report = (passed: number, failed: number): string =>
  `mkdir -p sim_build; echo '{"numPassedTests": ${passed}, "numFailedTests": ${failed}}' > sim_build/vitest.json`;

test("CI closes with the sum of tests and steps, and fails where any of them did", () => {
  expect(ci(`if [ "$1" = test ]; then ${report(100, 0)}; fi`)).toEqual({ status: 0, last: "106 passed, 0 failed" });
  expect(ci(`if [ "$1" = test ]; then ${report(98, 2)}; exit 1; fi`)).toEqual({ status: 1, last: "103 passed, 3 failed" });
  expect(ci(`if [ "$1" = test ]; then ${report(100, 0)}; fi; case "$*" in *check*) exit 1 ;; esac`)).toEqual({ status: 1, last: "103 passed, 3 failed" });
});

test("CI fails where no test ran, and does not count an earlier run's report", () => {
  mkdirSync(join(folder, "sim_build"));
  writeFileSync(join(folder, "sim_build/vitest.json"), '{"numPassedTests": 7, "numFailedTests": 0}');
  expect(ci("exit 0")).toEqual({ status: 1, last: "5 passed, 1 failed" });
});

test("a file that is changed, missing or left over in rtl/ is found", () => {
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  put("generated/cell/a.sv", "a");
  put("generated/cell/b.sv", "b");
  put("generated/array/c.sv", "c");
  cpSync(join(folder, "generated"), join(folder, "rtl"), { recursive: true });
  const found = (): readonly string[] => differences(join(folder, "generated"), join(folder, "rtl"));
  expect(found()).toEqual([]);
  put("rtl/cell/a.sv", "A");
  put("rtl/old/d.sv", "d");
  rmSync(join(folder, "rtl/array"), { recursive: true });
  expect(found()).toEqual(["array/c.sv", "cell/a.sv", "old/d.sv"]);
  expect(differences(join(folder, "generated"), join(folder, "absent"))).toHaveLength(3);
});
