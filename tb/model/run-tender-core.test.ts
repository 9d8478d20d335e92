import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { predictions } from "../../src/experiments/agreement.ts";
import { fieldsOf } from "../../src/experiments/results.ts";
import { type ModelCore, type RunTenderCoreOptions, runTenderCore } from "../../src/experiments/run-tender-core.ts";
import { coreResult } from "../../src/golden/tender/core-product.ts";

const folder = mkdtempSync(join(tmpdir(), "systole-run-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A core of software that takes 100 cycles a product, and may spoil one element of one product. */
const openSoftware =
  (spoiled?: { readonly name: string; readonly at: number; readonly by: (value: number) => number }, onClose?: () => void) => async (): Promise<ModelCore> =>
    Promise.resolve({
      engine: "wasm",
      run: (products, onProgress) => {
        onProgress(0.5);
        const values = products.map((product) => {
          const result = coreResult(product, 32);
          if (product.name === spoiled?.name) result[spoiled.at] = spoiled.by(result[spoiled.at]!);
          return result;
        });
        return { values, cycles: 100 * products.length + 7, ends: products.map((_, at) => 100 * (at + 1)) };
      },
      [Symbol.dispose]: onClose ?? (() => undefined),
    });

const run = async (options: Partial<RunTenderCoreOptions> = {}) => runTenderCore({ model: "opt-mini", tokens: 4, sequences: 0, ...options });

describe("a whole model", () => {
  test("every result and the logits are compared, and each layer has its counts", async () => {
    let closed = 0;
    const said: string[] = [];
    const result = await run({ open: openSoftware(undefined, () => (closed += 1)), onProgress: (text) => said.push(text) });
    const { ok, config, engine, ...fields } = result;
    expect(fieldsOf["run tender-core"].parse(fields)).toEqual(fields);
    expect([ok, config.rows, engine, closed]).toEqual([true, 16, "wasm", 1]);
    // Results of a layer: Q, K, V, O and FC2, FC1, scores and values of four heads.
    const layer = 4 * (5 * 256 + 1024) + 4 * (4 * 4 + 4 * 64);
    const multiplications = 4 * (4 * 256 * 256 + 2 * 256 * 1024) + 4 * 2 * 4 * 4 * 64;
    // Six batches of 3, 4, 4, 1, 1 and 1 products.
    const cycles = 14 * 100 + 6 * 7;
    expect(fields.rows).toHaveLength(6);
    for (const [index, row] of fields.rows.entries())
      expect(row).toMatchObject({
        layer: index,
        products: 14,
        multiplications,
        compared: layer,
        mismatches: 0,
        cycles,
        utilization: multiplications / (256 * cycles),
      });
    expect(fields).toMatchObject({
      compared: 6 * layer + 4 * 2048,
      mismatches: 0,
      first: null,
      cycles: 6 * cycles,
      perplexity: [],
      agreement: null,
      plans: null,
    });
    expect(fields.utilization).toBeCloseTo(multiplications / (256 * cycles), 12);
    expect(said).toContain("layer 5: product 83 of 84");
  });

  test.each([
    ["blocks.0.attn.k", 259, 1, 3, 200],
    ["blocks.2.attn.scores.3", 5, 1, 1, 2 * (1400 + 42) + 307 + 400],
    ["blocks.5.ff.down", 1023, 3, 255, 5 * (1400 + 42) + 1300 + 5 * 7 + 100],
  ])("one wrong bit in %s is the first difference, and what follows from it is counted", async (name, at, row, column, cycle) => {
    const flip = (value: number): number => {
      const bits = new Uint32Array(Float32Array.of(value).buffer);
      bits[0]! ^= 1;
      return new Float32Array(bits.buffer)[0]!;
    };
    const result = await run({ open: openSoftware({ name, at, by: flip }) });
    expect(result.ok).toBe(false);
    expect(result.mismatches).toBeGreaterThan(0);
    expect(result.first).toMatchObject({ product: name, row, column, cycle });
    expect(result.first!.got).not.toBe(result.first!.expected);
    const layer = Number(name.split(".")[1]);
    expect(result.rows.findIndex(({ mismatches }) => Number(mismatches) > 0)).toBe(layer);
  });

  test("a NaN and a zero of the other sign count as differences", async () => {
    const nan = await run({ open: openSoftware({ name: "blocks.5.ff.down", at: 0, by: () => Number.NaN }) });
    expect(nan.first).toMatchObject({ product: "blocks.5.ff.down", row: 0, column: 0, got: "NaN" });
    // The first token sees no other, so that ReLU's zeros are the surest ones.
    const zero = await run({ open: openSoftware({ name: "blocks.0.ff.up", at: 0, by: (value) => (value === 0 ? -0 : -value) }) });
    expect(zero.first).toMatchObject({ product: "blocks.0.ff.up", row: 0, column: 0 });
  });

  test("a core that fails is closed all the same", async () => {
    let closed = 0;
    const open = async (): Promise<ModelCore> =>
      Promise.resolve({
        engine: "wasm",
        run: () => {
          throw new Error("stuck");
        },
        [Symbol.dispose]: () => (closed += 1),
      });
    await expect(run({ open })).rejects.toThrow("stuck");
    expect(closed).toBe(1);
  });

  test("without a core the golden model computes, and the driver's plans can be read", async () => {
    const result = await run({ explain: true, bits: 4, parameters: { kind: "composable", rows: 16, cols: 16 } });
    expect(result).toMatchObject({ ok: true, engine: "golden", compared: 0, cycles: null, utilization: null });
    expect(result.rows.map(({ compared, cycles, utilization }) => [compared, cycles, utilization])).toEqual(Array.from({ length: 6 }, () => [0, null, null]));
    expect(result.rows.every(({ predicted }) => Number(predicted) > 0)).toBe(true);
    expect(result.plans!.filter((line) => line.startsWith("blocks.")).map((line) => line.split(":")[0])).toHaveLength(14);
  });
});

test("text of one's own: perplexity of three schemes in order, and agreement with fp32", async () => {
  const path = join(folder, "text.txt");
  writeFileSync(path, "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness.");
  const { perplexity, agreement } = await run({ text: path, sequences: 1, groups: 4, chunk: 16 });
  expect(perplexity.map(({ scheme, bits, groups, chunk }) => [scheme, bits, groups, chunk])).toEqual([
    ["fp32", null, null, null],
    ["tender", 8, 4, 16],
    ["tender-attention", 8, 4, 16],
  ]);
  for (const { tokens, value } of perplexity) {
    expect(tokens).toBe(agreement!.tokens);
    expect(Math.abs(value / perplexity[0]!.value - 1)).toBeLessThan(0.05);
  }
  expect(agreement!.agreed / agreement!.tokens).toBeGreaterThan(0.85);
  expect(agreement!.agreed).toBeLessThanOrEqual(agreement!.tokens);
});

test("predictions are the largest logits, the first of equals", () => {
  expect(Array.from(predictions(Float32Array.of(1, 3, 3, -1, -2, -1), 3))).toEqual([1, 0]);
});

test.each([
  [{ tokens: 0 }, "0 is not a number of tokens from 1 to 512"],
  [{ tokens: 513 }, "513 is not a number of tokens from 1 to 512"],
  [{ text: "/nowhere.txt" }, "/nowhere.txt can't be read"],
  [{ model: "moe-mini" }, "moe-mini is not an OPT model"],
  [{ groups: 0 }, "0 groups"],
  [{ bits: 8, parameters: { kind: "int4" } }, "elements of kind int4 have 4 bits"],
  [{ parameters: { accWidth: 24 } }, "the core's have 24"],
  [{ parameters: { rows: 3 } }, "power of two"],
  [{ parameters: { activationKib: 1, rows: 16 } }, "scratchpad"],
] as const)("%o is refused", async (options, message) => {
  await expect(run(options)).rejects.toThrow(message);
});
