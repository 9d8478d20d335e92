import { readFileSync, statSync } from "node:fs";
import { basename, extname } from "node:path";
import { UserError } from "../../base/error.ts";

/** Cases of one function: operand by operand, and the results. */
export interface FloatCases {
  /** The function, from the file's name. */
  readonly name: string;
  readonly operands: readonly Uint32Array[];
  readonly results: Uint32Array;
}

const largestFile = 2 ** 28;

/** Exception flags of SoftFloat: inexact, underflow, overflow, infinite, invalid. */
const mostFlags = 31;

const readBytes = (path: string): Buffer => {
  try {
    const { size } = statSync(path);
    if (size > largestFile) throw new UserError("bad-vectors", `${path} has ${size} bytes and a file of cases at most ${largestFile}`);
    return readFileSync(path);
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw new UserError("unreadable-vectors", `${path} can't be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
};

/** Name of the function whose cases a file holds: `f32_add` of `vectors/f32_add.u32`. */
export const functionOf = (path: string): string => basename(path, extname(path));

/**
 * Reads cases as little-endian 32-bit words: operands, result and exception flags of each. The flags are read only to see that the file has this form.
 * @throws UserError `unreadable-vectors`, or `bad-vectors` for a size that is no whole number of cases or flags that are none
 */
export const readFloatCases = (path: string, operands: number): FloatCases => {
  const bytes = readBytes(path);
  const words = operands + 2;
  const count = bytes.length / (4 * words);
  if (!Number.isInteger(count) || count === 0)
    throw new UserError("bad-vectors", `${path} has ${bytes.length} bytes, which is no whole number of cases of ${4 * words} bytes from one on`);
  const column = (at: number): Uint32Array => Uint32Array.from({ length: count }, (_, index) => bytes.readUInt32LE(4 * (words * index + at)));
  const wrong = column(words - 1).findIndex((flags) => flags > mostFlags);
  if (wrong >= 0)
    throw new UserError(
      "bad-vectors",
      `${path} has ${bytes.readUInt32LE(4 * (words * wrong + words - 1))} as the flags of case ${wrong}, more than ${mostFlags}`,
      {
        hint: `cases of ${functionOf(path)} are ${operands === 1 ? "an operand" : `${operands} operands`}, the result and the flags`,
      },
    );
  return { name: functionOf(path), operands: Array.from({ length: operands }, (_, at) => column(at)), results: column(operands) };
};
