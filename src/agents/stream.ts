import type { Random } from "../base/random.ts";
import type { BoolShape } from "../hdl/index.ts";
import type { InputHandle, PortHandle, Task } from "../sim/index.ts";

/** How often one end of a stream holds back: never, a share of the cycles, or in runs of random length. */
export type StallProfile = "none" | "25%" | "50%" | "90%" | "bursty";

export const stallProfiles: readonly StallProfile[] = ["none", "25%", "50%", "90%", "bursty"];

/** A function that says, cycle for cycle, whether to stall. */
export const stalls = (profile: StallProfile, random: Random): (() => boolean) => {
  if (profile === "none") return () => false;
  if (profile !== "bursty") {
    const share = Number.parseInt(profile, 10) / 100;
    return () => random.chance(share);
  }
  let stalled = false;
  let left = 0;
  return () => {
    if (left === 0) {
      stalled = !stalled;
      left = random.integer(1, 12);
    }
    left -= 1;
    return stalled;
  };
};

/**
 * Drives a stream with valid and ready: `put` sets the payload of a beat, which then stays until it is taken.
 * A stalled cycle offers nothing; a beat once offered is never withdrawn.
 */
export const source = function* (
  stream: { readonly valid: InputHandle<BoolShape>; readonly ready: PortHandle<BoolShape> },
  beats: number,
  put: (index: number) => void,
  stall: () => boolean = () => false,
): Task {
  for (let index = 0; index < beats; index += 1) {
    stream.valid.poke(0);
    while (stall()) yield;
    put(index);
    stream.valid.poke(1);
    do yield;
    while (stream.ready.peek() !== 1);
  }
  stream.valid.poke(0);
};

/** Takes `beats` beats of a stream; `take` reads the payload. */
export const sink = function* (
  stream: { readonly valid: PortHandle<BoolShape>; readonly ready: InputHandle<BoolShape> },
  beats: number,
  take: (index: number) => void,
  stall: () => boolean = () => false,
): Task {
  for (let index = 0; index < beats; ) {
    const ready = !stall();
    stream.ready.poke(ready);
    yield;
    if (!ready || stream.valid.peek() !== 1) continue;
    take(index);
    index += 1;
  }
  stream.ready.poke(0);
};
