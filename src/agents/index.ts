/** Parts of test benches, as tasks. */
export { sink, source, type StallProfile, stallProfiles, stalls } from "./stream.ts";
