import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { UserError } from "../../src/base/error.ts";
import { sizeOf } from "../../src/base/tensor.ts";
import { readSafetensors, requireTensor } from "../../src/model/safetensors.ts";

const folder = mkdtempSync(join(tmpdir(), "systole-safetensors-"));
const path = join(folder, "model.safetensors");
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const fileOf = (header: string, data: Uint8Array, headerLength = BigInt(Buffer.byteLength(header))): Buffer => {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(headerLength);
  return Buffer.concat([length, Buffer.from(header), data]);
};
const headerOf = (entries: Readonly<Record<string, unknown>>): string => JSON.stringify({ __metadata__: { format: "test" }, ...entries });
const read = (bytes: Uint8Array): ReturnType<typeof readSafetensors> => {
  writeFileSync(path, bytes);
  return readSafetensors(path);
};
const refusalOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof UserError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "not refused";
};

const bytesOf = { F32: 4, F16: 2, BF16: 2 } as const;
const dtype = fc.constantFrom("F32", "F16", "BF16");
const shape = fc.array(fc.constantFrom(0, 1, 2, 3, 5), { maxLength: 3 });
const tensors = fc.array(fc.record({ dtype, shape }), { minLength: 1, maxLength: 5 });

/** A file of tensors one after another, and the bytes of its data. */
const pack = (list: readonly { dtype: keyof typeof bytesOf; shape: readonly number[] }[], fill: number): { header: string; data: Buffer } => {
  let end = 0;
  const entries = list.map(({ dtype, shape }, index) => {
    const begin = end;
    end += sizeOf(shape) * bytesOf[dtype];
    return [`t${index}`, { dtype, shape, data_offsets: [begin, end] }] as const;
  });
  return { header: headerOf(Object.fromEntries(entries)), data: Buffer.alloc(end, fill) };
};

test("every element of F32, F16 and BF16 is widened exactly", () => {
  const float = Float32Array.of(1.5, -0, 3.4028234663852886e38, 1e-45, Number.NEGATIVE_INFINITY, Math.fround(0.1));
  const half = Uint16Array.of(0x3c00, 0x8000, 0x7bff, 0x0001, 0xfc00, 0x2e66, 0x7e00, 0x83ff);
  const brain = Uint16Array.of(0x3f80, 0xc000, 0x7f7f, 0x0001);
  const data = Buffer.concat([float, half, brain].map((part) => Buffer.from(part.buffer)));
  const header = headerOf({
    f: { dtype: "F32", shape: [2, 3], data_offsets: [0, 24] },
    h: { dtype: "F16", shape: [8], data_offsets: [24, 40] },
    b: { dtype: "BF16", shape: [4, 1], data_offsets: [40, 48] },
  });
  const weights = read(fileOf(header, data));
  expect(weights.get("f")).toEqual({ shape: [2, 3], data: float });
  expect(Array.from(weights.get("h")!.data)).toEqual([1, -0, 65504, 2 ** -24, Number.NEGATIVE_INFINITY, 0.0999755859375, Number.NaN, -1023 * 2 ** -24]);
  expect(Array.from(weights.get("b")!.data)).toEqual([1, -2, 3.3895313892515355e38, 2 ** -133]);
  expect(weights.size).toBe(3);
});

test("any list of tensors is read back with its names and shapes", () => {
  fc.assert(
    fc.property(tensors, (list) => {
      const { header, data } = pack(list, 0x3c);
      const weights = read(fileOf(header, data));
      expect(weights.size).toBe(list.length);
      for (const [index, { shape }] of list.entries()) expect(weights.get(`t${index}`)!.shape).toEqual(shape);
    }),
  );
});

test("a file cut short anywhere is refused", () => {
  fc.assert(
    fc.property(tensors, fc.nat(), (list, cut) => {
      const { header, data } = pack(list, 0);
      const bytes = fileOf(header, data);
      writeFileSync(path, bytes);
      truncateSync(path, cut % bytes.length);
      expect(refusalOf(() => readSafetensors(path))).toContain("bad-safetensors");
    }),
    { examples: [[[{ dtype: "F16", shape: [1] }], 0]] },
  );
});

