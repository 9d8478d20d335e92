import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { UserError } from "../../src/base/error.ts";
import { checkTender, compareVectors } from "../../src/experiments/check-tender.ts";
import { integerProducts } from "../../src/experiments/vectors/integer-products.ts";
import { JsonValue, readJson } from "../../src/experiments/vectors/json-value.ts";
import { shiftAccumulate } from "../../src/golden/tender/matmul.ts";

const vectors = join(import.meta.dirname, "../vectors/tender.json.br");
const text = brotliDecompressSync(readFileSync(vectors)).toString("utf8");

type Json = Record<string, unknown>;
interface VectorFile extends Json {
  cases: Json[];
  micro_sym_quant: Json[];
  fp16_scale_table: Json[];
}

const parsed = JSON.parse(text) as VectorFile;
const folder = mkdtempSync(join(tmpdir(), "systole-vectors-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The file with one of its cases only, and that a copy. */
const withOneCase = (at: number): VectorFile => structuredClone({ ...parsed, cases: [parsed.cases[at % parsed.cases.length]!] });

/** The file with the first decoder layer only, its recorded calls changed. */
const withCalls = (change: (calls: unknown[]) => unknown[]): VectorFile => {
  const [layer] = parsed.cases.filter(({ kind }) => kind === "opt_decoder_layer");
  return { ...parsed, cases: [{ ...layer, calls: change(layer!.calls as unknown[]) }] };
};

/** Walks from `root` into children chosen by `choices` until `stop` holds; null where it ends before. */
const walk = (root: unknown, choices: Iterator<number>, stop: (value: unknown) => boolean): { owner: Json; key: string; path: string } | null => {
  let value = root as Json;
  let path = "";
  for (;;) {
    const keys = Object.keys(value);
    if (keys.length === 0) return null;
    const key = keys[choices.next().value % keys.length]!;
    path += Array.isArray(value) ? `[${key}]` : `${path === "" ? "" : "."}${key}`;
    const child = value[key];
    if (stop(child)) return { owner: value, key, path };
    if (typeof child !== "object" || child === null) return null;
    value = child as Json;
  }
};

const choices = fc.infiniteStream(fc.nat({ max: 100_000 }));

describe("reference vectors", () => {
  test("every value of the subset is reproduced", async () => {
    const seen: string[] = [];
    const result = await checkTender({ vectors, onProgress: (done, total, name) => seen.push(`${done}/${total} ${name}`) });
    expect(result).toMatchObject({ ok: true, mismatches: 0, first: null, level: "golden", engine: "golden", cases: 9 });
    expect(result.compared).toBeGreaterThan(90_000);
    expect(result.rows.every(({ compared }) => compared > 0)).toBe(true);
    expect(result.rows.reduce((sum, { compared }) => sum + compared, 0)).toBe(result.compared);
    // Two units in the last place of the largest output, 4821.44 (2^-11 each).
    expect(result.maxAbsDiff).toBeLessThanOrEqual(2 ** -10);
    expect(seen).toHaveLength(9);
    expect(seen[8]).toBe("8/9 opt_int8_g4_c4_all_static_rup");
  });

  test("without any allowance, only what follows a softmax differs in last bits, and no code does", () => {
    const strict = compareVectors(new JsonValue(parsed, ""), { tolerance: 0 });
    const differing = strict.rows.filter(({ mismatches }) => mismatches > 0).map(({ name }) => name);
    expect(differing).toEqual(["opt_int4_g8_c4_all_dyn sv[0]", "opt_int8_g4_c4_all_static_rup calibration"]);
    expect(strict.first?.path).toMatch(/sv\[0\]\.tmax/);
  });

  test("the list of integer products holds operands and accumulators of each chunk", async () => {
    const products = integerProducts(await readJson(vectors));
    // 10 chunks of single products; 6 linear products of three layers in 3, 2 and 3 chunks, and of two of them QK^T and S·V of two heads.
    expect(products).toHaveLength(10 + 6 * (3 + 2 + 3) + 4 * 3 + 4 * 3);
    for (const product of products) expect(Array.from(shiftAccumulate(product), Number)).toEqual(Array.from(product.expectedAcc));
    expect(products.at(-1)).toMatchObject({ name: "opt_int8_g4_c4_all_static_rup sv[1] chunk 2", unsigned: true, path: "cases[8].gemm.sv[1].hw[2].acc_final" });
  });
});

describe("a wrong value", () => {
  test.each([
    ["cases[0].w_q[2][3]", (file: VectorFile) => (file.cases[0] as { w_q: number[][] }).w_q[2]!, 3],
    ["cases[0].acc", (file: VectorFile) => (file.cases[0] as { hw: { acc_final: number[][] }[] }).hw[0]!.acc_final[1]!, 4],
    ["micro_sym_quant[3].q[5]", (file: VectorFile) => (file.micro_sym_quant[3] as { q: number[] }).q, 5],
  ])("%s is the first difference", (_, place, key) => {
    const file = structuredClone(parsed);
    const owner = place(file);
    const value = owner[key]!;
    owner[key] = value + 1;
    const { first, mismatches } = compareVectors(new JsonValue(file, ""));
    expect(mismatches).toBe(1);
    expect(first).toMatchObject({ expected: value + 1, got: value });
    expect(first?.path.endsWith(`[${key}]`)).toBe(true);
  });

  test("any expected number, changed by one, is found at its path", () => {
    // Values that nothing precedes and nothing else is computed from: outputs, codes, tables and accumulators.
    const results = /^(w_scale|w_q|tmax|cmax|scales_smallest|thresholds|group_index|x_q|hw|gemm|official)/;
    fc.assert(
      fc.property(fc.nat({ max: 8 }), choices, (at, stream) => {
        const file = withOneCase(at);
        const found = walk(file.cases[0], stream, (value) => typeof value === "number");
        fc.pre(found !== null && results.test(found.path) && !/rows_valid/.test(found.path));
        const { owner, key, path } = found;
        owner[key] = Number(owner[key]) + 1;
        const { first, mismatches } = compareVectors(new JsonValue(file, ""));
        expect(mismatches).toBeGreaterThan(0);
        expect(first?.path).toBe(`cases[0].${path}`);
      }),
      { numRuns: 100 },
    );
  });

  test("an integer product whose order leaves its groups is refused", () => {
    const file = withOneCase(2);
    const { order } = (file.cases[0] as { hw: { order: number[] }[] }).hw[0]!;
    [order[0], order[23]] = [order[23]!, order[0]!];
    expect(() => integerProducts(new JsonValue(file, ""))).toThrow(/outside its group/);
    order[0] = order[1]!;
    expect(() => integerProducts(new JsonValue(file, ""))).toThrow(/permutation/);
  });
});

/** Runs both readers on a corrupt file: whatever comes, it is a result or a UserError. */
const survives = (file: unknown): "result" | "error" => {
  let outcome: "result" | "error" = "result";
  for (const read of [() => compareVectors(new JsonValue(file, "")), () => integerProducts(new JsonValue(file, ""))]) {
    try {
      read();
    } catch (error) {
      expect(error).toBeInstanceOf(UserError);
      expect((error as UserError).exitCode).toBe(2);
      outcome = "error";
    }
  }
  return outcome;
};

describe("a corrupt file", () => {
  test("cut anywhere, it is not JSON", async () => {
    const path = join(folder, "cut.json");
    for (const part of [0, 0.001, 0.3, 0.77, 1 - 1e-6]) {
      writeFileSync(path, text.slice(0, Math.floor(text.length * part)));
      await expect(checkTender({ vectors: path })).rejects.toMatchObject({ code: "bad-vectors", exitCode: 2 });
    }
    writeFileSync(join(folder, "cut.json.br"), readFileSync(vectors).subarray(0, 5000));
    await expect(checkTender({ vectors: join(folder, "cut.json.br") })).rejects.toMatchObject({ code: "unreadable-vectors", exitCode: 2 });
    await expect(checkTender({ vectors: join(folder, "none.json") })).rejects.toMatchObject({ code: "unreadable-vectors", exitCode: 2 });
    await expect(checkTender({ vectors: folder })).rejects.toMatchObject({ code: "unreadable-vectors", exitCode: 2 });
  });

  test.each([
    ["a number", 3],
    ["null", null],
    ["another format", { cases: [] }],
    ["no case", { ...parsed, cases: [] }],
    ["an unknown kind", { ...parsed, cases: [{ ...parsed.cases[0], kind: "conv" }] }],
    ["a stated size that the file does not hold", { ...parsed, cases: [{ ...parsed.cases[0], chunk_size: 2 ** 20, pad_rows: 2 ** 20 - 8 }] }],
    ["groups beyond reason", { ...parsed, cases: [{ ...parsed.cases[0], groups: 1e9 }] }],
    ["sizes that contradict each other", { ...parsed, cases: [{ ...parsed.cases[0], chunks: 2 }] }],
    ["a list longer than stated", { ...parsed, cases: [{ ...parsed.cases[0], w_scale: [...(parsed.cases[0] as { w_scale: number[] }).w_scale, 1] }] }],
    ["an infinite number", { ...parsed, cases: [{ ...parsed.cases[0], w_scale: [Number.POSITIVE_INFINITY, 1, 1, 1, 1, 1] }] }],
    ["an unsigned call too many", withCalls((calls) => [...calls, calls.at(-1)])],
    ["a call after the last", withCalls((calls) => [...calls, calls[0]])],
    ["a calibration in a dynamic case", { ...withCalls((calls) => calls), cases: [{ ...withCalls((calls) => calls).cases[0], calibration: {} }] }],
    ["a call too few", withCalls((calls) => calls.slice(0, -1))],
    ["a weight row of zeros", { ...parsed, cases: [{ ...parsed.cases[0], W: Array.from({ length: 6 }, () => Array.from({ length: 16 }, () => 0)) }] }],
  ])("%s is refused", (_, file) => {
    expect(() => compareVectors(new JsonValue(file, ""))).toThrow(UserError);
  });

  test("whatever is replaced by another type or left out is refused", () => {
    const replacements: unknown[] = [undefined, null, true, "x", [], {}, [["x"]]];
    fc.assert(
      fc.property(fc.nat({ max: 8 }), choices, fc.nat({ max: 4 }), fc.constantFrom(...replacements), (at, stream, depth, replacement) => {
        const file = withOneCase(at);
        let level = 0;
        const found = walk(file, stream, (value) => typeof value !== "object" || value === null || level++ > depth + 2);
        fc.pre(found !== null && !/^meta|fp16_scale_table$|\.(src|name)$/.test(found.path));
        const { owner, key } = found;
        fc.pre(JSON.stringify(owner[key]) !== JSON.stringify(replacement));
        // A hole in an array is nothing that JSON can say: the element goes, and the list is shorter.
        if (replacement !== undefined) owner[key] = replacement;
        else if (Array.isArray(owner)) owner.splice(Number(key), 1);
        else Reflect.deleteProperty(owner, key);
        expect(survives(file)).toBe("error");
      }),
      { numRuns: 150 },
    );
  });

  test("any number may be replaced by any other without a crash", () => {
    fc.assert(
      fc.property(fc.nat({ max: 8 }), choices, fc.constantFrom(1e300, -1e300, -1, 0, 3.5, 2 ** 40, 2 ** 53, 5e-324, 64), (at, stream, replacement) => {
        const file = withOneCase(at);
        const found = walk(file, stream, (value) => typeof value === "number");
        fc.pre(found !== null);
        found.owner[found.key] = replacement;
        expect(survives(file)).toMatch(/result|error/);
      }),
      { numRuns: 150 },
    );
  });
});
