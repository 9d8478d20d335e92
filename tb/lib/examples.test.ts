import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { histogram } from "../../docs/examples/histogram.ts";
import { mac } from "../../docs/examples/mac.ts";
import { sink, source, stallProfiles, stalls } from "../../src/agents/index.ts";
import { Random } from "../../src/base/random.ts";
import { simulate } from "../../src/sim/index.ts";
import { corners } from "../golden/arbitraries.ts";

describe.each(["wasm", "verilator"] as const)("on %s", (engine) => {
  test("the histogram counts samples up to its largest count and reports the bins in order, again and again", async () => {
    using sim = await simulate(histogram({ sampleWidth: 2, countWidth: 3 }), { engine });
    const { sampleValid, sampleReady, sample, stop, binValid, binReady, bin } = sim.io;
    const profile = fc.constantFrom(...stallProfiles);
    sim.reset();
    fc.assert(
      fc.property(fc.array(corners(0, 3), { maxLength: 40, size: "max" }), profile, profile, fc.nat(), (samples, before, after, seed) => {
        const random = new Random(seed);
        const bins: number[] = [];
        sim.run(function* count() {
          // A sample that comes with the stop still counts, and one that is none does not.
          yield* source({ valid: sampleValid, ready: sampleReady }, samples.length, (i) => sample.poke(samples[i] ?? 0), stalls(before, random));
          stop.poke(1);
          do yield;
          while (sampleReady.peek() !== 1);
          stop.poke(0);
          yield* sink({ valid: binValid, ready: binReady }, 4, () => bins.push(bin.peekNumber()), stalls(after, random));
        });
        expect(bins).toEqual([0, 1, 2, 3].map((value) => Math.min(7, samples.filter((one) => one === value).length)));
      }),
    );
  });

  test("the cell multiplies, accumulates, doubles and wraps", async () => {
    using sim = await simulate(mac({ dataWidth: 8, accWidth: 18 }), { engine });
    const beat = fc.record({ valid: fc.boolean(), rescale: fc.boolean(), clear: fc.boolean(), a: corners(-128, 127), b: corners(-128, 127) });
    fc.assert(
      fc.property(fc.array(beat, { maxLength: 60 }), (beats) => {
        sim.reset();
        let sum = 0n;
        for (const { valid, rescale, clear, a, b } of beats) {
          for (const [port, value] of [
            [sim.io.valid, valid],
            [sim.io.rescale, rescale],
            [sim.io.clear, clear],
          ] as const)
            port.poke(value);
          sim.io.a.poke(a);
          sim.io.b.poke(b);
          sim.step();
          if (clear) sum = 0n;
          else if (valid) sum = BigInt.asIntN(18, (rescale ? 2n * sum : sum) + BigInt(a * b));
          expect([sim.io.sum.peekBig(), sim.io.aOut.peek(), sim.io.bOut.peek()]).toEqual([sum, a, b]);
        }
      }),
    );
  });
});
