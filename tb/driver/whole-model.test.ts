import { expect, test } from "vitest";
import type { CoreParameters } from "../../src/designs/tender/core/parameters.ts";
import type { CoreDevice } from "../../src/driver/tender/core/device.ts";
import { CoreMemory, type PlacedJob } from "../../src/driver/tender/core/memory.ts";
import type { MemoryTiming } from "../../src/driver/tender/core/plan.ts";
import { runOnCore } from "../../src/driver/tender/core/products.ts";
import { Ring } from "../../src/driver/tender/core/ring.ts";
import { CoreRunner } from "../../src/driver/tender/core/run.ts";
import { runTenderCore } from "../../src/experiments/run-tender-core.ts";
import { GoldenCore } from "../../src/golden/tender/core/core.ts";
import { GoldenMemory } from "../../src/golden/tender/core/memory.ts";

/** The golden core on a memory in place of the simulated one: runs the descriptors that the driver has written, in no time. */
const goldenDevice = (parameters: CoreParameters, timing: MemoryTiming, jobs: string[]): CoreDevice => {
  const bytes = new Uint8Array(1 << 24);
  const ring = new Ring(bytes, 32);
  const places = new CoreMemory(parameters, bytes, 0, ring.bytes);
  const core = new GoldenCore(parameters, new GoldenMemory(bytes, 0));
  const device = {
    parameters,
    timing,
    ring,
    places,
    execute: (placed: readonly PlacedJob[]): number => {
      let slot = ring.tail;
      ring.fill(placed.map(({ descriptor }) => descriptor));
      for (const { plan } of placed) {
        expect(core.run(BigInt(slot * 128)).fault).toBeUndefined();
        slot = (slot + 1) % ring.slots;
        jobs.push(plan.job.product.name);
      }
      return placed.length;
    },
  };
  return device as unknown as CoreDevice;
};

test.each([
  [8, {}],
  [4, { kind: "int4", rows: 8, cols: 16, dataWidth: 128 }],
  [8, { kind: "composable", rows: 16, cols: 32 }],
] as const)("at %d bits the driver's images and descriptors (%o) make the core's model compute all that the golden pass does", async (bits, parameters) => {
  const jobs: string[] = [];
  const open = async (values: CoreParameters, memory: MemoryTiming) => {
    const runner = new CoreRunner(goldenDevice(values, memory, jobs));
    return Promise.resolve({
      engine: "wasm" as const,
      run: (products: Parameters<typeof runOnCore>[1], tell: (share: number) => void) => runOnCore(runner, products, tell),
    });
  };
  const result = await runTenderCore({ model: "opt-mini", parameters, bits, chunk: 4, tokens: 5, sequences: 0, open });
  expect(result).toMatchObject({ ok: true, mismatches: 0, first: null, cycles: 6 * 28 });
  expect(result.compared).toBeGreaterThan(80_000);
  expect(new Set(jobs).size).toBe(6 * 28);
});
