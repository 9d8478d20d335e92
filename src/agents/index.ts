/** Parts of test benches, as tasks. */
export { type AxiLiteAccess, type AxiLiteBus, type AxiLiteManagerOptions, type AxiResponse, axiLiteManager, type SubTask } from "./axi-lite.ts";
export { AxiMemory, type AxiMemoryOptions, type AxiPort, type AxiReadHandles, type AxiWriteHandles } from "./axi-memory.ts";
export { type StallProfile, sink, source, stallProfiles, stalls } from "./stream.ts";
