import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../base/error.ts";
import type { Model } from "./model.ts";
import { modelsFolder } from "./model.ts";

const largestTokenFile = 2 ** 28;

/**
 * Reads a token file: ids as little-endian 16-bit words, nothing else.
 * @throws UserError `missing-file`; `bad-tokens` for an odd size, an id outside the vocabulary, or a file over 256 MiB.
 */
export const readTokens = (path: string, vocabulary: number): Uint16Array => {
  let bytes: Buffer;
  try {
    const { size } = statSync(path);
    if (size > largestTokenFile) throw new UserError("bad-tokens", `${path} has ${size} bytes and a token file at most ${largestTokenFile}`);
    bytes = readFileSync(path);
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw new UserError("missing-file", `${path} can't be read`, { cause });
  }
  if (bytes.length % 2 !== 0) throw new UserError("bad-tokens", `${path} has ${bytes.length} bytes, and 16-bit token ids take an even number`);
  const tokens = Uint16Array.from({ length: bytes.length / 2 }, (_, index) => bytes.readUInt16LE(2 * index));
  const at = tokens.findIndex((token) => token >= vocabulary);
  if (at >= 0) throw new UserError("bad-tokens", `${path} holds the token ${tokens[at]} at position ${at}, and the vocabulary has ${vocabulary}`);
  return tokens;
};

/** One stretch of text to predict: `targets[i]` follows `inputs[i]`. */
export interface Sequence {
  readonly inputs: Uint16Array;
  readonly targets: Uint16Array;
}

/**
 * Cuts tokens into sequences of `length` predictions; each starts with the last target of the one before. A rest shorter than `length` is left out,
 * unless it is all there is.
 * @throws UserError `bad-tokens` for fewer than two tokens.
 */
export const sequencesOf = (tokens: Uint16Array, length: number): Sequence[] => {
  if (tokens.length < 2) throw new UserError("bad-tokens", `${tokens.length} tokens are too few: one predicts the next, so at least two are needed`);
  const size = Math.min(length, tokens.length - 1);
  return Array.from({ length: Math.floor((tokens.length - 1) / size) }, (_, index) => ({
    inputs: tokens.subarray(index * size, (index + 1) * size),
    targets: tokens.subarray(index * size + 1, (index + 1) * size + 1),
  }));
};

/** The public-domain text that comes with the project: old State of the Union addresses, not in the models' training text. */
export const demoText = (): string => readFileSync(join(modelsFolder(), "text", "sotu.txt"), "utf8");

/**
 * The first `count` tokens of the demo text.
 * @throws UserError `bad-tokens` when the text has fewer.
 */
export const demoTokens = (model: Model, count: number): Uint16Array => {
  const tokens = model.tokenizer.encode(demoText());
  if (!Number.isInteger(count) || count < 1 || count > tokens.length)
    throw new UserError("bad-tokens", `${count} is not a number of tokens from 1 to the demo text's ${tokens.length}`);
  return tokens.subarray(0, count);
};
