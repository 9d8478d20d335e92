import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { signalComparisons } from "../../scripts/check-signals.ts";
import { slowestLines } from "../../scripts/slowest-files.ts";

const ROOT = resolve(import.meta.dirname, "../..");
let project = "";

const plant = (path: string, text: string): void => {
  mkdirSync(dirname(join(project, path)), { recursive: true });
  writeFileSync(join(project, path), text);
};

interface Finding {
  readonly code: string;
  readonly message: string;
  readonly filename: string;
  readonly labels: readonly { readonly span: { readonly line: number } }[];
}

/** What oxlint reports for planted files: `file:line: rule: message`, sorted. */
const lint = (...paths: readonly string[]): readonly string[] => {
  const run = spawnSync(process.execPath, [join(ROOT, "node_modules/oxlint/bin/oxlint"), "-f", "json", ...paths], { cwd: project, encoding: "utf8" });
  const { diagnostics } = JSON.parse(run.stdout) as { diagnostics: readonly Finding[] };
  return diagnostics.map(({ code, message, filename, labels }) => `${filename}:${labels[0]?.span.line}: ${code}: ${message}`).toSorted();
};

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "systole-lint-"));
  for (const file of [".oxlintrc.json", "tsconfig.json", "package.json", "scripts/lint"]) cpSync(join(ROOT, file), join(project, file), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(project, "node_modules"));
  plant(
    "src/hdl/value.ts",
    `export class Bool {\n  readonly width = 1;\n  eq(other: Bool): Bool {\n    return other.width === this.width ? this : other;\n  }\n}\nexport const signal = (): Bool => new Bool();\n`,
  );
});

afterAll(() => {
  rmSync(project, { recursive: true, force: true });
});

test("an import against the layers is refused, in any form of import", () => {
  plant(
    "src/golden/planted.ts",
    `import { signal } from "../hdl/value.ts";\nexport { Bool } from "../hdl/value.ts";\nexport * from "../hdl/value.ts";\nexport const a = signal();\nexport const b = await import("../hdl/value.ts");\n`,
  );
  plant("src/hdl/upwards.ts", `import { bench } from "../../tb/bench.ts";\nimport { later } from "../cli/later.ts";\nexport const c = bench + later;\n`);
  plant("src/cli/later.ts", `import { signal } from "../hdl/value.ts";\nexport const later = signal().width;\n`);
  plant("tb/bench.ts", "export const bench = 1;\n");
  const found = lint("src", "tb");
  expect(found.filter((line) => line.includes("src/golden/planted.ts:") && line.includes("systole(layers)"))).toHaveLength(4);
  expect(found.filter((line) => line.startsWith("src/hdl/upwards.ts:"))).toEqual([
    "src/hdl/upwards.ts:1: systole(layers): src never imports tb",
    "src/hdl/upwards.ts:2: systole(layers): `hdl` is above `cli` and must not import it",
  ]);
  expect(found.filter((line) => line.startsWith("src/cli/later.ts:"))).toEqual([]);
});

test("a layer imports exactly the layers before it, and hardware and golden models stay apart", () => {
  const layers = ["base", "hdl", "verilog", "sim", "lib", "agents", "designs", "golden", "model", "driver", "flow", "experiments", "report", "cli"];
  const hardware = layers.slice(1, 7);
  const golden = ["golden", "model"];
  const allowed = (from: string, to: string): boolean => layers.indexOf(to) <= layers.indexOf(from) && !(golden.includes(from) && hardware.includes(to));
  for (const layer of layers) {
    plant(`src/${layer}/end.ts`, "export const end = 1;\n");
    // The line of an import is the place of its target in the list.
    plant(`src/${layer}/all.ts`, layers.map((to) => `export { end as ${to} } from "../${to}/end.ts";\n`).join(""));
  }
  const refused = lint("src").flatMap((line) => /^src\/(\w+)\/all\.ts:(\d+): systole\(layers\)/.exec(line)?.slice(1).join(":") ?? []);
  const expected = layers.flatMap((from) => layers.flatMap((to, index) => (allowed(from, to) ? [] : `${from}:${index + 1}`)));
  expect(refused.toSorted()).toEqual(expected.toSorted());
});

