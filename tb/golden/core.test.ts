import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random } from "../../src/base/random.ts";
import { tensor } from "../../src/base/tensor.ts";
import { descriptorFields as hardwareFields } from "../../src/designs/tender/core/descriptor.ts";
import { checkCore, coreSchema, geometryOf } from "../../src/designs/tender/core/parameters.ts";
import { activationLayout, type CoreConfiguration, constantBytes, weightLayout } from "../../src/golden/tender/core/configuration.ts";
import { GoldenCore } from "../../src/golden/tender/core/core.ts";
import {
  addressFields,
  type DescriptorFields,
  descriptorFault,
  numberFields,
  readDescriptor,
  statusBits,
  writeDescriptor,
} from "../../src/golden/tender/core/descriptor.ts";
import { GoldenMemory } from "../../src/golden/tender/core/memory.ts";
import { quantizeActivations } from "../../src/golden/tender/groups.ts";
import { runProduct } from "../../src/golden/tender/matmul.ts";
import { quantizeWeights } from "../../src/golden/tender/quantize.ts";
import { writeExpected } from "../tender/core/expected-image.ts";
import { buildImage, copyOf, firstDifference, type ImageJob } from "../tender/core/images.ts";
import { faultNames, faults, type JobRecipe, jobArbitrary } from "../tender/core/jobs.ts";

const common = { addressWidth: 40, activationKib: 1, weightKib: 1, channels: 64, requantize: true };

const configurations: readonly CoreConfiguration[] = [
  { ...common, rows: 4, cols: 4, kind: "int8", accWidth: 32, shiftBits: 2, dataWidth: 64 },
  { ...common, rows: 2, cols: 16, kind: "int8", accWidth: 24, shiftBits: 1, dataWidth: 64 },
  { ...common, rows: 16, cols: 8, kind: "int8", accWidth: 48, shiftBits: 2, dataWidth: 128, requantize: false, addressWidth: 64 },
  { ...common, rows: 8, cols: 8, kind: "int4", accWidth: 24, shiftBits: 2, dataWidth: 128 },
  { ...common, rows: 4, cols: 32, kind: "int4", accWidth: 25, shiftBits: 1, dataWidth: 128 },
  { ...common, rows: 4, cols: 8, kind: "composable", accWidth: 24, shiftBits: 1, dataWidth: 64 },
  { ...common, rows: 8, cols: 16, kind: "composable", accWidth: 33, shiftBits: 2, dataWidth: 64 },
];

const nameOf = ({ rows, cols, kind, accWidth, shiftBits, dataWidth }: CoreConfiguration): string =>
  `${kind} ${rows}x${cols} a${accWidth} s${shiftBits} d${dataWidth}`;

const plain: JobRecipe = {
  work: "multiply",
  wide: false,
  unsigned: false,
  rows: 3,
  columns: 5,
  channels: 7,
  groups: 2,
  codes: "uniform",
  weights: "uniform",
  constants: "realistic",
  format: 0,
  relu: false,
  rowCompensation: false,
  transpose: false,
  block: 1,
  layout: "tiles",
  spare: 0,
  untidy: false,
  badIndex: false,
  interrupt: false,
  tag: 1,
  seed: 1,
};

/** Runs all jobs of an image on it; returns their statuses. */
const runAll = (configuration: CoreConfiguration, memory: GoldenMemory, jobs: readonly ImageJob[]): number[] => {
  const core = new GoldenCore(configuration, memory);
  return jobs.map(({ slot }) => core.run(slot).status);
};

