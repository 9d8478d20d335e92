import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { descriptorBytes } from "../../src/designs/tender/core/descriptor.ts";
import type { CoreParameters } from "../../src/designs/tender/core/parameters.ts";
import { decodeRecord, encodeDescriptor, errorsOf } from "../../src/driver/tender/core/descriptor.ts";
import { ImageMaker } from "../../src/driver/tender/core/images.ts";
import type { CoreJob } from "../../src/driver/tender/core/job.ts";
import { CoreMemory, type PlacedJob, placeJob } from "../../src/driver/tender/core/memory.ts";
import { type CorePlan, plan } from "../../src/driver/tender/core/plan.ts";
import { type ResultValues, readResults } from "../../src/driver/tender/core/results.ts";
import { GoldenCore } from "../../src/golden/tender/core/core.ts";
import { GoldenMemory } from "../../src/golden/tender/core/memory.ts";
import { coreJobs, coreOf, expectedResults, smallCores } from "./core-jobs.ts";

const timing = { latency: 40, beatsPerCycle: 1, shared: false };
const base = 0x1_0000_0000;

interface Placed {
  readonly memory: CoreMemory;
  readonly chosen: CorePlan;
  readonly placed: PlacedJob;
}

const placeIn = (parameters: CoreParameters, memory: CoreMemory, maker: ImageMaker, job: CoreJob): Placed => {
  const chosen = plan(parameters, job, timing);
  const ring = memory.reserve(descriptorBytes);
  const placed = placeJob(memory, chosen, maker.make(job, chosen.shape), 7);
  memory.bytes.set(encodeDescriptor(placed.descriptor), ring);
  expect(new GoldenCore(parameters, new GoldenMemory(memory.bytes, base)).run(BigInt(base + ring)).fault).toBeUndefined();
  expect(decodeRecord(memory.bytes, ring)).toMatchObject({ done: 1, tag: 7 });
  return { memory, chosen, placed };
};

const memoryFor = (parameters: CoreParameters): CoreMemory => new CoreMemory(parameters, new Uint8Array(1 << 20), base);

const throughMemory = (parameters: CoreParameters, job: CoreJob): ResultValues => {
  const { memory, placed } = placeIn(parameters, memoryFor(parameters), new ImageMaker(parameters), job);
  return readResults(parameters, memory.bytes, placed);
};

describe.each(
  smallCores.map((parameters) => ({ name: `${parameters.kind} ${parameters.rows}x${parameters.cols} on ${parameters.dataWidth} bits`, parameters })),
)("images for $name", ({ parameters }) => {
  it("give the golden model's results, of any shape, format and groups", () => {
    fc.assert(
      fc.property(coreJobs(parameters), (job) => {
        expect([...throughMemory(parameters, job)]).toEqual(expectedResults(job, parameters.accWidth));
      }),
      { numRuns: 60 },
    );
  });

  it("are at whole beats, inside the memory, and apart from each other", () => {
    fc.assert(
      fc.property(coreJobs(parameters), (job) => {
        const memory = memoryFor(parameters);
        const { placed, chosen } = placeIn(parameters, memory, new ImageMaker(parameters), job);
        const { index, activations, weights, constants, compensations, results, rowStride, tileDown, tileRight } = placed.descriptor;
        const { shape, layout } = chosen;
        for (const value of [index, activations, weights, constants, compensations, results, rowStride, tileDown, tileRight])
          expect((value * 8) % parameters.dataWidth).toBe(0);
        const areas = [
          [index, shape.indexBytes],
          [activations, shape.rowTiles * shape.activationPanel],
          [weights, shape.columnTiles * shape.weightPanel],
          [constants, shape.columnTiles * shape.constantBytes],
          [compensations, shape.rowTiles * shape.compensationBytes],
          [results, layout.bytes],
        ] as const;
        const sorted = areas.filter(([, bytes]) => bytes > 0).toSorted((a, b) => a[0] - b[0]);
        for (const [at, [from]] of sorted.entries()) expect(from).toBeGreaterThanOrEqual(at === 0 ? base : sorted[at - 1]![0] + sorted[at - 1]![1]);
        const last = sorted.at(-1)!;
        expect(last[0] + last[1]).toBeLessThanOrEqual(base + memory.used);
        // A tile writes all its columns, those beyond the matrix too.
        const right = shape.columnTiles * tileRight;
        expect(right).toBeLessThanOrEqual(placed.descriptor.transpose === 1 ? tileDown : rowStride);
        expect((shape.rowTiles - 1) * tileDown + right).toBeLessThanOrEqual(layout.bytes);
      }),
      { numRuns: 30 },
    );
  });
});

