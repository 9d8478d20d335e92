import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type StallProfile, sink, source, stallProfiles, stalls } from "../../src/agents/index.ts";
import { Random } from "../../src/base/random.ts";
import { axisSlice } from "../../src/lib/stream.ts";
import { simulate } from "../../src/sim/index.ts";

interface Beat {
  readonly data: bigint;
  readonly last: boolean;
}

describe.each(["wasm", "verilator"] as const)("a register slice on %s", (engine) => {
  const open = async (dataWidth: number) => {
    const sim = await simulate(axisSlice({ dataWidth }), { engine });
    const { sAxis, mAxis } = sim.io;
    const pass = (beats: readonly Beat[], before: StallProfile, after: StallProfile, random: Random): Beat[] => {
      const taken: Beat[] = [];
      const put = (index: number): void => {
        sAxis.tdata.poke(beats[index]?.data ?? 0n);
        sAxis.tlast.poke(beats[index]?.last ?? false);
      };
      sim.reset();
      sim.run(
        source({ valid: sAxis.tvalid, ready: sAxis.tready }, beats.length, put, stalls(before, random)),
        sink(
          { valid: mAxis.tvalid, ready: mAxis.tready },
          beats.length,
          () => taken.push({ data: mAxis.tdata.peekBig(), last: mAxis.tlast.peek() === 1 }),
          stalls(after, random),
        ),
      );
      return taken;
    };
    return { sim, pass };
  };

  test.each([1, 70])("passes beats of %i bits on in order, whatever its ends do", async (dataWidth) => {
    const { sim, pass } = await open(dataWidth);
    const most = 2n ** BigInt(dataWidth) - 1n;
    const beats = fc.array(fc.record({ data: fc.oneof(fc.constantFrom(0n, most), fc.bigInt(0n, most)), last: fc.boolean() }), { maxLength: 40 });
    const profile = fc.constantFrom(...stallProfiles);
    fc.assert(
      fc.property(beats, profile, profile, fc.nat(), (sent, before, after, seed) => {
        expect(pass(sent, before, after, new Random(seed))).toEqual(sent);
      }),
    );
    sim.close();
  });

  test("takes a beat every cycle where nobody stalls", async () => {
    const { sim, pass } = await open(8);
    pass(
      Array.from({ length: 50 }, (_, i) => ({ data: BigInt(i), last: false })),
      "none",
      "none",
      new Random(1),
    );
    // One cycle of reset, 50 beats, and one for the way through.
    expect(sim.cycle).toBe(52);
    sim.close();
  });
});
