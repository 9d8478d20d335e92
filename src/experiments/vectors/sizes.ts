import type { JsonValue } from "./json-value.ts";

/** Sizes that every case states, checked against each other. */
export interface CaseSizes {
  readonly name: string;
  readonly bits: number;
  readonly groups: number;
  /** Rows of a chunk. */
  readonly chunk: number;
  readonly chunks: number;
  /** Rows (tokens) that are not padding. */
  readonly tokens: number;
}

/** Largest extent that a case may state; real ones are bounded by the file's own size long before. */
const largestExtent = 2 ** 20;

export const extent = (value: JsonValue): number => value.integer(1, largestExtent);

/** Stated integer that must equal what follows from others. */
export const consistent = (value: JsonValue, expected: number, formula: string): void => {
  if (value.number() !== expected) value.fail(`is ${value.number()}, but ${formula} is ${expected}`);
};

/** @throws UserError `bad-vectors` when sizes are missing, out of range or contradict each other. */
export const readSizes = (file: JsonValue): CaseSizes => {
  const bits = file.get("q_bits").integer(2, 15);
  const chunk = extent(file.get("chunk_size"));
  const tokens = extent(file.get("T"));
  const chunks = Math.ceil(tokens / chunk);
  consistent(file.get("q_max"), 2 ** (bits - 1) - 1, "2^(q_bits-1)-1");
  consistent(file.get("chunks"), chunks, "ceil(T / chunk_size)");
  consistent(file.get("pad_rows"), chunks * chunk - tokens, "chunks * chunk_size - T");
  return { name: file.get("name").text(), bits, groups: file.get("groups").integer(1, 64), chunk, chunks, tokens };
};
