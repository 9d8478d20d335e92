import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, expectTypeOf, test } from "vitest";
import { UserError } from "../../src/base/error.ts";
import { boolean, choice, integer, parseAssignments, parseParameters, powerOfTwo, readConfig } from "../../src/base/parameters.ts";
import { suggest } from "../../src/base/suggest.ts";

const SCHEMA = {
  rows: integer("rows of cells", 16, 1, 64),
  offset: integer("a signed number", 0, -8, 7),
  kind: choice("kind of element", "int8", ["int8", "int4", "composable"]),
  pipelined: boolean("a register after the multiplier", false),
};

const errorOf = (run: () => unknown): UserError => {
  try {
    run();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
};

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "systole-parameters-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

test("values have the types that the schema says", () => {
  const values = parseParameters(SCHEMA, {});
  expectTypeOf(values.rows).toEqualTypeOf<number>();
  expectTypeOf(values.kind).toEqualTypeOf<"int8" | "int4" | "composable">();
  expectTypeOf(values.pipelined).toEqualTypeOf<boolean>();
  expect(values).toEqual({ rows: 16, offset: 0, kind: "int8", pipelined: false });
});

test("text and JSON values give the same", () => {
  const expected = { rows: 3, offset: -8, kind: "int4", pipelined: true };
  expect(parseParameters(SCHEMA, expected)).toEqual(expected);
  expect(parseParameters(SCHEMA, parseAssignments(["rows=9", "rows=3", " offset = -8", "kind=int4", "pipelined=true"]))).toEqual(expected);
});

test("of a power of two, nothing between the powers is accepted", () => {
  const schema = { depth: powerOfTwo("words", 16, 2, 64) };
  const legal = Array.from({ length: 130 }, (_, value) => value).filter((value) => {
    try {
      return parseParameters(schema, { depth: value }).depth === value;
    } catch {
      return false;
    }
  });
  expect(legal).toEqual([2, 4, 8, 16, 32, 64]);
  expect(errorOf(() => parseParameters(schema, { depth: 12 })).message).toContain("a power of two from 2 to 64");
});

test("an integer is accepted exactly in its range", () => {
  const corners = fc.oneof(fc.constantFrom(-1, 0, 1, 2, 63, 64, 65, 2 ** 31, 2 ** 53, -(2 ** 31)), fc.integer());
  fc.assert(
    fc.property(corners, fc.boolean(), (value, asText) => {
      const given = { rows: asText ? String(value) : value };
      if (value >= 1 && value <= 64) expect(parseParameters(SCHEMA, given).rows).toBe(value);
      else expect(errorOf(() => parseParameters(SCHEMA, given)).message).toBe(`\`rows=${value}\` is not legal: \`rows\` is an integer from 1 to 64`);
    }),
  );
});

test("what is no legal value is refused with the key, the value and the legal range", () => {
  const refused: readonly (readonly [string, unknown])[] = [
    ["rows", ""],
    ["rows", "1.5"],
    ["rows", 1.5],
    ["rows", "0x10"],
    ["rows", "1e1"],
    ["rows", Number.NaN],
    ["rows", null],
    ["rows", [1]],
    ["rows", true],
    ["rows", undefined],
    ["kind", "INT8"],
    ["kind", 8],
    ["pipelined", 1],
    ["pipelined", "yes"],
  ];
  for (const [name, value] of refused) {
    const error = errorOf(() => parseParameters(SCHEMA, { [name]: value }));
    expect(error, `${name}=${String(value)}`).toMatchObject({ code: "bad-parameter", exitCode: 2 });
  }
  expect(errorOf(() => parseParameters(SCHEMA, { kind: "fp8" }))).toMatchObject({
    message: "`kind=fp8` is not legal: `kind` is one of int8, int4, composable",
    hint: "kind: kind of element (default int8)",
  });
  expect(errorOf(() => parseParameters(SCHEMA, { rows: "9".repeat(500) })).message.length).toBeLessThan(150);
});

test("an unknown key is refused with a suggestion", () => {
  expect(errorOf(() => parseParameters(SCHEMA, { row: 1 }))).toMatchObject({
    code: "unknown-parameter",
    message: "`row` is no parameter here",
    hint: "did you mean `rows`?",
  });
  for (const inherited of ["toString", "__proto__", "constructor"]) {
    expect(errorOf(() => parseParameters(SCHEMA, Object.fromEntries([[inherited, 1]]))).code, inherited).toBe("unknown-parameter");
  }
});

test("an assignment without `=` or key is refused", () => {
  for (const text of ["rows", "=4", ""]) expect(errorOf(() => parseAssignments([text])).code, text).toBe("bad-parameter");
  expect(parseAssignments(["a=b=c"])).toEqual({ a: "b=c" });
});

test("a configuration file is read, and a bad one is refused", () => {
  const file = join(folder, "config.json");
  writeFileSync(file, '{ "rows": 4, "kind": "int4" }');
  expect(parseParameters(SCHEMA, readConfig(file))).toMatchObject({ rows: 4, kind: "int4" });
  writeFileSync(file, '{\n  "rows": 4,\n  "kind": int4\n}');
  expect(errorOf(() => readConfig(file))).toMatchObject({
    code: "bad-config",
    message: `the configuration \`${file}\` is not JSON`,
    hint: expect.stringContaining("Unexpected token") as string,
  });
  for (const text of ["[1]", "null", "3"]) {
    writeFileSync(file, text);
    expect(errorOf(() => readConfig(file)).message, text).toContain("is not a JSON object");
  }
  truncateSync(file, 2 ** 20 + 1);
  expect(errorOf(() => readConfig(file)).message).toContain("larger than");
  expect(errorOf(() => readConfig(join(folder, "absent.json"))).message).toContain("cannot be read");
  expect(errorOf(() => readConfig(folder)).code).toBe("bad-config");
});

test("the nearest word is suggested only when it is near", () => {
  const known = ["tender-cell", "tender-array", "monde"];
  expect(suggest("tender-aray", known)).toBe("did you mean `tender-array`?");
  expect(suggest("tneder-cell", known)).toBe("did you mean `tender-cell`?");
  expect(suggest("mnode", known)).toBe("did you mean `monde`?");
  expect(suggest("MONDE", known)).toBe("did you mean `monde`?");
  expect(suggest("infinigen", known)).toBe("known: tender-cell, tender-array, monde");
  expect(suggest("a", ["ab", "xyz"])).toBe("did you mean `ab`?");
});
