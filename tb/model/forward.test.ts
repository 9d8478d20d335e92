import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { measurePerplexity } from "../../src/experiments/check-model.ts";
import { rotate } from "../../src/model/layers.ts";
import type { Scheme } from "../../src/model/linear.ts";
import { linearOf } from "../../src/model/linear.ts";
import { loadModel, modelsFolder } from "../../src/model/model.ts";
import { route } from "../../src/model/moe.ts";
import { demoTokens, sequencesOf } from "../../src/model/tokens.ts";

const folder = mkdtempSync(join(tmpdir(), "systole-model-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const models = { "opt-mini": loadModel("opt-mini"), "moe-mini": loadModel("moe-mini") };
const fp32 = linearOf({ name: "fp32" });
const valueOf = async (name: keyof typeof models, scheme: Scheme, tokens = 1025): Promise<number> =>
  (await measurePerplexity(models[name], sequencesOf(demoTokens(models[name], tokens), 512), scheme)).value;

describe("fp32", () => {
  // Computed in binary64 by a NumPy forward written apart from this code, on the same 1,025 tokens.
  test.each([
    ["opt-mini", 18.541785],
    ["moe-mini", 18.665224],
  ] as const)("%s has the perplexity of an independent forward pass", async (name, expected) => {
    expect(Math.abs((await valueOf(name, { name: "fp32" })) / expected - 1)).toBeLessThan(1e-5);
  });

  test.each(["opt-mini", "moe-mini"] as const)("%s: later tokens change no earlier logit", (name) => {
    const model = models[name];
    const tokens = demoTokens(model, 24);
    const whole = model.logits(tokens, fp32);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 24 }), (count) => {
        const prefix = model.logits(tokens.subarray(0, count), fp32);
        expect(prefix).toEqual(whole.subarray(0, prefix.length));
      }),
      { numRuns: 8, examples: [[1]] },
    );
  });
});

describe("quantised", () => {
  const tender = (bits: number, chunk: number): Promise<number> => valueOf("opt-mini", { name: "tender", bits, groups: 8, chunk }, 385);
  const other = (name: "tensor" | "token", bits: number): Promise<number> => valueOf("opt-mini", { name, bits }, 385);

  test("at 6 bits the schemes of opt-mini keep their recorded figures: worst per tensor, better per token, best with Tender", async () => {
    const figures = await Promise.all([valueOf("opt-mini", { name: "fp32" }, 385), tender(6, 256), other("token", 6), other("tensor", 6)]);
    expect(figures).toEqual(figures.toSorted((one, next) => one - next));
    // Within 1 %: equally good orders of additions give figures nearer than that to each other.
    for (const [index, recorded] of [17.3, 17.86, 18.09, 19.34].entries()) expect(Math.abs(figures[index]! / recorded - 1)).toBeLessThan(0.01);
  });

  test("at 4 bits the order is the same with wide gaps, and smaller row chunks help Tender", async () => {
    const figures = await Promise.all([tender(4, 16), tender(4, 256), other("token", 4), other("tensor", 4)]);
    for (const [index, better] of figures.slice(0, -1).entries()) expect(figures[index + 1]! / better).toBeGreaterThan(1.1);
  });

  const fine: Scheme[] = [
    { name: "tensor", bits: 15 },
    { name: "token", bits: 15 },
    { name: "tender", bits: 15, groups: 8, chunk: 64 },
    { name: "tender", bits: 15, groups: 1, chunk: 1 },
    { name: "tender", bits: 15, groups: 4, chunk: 100 },
  ];
  test.each(fine.flatMap((scheme) => (["opt-mini", "moe-mini"] as const).map((name) => [name, scheme] as const)))(
    "at 15 bits the logits of %s under %o are nearly those of fp32",
    (name, scheme) => {
      const model = models[name];
      const tokens = demoTokens(model, 48);
      const exact = model.logits(tokens, fp32);
      const quantized = model.logits(tokens, linearOf(scheme));
      let worst = 0;
      for (const [at, value] of exact.entries()) worst = Math.max(worst, Math.abs(quantized[at]! - value));
      expect(worst).toBeLessThan(0.05);
      expect(worst).toBeGreaterThan(0);
    },
  );
});

