import { expect, test } from "vitest";
import { lint } from "../../src/flow/lint.ts";
import { binary32Adder } from "../../src/lib/float/add.ts";
import { binary32Divider } from "../../src/lib/float/divide.ts";
import { integerToBinary32Converter } from "../../src/lib/float/from-integer.ts";
import { binary32Multiplier } from "../../src/lib/float/multiply.ts";
import { binary32ToBfloat16Converter } from "../../src/lib/float/to-bfloat16.ts";
import { binary32ToIntegerConverter } from "../../src/lib/float/to-integer.ts";
import { verilogFiles } from "../../src/verilog/index.ts";

const units = [
  binary32Adder(),
  binary32Adder({ operation: "subtract" }),
  binary32Multiplier(),
  ...[1, 3, 13].map((bitsPerStage) => binary32Divider({ bitsPerStage })),
  ...[8, 24, 32, 48, 64].map((width) => integerToBinary32Converter({ width })),
  binary32ToBfloat16Converter(),
  binary32ToIntegerConverter({ width: 8, signed: true }),
  binary32ToIntegerConverter({ width: 4, signed: false }),
  binary32ToIntegerConverter({ width: 32, signed: true, beyond: "indefinite" }),
];

test.each(units)("$name is silent in Verilator, Icarus and Yosys", async ({ name, circuit }) => {
  expect(await lint(verilogFiles(circuit), name)).toEqual([]);
});
