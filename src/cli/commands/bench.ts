import type { BenchSimRow } from "../../experiments/results.ts";
import { type CommonOptions, decimalUpTo, integerIn, type Leaf } from "../command.ts";
import { withProgress } from "../progress.ts";
import { tableText } from "../table.ts";

interface SimOptions extends CommonOptions {
  readonly sizes: readonly number[];
  readonly repetitions: number;
  readonly seconds: number;
  readonly strict?: boolean;
}

const figure = (value: number | null, digits: number): string => (value === null ? "-" : value.toFixed(digits));

const verdict = (met: boolean | null): string => {
  if (met === null) return "";
  return met ? "met" : "NOT MET";
};

const wordRows = async (rows: readonly BenchSimRow[]): Promise<string> =>
  tableText(
    ["design", "engine", "mode", "cycles/s", "of C++", "of Verilator", "expected", "cold build s", "cached build s", "start ms", "at most", ""],
    rows.map((row) => [
      row.design,
      row.engine,
      row.mode,
      row.cyclesPerSecond.toFixed(0),
      figure(row.ratioToCpp, 2),
      figure(row.ratioToVerilator, 2),
      figure(row.expected, 2),
      figure(row.buildSecondsCold, 2),
      figure(row.buildSecondsCached, 3),
      figure(row.startupMs, 1),
      figure(row.expectedStartupMs, 0),
      verdict(row.met),
    ]),
    [3, 4, 5, 6, 7, 8, 9, 10],
  );

const parseSizes = (text: string): number[] => text.split(",").map(integerIn(4, 64));

export const benchSim: Leaf<"bench sim", SimOptions> = {
  name: "bench sim",
  summary: "measure the simulation engines beside each other and a hand-written C++ test bench",
  examples: ["bench sim", "bench sim --sizes 8 --repetitions 3", "bench sim --strict --json"],
  configure: (command) => {
    command
      .option("--sizes <list>", "rows and columns of the arrays, multiples of 4, with commas between", parseSizes, [8, 16, 64])
      .option("--repetitions <integer>", "repetitions, of which the median counts", integerIn(1, 1000), 7)
      .option("--seconds <number>", "seconds of one repetition, about", decimalUpTo(60), 0.3)
      .option("--strict", "end with 1 where an expected figure is not met");
  },
  run: async ({ sizes, repetitions, seconds, strict = false }) => {
    const experiment = await import("../../experiments/bench-sim.ts");
    const fields = await withProgress("building", (update) =>
      experiment.benchSim({ sizes, repetitions, seconds, onProgress: (done, total) => update(`repetition ${done} of ${total}`) }),
    );
    const ok = !strict || fields.rows.every(({ met }) => met !== false);
    return { ok, fields, config: { sizes, repetitions, seconds }, engine: "verilator", text: await wordRows(fields.rows) };
  },
};
