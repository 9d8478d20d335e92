import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type StallProfile, sink, source, stallProfiles, stalls } from "../../src/agents/index.ts";
import { Random } from "../../src/base/random.ts";
import { lint } from "../../src/flow/lint.ts";
import type { BoolShape } from "../../src/hdl/index.ts";
import { axisDownsizer, axisUpsizer, type WidthParameters } from "../../src/lib/width.ts";
import { background, type PortHandle, simulate } from "../../src/sim/index.ts";
import { verilogFiles } from "../../src/verilog/index.ts";

interface Beat {
  readonly data: bigint;
  readonly last: boolean;
}

interface WideBeat extends Beat {
  /** Number of valid lanes. */
  readonly lanes: number;
}

interface Ends {
  readonly before: () => boolean;
  readonly after: () => boolean;
}

/** What the upsizer is to make of a stream: whole beats, zeros above a short one. */
const gather = (beats: readonly Beat[], { laneWidth, lanes }: WidthParameters): WideBeat[] => {
  const wide: WideBeat[] = [];
  let parts: Beat[] = [];
  for (const beat of beats) {
    parts.push(beat);
    if (!beat.last && parts.length < lanes) continue;
    wide.push({ data: parts.reduce((sum, { data }, lane) => sum + data * 2n ** BigInt(lane * laneWidth), 0n), last: beat.last, lanes: parts.length });
    parts = [];
  }
  return wide;
};

/** What the downsizer is to make of one. */
const scatter = (beats: readonly WideBeat[], { laneWidth }: WidthParameters): Beat[] =>
  beats.flatMap(({ data, last, lanes }) =>
    Array.from({ length: lanes }, (_, lane) => ({
      data: BigInt.asUintN(laneWidth, data / 2n ** BigInt(lane * laneWidth)),
      last: last && lane === lanes - 1,
    })),
  );

/** Fails where a beat that is offered changes before it is taken. */
const stays = (tvalid: PortHandle<BoolShape>, tready: PortHandle<BoolShape>, payload: () => readonly unknown[]) =>
  background(function* stays() {
    let offered: readonly unknown[] | undefined;
    for (;;) {
      yield;
      if (offered !== undefined) expect([tvalid.peek(), ...payload()]).toEqual([1, ...offered]);
      offered = tvalid.peek() === 1 && tready.peek() === 0 ? payload() : undefined;
    }
  });

type Engine = "wasm" | "verilator";

const openUpsizer = async (parameters: WidthParameters, engine: Engine) => {
  const sim = await simulate(axisUpsizer(parameters), { engine });
  const { sAxis, mAxis } = sim.io;
  const seen = (): WideBeat => ({ data: mAxis.tdata.peekBig(), last: mAxis.tlast.peek() === 1, lanes: mAxis.tuser.peekNumber() + 1 });
  const put = ({ data, last }: Beat): void => {
    sAxis.tdata.poke(data);
    sAxis.tlast.poke(last);
  };
  /** Returns the beats that come out and the cycles that it takes. */
  const pass = (beats: readonly Beat[], { before, after }: Ends) => {
    const taken: WideBeat[] = [];
    sim.reset();
    const start = sim.cycle;
    sim.run(
      source({ valid: sAxis.tvalid, ready: sAxis.tready }, beats.length, (index) => put(beats[index]!), before),
      sink({ valid: mAxis.tvalid, ready: mAxis.tready }, gather(beats, parameters).length, () => taken.push(seen()), after),
      stays(mAxis.tvalid, mAxis.tready, () => [seen()]),
    );
    return { taken, cycles: sim.cycle - start };
  };
  return { pass, [Symbol.dispose]: () => sim.close() };
};

const openDownsizer = async (parameters: WidthParameters, engine: Engine) => {
  const sim = await simulate(axisDownsizer(parameters), { engine });
  const { sAxis, mAxis } = sim.io;
  const seen = (): Beat => ({ data: mAxis.tdata.peekBig(), last: mAxis.tlast.peek() === 1 });
  const put = ({ data, last, lanes }: WideBeat): void => {
    sAxis.tdata.poke(data);
    sAxis.tlast.poke(last);
    sAxis.tuser.poke(lanes - 1);
  };
  const pass = (beats: readonly WideBeat[], { before, after }: Ends) => {
    const taken: Beat[] = [];
    sim.reset();
    const start = sim.cycle;
    sim.run(
      source({ valid: sAxis.tvalid, ready: sAxis.tready }, beats.length, (index) => put(beats[index]!), before),
      sink({ valid: mAxis.tvalid, ready: mAxis.tready }, scatter(beats, parameters).length, () => taken.push(seen()), after),
      stays(mAxis.tvalid, mAxis.tready, () => [seen()]),
    );
    return { taken, cycles: sim.cycle - start };
  };
  return { pass, [Symbol.dispose]: () => sim.close() };
};

const never = () => false;

/** Stalls all cycles but each `period`th. */
const oneIn = (period: number) => {
  let cycle = 0;
  return () => {
    cycle += 1;
    return cycle % period !== 0;
  };
};

const word = (width: number) => fc.oneof(fc.constantFrom(0n, 1n, 2n ** BigInt(width) - 1n), fc.bigInt(0n, 2n ** BigInt(width) - 1n));
const profile = fc.constantFrom(...stallProfiles);

const atRandom = (before: StallProfile, after: StallProfile, seed: number): Ends => {
  const random = new Random(seed);
  return { before: stalls(before, random), after: stalls(after, random) };
};

