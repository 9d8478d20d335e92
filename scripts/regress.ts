/**
 * Compares the engines on many random circuits: `npm run regress -- [--circuits N] [--seed N] [--path P] [--verilator]`.
 * `--path` sees one circuit of a failed run again; `--verilator` runs circuits through Verilator, 100 a build, instead of WebAssembly.
 */
import { argv, exit, stdout } from "node:process";
import { parseArgs } from "node:util";
import { withProgress } from "../src/cli/progress.ts";
import { runCampaign, runVerilatorCampaign } from "../tb/fuzz/campaign.ts";

const { values } = parseArgs({
  args: argv.slice(2),
  options: {
    circuits: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    path: { type: "string" },
    verilator: { type: "boolean", default: false },
  },
});
const [seed, circuits] = [Number(values.seed), Number(values.circuits)];
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