test("a signal as a condition is refused", () => {
  plant(
    "src/lib/conditions.ts",
    `import { signal } from "../hdl/value.ts";\nexport const f = (): number => {\n  const a = signal();\n  if (a) return 1;\n  return (signal() && 2) + (signal() ? 3 : 4);\n};\n`,
  );
  const conditions = lint("src/lib").filter((line) => line.includes("strict-boolean-expressions"));
  expect(conditions).toHaveLength(3);
});

test("identity of signals is found where hardware is described, and nowhere else", () => {
  plant(
    "src/lib/identity.ts",
    `import { type Bool, signal } from "../hdl/value.ts";\nexport const same = (a: Bool, b: Bool | undefined): boolean => a === b;\nexport const widths = signal().width === 1;\nexport const other = signal() !== signal();\nexport const given = (a: Bool | undefined): boolean => a !== undefined;\n`,
  );
  plant("src/hdl/pass.ts", `import type { Bool } from "./value.ts";\nexport const isSame = (a: Bool, b: Bool): boolean => a === b;\n`);
  const found = signalComparisons(project).map(({ file, line, column }) => `${file}:${line}:${column}`);
  expect(found).toEqual(["src/lib/identity.ts:2:64", "src/lib/identity.ts:4:22"]);
});

test("a promise that nobody waits for is refused", () => {
  plant("src/lib/floating.ts", `const later = async (): Promise<number> => Promise.resolve(1);\nexport const f = (): void => {\n  later();\n};\n`);
  expect(lint("src/lib/floating.ts").some((line) => line.includes("no-floating-promises"))).toBe(true);
});

test("the path of a file's URL, which a space or a letter beyond ASCII breaks, is refused", () => {
  plant(
    "tb/encoded.ts",
    `export const path = new URL("a.json", import.meta.url).pathname;\nexport const search = new URL("a.json", import.meta.url).search;\n`,
  );
  expect(lint("tb/encoded.ts")).toEqual(["tb/encoded.ts:1: eslint(no-restricted-properties): 'pathname' is restricted from being used."]);
});

test("long files and long functions are refused, a test's callback is not", () => {
  const lines = (count: number): string => "  count += 1;\n".repeat(count);
  plant("src/lib/long-function.ts", `export let count = 0;\nexport const f = (): void => {\n${lines(59)}};\n`);
  plant("src/lib/short-function.ts", `export let count = 0;\nexport const f = (): void => {\n${lines(58)}};\n`);
  plant(
    "src/lib/long-file.ts",
    `${"export type A = 1;\n".replace("A", "B")}${Array.from({ length: 400 }, (_, i) => `export const v${i} = ${i};`).join("\n")}\n`,
  );
  plant("tb/long.test.ts", `import { expect, test } from "vitest";\nlet count = 0;\ntest("counts", () => {\n${lines(80)}  expect(count).toBe(80);\n});\n`);
  const found = lint("src/lib/long-function.ts", "src/lib/short-function.ts", "src/lib/long-file.ts", "tb/long.test.ts");
  expect(found.map((line) => line.split(": ").slice(0, 2).join(": "))).toEqual([
    "src/lib/long-file.ts:401: eslint(max-lines)",
    "src/lib/long-function.ts:2: systole(function-length)",
  ]);
});

test("the slowest files come first and no more than asked for", () => {
  const times = [3, 1, 2].map((seconds) => ({ file: `f${seconds}`, milliseconds: seconds * 1000 }));
  expect(slowestLines(times, 2)).toEqual(["     3.0 s  f3", "     2.0 s  f2"]);
});
