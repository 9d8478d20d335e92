import { UserError } from "../base/error.ts";
import type { SourceClock } from "./source.ts";

export interface ClockTiming {
  /** Nanoseconds. Default 10. */
  readonly period?: number;
  /** Nanoseconds by which all edges come later. Default 0. */
  readonly phase?: number;
}

/** One clock in time. Times are whole thousandths of a nanosecond; edge k rises at `phase + (k + 1) * period` and falls half a period later. */
export class Clock {
  readonly key: string;
  readonly source: SourceClock;
  readonly index: number;
  readonly period: number;
  readonly phase: number;
  /** Rising edges so far. */
  edges = 0;
  #high = false;

  constructor(source: SourceClock, index: number, timing: ClockTiming) {
    this.key = source.key;
    this.source = source;
    this.index = index;
    this.period = 2 * Math.round((timing.period ?? 10) * 500);
    this.phase = Math.round((timing.phase ?? 0) * 1000);
    if (!(this.period >= 8)) throw new UserError("bad-clock", `clock \`${source.clk}\` needs a period of at least 0.008 ns, not ${timing.period}`);
    if (!(this.phase >= 0)) throw new UserError("bad-clock", `clock \`${source.clk}\` needs a phase of at least 0 ns, not ${timing.phase}`);
  }

  get mask(): number {
    return 1 << this.index;
  }

  get nextRise(): number {
    return this.phase + (this.edges + 1) * this.period;
  }

  /** Time of the next change, rising or falling. */
  get next(): number {
    return this.#high ? this.phase + this.edges * this.period + this.period / 2 : this.nextRise;
  }

  get high(): boolean {
    return this.#high;
  }

  rise(): void {
    this.edges++;
    this.#high = true;
  }

  fall(): void {
    this.#high = false;
  }
}

/** Clocks that change at the same time. */
export interface ClockEvent {
  readonly time: number;
  readonly falling: readonly Clock[];
  readonly rising: readonly Clock[];
}

/** What happens next on a set of clocks. */
export const nextEvent = (clocks: readonly Clock[]): ClockEvent => {
  const time = Math.min(...clocks.map((clock) => clock.next));
  const now = clocks.filter((clock) => clock.next === time);
  return { time, falling: now.filter((clock) => clock.high), rising: now.filter((clock) => !clock.high) };
};

export const maskOf = (clocks: readonly Clock[]): number => clocks.reduce((mask, clock) => mask | clock.mask, 0);

/** The clocks of a source with their timing, by key or by the name of the Verilog port. @throws UserError for a key that is no clock. */
export const makeClocks = (sources: readonly SourceClock[], timings: Readonly<Record<string, ClockTiming>>): Clock[] => {
  for (const key of Object.keys(timings)) {
    if (sources.some((source) => source.key === key || source.clk === key)) continue;
    throw new UserError("no-clock", `\`${key}\` is no clock of the design`, {
      hint: `its clocks are ${sources.map((source) => `\`${source.clk}\``).join(", ")}`,
    });
  }
  return sources.map((source, index) => new Clock(source, index, timings[source.key] ?? timings[source.clk] ?? {}));
};
