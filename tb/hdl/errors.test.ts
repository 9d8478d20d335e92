import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { refusal } from "./refused.ts";
import { partCases } from "./refused-parts.ts";
import { structureCases } from "./refused-structure.ts";
import { valueCases } from "./refused-values.ts";

const cases = { ...valueCases, ...structureCases, ...partCases };

describe.each(Object.entries(cases))("%s", (_, group) => {
  test.each(Object.entries(group))("%s", (_name, run) => {
    expect(refusal(run)).toMatchSnapshot();
  });
});

/** The text of every refusal in a folder, `${...}` replaced by anything. */
const refusalsIn = (folder: string): RegExp[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) => [...readFileSync(join(folder, file), "utf8").matchAll(/new UserError\(\s*"([a-z-]+)",\s*(?:`((?:\\`|[^`])*)`|"((?:\\"|[^"])*)")/g)])
    .map(([, code, template, plain]) => {
      const pieces = (template ?? plain ?? "").replaceAll("\\`", "`").split(/\$\{(?:[^{}]|\{[^{}]*\})*\}/);
      return new RegExp(`^${code}: ${pieces.map((piece) => piece.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*")}$`, "s");
    });

test("every refusal of the language and the printer has a case here", () => {
  const seen = Object.values(cases).flatMap((group) => Object.values(group).map((run) => refusal(run).split("\n")[0] ?? ""));
  const refusals = [...refusalsIn("src/hdl"), ...refusalsIn("src/verilog")];
  expect(refusals.length).toBeGreaterThan(70);
  expect(refusals.filter((pattern) => !seen.some((line) => pattern.test(line))).map(String)).toEqual([]);
});
