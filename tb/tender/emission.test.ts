import { describe, expect, test } from "vitest";
import { parseParameters } from "../../src/base/parameters.ts";
import { designs, tenderArray } from "../../src/designs/index.ts";
import { lint } from "../../src/flow/lint.ts";
import { verilogFiles } from "../../src/verilog/index.ts";

const textsOf = (rows: number, cols: number): string[] => {
  const parameters = { rows, cols, kind: "int8", accWidth: 32, shiftBits: 2 } as const;
  return verilogFiles(tenderArray(parameters).circuit).map(({ text }) => text);
};

const linesOf = (texts: readonly string[]): number => texts.reduce((sum, text) => sum + text.split("\n").length, 0);

test("a 64x64 array has as many lines as a 4x4 one", () => {
  expect(linesOf(textsOf(64, 64))).toBe(linesOf(textsOf(4, 4)));
});

describe.each(designs.map((design) => ({ name: design.name, design })))("every tested configuration of $name", ({ design }) => {
  const configurations = [parseParameters(design.parameters, {}), ...design.verified];

  test.each(configurations.map((values) => ({ label: JSON.stringify(values), values })))(
    "$label is silent in Verilator, Icarus and Yosys",
    async ({ values }) => {
      const { circuit, name } = design.build(values);
      expect(await lint(verilogFiles(circuit), name)).toEqual([]);
    },
  );
});

test.each([
  { rows: 3, cols: 4 },
  { rows: 4, cols: 1 },
])("the composable kind refuses $rows x $cols", ({ rows, cols }) => {
  expect(() => tenderArray({ rows, cols, kind: "composable", accWidth: 32, shiftBits: 2 })).toThrow(/needs even rows and cols/);
});