const parameters = coreOf({ rows: 4, cols: 4, dataWidth: 64, activationKib: 1, weightKib: 1 });
const small = (change: Partial<CoreJob["product"]> = {}): CoreJob => ({
  product: {
    name: "small",
    rows: 1,
    columns: 1,
    channels: 2,
    codes: Int16Array.of(3, -4),
    weights: Int16Array.of(5, 6),
    groupOf: Uint8Array.of(0, 1),
    order: Uint32Array.of(1, 0),
    groupSizes: [1, 1],
    bits: 8,
    unsigned: false,
    scales: Float32Array.of(0.5),
    compensation: Float32Array.of(1),
    rowCompensation: undefined,
    relu: false,
    ...change,
  },
  output: { format: "binary32" },
});

it("lanes without a column divide by 1, so that none gives NaN", () => {
  const job: CoreJob = {
    ...small(),
    output: { format: "codes", bits: 8, unsigned: false, bias: Float32Array.of(3), codeScale: Float32Array.of(4), transpose: true },
  };
  const { constants } = new ImageMaker(parameters).make(job, plan(parameters, job, timing).shape);
  expect([...new Float32Array(constants.buffer)]).toEqual([0.5, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 4, 1, 1, 1]);
});

describe("jobs in memory", () => {
  it("share the images of operands that they share", () => {
    const memory = memoryFor(parameters);
    const maker = new ImageMaker(parameters);
    const job = small();
    const first = placeIn(parameters, memory, maker, job).placed;
    const second = placeIn(parameters, memory, maker, {
      ...job,
      product: { ...job.product, weights: Int16Array.of(7, 8), compensation: Float32Array.of(2) },
    }).placed;
    expect(second.descriptor).toMatchObject({ index: first.descriptor.index, activations: first.descriptor.activations });
    expect(second.descriptor.weights).not.toBe(first.descriptor.weights);
    const third = placeIn(parameters, memory, maker, { ...job, product: { ...job.product, codes: Int16Array.of(1, 1) } }).placed;
    expect(third.descriptor.weights).toBe(first.descriptor.weights);
    expect(third.descriptor.activations).not.toBe(first.descriptor.activations);
    expect([first, second, third].map((placed) => readResults(parameters, memory.bytes, placed)[0])).toEqual([-15.5, -19.5, 9.5]);
  });

  it("are refused where the memory is full, and where it is beyond the core's addresses", () => {
    const memory = new CoreMemory(parameters, new Uint8Array(512), base);
    expect(() => placeIn(parameters, memory, new ImageMaker(parameters), small())).toThrow("don't fit a memory of 512 bytes");
    expect(() => new CoreMemory(parameters, new Uint8Array(4096), 2 ** 40 - 2048 + 2048)).toThrow("beyond the core's addresses of 40 bits");
  });

  it.each([
    ["a wrong length", small({ scales: Float32Array.of(1, 2) }), "small has 2 scales where its shape needs 1"],
    ["a code out of range", small({ codes: Int16Array.of(3, -129) }), "activations of small hold -129 at place 1, and codes are from -128 to 127"],
    ["a weight out of range", small({ weights: Int16Array.of(128, 0) }), "weights of small hold 128 at place 0"],
    ["a row too many", small({ rows: 70_000 }), "rows are from 1 to 65535, not 70000"],
    ["codes of more bits", small({ bits: 9 }), "elements of kind int8 have 8 bits, and its codes 9"],
    [
      "a scale that overflows",
      small({ groupOf: Uint8Array.of(4, 5), groupSizes: [1, 1, 0, 0, 0, 0], scales: Float32Array.of(2 ** 125) }),
      "times 2^4 is beyond binary32",
    ],
  ])("are refused with %s", (_what, job, message) => {
    expect(() => throughMemory(parameters, job)).toThrow(message);
  });
});

describe("descriptors and records", () => {
  it("refuse what a field can't hold", () => {
    const { descriptor } = placeIn(parameters, memoryFor(parameters), new ImageMaker(parameters), small()).placed;
    for (const bad of [{ block: 65_536 }, { tag: 2 ** 32 }, { rows: -1 }, { index: 0.5 }, { relu: 2 }])
      expect(() => encodeDescriptor({ ...descriptor, ...bad })).toThrow(`field ${Object.keys(bad)[0]} of a descriptor`);
  });

  it("name the errors of a status", () => {
    expect(errorsOf(0)).toEqual([]);
    expect(errorsOf(0b101010)).toEqual(["readError", "overflow", "badIndex"]);
  });
});
