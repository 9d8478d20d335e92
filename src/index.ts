/** The package's front page: the language, the printer and the error that both report with. The rest is under `systole/sim`, `/lib`, `/agents`, `/designs`. */
export { type Location, UserError } from "./base/error.ts";
export * from "./hdl/index.ts";
export { type VerilogFile, verilogFiles } from "./verilog/index.ts";
