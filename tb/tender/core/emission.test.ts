import { expect, test } from "vitest";
import { parseParameters } from "../../../src/base/parameters.ts";
import { tenderCore } from "../../../src/designs/tender/core/core.ts";
import { coreSchema } from "../../../src/designs/tender/core/parameters.ts";
import { lint } from "../../../src/flow/lint.ts";
import { verilogFiles } from "../../../src/verilog/index.ts";

const small = { activationKib: 1, weightKib: 1, channels: 64 };

test.each([
  { rows: 4, cols: 4, dataWidth: 64, bitsPerStage: 13, ...small },
  { rows: 8, cols: 8, dataWidth: 128, kind: "int4", requantize: false, addressWidth: 64, ...small },
  { rows: 4, cols: 16, dataWidth: 64, kind: "composable", shiftBits: 1, bitsPerStage: 13, ...small },
])("$kind core $rows x $cols is silent in Verilator, Icarus and Yosys", { timeout: 120_000 }, async (set) => {
  const { circuit, name } = tenderCore(parseParameters(coreSchema, set));
  expect(await lint(verilogFiles(circuit), name)).toEqual([]);
});
