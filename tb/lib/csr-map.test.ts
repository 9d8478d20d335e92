import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { timer, timerMap } from "../../docs/examples/timer.ts";
import { runTool } from "../../src/base/tool.ts";
import { lint } from "../../src/flow/lint.ts";
import {
  cHeader,
  type FieldSpec,
  packFields,
  type RegisterMap,
  type RegisterTable,
  registerConstants,
  registerMap,
  registerPage,
  systemRdl,
  unpackFields,
} from "../../src/lib/csr/index.ts";
import { verilogFiles } from "../../src/verilog/index.ts";
import { corners } from "../golden/arbitraries.ts";
import { tables } from "./csr-model.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "systole-registers-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const field = (spec: Partial<FieldSpec> = {}): FieldSpec => ({ bits: 0, access: "RW", doc: "A field.", ...spec });
const withFields = (fields: Readonly<Record<string, FieldSpec>>): RegisterTable => ({
  name: "block",
  doc: "A block.",
  registers: { control: { doc: "A register.", fields } },
});
const withOffsets = (...offsets: readonly (number | undefined)[]): RegisterTable => ({
  name: "block",
  doc: "A block.",
  registers: Object.fromEntries(
    offsets.map((offset, index) => [`r${index}`, { ...(offset === undefined ? {} : { offset }), doc: "A register.", fields: { value: field() } }]),
  ),
});
const named = (register: string, name: string): RegisterTable => ({
  name: "block",
  doc: "A block.",
  registers: { [register]: { doc: "A register.", fields: { [name]: field() } } },
});

const refused: readonly [string, RegisterTable][] = [
  ["the register map `block` has 0 registers, not 1 to 256", { name: "block", doc: "A block.", registers: {} }],
  ["the register map `block` has 257 registers, not 1 to 256", withOffsets(...Array.from({ length: 257 }, () => undefined))],
  ["register `control` has no field", withFields({})],
  ["`Block` can't name a register map: a name is a small letter, then letters and digits", { ...withOffsets(0), name: "Block" }],
  ["`two_words` can't name a register: a name is a small letter, then letters and digits", named("two_words", "value")],
  ["`fullalign` can't name a field of `control`: `fullalign` is a word of SystemRDL", named("control", "fullalign")],
  ["`reg` can't name a register: `reg` is a word of SystemRDL", named("reg", "value")],
  ["the doc of the register map `block` is not one line of text without backslashes", { ...withOffsets(0), doc: " " }],
  ["the doc of register `r0` is not one line", { ...withOffsets(0), registers: { r0: { doc: "a\nb", fields: { value: field() } } } }],
  ["the doc of field `control.x` is not one line", withFields({ x: field({ doc: "a \\" }) })],
  ["register `r1` is at 6, but an offset is a multiple of 4 from 0 to 65532", withOffsets(0, 6)],
  ["register `r0` is at -4, but", withOffsets(-4)],
  ["register `r1` is at 65536, but", withOffsets(65532, undefined)],
  ["registers `r0` and `r2` are both at offset 4", withOffsets(4, 0, undefined)],
  ["field `control.x` has bit 32, but a register has bits 0 to 31", withFields({ x: field({ bits: [32, 0] }) })],
  ["field `control.x` has bit -1, but", withFields({ x: field({ bits: -1 }) })],
  ["field `control.x` has bits [0, 3], but the high one comes first", withFields({ x: field({ bits: [0, 3] }) })],
  ["fields `control.y` and `control.x` overlap in bit 7", withFields({ x: field({ bits: [9, 7] }), y: field({ bits: [7, 0] }) })],
  ["field `control.x` has access `RC`, which is none of RW, RO, W1C, WO", withFields({ x: field({ access: "RC" as "RW" }) })],
  ["field `control.x` has 1 bit and resets to 2, but holds 0 to 1", withFields({ x: field({ reset: 2 }) })],
  ["field `control.x` has 3 bits and resets to -1, but holds 0 to 7", withFields({ x: field({ bits: [2, 0], reset: -1 }) })],
  ["field `control.x` is RO and has a reset value, but hardware gives its value", withFields({ x: field({ access: "RO", reset: 0 }) })],
  ["field `control.x` is W1C and has a pulse, but only RW and WO fields have one", withFields({ x: field({ access: "W1C", pulse: true }) })],
];

test.each(refused)("%s", (sentence, table) => {
  expect(() => registerMap(table)).toThrow(sentence);
});

test("two fields that C and Verilog would call the same are refused", () => {
  const register = (name: string) => ({ doc: "A register.", fields: { [name]: field() } });
  const table = { name: "block", doc: "A block.", registers: { a: register("bC"), aB: register("c") } };
  expect(() => registerMap(table)).toThrow("field `a.bC` and field `aB.c` are both called `a_b_c` in Verilog and C");
});

test("registers without an offset follow the one before", () => {
  expect(registerMap(withOffsets(undefined, undefined, 0x20, undefined)).registers.map(({ offset }) => offset)).toEqual([0, 4, 0x20, 0x24]);
});

test.each([
  [0, 2],
  [4, 3],
  [8, 4],
  [12, 4],
  [65532, 16],
])("a last register at %i needs addresses of %i bits", (offset, width) => {
  expect(registerMap(withOffsets(offset)).addressWidth).toBe(width);
});

