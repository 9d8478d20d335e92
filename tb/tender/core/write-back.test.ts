import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random } from "../../../src/base/random.ts";
import type { CoreParameters } from "../../../src/designs/tender/core/parameters.ts";
import { writeBack } from "../../../src/designs/tender/core/write-back.ts";
import { lint } from "../../../src/flow/lint.ts";
import { simulate } from "../../../src/sim/index.ts";
import { verilogFiles } from "../../../src/verilog/index.ts";
import { seedDependence } from "../../lib/seed-dependence.ts";
import {
  bench,
  type Conditions,
  calm,
  conditions,
  core,
  firstBusyCycle,
  memoryBase,
  type PlacedJob,
  placeJobs,
  type Recipe,
  type RunResult,
  recipes,
  runJobs,
} from "./write-back-bench.ts";

const configurations: readonly CoreParameters[] = [
  core({ rows: 4, cols: 4, dataWidth: 64, addressWidth: 32, burst: 4, outstanding: 4 }),
  core({ rows: 8, cols: 16, dataWidth: 256, kind: "int4", addressWidth: 64, outstanding: 2 }),
  core({ rows: 4, cols: 16, dataWidth: 128, kind: "composable" }),
  core({ rows: 2, cols: 16, dataWidth: 64, kind: "composable", burst: 1 }),
  core({ rows: 8, cols: 8, dataWidth: 128, requantize: false }),
];

const nameOf = ({ rows, cols, kind, dataWidth, requantize }: CoreParameters): string =>
  `${rows}x${cols} ${kind} on ${dataWidth} bits${requantize ? "" : ", no codes"}`;

/** More than any run takes. */
const maxCycles = 200_000;

const slotErrors = fc.array(fc.constantFrom(0, 0, 2, 32, 34), { minLength: 4, maxLength: 4 });

/** The words of a job's record as memory has them. */
const recordAt = (memory: Uint8Array<ArrayBuffer>, address: number): number[] => {
  const view = new DataView(memory.buffer);
  return Array.from({ length: 4 }, (_, word) => view.getUint32(address - memoryBase + 4 * word, true));
};

/** Checks memory byte for byte, the records and the retirements against the jobs. */
const check = (parameters: CoreParameters, jobs: readonly PlacedJob[], errors: readonly number[], { memory, before, retired, respond }: RunResult): void => {
  const beat = parameters.dataWidth / 8;
  const expected = before.slice();
  const fails = (at: number): boolean => respond(at - (at % beat)) !== 0;
  const store = (at: number, bytes: Uint8Array): boolean => {
    bytes.forEach((byte, k) => {
      if (!fails(at + k)) expected[at + k - memoryBase] = byte;
    });
    return bytes.some((_, k) => fails(at + k));
  };
  let elapsed = firstBusyCycle - 2 ** 32;
  // The first record counts from 0 on.
  let counted = 0;
  const outcomes = jobs.map((job, number) => {
    const failed = job.runs.map(({ at, bytes }) => store(at, bytes)).includes(true);
    const status = job.status | job.own | errors[job.slot]! | (failed ? 4 : 0);
    const found = recordAt(memory.bytes, job.recordAddress);
    const words = new DataView(new ArrayBuffer(16));
    [2 ** 31 + status, job.tag, found[2]!, number].forEach((word, k) => words.setUint32(4 * k, word, true));
    const lost = store(job.recordAddress, new Uint8Array(words.buffer));
    if (!fails(job.recordAddress + 8)) {
      counted = (counted + found[2]!) % 2 ** 32;
      const at = (retired[number]?.at ?? 0) | 0;
      if (jobs.slice(0, number).every(({ recordAddress }) => !fails(recordAddress + 8))) {
        expect(counted | 0).toBeLessThan(at);
        expect(counted | 0).toBeGreaterThan(number === 0 ? elapsed : elapsed - 1);
      }
    }
    elapsed = (retired[number]?.at ?? 0) | 0;
    return { slot: job.slot, status: status | (lost ? 4 : 0), interrupt: job.recipe.interrupt ? 1 : 0 };
  });
  expect(retired.map(({ slot, status, interrupt }) => ({ slot, status, interrupt }))).toEqual(outcomes);
  const wrong: string[] = [];
  memory.bytes.forEach((byte, at) => {
    if (byte !== expected[at]) wrong.push(`${(memoryBase + at).toString(16)}: ${byte.toString(16)}, not ${expected[at]!.toString(16)}`);
  });
  expect(wrong.slice(0, 8)).toEqual([]);
};

describe.each([
  ...configurations.map((parameters) => ({ engine: "wasm" as const, parameters, name: nameOf(parameters) })),
  ...configurations.slice(2, 3).map((parameters) => ({ engine: "verilator" as const, parameters, name: nameOf(parameters) })),
])("write-back of $name on $engine", ({ engine, parameters }) => {
  const numRuns = engine === "wasm" ? 120 : 40;

  test("writes the bytes of every job and no other, then its record; with stalls and errors anywhere", { timeout: 120_000 }, async () => {
    using sim = await simulate(bench(parameters), { engine, maxCycles });
    fc.assert(
      fc.property(fc.array(recipes(parameters), { minLength: 1, maxLength: 6 }), slotErrors, conditions, (given, errors, how) => {
        const jobs = placeJobs(parameters, given, new Random(how.seed));
        sim.reset();
        check(parameters, jobs, errors, runJobs(sim, jobs, errors, how));
        expect(sim.io.active.peek()).toBe(0);
      }),
      { numRuns },
    );
  });
});

