import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseParameters } from "../../../src/base/parameters.ts";
import { Random } from "../../../src/base/random.ts";
import type { CorePorts } from "../../../src/designs/tender/core/core.ts";
import { coreSchema } from "../../../src/designs/tender/core/parameters.ts";
import { GoldenCore } from "../../../src/golden/tender/core/core.ts";
import type { Simulation } from "../../../src/sim/index.ts";
import { openCore, runImage } from "./core-bench.ts";
import { buildImage, copyOf, firstDifference, maskCycles } from "./images.ts";
import { jobArbitrary } from "./jobs.ts";

const parameters = parseParameters(coreSchema, { rows: 4, cols: 4, dataWidth: 64, bitsPerStage: 13, activationKib: 1, weightKib: 1, channels: 64 });

let sim: Simulation<CorePorts>;
beforeAll(async () => {
  sim = await openCore(parameters, "wasm");
});
afterAll(() => sim.close());

const tidy = jobArbitrary(parameters, { nops: 0, faults: 0, untidy: 0, badIndex: 0 });
const [readError, writeError] = [2, 4];

test("a bus error on any range of a job is in its record and in no other's, and the other jobs leave memory as ever", () => {
  const ranges = ["index", "activations", "weights", "constants", "results"] as const;
  fc.assert(
    fc.property(fc.tuple(tidy, tidy, tidy), fc.constantFrom(...ranges), fc.constantFrom(2, 3), fc.nat(), (recipes, range, response, seed) => {
      const image = buildImage(parameters, recipes, { seed });
      const expected = copyOf(image.memory);
      const golden = new GoldenCore(parameters, expected);
      for (const { slot } of image.jobs) golden.run(slot);
      const broken = image.jobs[1]!;
      const beat = parameters.dataWidth / 8;
      // The address of a job's last row of its first tile is written last; any write between its first and its last address is one of its own.
      const isWrong = (address: number, kind: "read" | "write"): boolean =>
        range === "results"
          ? kind === "write" && BigInt(address) >= broken.fields.results && BigInt(address) < (image.jobs[2]?.fields.index ?? 0n)
          : kind === "read" && BigInt(address) >= broken.fields[range] && BigInt(address) < broken.fields[range] + BigInt(beat);
      const { memory, registers } = runImage(sim, image, { latency: 7, respond: (address, kind) => (isWrong(address, kind) ? response : 0) });
      const statuses = image.jobs.map(({ slot }) => memory.word(slot + 0x40n) & (readError | writeError));
      expect(statuses).toEqual([0, range === "results" ? writeError : readError, 0]);
      expect(registers["errors"]! & (readError | writeError)).toBe(statuses[1]);
      const first = image.jobs[0]!;
      const last = image.jobs[2]!;
      for (const { slot, fields } of [first, last]) {
        expect(memory.word(slot + 0x40n)).toBe(expected.word(slot + 0x40n));
        expect(memory.read(fields.results, beat)).toEqual(expected.read(fields.results, beat));
      }
    }),
    { numRuns: 60 },
  );
});

test("after a soft reset in mid-job, with the bus drained, the jobs run as ever", () => {
  fc.assert(
    fc.property(fc.array(jobArbitrary(parameters), { minLength: 1, maxLength: 3 }), fc.integer({ min: 0, max: 400 }), fc.nat(), (recipes, breakOff, seed) => {
      const image = buildImage(parameters, recipes, { seed });
      const expected = copyOf(image.memory);
      const golden = new GoldenCore(parameters, expected);
      for (const { slot } of image.jobs) golden.run(slot);
      const random = new Random(seed);
      const { memory } = runImage(sim, image, { latency: [1, 30], random, stalls: { w: () => random.chance(0.3), r: () => random.chance(0.3) } }, breakOff);
      for (const each of [memory, expected]) maskCycles(each, image.jobs);
      expect(firstDifference(memory, expected, image)).toBeUndefined();
    }),
    { numRuns: 80 },
  );
});