describe.each(configurations.map((configuration) => [nameOf(configuration), configuration] as const))("golden core, %s", (_, configuration) => {
  test("equals the products of the matrices in every byte of memory", () => {
    let [overflows, nans] = [0, 0];
    fc.assert(
      fc.property(fc.array(jobArbitrary(configuration, { nops: 0, faults: 0, untidy: 0, badIndex: 0 }), { minLength: 1, maxLength: 3 }), (recipes) => {
        const image = buildImage(configuration, recipes, { seed: recipes[0]!.seed });
        const expected = copyOf(image.memory);
        for (const [number, job] of image.jobs.entries()) writeExpected(configuration, job, number, expected);
        for (const status of runAll(configuration, image.memory, image.jobs)) {
          if ((status & statusBits.overflow) !== 0) overflows += 1;
          if ((status & statusBits.nan) !== 0) nans += 1;
        }
        expect(firstDifference(image.memory, expected, image)).toBeUndefined();
      }),
      { numRuns: 150 },
    );
    // 16 groups of these codes don't leave 33 bits and more.
    if (configuration.accWidth < 32) expect(overflows).toBeGreaterThan(0);
    expect(nans).toBeGreaterThan(0);
  });

  test("blocks change nothing but the order", () => {
    fc.assert(
      fc.property(jobArbitrary(configuration, { nops: 0, faults: 0, untidy: 30, badIndex: 30 }), (recipe) => {
        const image = buildImage(configuration, [recipe]);
        const other = copyOf(image.memory);
        const { slot, fields } = image.jobs[0]!;
        const statuses = runAll(configuration, image.memory, image.jobs);
        const single = { ...fields, block: 1 };
        writeDescriptor(other, slot, single);
        expect(runAll(configuration, other, image.jobs)).toEqual(statuses);
        writeDescriptor(other, slot, fields);
        expect(firstDifference(other, image.memory, image)).toBeUndefined();
      }),
    );
  });

  test("refuses every fault, and then writes nothing but the record", () => {
    const wides = configuration.kind === "composable" ? [false, true] : [false];
    let refused = 0;
    for (const work of faultNames)
      for (const wide of wides) {
        const image = buildImage(configuration, [{ ...plain, wide, work }]);
        const job = image.jobs[0]!;
        if (job.recipe.work === "multiply") {
          expect(faults[work](job.fields, configuration)).toBeUndefined();
          continue;
        }
        const expected = copyOf(image.memory);
        for (const [index, word] of [2 ** 31 + statusBits.badDescriptor, plain.tag, 0, 0].entries())
          expected.setWord(job.slot + 0x40n + BigInt(4 * index), word);
        const { status, fault } = new GoldenCore(configuration, image.memory).run(job.slot);
        expect([work, status, typeof fault]).toEqual([work, statusBits.badDescriptor, "string"]);
        expect(firstDifference(image.memory, expected, image)).toBeUndefined();
        refused += 1;
      }
    expect(refused).toBeGreaterThan(25);
  });

  test("a nop of any fields leaves only a record", () => {
    fc.assert(
      fc.property(jobArbitrary(configuration, { nops: 100, faults: 0, untidy: 0, badIndex: 0 }), (recipe) => {
        const image = buildImage(configuration, [recipe, recipe]);
        const expected = copyOf(image.memory);
        const { slot, fields } = image.jobs[1]!;
        for (const memory of [image.memory, expected]) writeDescriptor(memory, slot, { ...fields, rows: 0, format: 3, index: 3n });
        for (const [number, job] of image.jobs.entries())
          for (const [index, word] of [2 ** 31, recipe.tag, 0, number].entries()) expected.setWord(job.slot + 0x40n + BigInt(4 * index), word);
        runAll(configuration, image.memory, image.jobs);
        expect(firstDifference(image.memory, expected, image)).toBeUndefined();
      }),
      { numRuns: 20 },
    );
  });
});

const square = configurations[0]!;

/** Status of a job after `change` of its image. */
const statusAfter = (configuration: CoreConfiguration, recipe: JobRecipe, change: (memory: GoldenMemory, fields: DescriptorFields) => void): number => {
  const image = buildImage(configuration, [recipe]);
  change(image.memory, image.jobs[0]!.fields);
  return runAll(configuration, image.memory, image.jobs)[0]!;
};

