import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stallProfiles } from "../../src/agents/index.ts";
import { Random } from "../../src/base/random.ts";
import { type VectorParameters, vectorLatency } from "../../src/designs/tender/vector-parameters.ts";
import { type VectorPorts, vectorUnit } from "../../src/designs/tender/vector-unit.ts";
import { lint } from "../../src/flow/lint.ts";
import { type Simulation, simulate } from "../../src/sim/index.ts";
import { verilogFiles } from "../../src/verilog/index.ts";
import { seedDependence } from "../lib/seed-dependence.ts";
import { runVectorUnit } from "./vector-bench.ts";
import { expectedRows, type VectorJob, vectorJobs } from "./vector-jobs.ts";

const configurations: readonly VectorParameters[] = [
  { lanes: 1, accWidth: 24, requantize: false, bitsPerStage: 1 },
  { lanes: 5, accWidth: 48, requantize: false, bitsPerStage: 1 },
  { lanes: 1, accWidth: 48, requantize: true, bitsPerStage: 1 },
  { lanes: 3, accWidth: 33, requantize: true, bitsPerStage: 4 },
  { lanes: 8, accWidth: 32, requantize: true, bitsPerStage: 2 },
];

const nameOf = ({ lanes, accWidth, requantize, bitsPerStage }: VectorParameters): string =>
  `of ${lanes} lanes, ${accWidth}-bit sums, ${requantize ? `codes by ${bitsPerStage} bits a stage` : "no codes"}`;

/** More than any run of jobs needs, so that one that hangs fails soon. */
const maxCycles = 10_000;

const noStalls = { load: "none", x: "none", y: "none" } as const;

const benches = [
  ...configurations.map((parameters) => ({ engine: "wasm" as const, parameters })),
  ...configurations.filter(({ lanes }) => lanes === 3 || lanes === 5).map((parameters) => ({ engine: "verilator" as const, parameters })),
].map((bench) => ({ name: nameOf(bench.parameters), ...bench }));

describe.each(benches)("vector unit $name on $engine", ({ engine, parameters }) => {
  let sim: Simulation<VectorPorts>;

  beforeAll(async () => {
    sim = await simulate(vectorUnit(parameters), { engine, maxCycles });
  });
  afterAll(() => sim.close());

  test("results and flags equal the golden model, with stalls on any stream and constants loaded meanwhile", () => {
    const profile = fc.constantFrom(...stallProfiles);
    fc.assert(
      fc.property(vectorJobs(parameters), profile, profile, profile, fc.nat(), (jobs, load, x, y, seed) => {
        sim.reset();
        expect(runVectorUnit(sim, parameters, jobs, { load, x, y }, new Random(seed)).rows).toEqual(expectedRows(jobs));
      }),
      { numRuns: 80 },
    );
  });

  test("a row a cycle: rows take the cycles of the closed form in every format", () => {
    const [jobs = []] = fc.sample(vectorJobs(parameters), { numRuns: 1, seed: 5 });
    const [job] = jobs as [VectorJob];
    for (const format of parameters.requantize ? (["binary32", "bfloat16", "int8", "uint4"] as const) : (["binary32", "bfloat16"] as const)) {
      for (const count of [1, 2, 70]) {
        const many = { ...job, format, rows: Array.from({ length: count }, (_, index) => job.rows[index % job.rows.length]!) };
        sim.reset();
        runVectorUnit(sim, parameters, [job], noStalls, new Random(1));
        const run = runVectorUnit(sim, parameters, [many], noStalls, new Random(1), { loaded: true });
        expect(run.rows).toEqual(expectedRows([many]));
        expect(run.cycles).toBe(count + vectorLatency(parameters));
      }
    }
  });

  test("a reset with rows inside loses them and nothing after it", () => {
    fc.assert(
      fc.property(vectorJobs(parameters), fc.integer({ min: 1, max: vectorLatency(parameters) + 10 }), (jobs, cycles) => {
        sim.io.x.valid.poke(1);
        sim.io.x.format.poke(0);
        sim.io.y.ready.poke(cycles % 2);
        sim.step(cycles);
        sim.io.x.valid.poke(0);
        sim.reset();
        expect(runVectorUnit(sim, parameters, jobs, noStalls, new Random(1)).rows).toEqual(expectedRows(jobs));
      }),
      { numRuns: 20 },
    );
  });

  test("a bank takes no constants while a row inside uses it", () => {
    const [jobs = []] = fc.sample(vectorJobs(parameters), { numRuns: 1, seed: 6 });
    const [job] = jobs as [VectorJob];
    sim.reset();
    runVectorUnit(sim, parameters, [{ ...job, rows: job.rows.slice(0, 1) }], noStalls, new Random(1));
    const { load, x, y } = sim.io;
    y.ready.poke(0);
    x.valid.poke(1);
    x.bank.poke(1);
    x.format.poke(0);
    sim.step();
    x.valid.poke(0);
    const ready = (bank: number): number => {
      load.bank.poke(bank);
      return load.ready.peek();
    };
    for (let cycle = 0; cycle < vectorLatency(parameters) + 5; cycle += 1, sim.step()) expect([ready(0), ready(1)]).toEqual([1, 0]);
    y.ready.poke(1);
    sim.step();
    expect([ready(0), ready(1)]).toEqual([1, 1]);
  });
});

test.each(["wasm", "reference"] as const)("on %s nothing observable depends on undefined state", async (engine) => {
  const parameters: VectorParameters = { lanes: 2, accWidth: 24, requantize: true, bitsPerStage: 13 };
  const isResult = ({ y }: Simulation<VectorPorts>["io"]): boolean => y.valid.peek() === 1;
  const pairs = fc.tuple(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
  await fc.assert(
    fc.asyncProperty(vectorJobs(parameters, 3), pairs, fc.nat(), async (jobs, seeds, stimulus) => {
      const found = await seedDependence(
        {
          design: vectorUnit(parameters),
          payload: { "y.data": isResult, "y.last": isResult, "y.overflow": isResult, "y.nan": isResult },
          drive: (sim, random, monitor) => {
            runVectorUnit(sim, parameters, jobs, { load: "25%", x: "50%", y: "50%" }, random, { monitors: [monitor] });
          },
        },
        { engine, maxCycles },
        seeds,
        stimulus,
      );
      expect(found).toBeUndefined();
    }),
    { numRuns: engine === "wasm" ? 20 : 4 },
  );
});

test.each([
  { format: 2, requantize: true },
  { format: 3, requantize: true },
  { format: 4, requantize: false },
])("format $format is refused by an assertion where requantize is $requantize", async ({ format, requantize }) => {
  using sim = await simulate(vectorUnit({ lanes: 1, accWidth: 24, requantize, bitsPerStage: 13 }), { engine: "wasm" });
  sim.reset();
  sim.io.x.valid.poke(1);
  sim.io.x.format.poke(format);
  expect(() => sim.step(2)).toThrow("known_format");
});

test.each([...configurations, { lanes: 64, accWidth: 48, requantize: true, bitsPerStage: 3 }].map((parameters) => ({ name: nameOf(parameters), parameters })))(
  "the vector unit $name is silent in Verilator, Icarus and Yosys",
  async ({ parameters }) => {
    const { circuit, name } = vectorUnit(parameters);
    expect(await lint(verilogFiles(circuit), name)).toEqual([]);
  },
);
