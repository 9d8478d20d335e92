import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CoreJob } from "../../src/driver/tender/core/job.ts";
import { shapeOf } from "../../src/driver/tender/core/job.ts";
import { estimate, explain, plan } from "../../src/driver/tender/core/plan.ts";
import { accumulatorBound, planJob } from "../../src/driver/tender/core/split.ts";
import { tileSchedule } from "../../src/golden/tender/beats.ts";
import { composableAccumulate } from "../../src/golden/tender/composable.ts";
import { channelOrder } from "../../src/golden/tender/groups.ts";
import { runBeats } from "../../src/golden/tender/matmul.ts";
import { products } from "../golden/arbitraries.ts";
import { coreJobs, coreOf, smallCores } from "./core-jobs.ts";

const memory = { latency: 40, beatsPerCycle: 1, shared: false };

/** A product of constant codes, its channels shared out evenly to the groups. */
const jobOf = (rows: number, columns: number, channels: number, groups: number, change: Partial<CoreJob["product"]> = {}): CoreJob => {
  const groupOf = Uint8Array.from({ length: channels }, (_, channel) => Math.floor((channel * groups) / channels));
  return {
    product: {
      name: "fc1",
      rows,
      columns,
      channels,
      codes: new Int16Array(rows * channels).fill(1),
      weights: new Int16Array(columns * channels).fill(1),
      groupOf,
      ...channelOrder(groupOf, groups),
      bits: 8,
      unsigned: false,
      scales: new Float32Array(columns).fill(1),
      compensation: new Float32Array(columns),
      rowCompensation: undefined,
      relu: false,
      ...change,
    },
    output: { format: "binary32" },
  };
};

describe("a plan", () => {
  const core = coreOf({});

  it("keeps as many rows of tiles as pay, and says what it expects", () => {
    const chosen = plan(core, jobOf(256, 768, 768, 4), memory);
    // 64 KiB hold five panels of 16 x 768 bytes.
    expect(chosen.block).toBeLessThanOrEqual(5);
    expect(chosen.alternatives.map(({ block }) => block).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4]);
    expect(chosen.array).toBe(16 * 48 * 768);
    expect(chosen.cycles).toBeGreaterThanOrEqual(Math.max(chosen.array, chosen.reads, chosen.writes));
    expect(chosen.utilisation).toBeGreaterThan(0.9);
    expect(explain(chosen)[0]).toBe("fc1: [256, 768] x [768, 768], 16 x 48 tiles of 768 beats");
    expect(explain(chosen)[2]).toMatch(/^ {2}predicted \d+ cycles, 9\d\.\d % of the cells; bound by array /);
  });

  it("takes larger blocks where memory is slow, and says so", () => {
    const slow = plan(core, jobOf(256, 768, 768, 4), { ...memory, beatsPerCycle: 0.25 });
    expect(slow.block).toBe(4);
    expect(plan(core, jobOf(256, 768, 768, 4), memory).cycles).toBeLessThan(slow.cycles);
    expect(explain(plan(core, jobOf(16, 768, 768, 4), { ...memory, beatsPerCycle: 0.25 }))[2]).toContain("bound by reads");
  });

  it("knows that row compensations have 32 slots", () => {
    const tall = jobOf(4096, 16, 16, 1, { rowCompensation: new Float32Array(4096) });
    expect(Math.max(...plan(core, tall, memory).alternatives.map(({ block }) => block))).toBe(32);
    expect(Math.max(...plan(core, jobOf(4096, 16, 16, 1), memory).alternatives.map(({ block }) => block))).toBe(256);
  });

  it("counts the beats of the schedule, and takes the best of its alternatives, of any shape", () => {
    for (const parameters of smallCores)
      fc.assert(
        fc.property(coreJobs(parameters), (job) => {
          const { beats } = tileSchedule(job.product.order, job.product.groupSizes, { shiftWidth: parameters.shiftBits === 1 ? 1 : 2, trailing: "trim" });
          const chosen = plan(parameters, job, memory);
          expect(chosen.shape.beats).toBe(beats.length);
          for (let block = 1; block <= chosen.shape.rowTiles && block * chosen.shape.activationRows <= 64; block += 1)
            if (job.product.rowCompensation === undefined || block <= 32)
              expect(estimate(parameters, job, block, memory).cycles).toBeGreaterThanOrEqual(chosen.cycles);
        }),
        { numRuns: 15 },
      );
  });

  it("refuses what the index or a scratchpad can't hold", () => {
    expect(() => plan(core, jobOf(1, 1, 4097, 1), memory)).toThrow(
      "fc1 needs 4097 beats a tile, for 4097 channels and empty groups, and the core's index holds 4096",
    );
    expect(() => plan(coreOf({ activationKib: 4 }), jobOf(1, 1, 300, 1), memory)).toThrow(
      "a panel of activations of fc1 takes 300 rows of a scratchpad of 256",
    );
    expect(() => plan(coreOf({ weightKib: 4 }), jobOf(1, 1, 300, 1), memory)).toThrow("a panel of weights of fc1 takes 300 rows of a scratchpad of 256");
  });
});

