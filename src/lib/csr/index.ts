/** Registers on AXI4-Lite from one table: the block, its page, C header, SystemRDL and constants. */
export { type HardwarePorts, type RegisterPorts, registerBlock } from "./block.ts";
export { cHeader } from "./c-header.ts";
export { type FieldConstants, packFields, type RegisterConstants, type RegisterConstantsOf, registerConstants, unpackFields } from "./constants.ts";
export { registerMap } from "./map.ts";
export { registerPage } from "./markdown.ts";
export { systemRdl } from "./system-rdl.ts";
export type { Access, Field, FieldSpec, Register, RegisterMap, RegisterSpec, RegisterTable } from "./table.ts";