test("changed bytes of the header give an error for the user or tensors that the file really holds", () => {
  const flip = fc.record({ at: fc.nat(), to: fc.oneof(fc.constantFrom(0, 0x22, 0x30, 0x39, 0x7d, 0xff), fc.integer({ min: 0, max: 255 })) });
  fc.assert(
    fc.property(tensors, fc.array(flip, { minLength: 1, maxLength: 3 }), (list, flips) => {
      const { header, data } = pack(list, 0);
      const bytes = fileOf(header, data);
      for (const { at, to } of flips) bytes[at % (8 + Buffer.byteLength(header))] = to;
      writeFileSync(path, bytes);
      try {
        let elements = 0;
        for (const tensor of readSafetensors(path).values()) elements += tensor.data.length;
        expect(elements * 2).toBeLessThanOrEqual(data.length);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        expect(error.code).toBe("bad-safetensors");
      }
    }),
    { numRuns: 1000 },
  );
});

const f32 = (shape: readonly unknown[], from: unknown, to: unknown): unknown => ({ dtype: "F32", shape, data_offsets: [from, to] });
test.each([
  ["an overlap", { a: f32([2], 0, 8), b: f32([1], 4, 8) }, "starts at byte 4 where the one before ends at 8"],
  ["a gap", { a: f32([1], 4, 8) }, "starts at byte 4 where the one before ends at 0"],
  ["bytes that no tensor covers", { a: f32([1], 0, 4) }, "end at byte 4 of 8"],
  ["an end beyond the file", { a: f32([3], 0, 12) }, "lies at bytes 0 to 12 of 8"],
  ["an end before the start", { a: f32([0], 8, 4) }, "lies at bytes 8 to 4 of 8"],
  ["a shape of other size", { a: f32([3], 0, 8) }, "shape [3] and type F32 does not take 8 bytes"],
  ["a shape beyond all memory", { a: f32([2 ** 40, 2 ** 40, 2 ** 40, 2 ** 40], 0, 8) }, "does not take 8 bytes"],
  ["a negative extent", { a: f32([-2], 0, 8) }, "has not the fields"],
  ["a fractional offset", { a: f32([2], 0, 8.5) }, "has not the fields"],
  ["no shape", { a: { dtype: "F32", data_offsets: [0, 8] } }, "has not the fields"],
  ["an entry that is no object", { a: 7 }, "has not the fields"],
  ["an element type not read", { a: { dtype: "I8", shape: [8], data_offsets: [0, 8] } }, "element type I8"],
  ["an element type named as a method", { a: { dtype: "toString", shape: [8], data_offsets: [0, 8] } }, "element type toString"],
])("%s is refused", (_, entries, message) => {
  const refusal = refusalOf(() => read(fileOf(headerOf(entries), Buffer.alloc(8))));
  expect(refusal).toContain("bad-safetensors: ");
  expect(refusal).toContain(message);
});

test("a header length beyond the file, and text that is no JSON object, are refused", () => {
  for (const length of [2n ** 64n - 1n, 2n ** 63n, 2n ** 31n, 3n])
    expect(refusalOf(() => read(fileOf("{}", Buffer.alloc(0), length)))).toContain("bad-safetensors");
  for (const text of ["", "{", "[]", "null", "7"]) expect(refusalOf(() => read(fileOf(text, Buffer.alloc(0))))).toContain("bad-safetensors");
  expect(refusalOf(() => readSafetensors(join(folder, "absent")))).toContain("missing-file");
  expect(refusalOf(() => readSafetensors(folder))).toContain("bad-safetensors");
});

test("a tensor of another name or shape is not accepted for the one that a model needs", () => {
  const weights = read(fileOf(headerOf({ a: f32([1, 2], 0, 8) }), Buffer.alloc(8)));
  expect(requireTensor(weights, "a", [1, 2]).data).toHaveLength(2);
  for (const shape of [[2, 1], [2], [1, 2, 1]]) expect(refusalOf(() => requireTensor(weights, "a", shape))).toContain("bad-model");
  expect(refusalOf(() => requireTensor(weights, "b", [1, 2]))).toContain("bad-model");
});