describe("lanes and beats at the edge", () => {
  test("a channel that the panels lack is zero and is told, also the last below 3fff; 3fff is zero without a word", () => {
    const bad = (entry: number): number =>
      statusAfter(square, plain, (memory, { index }) => {
        const [first] = [memory.read(index, 2)];
        first[0] = entry & 255;
        first[1] = entry >> 8;
      });
    expect([bad(6), bad(7), bad(0x3ffe), bad(0x3fff)]).toEqual([0, statusBits.badIndex, statusBits.badIndex, 0]);
    const results = (entry: number): Uint8Array => {
      const image = buildImage(square, [plain]);
      const { fields, slot } = image.jobs[0]!;
      image.memory.write(fields.index, Uint8Array.of(entry & 255, entry >> 8));
      new GoldenCore(square, image.memory).run(slot);
      return image.memory.read(fields.results, 64);
    };
    expect(results(7)).toEqual(results(0x3fff));
    expect(results(6)).not.toEqual(results(0x3fff));
  });

  test("NaN counts in lanes beyond the matrix, and not in rows beyond it", () => {
    const nan = Uint8Array.of(1, 0, 0xc0, 0x7f);
    // 5 columns leave lanes 1 to 3 of the second tile empty, 3 rows the last of the first.
    const second = BigInt(constantBytes(square).all);
    const lane = (number: number): number => statusAfter(square, plain, (memory, { constants }) => memory.write(constants + second + BigInt(4 * number), nan));
    expect([lane(0), lane(1), lane(3)]).toEqual([statusBits.nan, statusBits.nan, statusBits.nan]);
    const compensated = { ...plain, rowCompensation: true };
    const row = (number: number): number =>
      statusAfter(square, compensated, (memory, { compensations }) => memory.write(compensations + BigInt(4 * number), nan));
    expect([row(2), row(3)]).toEqual([statusBits.nan, 0]);
  });

  test("overflow counts in lanes beyond the matrix, and not in rows beyond it", () => {
    const configuration = { ...square, accWidth: 24 };
    const recipe: JobRecipe = { ...plain, codes: "full", weights: "full", rows: 3, columns: 3, channels: 40, groups: 16 };
    expect(statusAfter(configuration, recipe, () => {})).toBe(statusBits.overflow);
    // Weights of zero but in the empty lane; then activations of zero but in the empty row.
    const only = (lane: number) => (_: number, index: number) => (index % 4 === lane ? 0x80 : 0);
    const change = (name: "activations" | "weights", lane: number) => (memory: GoldenMemory, fields: DescriptorFields) =>
      memory.write(fields[name], new Uint8Array(160).map(only(lane)));
    expect(statusAfter(configuration, recipe, change("weights", 3))).toBe(statusBits.overflow);
    expect(statusAfter(configuration, recipe, change("activations", 2))).toBe(statusBits.overflow);
    expect(statusAfter(configuration, recipe, change("activations", 3))).toBe(0);
  });

  /** One activation times one weight, moved up as often as there are groups below it. */
  const moved = (x: number, w: number, shifts: number, unsigned: boolean): JobRecipe["operands"] => ({
    product: {
      codes: Int16Array.of(x),
      weights: Int16Array.of(w),
      rows: 1,
      columns: 1,
      channels: 1,
      groupOf: Uint8Array.of(shifts),
      order: [0],
      groupSizes: [1, ...Array.from({ length: shifts }, () => 0)],
      bits: 8,
      unsigned,
    },
    constants: { columns: [{ scale: 1, compensation: 0, bias: 0, codeScale: 1 }], rows: undefined },
  });
  const single = { ...plain, rows: 1, columns: 1, channels: 1 };

  test("an accumulator holds -2^23 and not 2^23", () => {
    const native = { ...square, accWidth: 24 };
    const run = (x: number, w: number, shifts: number): readonly number[] => {
      const image = buildImage(native, [{ ...single, operands: moved(x, w, shifts, false)! }]);
      const { slot, fields } = image.jobs[0]!;
      return [new GoldenCore(native, image.memory).run(slot).status, image.memory.floats(fields.results, 1)[0]!];
    };
    expect(run(-128, -128, 9)).toEqual([statusBits.overflow, -(2 ** 23)]);
    expect(run(-128, 64, 10)).toEqual([0, -(2 ** 23)]);
  });

  test("each of the four accumulators of an INT8 product can overflow alone, and leave a sum that fits", () => {
    const composable = configurations[5]!;
    // Powers of two in one nibble each: after 22 shifts nothing of them is left in 24 bits.
    const status = (x: number, w: number, shifts: number): number =>
      statusAfter(composable, { ...single, wide: true, unsigned: true, operands: moved(x, w, shifts, true)! }, () => {});
    for (const [x, w] of [
      [0x80, 0x40],
      [0x80, 0x08],
      [0x08, 0x40],
      [0x08, 0x08],
    ] as const)
      expect([status(x, w, 22), status(x, w, 3)]).toEqual([statusBits.overflow, 0]);
  });

  test("odd lanes of an INT8 product on composable cells have sums of zero and constants of their own", () => {
    const composable = configurations[5]!;
    const wide = { ...plain, wide: true, columns: 4, rows: 2 };
    const scale = (lane: number, bytes: Uint8Array): number =>
      statusAfter(composable, wide, (memory, { constants }) => memory.write(constants + BigInt(4 * lane), bytes));
    // Infinity times zero is NaN, and times an odd lane's sum too.
    expect(scale(1, Uint8Array.of(0, 0, 0x80, 0x7f))).toBe(statusBits.nan);
    expect(scale(1, Uint8Array.of(0, 0, 0x7f, 0x7f))).toBe(0);
  });
});

