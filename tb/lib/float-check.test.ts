import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../../src/base/error.ts";
import { checkFloat } from "../../src/experiments/check-float.ts";

const vectors = join(import.meta.dirname, "../vectors/float");

const files = ["f32_add", "f32_mul", "i32_to_f32", "f32_to_i32", "f32_to_bf16"];

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "systole-float-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe.each(["wasm", "reference", "verilator"] as const)("on %s", (engine) => {
  test.each(files)("unit and golden model of %s equal Berkeley TestFloat", async (name) => {
    const result = await checkFloat({ vectors: join(vectors, `${name}.u32`), engine });
    expect(result).toMatchObject({ ok: true, engine, mismatches: 0, first: null, maxAbsDiff: 0 });
    expect(result.rows.map(({ compared }) => compared)).toEqual([result.compared / 2, result.compared / 2]);
    expect(result.compared).toBeGreaterThan(2000);
  });
});

/** A copy of a file of cases, as another function's or with words changed. */
const changed = (name: string, as: string, change: (words: Uint32Array) => void): string => {
  const path = join(folder, `${as}.u32`);
  copyFileSync(join(vectors, `${name}.u32`), path);
  const bytes = readFileSync(path);
  const words = Uint32Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readUInt32LE(4 * index));
  change(words);
  writeFileSync(path, Buffer.from(words.buffer));
  return path;
};

test("files of subtractions and divisions, made here", async () => {
  const subtraction = changed("f32_add", "f32_sub", (words) => {
    for (let at = 1; at < words.length; at += 4) words[at]! ^= 0x80000000;
  });
  expect(await checkFloat({ vectors: subtraction, engine: "wasm" })).toMatchObject({ ok: true, mismatches: 0 });
  const division = join(folder, "f32_div.u32");
  // 1 / 3, 2 / 0, the smallest subnormal number / 2 and / -0.5, 0 / 0, each with the flags it would raise.
  const cases = [
    [0x3f800000, 0x40400000, 0x3eaaaaab, 1],
    [0x40000000, 0x00000000, 0x7f800000, 8],
    [0x00000001, 0x40000000, 0x00000000, 3],
    [0x00000001, 0xbf000000, 0x80000002, 0],
    [0x00000000, 0x80000000, 0xffc00000, 16],
  ];
  writeFileSync(division, Buffer.from(Uint32Array.from(cases.flat()).buffer));
  expect(await checkFloat({ vectors: division, engine: "wasm" })).toMatchObject({ ok: true, compared: 10, mismatches: 0 });
});

test("a wrong result in a file is found, in the unit and in the model, and named", async () => {
  const path = changed("f32_add", "f32_add", (words) => {
    words.set([0x3f800000, 0x40000000, 0x40400001, 0], 4 * 5);
  });
  const result = await checkFloat({ vectors: path, engine: "wasm" });
  expect(result).toMatchObject({
    ok: false,
    mismatches: 2,
    first: { product: "f32_add[5](0x3f800000, 0x40000000)", expected: "0x40400001", got: "0x40400000", cycle: 9 },
    rows: [{ mismatches: 1 }, { name: "golden model", mismatches: 1 }],
  });
  expect(result.maxAbsDiff).toBe(2 ** -22);
});

test("a NaN where none is expected is a difference, and the other way round", async () => {
  const path = changed("f32_mul", "f32_mul", (words) => {
    words.set([0x3f800000, 0x40000000, 0x7fc00000, 16, 0x7f800000, 0, 0x40000000, 0], 0);
  });
  expect(await checkFloat({ vectors: path, engine: "wasm" })).toMatchObject({ ok: false, mismatches: 4, maxAbsDiff: 0 });
});

const refusal = async (path: string): Promise<UserError> => {
  const thrown: unknown = await checkFloat({ vectors: path, engine: "wasm" }).catch((error: unknown) => error);
  if (!(thrown instanceof UserError)) throw new Error(`${path} is not refused`);
  return thrown;
};

test("files that hold no cases are refused", async () => {
  const short = join(folder, "f32_to_i32.u32");
  writeFileSync(short, Buffer.alloc(16));
  expect(await refusal(short)).toMatchObject({
    code: "bad-vectors",
    message: `${short} has 16 bytes, which is no whole number of cases of 12 bytes from one on`,
  });
  writeFileSync(short, "");
  expect(await refusal(short)).toMatchObject({ code: "bad-vectors", exitCode: 2 });
  const other = changed("f32_add", "i32_to_f32", () => undefined);
  const misread = await refusal(other);
  expect(misread.code).toBe("bad-vectors");
  expect(await refusal(join(folder, "f32_div2.u32"))).toMatchObject({ code: "unknown-function" });
  expect(await refusal(join(folder, "constructor"))).toMatchObject({ code: "unknown-function" });
  expect(await refusal(join(folder, "nowhere", "f32_add.u32"))).toMatchObject({ code: "unreadable-vectors", exitCode: 2 });
});

test("flags that are none show that a file has another form", async () => {
  const path = changed("f32_to_bf16", "f32_to_bf16", (words) => {
    words[3 * 7 + 2] = 32;
  });
  expect(await refusal(path)).toMatchObject({
    code: "bad-vectors",
    message: `${path} has 32 as the flags of case 7, more than 31`,
    hint: "cases of f32_to_bf16 are an operand, the result and the flags",
  });
});