test("experts are the two of the largest scores, the lower index on a tie, with gates that sum to 1", () => {
  const [first, second, third] = route(Float32Array.of(1, 1, 1, -2, 3, 2), 3, 2);
  expect(first).toEqual({ tokens: [0], gates: [0.5] });
  expect(second!.tokens).toEqual([0, 1]);
  expect(third).toEqual({ tokens: [1], gates: [Math.fround(1 / (1 + Math.E))] });
  const scores = fc.array(fc.array(fc.float({ min: -20, max: 20, noNaN: true }), { minLength: 6, maxLength: 6 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(scores, (rows) => {
      const loads = route(Float32Array.from(rows.flat()), 6, 2);
      for (const [token, row] of rows.entries()) {
        const chosen = loads.flatMap(({ tokens, gates }, expert) =>
          tokens.includes(token) ? [{ score: Math.fround(row[expert]!), gate: gates[tokens.indexOf(token)]! }] : [],
        );
        expect(chosen).toHaveLength(2);
        expect(chosen.map(({ score }) => score).toSorted((a, b) => b - a)).toEqual(row.toSorted((a, b) => b - a).slice(0, 2));
        expect(chosen[0]!.gate + chosen[1]!.gate).toBeCloseTo(1, 6);
      }
    }),
  );
});

test("after rotation the product of a query and a key depends on their distance only", () => {
  const vector = fc.array(fc.float({ min: -4, max: 4, noNaN: true }), { minLength: 16, maxLength: 16 });
  fc.assert(
    fc.property(vector, vector, fc.nat(5), fc.nat(20), (query, key, distance, shift) => {
      const productAt = (position: number): number => {
        const rotated = [query, key].map((source) => {
          const x = Float32Array.from({ length: 30 * 16 }, (_, at) => source[at % 16]!);
          rotate(x, 2, 8);
          return x;
        });
        let sum = 0;
        for (let channel = 8; channel < 16; channel++) sum += rotated[0]![position * 16 + channel]! * rotated[1]![(position + distance) * 16 + channel]!;
        return sum;
      };
      expect(productAt(shift)).toBeCloseTo(productAt(0), 3);
    }),
  );
});

describe("loading", () => {
  const copyOf = (name: string, change: (config: Record<string, unknown>) => Record<string, unknown>): string => {
    cpSync(join(modelsFolder(), "opt-mini"), join(folder, name), { recursive: true });
    const path = join(folder, name, "config.json");
    writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>)));
    return join(folder, name);
  };

  test("a folder's path loads a model as its name does", () => {
    const copy = loadModel(copyOf("copy", (config) => config));
    const tokens = demoTokens(copy, 5);
    expect(copy.logits(tokens, fp32)).toEqual(models["opt-mini"].logits(tokens, fp32));
  });

  test.each<[string, Record<string, unknown>, string]>([
    ["layers", { layers: 7 }, "have no tensor `blocks.6."],
    ["context", { context: 1024 }, "`pos.weight` has shape [512, 256] and the configuration needs [1024, 256]"],
    ["vocab", { vocab: 4096 }, "the tokenizer of opt-mini has 2048 tokens and its configuration 4096"],
    ["heads", { heads: 3 }, "3 heads of 64 do not make d_model 256"],
    ["arch", { arch: "bert" }, "not a usable model configuration"],
    ["negative", { d_ff: -1 }, "d_ff"],
    ["experts", { arch: "llama-moe", experts: 2, top_k: 3, moe_layers: [] }, "top_k 3 must not exceed 2 experts"],
  ])("a configuration with other %s is refused", (name, change, message) => {
    expect(() => loadModel(copyOf(name, (config) => ({ ...config, ...change })))).toThrow(message);
  });

  test("an unknown name and tokens that do not fit are refused", () => {
    expect(() => loadModel("gpt-9")).toThrow("`gpt-9` is neither opt-mini nor moe-mini");
    expect(() => models["opt-mini"].logits(Uint16Array.of(2048), fp32)).toThrow("token 2048 is not below");
    expect(() => models["opt-mini"].logits(new Uint16Array(513), fp32)).toThrow("513 tokens are more than the context");
  });
});