describe("descriptors", () => {
  test("lie as the hardware says", () => {
    const golden = Object.fromEntries<object>([
      ...Object.entries(numberFields).map(([name, [offset, high, low]]) => [name, { offset, low, width: high - low + 1 }] as const),
      ...Object.entries(addressFields).map(([name, offset]) => [name, { offset, low: 0, width: 64 }] as const),
    ]);
    const hardware = Object.fromEntries(Object.entries(hardwareFields).map(([name, { offset, low, width }]) => [name, { offset, low, width }]));
    expect(golden).toEqual(hardware);
  });

  test("come back as they were written, and leave the other bits alone", () => {
    const number = Object.fromEntries(
      Object.entries(numberFields).map(([name, [, high, low]]) => [name, fc.integer({ min: 0, max: 2 ** (high - low + 1) - 1 })]),
    );
    const address = Object.fromEntries(Object.keys(addressFields).map((name) => [name, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })]));
    fc.assert(
      fc.property(fc.record({ ...number, ...address }), fc.nat(255), (fields, fill) => {
        const memory = new GoldenMemory(new Uint8Array(128).fill(fill), 0);
        writeDescriptor(memory, 0n, fields as unknown as DescriptorFields);
        expect(readDescriptor(memory, 0n)).toEqual(fields);
        expect(memory.word(0n) & 0xe000).toBe((fill * 0x101) & 0xe000);
        expect(Array.from(memory.read(0x40n, 16)).concat(Array.from(memory.read(0x5cn, 36)))).toEqual(Array.from({ length: 52 }, () => fill));
      }),
    );
    const memory = new GoldenMemory(new Uint8Array(128), 0);
    expect(() => writeDescriptor(memory, 0n, { ...readDescriptor(memory, 0n), block: 65536 })).toThrow("block is 65536, not an integer from 0 to 65535");
    expect(() => writeDescriptor(memory, 0n, { ...readDescriptor(memory, 0n), index: -1n })).toThrow("index is -1, not an address of 64 bits");
  });

  test("are taken up to the limits", () => {
    const { fields } = buildImage(square, [{ ...plain, rows: 9 }]).jobs[0]!;
    const fault = (changed: Partial<DescriptorFields>, configuration: Partial<CoreConfiguration> = {}): string | undefined =>
      descriptorFault({ ...fields, ...changed }, { ...square, ...configuration });
    // 1 KiB are 128 rows of two words of four bytes: 256 words a panel, or three panels of 84 and two of 128.
    expect(fault({ channels: 256 })).toBeUndefined();
    expect(fault({ channels: 257 })).toMatch(/activations/);
    expect(fault({ channels: 257 }, { activationKib: 2 })).toMatch(/a panel of weights/);
    expect(fault({ channels: 84, block: 65535 })).toBeUndefined();
    expect(fault({ channels: 85, block: 65535 })).toMatch(/3 panels of activations/);
    expect(fault({ channels: 85, block: 2 })).toBeUndefined();
    expect(fault({ channels: 16384 }, { activationKib: 64, weightKib: 64 })).toBeUndefined();
    expect(fault({ channels: 16385 }, { activationKib: 1024, weightKib: 1024 })).toMatch(/16384/);
    expect(fault({ beats: 64 })).toBeUndefined();
    expect(fault({ block: 32, rowCompensation: 1, compensations: 0n })).toBeUndefined();
    expect(fault({ block: 33, rowCompensation: 1, compensations: 0n })).toMatch(/row compensations/);
    expect(fault({ block: 33, compensations: 1n })).toBeUndefined();
    expect(fault({ index: 2n ** 40n - 8n })).toBeUndefined();
    expect(fault({ results: 2n ** 40n })).toMatch(/results has more than 40 bits/);
    expect(fault({ results: 2n ** 40n }, { addressWidth: 64 })).toBeUndefined();
    expect(fault({ format: 4, transpose: 1 })).toBeUndefined();
    expect(fault({ format: 4, transpose: 1 }, { requantize: false })).toMatch(/makes no codes/);
    expect(fault({ format: 4 })).toMatch(/only leave transposed/);
    expect(fault({ format: 4 }, { cols: 8 })).toBeUndefined();
  });

  test("memory that is not there is an error that names it", () => {
    const image = buildImage(square, [plain]);
    const { slot, fields } = image.jobs[0]!;
    expect(() => new GoldenCore(square, image.memory).run(0n)).toThrow(/128 bytes at 0x0 are not in the memory's \d+ from 0x10000 on/);
    writeDescriptor(image.memory, slot, { ...fields, weights: 0x80000000n });
    expect(() => new GoldenCore(square, image.memory).run(slot)).toThrow(/at 0x80000000 are not in the memory/);
  });
});

