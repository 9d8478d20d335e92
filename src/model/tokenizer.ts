import { readFileSync } from "node:fs";
import { z } from "zod";
import { UserError } from "../base/error.ts";

const tokenizerSchema = z.object({
  type: z.literal("byte-level-bpe"),
  pattern: z.string(),
  byte_map: z.record(z.string().regex(/^\d{1,3}$/), z.string()),
  vocab: z.array(z.string()).max(65536),
  merges: z.array(z.tuple([z.string(), z.string()])).max(65536),
  end_of_text: z.number().int().min(0),
});

/** Text to token ids and back. `decode(encode(text))` equals `text` for every well-formed Unicode text. */
export interface Tokenizer {
  readonly vocabulary: number;
  readonly endOfText: number;
  readonly encode: (text: string) => Uint16Array;
  readonly decode: (ids: Iterable<number>) => string;
}

const unusable = (path: string, what: string): UserError => new UserError("bad-tokenizer", `${path} is not a usable tokenizer: ${what}`);

const parse = (path: string): z.infer<typeof tokenizerSchema> => {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new UserError("missing-file", `${path} can't be read`, { cause });
  }
  try {
    return tokenizerSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw unusable(path, cause instanceof z.ZodError ? z.prettifyError(cause) : "it is not JSON");
  }
};

/** The 256 printable characters that stand for bytes, each used once. */
const byteCharacters = (path: string, map: Readonly<Record<string, string>>): readonly string[] => {
  const characters = Array.from({ length: 256 }, (_, byte) => map[String(byte)] ?? "");
  if (characters.some((character) => Array.from(character).length !== 1 || character === " ") || new Set(characters).size !== 256)
    throw unusable(path, "its byte map does not give each byte a visible character of its own");
  return characters;
};

const pairKey = (left: string, right: string): string => `${left} ${right}`;

/** Joins, as long as there is one, the adjacent pair of the lowest rank (the earliest learned merge), everywhere in the piece. */
const mergePiece = (symbols: readonly string[], ranks: ReadonlyMap<string, number>): readonly string[] => {
  let parts = symbols;
  while (parts.length > 1) {
    let best = Number.POSITIVE_INFINITY;
    for (let index = 0; index + 1 < parts.length; index++) best = Math.min(best, ranks.get(pairKey(parts[index]!, parts[index + 1]!)) ?? best);
    if (best === Number.POSITIVE_INFINITY) break;
    const merged: string[] = [];
    for (let index = 0; index < parts.length; index++) {
      const pair = index + 1 < parts.length && ranks.get(pairKey(parts[index]!, parts[index + 1]!)) === best;
      merged.push(pair ? parts[index]! + parts[index + 1]! : parts[index]!);
      if (pair) index++;
    }
    parts = merged;
  }
  return parts;
};

/**
 * Reads a byte-level byte-pair tokenizer: the text is split by `pattern`, each piece's UTF-8 bytes become the characters of
 * `byte_map`, and pairs are merged in the order of `merges`.
 * @throws UserError `missing-file`, `bad-tokenizer`.
 */
export const readTokenizer = (path: string): Tokenizer => {
  const { pattern, byte_map, vocab, merges, end_of_text } = parse(path);
  const ids = new Map(vocab.map((token, id) => [token, id]));
  if (ids.size !== vocab.length) throw unusable(path, "its vocabulary names a token twice");
  if (end_of_text >= vocab.length) throw unusable(path, `its end of text is ${end_of_text} and its vocabulary has ${vocab.length} tokens`);
  const characters = byteCharacters(path, byte_map);
  const missing = [...characters, ...merges.map(([left, right]) => left + right)].find((token) => !ids.has(token));
  if (missing !== undefined) throw unusable(path, `its vocabulary lacks the token \`${missing}\``);
  const ranks = new Map(merges.map(([left, right], rank) => [pairKey(left, right), rank]));
  const bytes = new Map(characters.map((character, byte) => [character, byte]));
  const stray = vocab.find((token) => Array.from(token).some((character) => !bytes.has(character)));
  if (stray !== undefined) throw unusable(path, `its token \`${stray}\` holds a character that stands for no byte`);
  let split: RegExp;
  try {
    split = new RegExp(pattern, "gu");
  } catch {
    throw unusable(path, `its pattern is not a regular expression`);
  }
  const encodePiece = (piece: string): readonly number[] =>
    mergePiece(
      Array.from(Buffer.from(piece, "utf8"), (byte) => characters[byte]!),
      ranks,
    ).map((token) => ids.get(token)!);
  const bytesOf = (id: number): readonly number[] => {
    const token = vocab[id];
    if (token === undefined) throw new UserError("bad-token", `token ${id} is not below the vocabulary of ${vocab.length}`);
    return Array.from(token, (character) => bytes.get(character)!);
  };
  return {
    vocabulary: vocab.length,
    endOfText: end_of_text,
    encode: (text) => Uint16Array.from(pieces(text, split).flatMap(encodePiece)),
    decode: (tokens) => Buffer.from([...tokens].flatMap(bytesOf)).toString("utf8"),
  };
};

/** The matches of `split`, and what lies between them (nothing, for the published pattern) as pieces of their own. */
const pieces = (text: string, split: RegExp): readonly string[] => {
  const found: string[] = [];
  let end = 0;
  for (const match of text.matchAll(split)) {
    if (match.index > end) found.push(text.slice(end, match.index));
    if (match[0] !== "") found.push(match[0]);
    end = match.index + match[0].length;
  }
  if (end < text.length) found.push(text.slice(end));
  return found;
};
