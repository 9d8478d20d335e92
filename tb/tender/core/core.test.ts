import fc from "fast-check";
import { expect, test } from "vitest";
import { type AxiMemoryOptions, type StallProfile, stallProfiles, stalls } from "../../../src/agents/index.ts";
import { parseParameters } from "../../../src/base/parameters.ts";
import { Random } from "../../../src/base/random.ts";
import { type CoreParameters, coreSchema } from "../../../src/designs/tender/core/parameters.ts";
import { GoldenCore } from "../../../src/golden/tender/core/core.ts";
import { openCore, runImage } from "./core-bench.ts";
import { buildImage, copyOf, firstDifference, maskCycles } from "./images.ts";
import { jobArbitrary } from "./jobs.ts";

const small = { activationKib: 1, weightKib: 1, channels: 64, addressWidth: 40 };

const configurations: readonly CoreParameters[] = [
  { rows: 4, cols: 4, dataWidth: 64, bitsPerStage: 13, ...small },
  { rows: 2, cols: 8, dataWidth: 64, kind: "int8", requantize: false, shiftBits: 1, accWidth: 24, ...small },
  { rows: 8, cols: 4, dataWidth: 64, kind: "int4", bitsPerStage: 7, ...small },
  { rows: 4, cols: 8, dataWidth: 64, kind: "composable", bitsPerStage: 13, accWidth: 24, ...small },
].map((set) => parseParameters(coreSchema, set));

/** Memories that hold back each channel in their own way, with latencies of all kinds. */
const memoryOf = (profile: StallProfile, seed: number): Omit<AxiMemoryOptions, "bytes" | "base"> => {
  const random = new Random(seed);
  const stall = () => stalls(profile, random);
  return { latency: [1, random.integer(1, 60)], random, stalls: { ar: stall(), r: stall(), aw: stall(), w: stall(), b: stall() } };
};

test.each(configurations)("core $rows x $cols $kind: any jobs leave memory as the golden core does", async (parameters) => {
  const sim = await openCore(parameters, "wasm");
  try {
    fc.assert(
      fc.property(fc.array(jobArbitrary(parameters), { minLength: 1, maxLength: 5 }), fc.constantFrom(...stallProfiles), fc.nat(), (recipes, profile, seed) => {
        const image = buildImage(parameters, recipes, { seed });
        const expected = copyOf(image.memory);
        const golden = new GoldenCore(parameters, expected);
        for (const { slot } of image.jobs) golden.run(slot);
        const { memory, registers, counts } = runImage(sim, image, memoryOf(profile, seed));
        for (const each of [memory, expected]) maskCycles(each, image.jobs);
        expect(firstDifference(memory, expected, image)).toBeUndefined();
        const stalled = ["stallWeights", "stallActivations", "stallDrain", "stallWriteBack"].reduce((sum, name) => sum + registers[`${name}Low`]!, 0);
        expect(registers["busyLow"]).toBe(registers["activeLow"]! + stalled);
        expect([registers["readBytesLow"], registers["writeBytesLow"]]).toEqual([counts.readBytes, counts.writeBytes]);
      }),
      { numRuns: 40 },
    );
  } finally {
    sim.close();
  }
});
