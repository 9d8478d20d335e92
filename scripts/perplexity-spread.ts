/**
 * How many digits of a quantised model's perplexity mean something: `npx tsx scripts/perplexity-spread.ts TOKENS [DRAWS] [SEED]`.
 *
 * Repeats each published figure of opt-mini (`research/data.md` section 2, PyTorch) with relative noise of 1e-6 on the outputs of the linear
 * layers, as much as another order of binary32 additions makes, and prints the figure without noise and the spread with it.
 */
import { argv, stdout } from "node:process";
import { deriveSeed, Random } from "../src/base/random.ts";
import { measurePerplexity } from "../src/experiments/check-model.ts";
import type { Linear, Scheme } from "../src/model/linear.ts";
import { linearOf } from "../src/model/linear.ts";
import { loadModel } from "../src/model/model.ts";
import { perplexity } from "../src/model/perplexity.ts";
import { readTokens, sequencesOf } from "../src/model/tokens.ts";

const [path = "", draws = "6", seed = "1"] = argv.slice(2);
const tender = (bits: number, chunk = 256): Scheme => ({ name: "tender", bits, groups: 8, chunk });

/** Published figure, scheme, sequences of 512. */
const published: readonly (readonly [number, Scheme, number])[] = [
  [29.435, { name: "fp32" }, 16],
  ...([8, 6, 4] as const).flatMap((bits, row) => [
    [[29.71, 33.86, 526.8][row]!, { name: "tensor", bits }, 16] as const,
    [[29.54, 31.07, 83.2][row]!, { name: "token", bits }, 16] as const,
    [[29.48, 29.89, 48.0][row]!, tender(bits), 16] as const,
  ]),
  [26.58, { name: "fp32" }, 4],
  [45.6, tender(4), 4],
  [35.2, tender(4, 64), 4],
  [34.3, tender(4, 32), 4],
  [32.2, tender(4, 16), 4],
];

/** Uniform noise with a standard deviation of 1e-6. */
const noisy =
  (linear: Linear, random: Random): Linear =>
  (input, kind, layers) =>
    linear(input, kind, layers).map((out) => out.map((value) => value * (1 + Math.sqrt(12) * 1e-6 * (random.float() - 0.5))));

const model = loadModel("opt-mini");
const sequences = sequencesOf(readTokens(path, model.config.vocab), model.config.context);
stdout.write("scheme bits groups chunk tokens | published | without noise | with noise: mean, standard deviation, least, most\n");
for (const [figure, scheme, count] of published) {
  const some = sequences.slice(0, count);
  const row = await measurePerplexity(model, some, scheme);
  const values: number[] = [];
  for (let draw = 0; draw < Number(draws); draw++) {
    const random = new Random(deriveSeed(Number(seed), `${JSON.stringify(scheme)} ${draw}`));
    values.push((await perplexity(model, some, noisy(linearOf(scheme), random))).value);
  }
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
  const spread = [mean, deviation, Math.min(...values), Math.max(...values)].map((value) => value.toFixed(3));
  stdout.write(
    `${row.scheme} ${row.bits ?? "-"} ${row.groups ?? "-"} ${row.chunk ?? "-"} ${row.tokens} | ${figure} | ${row.value.toFixed(3)} | ${spread.join(", ")}\n`,
  );
}