test("the tested configurations are legal for the hardware, which agrees on their geometry", () => {
  const initial = Object.fromEntries(Object.entries(coreSchema).map(([name, parameter]) => [name, parameter.default]));
  for (const configuration of configurations) {
    const parameters = { ...initial, ...configuration } as unknown as Parameters<typeof checkCore>[0];
    expect(() => checkCore(parameters)).not.toThrow();
    const { activations, weights, constantBeats } = geometryOf(parameters);
    for (const [got, expected] of [
      [activationLayout(configuration), activations],
      [weightLayout(configuration), weights],
    ] as const)
      expect(got).toEqual({ wordBytes: expected.word / 8, rowBytes: expected.row / 8, wordsPerRow: expected.wordsPerRow, depth: expected.depth });
    expect(constantBytes(configuration).all).toBe((constantBeats * configuration.dataWidth) / 8);
  }
});

test("a layer of 64x1024x256 equals the reference's quantised product", () => {
  const configuration: CoreConfiguration = {
    ...common,
    rows: 16,
    cols: 16,
    kind: "int8",
    accWidth: 32,
    shiftBits: 2,
    dataWidth: 128,
    activationKib: 64,
    weightKib: 64,
    channels: 2048,
  };
  const [rows, channels, columns] = [64, 1024, 256];
  const random = new Random(7);
  const normal = (): number => random.float() + random.float() + random.float() - 1.5;
  const x = tensor(
    [rows, channels],
    Float32Array.from({ length: rows * channels }, (_, at) => normal() * (at % channels < 9 ? 30 : 1)),
  );
  const w = tensor([columns, channels], Float32Array.from({ length: columns * channels }, normal));
  const activations = quantizeActivations(x, { bits: 8, groups: 8, chunk: rows });
  const weights = quantizeWeights(w, 8);
  const compensation = Float32Array.from({ length: columns }, normal);
  const expected = runProduct(activations, weights, (_chunk, _row, column) => compensation[column]!, 32);
  const chunk = activations.chunks[0]!;
  const { groupOf, order, groupSizes } = chunk;
  const product = { codes: activations.codes, rows, weights: weights.codes, columns, channels, groupOf, order, groupSizes, bits: 8, unsigned: false };
  const constants = {
    columns: Array.from(weights.scales, (scale, column) => ({
      scale: Math.fround(chunk.scale0 * scale),
      compensation: compensation[column]!,
      bias: 0,
      codeScale: 1,
    })),
    rows: undefined,
  };
  const recipe: JobRecipe = { ...plain, rows, columns, channels, layout: "matrix", block: 4 };
  const image = buildImage(configuration, [{ ...recipe, operands: { product, constants } }]);
  const { slot, fields } = image.jobs[0]!;
  expect(new GoldenCore(configuration, image.memory).run(slot).status).toBe(0);
  expect(image.memory.floats(fields.results, rows * columns)).toEqual(expected.y.data);
});
