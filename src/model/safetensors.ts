import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { z } from "zod";
import { UserError } from "../base/error.ts";
import type { Tensor } from "../base/tensor.ts";
import { sizeOf, tensor } from "../base/tensor.ts";

/** A header is a few hundred bytes a tensor; the format's own reader refuses more than this. */
const largestHeader = 100_000_000;

const elementBytes = { F16: 2, BF16: 2, F32: 4 } as const;
type Dtype = keyof typeof elementBytes;

const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const entrySchema = z.object({ dtype: z.string(), shape: z.array(count), data_offsets: z.tuple([count, count]) });

interface Entry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** Names to tensors, as binary32. */
export type Weights = ReadonlyMap<string, Tensor>;

const corrupt = (path: string, what: string): UserError =>
  new UserError("bad-safetensors", `${path} is not a usable safetensors file: ${what}`, { hint: "copy the file again from where it was published" });

const half = new Float32Array(2 ** 16);
/** Value of each of the 65,536 binary16 patterns, filled at first use. */
const halfValues = (): Float32Array => {
  if (half[0x3c00] === 1) return half;
  for (let bits = 0; bits < half.length; bits++) {
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    const magnitude =
      exponent === 0
        ? fraction * 2 ** -24
        : exponent === 31
          ? fraction === 0
            ? Number.POSITIVE_INFINITY
            : Number.NaN
          : (1024 + fraction) * 2 ** (exponent - 25);
    half[bits] = bits >= 0x8000 ? -magnitude : magnitude;
  }
  return half;
};

/** Widens little-endian elements to binary32; every F16 and BF16 value is exact. */
const decode = (bytes: Uint8Array, dtype: Dtype, length: number): Float32Array => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float32Array(length);
  if (dtype === "F32") for (let index = 0; index < length; index++) values[index] = view.getFloat32(index * 4, true);
  if (dtype === "F16") {
    const table = halfValues();
    for (let index = 0; index < length; index++) values[index] = table[view.getUint16(index * 2, true)]!;
  }
  if (dtype === "BF16") {
    const words = new Uint32Array(values.buffer);
    for (let index = 0; index < length; index++) words[index] = view.getUint16(index * 2, true) << 16;
  }
  return values;
};

const parseHeader = (text: string, path: string): Record<string, unknown> => {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (cause) {
    throw corrupt(path, `its header is not JSON (${cause instanceof Error ? cause.message : String(cause)})`);
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) throw corrupt(path, "its header is not an object");
  return header as Record<string, unknown>;
};

const checkEntry = (path: string, name: string, value: unknown, dataBytes: number): Entry => {
  const parsed = entrySchema.safeParse(value);
  if (!parsed.success) throw corrupt(path, `the entry \`${name}\` has not the fields dtype, shape and data_offsets`);
  const {
    dtype,
    shape,
    data_offsets: [begin, end],
  } = parsed.data;
  if (!Object.hasOwn(elementBytes, dtype)) throw corrupt(path, `the tensor \`${name}\` has the element type ${dtype}, and only F32, F16 and BF16 are read`);
  const kind = dtype as Dtype;
  if (begin > end || end > dataBytes) throw corrupt(path, `the tensor \`${name}\` lies at bytes ${begin} to ${end} of ${dataBytes}`);
  const bytes = sizeOf(shape) * elementBytes[kind];
  if (bytes !== end - begin) throw corrupt(path, `the tensor \`${name}\` of shape [${shape.join(", ")}] and type ${kind} does not take ${end - begin} bytes`);
  return { name, dtype: kind, shape, begin, end };
};

const checkHeader = (path: string, text: string, dataBytes: number): readonly Entry[] => {
  const entries = Object.entries(parseHeader(text, path))
    .filter(([name]) => name !== "__metadata__")
    .map(([name, value]) => checkEntry(path, name, value, dataBytes))
    .toSorted((one, other) => (one.begin === other.begin ? one.end - other.end : one.begin - other.begin));
  let end = 0;
  for (const entry of entries) {
    if (entry.begin !== end) throw corrupt(path, `the tensor \`${entry.name}\` starts at byte ${entry.begin} where the one before ends at ${end}`);
    end = entry.end;
  }
  if (end !== dataBytes) throw corrupt(path, `its tensors end at byte ${end} of ${dataBytes}`);
  return entries;
};

const readExactly = (file: number, path: string, position: number, length: number): Uint8Array => {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const got = readSync(file, bytes, done, length - done, position + done);
    if (got === 0) throw corrupt(path, `it ends at byte ${position + done}`);
    done += got;
  }
  return bytes;
};

const readOpen = (file: number, path: string): Weights => {
  const { size } = fstatSync(file);
  if (size < 8) throw corrupt(path, `it has ${size} bytes and the header's length alone takes 8`);
  const headerBytes = new DataView(readExactly(file, path, 0, 8).buffer).getBigUint64(0, true);
  if (headerBytes > BigInt(Math.min(size - 8, largestHeader))) throw corrupt(path, `a header of ${headerBytes} bytes does not fit its ${size} bytes`);
  const dataStart = 8 + Number(headerBytes);
  const text = Buffer.from(readExactly(file, path, 8, Number(headerBytes))).toString("utf8");
  const weights = new Map<string, Tensor>();
  for (const { name, dtype, shape, begin, end } of checkHeader(path, text, size - dataStart))
    weights.set(name, tensor(shape, decode(readExactly(file, path, dataStart + begin, end - begin), dtype, sizeOf(shape))));
  return weights;
};

/**
 * Reads a safetensors file (header length, JSON header, data; F32, F16 and BF16), widened to binary32.
 *
 * The file is untrusted: the header's length, every entry's fields, its type, its shape against its bytes, its place in the
 * file, overlaps and gaps are checked before anything is allocated for it.
 * @throws UserError `missing-file`, `bad-safetensors` with what is wrong.
 */
export const readSafetensors = (path: string): Weights => {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (cause) {
    throw new UserError("missing-file", `${path} can't be read`, { cause });
  }
  try {
    if (!fstatSync(file).isFile()) throw corrupt(path, "it is not a regular file");
    return readOpen(file, path);
  } finally {
    closeSync(file);
  }
};

/** The tensor `name`, which must have exactly this shape. @throws UserError `bad-model`. */
export const requireTensor = (weights: Weights, name: string, shape: readonly number[]): Tensor => {
  const found = weights.get(name);
  if (found === undefined) throw new UserError("bad-model", `the weights have no tensor \`${name}\``);
  if (found.shape.length !== shape.length || found.shape.some((extent, axis) => extent !== shape[axis]))
    throw new UserError("bad-model", `the tensor \`${name}\` has shape [${found.shape.join(", ")}] and the configuration needs [${shape.join(", ")}]`);
  return found;
};
