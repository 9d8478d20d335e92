/** The printer: a circuit as SystemVerilog files. */
export { type VerilogFile, verilogFiles } from "./files.ts";
