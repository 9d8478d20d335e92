import { input, output } from "../../../src/hdl/ports.ts";
import { bool, uint } from "../../../src/hdl/shape.ts";
import { verilog } from "../../../src/sim/index.ts";

/** The design whose model hangs, oscillates or crashes on demand. */
export const traps = verilog({
  top: "traps",
  files: ["tb/reference/traps.sv"],
  clock: { clk: "clk" },
  ports: {
    hang: input(bool),
    oscillate: input(bool),
    crash: input(bool),
    abort: input(bool),
    spun: output(uint(32)),
    ring: output(bool),
    count: output(uint(8)),
  },
});
