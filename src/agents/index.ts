/** Parts of test benches, as tasks. */
export { type StallProfile, sink, source, stallProfiles, stalls } from "./stream.ts";
