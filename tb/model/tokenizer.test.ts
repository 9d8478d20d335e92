import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { UserError } from "../../src/base/error.ts";
import { modelsFolder } from "../../src/model/model.ts";
import { readTokenizer } from "../../src/model/tokenizer.ts";
import { demoText } from "../../src/model/tokens.ts";

interface Published {
  readonly pattern: string;
  readonly byte_map: Readonly<Record<string, string>>;
  readonly vocab: string[];
  readonly merges: [string, string][];
  readonly end_of_text: number;
}

const folder = mkdtempSync(join(tmpdir(), "systole-tokenizer-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const path = join(modelsFolder(), "opt-mini", "tokenizer.json");
const published = JSON.parse(readFileSync(path, "utf8")) as Published;
const tokenizer = readTokenizer(path);

/** What a refusal says; any other error is passed on. */
const refusalOf = (path: string): string => {
  try {
    readTokenizer(path);
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  return "not refused";
};

/** Well-formed text: what looks like English, and any code points. */
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        " ",
        "  ",
        "\n",
        "\t ",
        "the",
        " the",
        " and",
        "ing",
        "tion",
        "Union",
        "don't",
        "1861",
        ".",
        ", ",
        "--",
        "é",
        "中",
        "😀",
        "\u00a0",
        "\ufeff",
        "\0",
        "Ġ",
      ),
      fc.string({ unit: "binary", maxLength: 4 }),
      fc.string({ unit: "grapheme-ascii", maxLength: 8 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

/** The definition, slow: every merge in the order it was learned, over the whole piece. */
const slowEncode = (source: string): number[] => {
  const pieces = source.match(new RegExp(published.pattern, "gu")) ?? [];
  return pieces.flatMap((piece) => {
    let symbols = Array.from(Buffer.from(piece, "utf8"), (byte) => published.byte_map[String(byte)]!);
    for (const [left, right] of published.merges) {
      const next: string[] = [];
      for (const symbol of symbols) {
        const before = next.at(-1);
        if (before === left && symbol === right) next[next.length - 1] = left + right;
        else next.push(symbol);
      }
      symbols = next;
    }
    return symbols.map((symbol) => published.vocab.indexOf(symbol));
  });
};

test("decoding what was encoded gives the text back", () => {
  expect(tokenizer.decode(tokenizer.encode(demoText()))).toBe(demoText());
  fc.assert(
    fc.property(text, (source) => {
      expect(tokenizer.decode(tokenizer.encode(source))).toBe(source);
    }),
    { numRuns: 500, examples: [[""]] },
  );
});

test("tokens are those of the merges applied in the order they were learned", () => {
  fc.assert(
    fc.property(text, (source) => {
      expect(Array.from(tokenizer.encode(source))).toEqual(slowEncode(source));
    }),
    { numRuns: 60 },
  );
  expect(Array.from(tokenizer.encode(demoText().slice(0, 2000)))).toEqual(slowEncode(demoText().slice(0, 2000)));
});

test("the vocabulary has 2048 tokens, the last one ends a text, and others are refused", () => {
  expect(tokenizer.vocabulary).toBe(2048);
  expect(tokenizer.decode([tokenizer.endOfText])).toBe("<|endoftext|>");
  expect(() => tokenizer.decode([2048])).toThrow("token 2048 is not below the vocabulary of 2048");
  expect(Math.max(...tokenizer.encode(demoText()))).toBeLessThan(2047);
});

test("text that the pattern leaves out is encoded too", () => {
  const other = join(folder, "gaps.json");
  writeFileSync(other, JSON.stringify({ ...published, pattern: "[a-z]+|x*" }));
  const { encode, decode } = readTokenizer(other);
  for (const source of ["the Union, 1861: ", "123", "abc 1", " a"]) expect(decode(encode(source))).toBe(source);
});

test.each<[string, (file: Published) => unknown, string]>([
  ["another kind", (file) => ({ ...file, type: "wordpiece" }), "type"],
  ["no vocabulary", (file) => ({ ...file, vocab: undefined }), "vocab"],
  ["a token twice", (file) => ({ ...file, vocab: file.vocab.with(300, file.vocab[301]!) }), "names a token twice"],
  ["a merge into no token", (file) => ({ ...file, merges: [...file.merges, ["q", "q"]] }), "lacks the token `qq`"],
  ["two bytes with one character", (file) => ({ ...file, byte_map: { ...file.byte_map, 0: "a" } }), "a visible character of its own"],
  ["a byte without a character", (file) => ({ ...file, byte_map: { ...file.byte_map, 0: "" } }), "a visible character of its own"],
  ["a token of no bytes' characters", (file) => ({ ...file, vocab: file.vocab.with(2047, "中"), end_of_text: 0 }), "stands for no byte"],
  ["an end of text outside the vocabulary", (file) => ({ ...file, end_of_text: 2048 }), "its end of text is 2048"],
  ["a pattern that is no expression", (file) => ({ ...file, pattern: "(" }), "not a regular expression"],
])("a tokenizer with %s is refused", (_, change, message) => {
  const other = join(folder, "tokenizer.json");
  writeFileSync(other, JSON.stringify(change(published)));
  expect(refusalOf(other)).toContain(message);
});

test("a tokenizer that is absent or no JSON is refused", () => {
  expect(refusalOf(join(folder, "absent.json"))).toContain("can't be read");
  writeFileSync(join(folder, "text.json"), "{");
  expect(refusalOf(join(folder, "text.json"))).toContain("it is not JSON");
});
