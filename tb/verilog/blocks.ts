import { histogram } from "../../docs/examples/histogram.ts";
import { mac } from "../../docs/examples/mac.ts";
import type { Circuit } from "../../src/hdl/index.ts";
import { roundRobinArbiter } from "../../src/lib/arbiter.ts";
import { axiLiteRegisters } from "../../src/lib/axi.ts";
import { fifo } from "../../src/lib/fifo.ts";
import { axisSlice } from "../../src/lib/stream.ts";

/** The six blocks of the language review: printed from the library and the examples, and written by hand in `tb/reference`. */
export interface ReviewedBlock {
  readonly title: string;
  readonly circuit: Circuit;
  /** Where its source stands. */
  readonly source: string;
  /** Module and file name in `tb/reference`, and its parameters for the configuration printed. */
  readonly reference: string;
  readonly parameters: Readonly<Record<string, number>>;
}

export const reviewedBlocks: readonly ReviewedBlock[] = [
  {
    title: "Synchronous FIFO",
    circuit: fifo({ width: 8, depth: 16 }).circuit,
    source: "src/lib/fifo.ts",
    reference: "fifo",
    parameters: { WIDTH: 8, DEPTH: 16 },
  },
  {
    title: "AXI-Stream register slice",
    circuit: axisSlice({ dataWidth: 32 }).circuit,
    source: "src/lib/stream.ts",
    reference: "axis_slice",
    parameters: { DATA_WIDTH: 32 },
  },
  {
    title: "Round-robin arbiter",
    circuit: roundRobinArbiter({ requesters: 4 }).circuit,
    source: "src/lib/arbiter.ts",
    reference: "round_robin_arbiter",
    parameters: { REQUESTERS: 4 },
  },
  {
    title: "AXI4-Lite register file",
    circuit: axiLiteRegisters({ registers: 3 }).circuit,
    source: "src/lib/axi.ts",
    reference: "axi_lite_registers",
    parameters: { REGISTERS: 3 },
  },
  {
    title: "State machine with a memory",
    circuit: histogram({ sampleWidth: 3, countWidth: 8 }).circuit,
    source: "docs/examples/histogram.ts",
    reference: "histogram",
    parameters: { SAMPLE_WIDTH: 3, COUNT_WIDTH: 8 },
  },
  {
    title: "Multiply-accumulate cell",
    circuit: mac({ dataWidth: 8, accWidth: 32 }).circuit,
    source: "docs/examples/mac.ts",
    reference: "mac",
    parameters: { DATA_WIDTH: 8, ACC_WIDTH: 32 },
  },
];