describe("the bound of accumulators", () => {
  /** The worst activations for a column of weights: every code at its extreme, of the sign that adds. */
  it("is never passed on any beat, in planes of nibbles neither", () => {
    fc.assert(
      fc.property(products({ bits: [8], rows: 1, columns: 1, groups: 6 }), fc.boolean(), (product, wide) => {
        const whole = { ...jobOf(1, 1, 1, 1).product, ...product };
        const { width } = accumulatorBound(whole, wide);
        const { beats } = tileSchedule(product.order, product.groupSizes, { shiftWidth: 2, trailing: "trim" });
        const accWidth = Math.max(width, 24);
        for (const extreme of product.unsigned ? [255] : [-128, 127, 15]) {
          const codes = product.codes.map(() => extreme);
          const overflow = wide
            ? composableAccumulate(beats, codes, product.weights, accWidth).overflow
            : runBeats(beats, (channel) => codes[channel]! * product.weights[channel]!, accWidth).overflow;
          expect(overflow).toBe(false);
        }
      }),
    );
  });

  it("is that of a plane where nibbles are more than the code", () => {
    const ones = jobOf(1, 1, 1000, 1, { weights: new Int16Array(1000).fill(-1) }).product;
    expect(accumulatorBound(ones, false)).toEqual({ column: 0, value: 128_000n, width: 18 });
    expect(accumulatorBound(ones, true)).toEqual({ column: 0, value: 225_000n, width: 19 });
  });

  it("leaves the shifts of trailing empty groups out", () => {
    const { product } = jobOf(1, 2, 4, 1, { groupOf: Uint8Array.of(3, 3, 3, 3), groupSizes: [4, 0, 0, 0], weights: Int16Array.of(1, 1, 1, 1, 2, 2, 2, 2) });
    expect(accumulatorBound(product, false)).toEqual({ column: 1, value: 1024n, width: 12 });
  });
});

describe("a product that could overflow", () => {
  const core = coreOf({ accWidth: 24 });
  const large = jobOf(2, 3, 96, 8, { weights: new Int16Array(3 * 96).fill(127) });

  it("is refused with the column, the bound and the width it needs", () => {
    const bound = 12 * 255 * 127 * 128;
    expect(() => planJob(core, large, { memory, splitK: false })).toThrow(
      `accumulators of column 0 of fc1 can reach ${bound}, which needs 27 bits, and the core's have 24`,
    );
  });

  it("is cut into the fewest equal parts that can't", () => {
    const { parts } = planJob(core, large, { memory, splitK: true });
    expect(parts.map(({ shape }) => shape.channels)).toEqual(parts.map(() => 96 / parts.length));
    for (const { job } of parts) expect(accumulatorBound(job.product, false).width).toBeLessThanOrEqual(24);
    expect(parts).toHaveLength(2);
    expect(parts[0]!.job.product.name).toBe(`fc1 channels 0..${96 / parts.length - 1}`);
  });

  it("is cut where the scratchpads can't hold it, into parts that they hold", () => {
    const narrow = coreOf({ activationKib: 4, weightKib: 4 });
    const { parts } = planJob(narrow, jobOf(2, 3, 600, 1), { memory, splitK: true });
    expect(parts.map(({ shape }) => shape.channels)).toEqual([200, 200, 200]);
    expect(() => planJob(narrow, jobOf(2, 3, 600, 1), { memory, splitK: false })).toThrow("takes 600 rows of a scratchpad of 256");
  });

  it("is not cut where it fits, nor where its results are codes", () => {
    expect(planJob(coreOf({ accWidth: 27 }), large, { memory, splitK: true }).parts).toHaveLength(1);
    const output = { format: "codes", bits: 8, unsigned: false, bias: new Float32Array(3), codeScale: new Float32Array(3).fill(1), transpose: true } as const;
    expect(() => planJob(core, { ...large, output }, { memory, splitK: true })).toThrow("it can't be cut into parts, because its results are codes");
  });

  it("has the shape of its tiles", () => {
    expect(shapeOf(core, large)).toMatchObject({
      wide: false,
      element: 8,
      tileRows: 16,
      tileColumns: 16,
      rowTiles: 1,
      columnTiles: 1,
      beats: 96,
      indexBytes: 192,
    });
  });
});
