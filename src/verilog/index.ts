/** The printer: a circuit as SystemVerilog files. */
export { isPristine, type VerilogFile, verilogFiles } from "./files.ts";
