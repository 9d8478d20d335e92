/**
 * Compares the engines on many random circuits: `npm run regress -- [--circuits N] [--seed N] [--path P] [--verilator]`.
 * `--path` sees one circuit of a failed run again; `--verilator` runs circuits through Verilator, 100 a build, instead of WebAssembly.
 */
import { argv, exit, stderr, stdout } from "node:process";
import { parseArgs } from "node:util";
import { withProgress } from "../src/cli/progress.ts";
import { runCampaign, runVerilatorCampaign } from "../tb/fuzz/campaign.ts";

/** Ends with 2: wrong use. */
const refuse = (sentence: string): never => {
  stderr.write(`regress: ${sentence}\n`);
  return exit(2);
};

const parse = () =>
  parseArgs({
    args: argv.slice(2),
    options: {
      circuits: { type: "string", default: "100000" },
      seed: { type: "string", default: "1" },
      path: { type: "string" },
      verilator: { type: "boolean", default: false },
    },
  });

const read = (): ReturnType<typeof parse> => {
  try {
    return parse();
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
};

const { values } = read();
const wholeNumber = (name: string, text: string): number =>
  /^\d+$/.test(text) && Number(text) <= 0xffffffff ? Number(text) : refuse(`--${name} is a whole number below 2^32, not \`${text}\``);

const seed = wholeNumber("seed", values.seed);
const circuits = wholeNumber("circuits", values.circuits);
const started = performance.now();
const result = await withProgress("random circuits", (update) =>
  (values.verilator ? runVerilatorCampaign : runCampaign)({
    seed,
    circuits,
    path: values.path,
    onProgress: (done) => done % 100 === 0 && update(`${done} of ${circuits} random circuits`),
  }),
);
const seconds = Math.round((performance.now() - started) / 1000);
stdout.write(`fuzz: seed ${seed}, ${result.circuits} circuits, ${result.cycles} cycles, ${seconds} s\n`);
if (result.coverage !== undefined) stdout.write(`nodes: ${result.coverage.nodes}\n`);
if (result.problem !== undefined) {
  stdout.write(`${result.problem}\n`);
  exit(1);
}
