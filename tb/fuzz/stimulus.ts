import { deriveSeed, Random } from "../../src/base/random.ts";
import type { Circuit, FlatPort } from "../../src/hdl/index.ts";
import type { ClockTiming } from "../../src/sim/index.ts";
import type { Constant } from "./scope.ts";

/** What happens in one cycle of the first clock, before its edge. */
export interface Tick {
  /** Keys of the clocks whose reset is active. */
  readonly resets: ReadonlySet<string>;
  /** Keys of the clocks whose reset is active for a moment between two edges. */
  readonly glitches: ReadonlySet<string>;
  /** Bits of the inputs by name. */
  readonly inputs: ReadonlyMap<string, bigint>;
}

export interface Stimulus {
  readonly timing: Readonly<Record<string, ClockTiming>>;
  /** Edges of every clock under reset at the start. */
  readonly resetCycles: number;
  readonly ticks: readonly Tick[];
}

/** Values of one input: corners and random bits, some kept for several cycles. Its own seed keeps them as they are where other ports come or go. */
const column = (port: FlatPort, seed: number, cycles: number): bigint[] => {
  const random = new Random(deriveSeed(seed, port.name));
  const { width } = port.shape;
  const ones = (1n << BigInt(width)) - 1n;
  const any = (): bigint => {
    let bits = 0n;
    for (let low = 0; low < width; low += 32) bits |= BigInt(random.next()) << BigInt(low);
    return bits & ones;
  };
  const fresh = (): bigint => {
    const choice = random.integer(0, 11);
    const least = 1n << BigInt(width - 1);
    const table = [0n, ones, least, least - 1n, 1n, ones - 1n, 1n << BigInt(random.integer(0, width - 1))];
    return BigInt.asUintN(width, table[choice] ?? any());
  };
  let now = fresh();
  return Array.from({ length: cycles }, () => {
    if (!random.chance(0.25)) now = fresh();
    return now;
  });
};

/** Resets and timing of clocks, by key. */
export const clockPlan = (
  keys: readonly string[],
  seed: number,
  cycles: number,
): Pick<Stimulus, "timing"> & { readonly resets: Tick["resets"][]; readonly glitches: Tick["glitches"][] } => {
  const plans = keys.map((key) => {
    const random = new Random(deriveSeed(seed, `clock ${key}`));
    const timing = { period: [10, 10, 7, 13, 20, 4.6][random.integer(0, 5)]!, phase: [0, 0, 0, 3, 5, 11][random.integer(0, 5)]! };
    let left = 0;
    const resets = Array.from({ length: cycles }, () => {
      left = left > 0 ? left - 1 : random.chance(0.06) ? random.integer(1, 3) : 0;
      return left > 0;
    });
    return { key, timing, resets, glitches: Array.from({ length: cycles }, () => random.chance(0.03)) };
  });
  const keysAt = (cycle: number, what: "resets" | "glitches"): Set<string> => new Set(plans.filter((plan) => plan[what][cycle]).map(({ key }) => key));
  const each = (what: "resets" | "glitches"): Set<string>[] => Array.from({ length: cycles }, (_, cycle) => keysAt(cycle, what));
  return { timing: Object.fromEntries(plans.map(({ key, timing }) => [key, timing])), resets: each("resets"), glitches: each("glitches") };
};

export interface StimulusOptions {
  readonly seed: number;
  readonly cycles: number;
  readonly resetCycles: number;
  /** From which clocks and resets follow, where several circuits share them. Default: `seed`. */
  readonly clockSeed?: number;
}

/** Random stimulus for all ports of a circuit; inputs that hold constants keep theirs. */
export const stimulusFor = (circuit: Circuit, constants: readonly Constant[], { seed, cycles, resetCycles, clockSeed }: StimulusOptions): Stimulus => {
  const held = new Map(constants.map(({ name, value, shape }) => [name, BigInt.asUintN(shape.width, value)]));
  const columns = circuit.ports.flatMap((port): [string, bigint[]][] => {
    if (port.direction === "output") return [];
    const constant = held.get(port.name);
    return [[port.name, constant === undefined ? column(port, seed, cycles) : Array.from({ length: cycles }, () => constant)]];
  });
  const { timing, resets, glitches } = clockPlan(
    circuit.clocks.map(({ key }) => key),
    clockSeed ?? seed,
    cycles,
  );
  const ticks = Array.from(
    { length: cycles },
    (_, cycle): Tick => ({
      resets: resets[cycle]!,
      glitches: glitches[cycle]!,
      inputs: new Map(columns.map(([name, values]) => [name, values[cycle]!])),
    }),
  );
  return { timing, resetCycles, ticks };
};
