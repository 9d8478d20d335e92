import { expect, test } from "vitest";
import { lint } from "../../../src/flow/lint.ts";
import { readDma } from "../../../src/lib/axi4/read-dma.ts";
import { writeDma } from "../../../src/lib/axi4/write-dma.ts";
import { verilogFiles } from "../../../src/verilog/index.ts";
import { smallDma } from "./dma-bench.ts";

const wide = smallDma({ dataWidth: 512, addressWidth: 64, idWidth: 16, lengthWidth: 32, burst: 64, outstanding: 256 });

test.each([
  readDma({ ...smallDma(), alignment: 1 }).circuit,
  readDma({ ...smallDma({ burst: 1, outstanding: 2 }), alignment: 4 }).circuit,
  readDma({ ...smallDma({ burst: 256 }), alignment: 8 }).circuit,
  readDma({ ...smallDma({ dataWidth: 128, addressWidth: 40, idWidth: 1, burst: 16 }), alignment: 1 }).circuit,
  readDma({ ...wide, alignment: 2 }).circuit,
  readDma({ ...wide, alignment: 64 }).circuit,
  writeDma(smallDma()).circuit,
  writeDma(smallDma({ dataWidth: 256, burst: 1, outstanding: 2 })).circuit,
  writeDma(wide).circuit,
])("$name is silent in Verilator, Icarus and Yosys", { timeout: 60_000 }, async (circuit) => {
  expect(await lint(verilogFiles(circuit), circuit.name)).toEqual([]);
});