const whole = { bad: false, rowTiles: 1, columnTiles: 1, block: 1, transpose: false, wide: false, matrix: false, gap: 0, interrupt: false, faults: 0 };

test("back-to-back bad jobs each get their record, in order", async () => {
  const parameters = configurations[0]!;
  using sim = await simulate(bench(parameters), { engine: "wasm", maxCycles });
  const given = Array.from({ length: 9 }, (_, index): Recipe => ({ ...whole, bad: true, lastRows: 1, lastColumns: 1, format: 0, interrupt: index % 2 === 0 }));
  const jobs = placeJobs(parameters, given, new Random(3));
  sim.reset();
  check(parameters, jobs, [0, 0, 0, 0], runJobs(sim, jobs, [0, 0, 0, 0], calm));
});

test("an error that is reported just when the job's last row comes is in its record", async () => {
  const parameters = core({ rows: 16, cols: 16, dataWidth: 128, outstanding: 64 });
  using sim = await simulate(bench(parameters), { engine: "wasm", maxCycles });
  for (let latency = 1; latency <= 20; latency += 1) {
    const jobs = placeJobs(parameters, [{ ...whole, lastRows: 16, lastColumns: 16, format: 4 }], new Random(latency));
    sim.reset();
    const run = runJobs(sim, jobs, [0, 0, 0, 0], { ...calm, latency, failing: jobs[0]!.runs[0]!.at });
    check(parameters, jobs, [0, 0, 0, 0], run);
    expect(run.retired[0]!.status & 4).toBe(4);
  }
});

describe("at full rate", () => {
  const many = (parameters: CoreParameters, format: number, tiles: number, transpose: boolean): Recipe => ({
    ...whole,
    rowTiles: tiles,
    block: 4,
    lastRows: parameters.rows,
    lastColumns: parameters.cols,
    format,
    transpose,
  });
  /** Cycles that one more tile takes. */
  const perTile = async (parameters: CoreParameters, format: number, transpose: boolean): Promise<number> => {
    using sim = await simulate(bench(parameters), { engine: "wasm", maxCycles });
    const cyclesOf = (tiles: number): number => {
      const jobs = placeJobs(parameters, [many(parameters, format, tiles, transpose)], new Random(5));
      sim.reset();
      const run = runJobs(sim, jobs, [0, 0, 0, 0], calm);
      check(parameters, jobs, [0, 0, 0, 0], run);
      return run.cycles;
    };
    return (cyclesOf(14) - cyclesOf(6)) / 8;
  };

  test.each([
    { format: 0, transpose: false, cycles: 16 * 4, what: "rows of 4 beats" },
    { format: 1, transpose: false, cycles: 16 * 2, what: "rows of 2 beats" },
    { format: 4, transpose: false, cycles: 16, what: "rows of a beat" },
    { format: 4, transpose: true, cycles: 16, what: "transposed tiles of 16 beats" },
  ])("$what leave without a gap: a tile takes $cycles cycles", async ({ format, transpose, cycles }) => {
    expect(await perTile(core({ rows: 16, cols: 16, dataWidth: 128, outstanding: 64 }), format, transpose)).toBe(cycles);
  });
});

test.each(["wasm", "reference"] as const)("on %s nothing observable depends on undefined state", { timeout: 120_000 }, async (engine) => {
  const parameters = core({ rows: 2, cols: 4, dataWidth: 64, addressWidth: 32, burst: 4, outstanding: 2, kind: "int8" });
  const pairs = fc.tuple(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
  const how: fc.Arbitrary<Conditions> = conditions.map((given) => ({ ...given, latency: 3 }));
  await fc.assert(
    fc.asyncProperty(fc.array(recipes(parameters), { minLength: 1, maxLength: 3 }), pairs, how, async (given, seeds, conditionsOf) => {
      const jobs = placeJobs(parameters, given, new Random(7));
      const found = await seedDependence(
        {
          design: bench(parameters),
          payload: {
            "retired.slot": ({ retired }) => retired.valid.peek() === 1,
            "retired.status": ({ retired }) => retired.valid.peek() === 1,
            "retired.interrupt": ({ retired }) => retired.valid.peek() === 1,
            "mAxi.awaddr": ({ mAxi }) => mAxi.awvalid.peek() === 1,
            "mAxi.awlen": ({ mAxi }) => mAxi.awvalid.peek() === 1,
            "mAxi.wdata": ({ mAxi }) => mAxi.wvalid.peek() === 1,
            "mAxi.wstrb": ({ mAxi }) => mAxi.wvalid.peek() === 1,
            "mAxi.wlast": ({ mAxi }) => mAxi.wvalid.peek() === 1,
          },
          drive: (sim, _, monitor) => {
            runJobs(sim, jobs, [0, 0, 2, 0], conditionsOf, [monitor]);
          },
        },
        { engine, maxCycles },
        seeds,
        1,
      );
      expect(found).toBeUndefined();
    }),
    { numRuns: engine === "wasm" ? 25 : 4 },
  );
});

test.each([...configurations, core({ rows: 16, cols: 16 }), core({ rows: 32, cols: 32, kind: "composable", dataWidth: 256, addressWidth: 64 })])(
  "a write-back unit of $rows x $cols $kind is silent in Verilator, Icarus and Yosys",
  { timeout: 120_000 },
  async (parameters) => {
    const { circuit, name } = writeBack(parameters);
    expect(await lint(verilogFiles(circuit), name)).toEqual([]);
  },
);
