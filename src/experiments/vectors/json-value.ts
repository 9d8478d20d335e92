import { readFile } from "node:fs/promises";
import { brotliDecompressSync } from "node:zlib";
import { UserError } from "../../base/error.ts";
import { sizeOf } from "../../base/tensor.ts";

type ErrorCode = "bad-vectors";
const code: ErrorCode = "bad-vectors";

/** A value of an untrusted JSON file with its path: every read checks what it finds and says where it is wrong. */
export class JsonValue {
  readonly value: unknown;
  readonly path: string;

  constructor(value: unknown, path: string) {
    this.value = value;
    this.path = path;
  }

  fail(constraint: string): never {
    throw new UserError(code, `${this.path === "" ? "the file" : this.path} ${constraint}`, {
      hint: "the file is truncated, inconsistent, or not of the format of vectors/tender.json",
    });
  }

  #record(): Readonly<Record<string, unknown>> {
    if (typeof this.value !== "object" || this.value === null || Array.isArray(this.value)) this.fail("is not an object");
    return this.value as Readonly<Record<string, unknown>>;
  }

  get isNull(): boolean {
    return this.value === null;
  }

  get isArray(): boolean {
    return Array.isArray(this.value);
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#record(), key);
  }

  get(key: string): JsonValue {
    const record = this.#record();
    const path = this.path === "" ? key : `${this.path}.${key}`;
    if (!Object.hasOwn(record, key))
      throw new UserError(code, `${path} is missing`, { hint: "the file is truncated or not of the format of vectors/tender.json" });
    return new JsonValue(record[key], path);
  }

  items(): JsonValue[] {
    if (!Array.isArray(this.value)) this.fail("is not an array");
    return this.value.map((item: unknown, at) => new JsonValue(item, `${this.path}[${at}]`));
  }

  text(): string {
    if (typeof this.value !== "string") this.fail("is not a string");
    return this.value;
  }

  flag(): boolean {
    if (typeof this.value !== "boolean") this.fail("is not true or false");
    return this.value;
  }

  /** A finite number. */
  number(): number {
    if (typeof this.value !== "number" || !Number.isFinite(this.value)) this.fail("is not a finite number");
    return this.value;
  }

  integer(low: number, high: number): number {
    const value = this.number();
    if (!Number.isInteger(value) || value < low || value > high) this.fail(`is ${value}, not an integer from ${low} to ${high}`);
    return value;
  }

  /** Nested arrays of exactly `shape`, flattened row-major; any finite numbers. */
  numbers(shape: readonly number[]): Float64Array {
    // The file must hold that many numbers, so a shape made of absurd sizes fails in #fill, before memory is taken for it.
    const out: number[] = [];
    fill(this.value, this.path, shape, 0, out);
    if (out.length !== sizeOf(shape)) this.fail(`does not hold ${sizeOf(shape)} numbers`);
    return Float64Array.from(out);
  }

  /** Nested arrays of exactly `shape`; numbers rounded to binary32, which those of the reference file already are. */
  floats(shape: readonly number[]): Float32Array {
    return Float32Array.from(this.numbers(shape));
  }

  /** Nested arrays of exactly `shape` of integers in [low, high], as 16-bit codes. */
  codes(shape: readonly number[], low: number, high: number): Int16Array {
    const values = this.numbers(shape);
    for (const value of values) if (!Number.isInteger(value) || value < low || value > high) this.fail(`holds ${value}, not an integer from ${low} to ${high}`);
    return Int16Array.from(values);
  }

  /** Lengths of nested arrays, following the first element; [] for a number. */
  shape(): number[] {
    const shape: number[] = [];
    for (let value = this.value; Array.isArray(value) && shape.length < 8; value = value[0]) shape.push(value.length);
    return shape;
  }
}

const fill = (value: unknown, path: string, shape: readonly number[], axis: number, out: number[]): void => {
  const extent = shape[axis];
  if (extent === undefined) {
    if (typeof value !== "number" || !Number.isFinite(value)) throw new UserError(code, `${path} is not a finite number`);
    out.push(value);
    return;
  }
  if (!Array.isArray(value) || value.length !== extent)
    throw new UserError(code, `${path} is not an array of ${extent}`, { hint: `shape [${shape.join(", ")}] is needed from the sizes that the case states` });
  for (let at = 0; at < extent; at++) fill(value[at], `${path}[${at}]`, shape, axis + 1, out);
};

/** Largest text that a packed file may unpack to: what a JavaScript string can hold. */
const largestText = 2 ** 29 - 24;

const readText = async (path: string): Promise<string> => {
  const bytes = await readFile(path);
  return (path.endsWith(".br") ? brotliDecompressSync(bytes, { maxOutputLength: largestText }) : bytes).toString("utf8");
};

/**
 * Reads a JSON file from outside; one whose name ends in `.br` is unpacked by Brotli.
 * @throws UserError `unreadable-vectors` when the file can't be read or unpacked, `bad-vectors` when it is not JSON.
 */
export const readJson = async (path: string): Promise<JsonValue> => {
  const text = await readText(path).catch((cause: unknown) => {
    throw new UserError("unreadable-vectors", `${path} can't be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  });
  try {
    return new JsonValue(JSON.parse(text), "");
  } catch (cause) {
    throw new UserError(code, `${path} is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, { hint: "is the file whole?", cause });
  }
};