test("the example is silent in Verilator, Icarus and Yosys", async () => {
  expect(await lint(verilogFiles(timer.circuit), timer.name)).toEqual([]);
});

/** Every number that the C header should define, as a check at compile time. */
const staticAssertions = (map: RegisterMap): string[] => {
  const constants = registerConstants(map);
  const assertion = (name: string, value: number): string => `_Static_assert(${map.name.toUpperCase()}_${name} == ${value}u, "${name}");`;
  return map.registers.flatMap((register) => {
    const { offset, reset, fields } = constants[register.key]!;
    const name = register.name.toUpperCase();
    return [
      assertion(`${name}_OFFSET`, offset),
      assertion(`${name}_RESET`, reset),
      ...register.fields.flatMap(({ key, name: fieldName }) => [
        assertion(`${name}_${fieldName.toUpperCase()}_MASK`, fields[key]!.mask),
        assertion(`${name}_${fieldName.toUpperCase()}_SHIFT`, fields[key]!.shift),
      ]),
    ];
  });
};

test("C headers compile without a warning and say what the constants say", async () => {
  const maps = [timerMap as RegisterMap, ...fc.sample(tables, 20).map((table, index) => registerMap({ ...table, name: `random${index}` }))];
  const parts = maps.map((map) => `${cHeader(map)}\n${cHeader(map)}\n${staticAssertions(map).join("\n")}\n`);
  await writeFile(join(folder, "headers.c"), parts.join("\n"));
  await runTool("gcc", ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", join(folder, "headers.c")]);
  expect(parts.join("").match(/_Static_assert/g)?.length).toBeGreaterThan(100);
});

const softwareAccess = { RW: "sw = rw;", RO: "sw = r;", W1C: "sw = rw;\n      onwrite = woclr;", WO: "sw = w;" };

test("SystemRDL and page name each register and field with bits, access and reset", () => {
  fc.assert(
    fc.property(tables, (table) => {
      const map = registerMap(table);
      const rdl = systemRdl(map);
      const page = registerPage(map);
      const fields = [...rdl.matchAll(/desc = "([^"]*)";\n {6}(sw = [^]*?)\n {4}\} (\w+)\[(\d+):(\d+)\](?: = 0x([\da-f]+))?;/g)];
      const all = map.registers.flatMap((register) => register.fields);
      expect(fields.map(([, doc, , name, high, low, reset = "0"]) => [doc, name, Number(high), Number(low), Number.parseInt(reset, 16)])).toEqual(
        all.map(({ doc, name, high, low, reset }) => [doc, name, high, low, reset]),
      );
      all.forEach(({ access, pulse }, index) => {
        const properties = fields[index]?.[2] ?? "";
        expect(properties).toContain(softwareAccess[access]);
        expect(properties.includes("swmod;")).toBe(pulse);
      });
      expect([...rdl.matchAll(/^ {2}\} (\w+) @ 0x([\da-f]+);/gm)].map(([, name, offset = ""]) => [name, Number.parseInt(offset, 16)])).toEqual(
        map.registers.map(({ name, offset }) => [name, offset]),
      );
      const rows = all.map(({ high, low, name, access, reset, doc }) => {
        const value = access === "RO" ? "" : `0x${reset.toString(16)}`;
        return `| ${high === low ? high : `${high}:${low}`} | \`${name}\` | ${access} | ${value} | ${doc} |`;
      });
      expect(page.split("\n").filter((line) => /^\| \d+(:\d+)? \|/.test(line))).toEqual(rows);
    }),
  );
});

test("quotes and bars of a doc are escaped where they mean something", () => {
  const map = registerMap(withFields({ x: field({ doc: 'A "b" | <c>' }) }));
  expect(systemRdl(map)).toContain('desc = "A \\"b\\" | <c>";');
  expect(registerPage(map)).toContain('| A "b" \\| &lt;c> |');
});

test("fields packed into a word come out again, and leave the others alone", () => {
  fc.assert(
    fc.property(tables, corners(0, 0xffffffff), fc.nat(), (table, base, seed) => {
      const map = registerMap(table);
      for (const [index, register] of map.registers.entries()) {
        const constants = registerConstants(map)[register.key]!;
        const values = Object.fromEntries(register.fields.map(({ key, width }) => [key, (seed + index) % 2 ** width]));
        const packed = packFields(constants, values, base);
        expect(unpackFields(constants, packed)).toEqual(values);
        const covered = Object.values(constants.fields).reduce((sum, { mask }) => sum | mask, 0);
        expect(packed & ~covered).toBe(base & ~covered);
        expect(packed).toBe(packed >>> 0);
      }
    }),
  );
});

test("a value that its field can't hold is refused, and so is a field that isn't there", () => {
  const { length } = registerConstants(timerMap);
  const misspelt: Readonly<Record<string, number>> = { cycle: 1 };
  expect(() => packFields(length, misspelt)).toThrow("the register has no field `cycle`");
  expect(packFields(length, { cycles: 65535 })).toBe(65535);
  expect(() => packFields(length, { cycles: 65536 })).toThrow("field `cycles` holds 0 to 65535, not 65536");
});