/** The end of the last beat, so that all that goes in comes out. */
const ended = <B extends Beat>(beats: readonly B[]): B[] => beats.map((beat, index) => ({ ...beat, last: beat.last || index === beats.length - 1 }));

const narrowBeats = ({ laneWidth }: WidthParameters, last: fc.Arbitrary<boolean> = fc.boolean()) =>
  fc.array(fc.record({ data: word(laneWidth), last }), { minLength: 1, maxLength: 40, size: "max" }).map(ended);

const wideBeats = ({ laneWidth, lanes }: WidthParameters) =>
  fc.array(fc.record({ data: word(laneWidth * lanes), last: fc.boolean(), lanes: fc.oneof(fc.constantFrom(1, lanes), fc.integer({ min: 1, max: lanes })) }), {
    minLength: 1,
    maxLength: 20,
  });

const all: readonly WidthParameters[] = [
  { laneWidth: 1, lanes: 2 },
  { laneWidth: 8, lanes: 3 },
  { laneWidth: 33, lanes: 4 },
  { laneWidth: 5, lanes: 7 },
  { laneWidth: 32, lanes: 16 },
];
const chosen: readonly WidthParameters[] = [
  { laneWidth: 1, lanes: 2 },
  { laneWidth: 33, lanes: 3 },
];

describe.each([
  { engine: "wasm", shapes: all },
  { engine: "verilator", shapes: chosen },
] as const)("on $engine", ({ engine, shapes }) => {
  describe.each(shapes)("$lanes lanes of $laneWidth bits", (parameters) => {
    const { lanes } = parameters;

    test("the upsizer gathers beats, whatever its ends do", async () => {
      using bench = await openUpsizer(parameters, engine);
      const rarelyLast = fc.nat(2 * lanes).map((value) => value === 0);
      fc.assert(
        fc.property(fc.oneof(narrowBeats(parameters), narrowBeats(parameters, rarelyLast)), profile, profile, fc.nat(), (beats, before, after, seed) => {
          expect(bench.pass(beats, atRandom(before, after, seed)).taken).toEqual(gather(beats, parameters));
        }),
      );
    });

    test("the downsizer gives the valid lanes, whatever its ends do", async () => {
      using bench = await openDownsizer(parameters, engine);
      fc.assert(
        fc.property(wideBeats(parameters), profile, profile, fc.nat(), (beats, before, after, seed) => {
          expect(bench.pass(beats, atRandom(before, after, seed)).taken).toEqual(scatter(beats, parameters));
        }),
      );
    });

    test("the upsizer takes a beat every cycle: n beats take n + 1 cycles", async () => {
      using bench = await openUpsizer(parameters, engine);
      fc.assert(
        fc.property(narrowBeats(parameters), (beats) => {
          expect(bench.pass(beats, { before: never, after: never }).cycles).toBe(beats.length + 1);
        }),
        { numRuns: 20 },
      );
    });

    test("the upsizer takes a beat every cycle when whole beats are taken one every `lanes` cycles", async () => {
      using bench = await openUpsizer(parameters, engine);
      const beats = ended(Array.from({ length: 6 * lanes }, (_, index) => ({ data: BigInt(index % 2), last: false })));
      // The last beat shows after 6 * lanes cycles, and goes with the next multiple of `lanes`.
      expect(bench.pass(beats, { before: never, after: oneIn(lanes) }).cycles).toBe(7 * lanes);
    });

    test("the downsizer gives a beat every cycle: n lanes take n + 1 cycles", async () => {
      using bench = await openDownsizer(parameters, engine);
      fc.assert(
        fc.property(wideBeats(parameters), (beats) => {
          expect(bench.pass(beats, { before: never, after: never }).cycles).toBe(scatter(beats, parameters).length + 1);
        }),
        { numRuns: 20 },
      );
    });

    test("the downsizer gives a beat every cycle when whole beats come one every `lanes` cycles", async () => {
      using bench = await openDownsizer(parameters, engine);
      const beats = Array.from({ length: 6 }, (_, index) => ({ data: BigInt(index % 2), last: false, lanes }));
      // `lanes - 1` cycles without a beat come first.
      expect(bench.pass(beats, { before: oneIn(lanes), after: never }).cycles).toBe(lanes - 1 + 6 * lanes + 1);
    });
  });
});

test.each([...all, { laneWidth: 8, lanes: 64 }])("$lanes lanes of $laneWidth bits are silent in Verilator, Icarus and Yosys", async (parameters) => {
  const { circuit: up } = axisUpsizer(parameters);
  const { circuit: down } = axisDownsizer(parameters);
  expect([...(await lint(verilogFiles(up), up.name)), ...(await lint(verilogFiles(down), down.name))]).toEqual([]);
});

test("a lane that does not exist is found", async () => {
  using sim = await simulate(axisDownsizer({ laneWidth: 8, lanes: 3 }), { engine: "wasm" });
  sim.reset();
  sim.io.sAxis.tvalid.poke(1);
  sim.io.sAxis.tuser.poke(3);
  expect(() => sim.step()).toThrow("valid_lanes_exist");
});

test.each([0, 1, 2.5, 65])("%d lanes are refused", (lanes) => {
  for (const make of [axisUpsizer, axisDownsizer]) expect(() => make({ laneWidth: 8, lanes })).toThrow(`a wide stream has 2 to 64 lanes, not ${lanes}`);
});

test.each([0, 1.5, 16385])("a lane of %d bits is refused", (laneWidth) => {
  for (const make of [axisUpsizer, axisDownsizer]) expect(() => make({ laneWidth, lanes: 2 })).toThrow(`a lane has 1 to 16384 bits, not ${laneWidth}`);
});
