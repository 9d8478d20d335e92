import { clog2 } from "../../base/clog2.ts";
import { UserError } from "../../base/error.ts";
import { toSnake } from "../../hdl/names.ts";
import type { Field, FieldSpec, Register, RegisterMap, RegisterSpec, RegisterTable } from "./table.ts";

/** Words of SystemRDL 2.0 (Accellera, January 2018, table of keywords and the words it reserves). */
const systemRdlWords = new Set(
  `abstract accesstype addressingtype addrmap alias all alternate bit boolean bothedge byte compact component componentwidth constraint default encode enum external false
  field fullalign hw inside int internal level longint mem na negedge nonsticky number onreadtype onwritetype posedge precedence precedencetype property r rclr real
  ref reg regalign regfile rset ruser rw rw1 shortint shortreal signal signed string struct sw this true type unsigned w w1 wclr within woclr woset wot wr wset wuser
  wzc wzs wzt with`.split(/\s+/),
);

const mostRegisters = 256;
const addressLimit = 65536;

const refuse = (message: string, hint?: string): never => {
  throw new UserError("bad-register-map", message, { hint });
};

/** Verilog's form of a name. @throws UserError for a name that one of the outputs can't have */
const nameOf = (key: string, what: string): string => {
  if (!/^[a-z][A-Za-z0-9]*$/.test(key)) refuse(`\`${key}\` can't name ${what}: a name is a small letter, then letters and digits`);
  const name = toSnake(key);
  if (systemRdlWords.has(name)) refuse(`\`${key}\` can't name ${what}: \`${name}\` is a word of SystemRDL`);
  return name;
};

/** Docs become comments of C and strings of SystemRDL. */
const checkDoc = (doc: string, what: string): void => {
  if (doc.trim() === "" || /[\p{Cc}\\]/u.test(doc)) refuse(`the doc of ${what} is not one line of text without backslashes`);
};

/** One name for each, in the order given. @throws UserError for two that become the same in Verilog or C */
const checkDistinct = (names: readonly { readonly name: string; readonly what: string }[]): void => {
  const seen = new Map<string, string>();
  for (const { name, what } of names) {
    const other = seen.get(name);
    if (other !== undefined) refuse(`${other} and ${what} are both called \`${name}\` in Verilog and C`);
    seen.set(name, what);
  }
};

const bitRange = (bits: FieldSpec["bits"], what: string): { readonly high: number; readonly low: number } => {
  const [high, low] = typeof bits === "number" ? [bits, bits] : bits;
  for (const bit of [high, low]) if (!Number.isInteger(bit) || bit < 0 || bit > 31) refuse(`${what} has bit ${bit}, but a register has bits 0 to 31`);
  if (high < low) refuse(`${what} has bits [${high}, ${low}], but the high one comes first`, `write [${low}, ${high}]`);
  return { high, low };
};

const fieldOf = (key: string, spec: FieldSpec, register: string): Field => {
  const what = `field \`${register}.${key}\``;
  const name = nameOf(key, `a field of \`${register}\``);
  const { high, low } = bitRange(spec.bits, what);
  const width = high - low + 1;
  const { access, reset = 0, pulse = false, doc } = spec;
  checkDoc(doc, what);
  if (!["RW", "RO", "W1C", "WO"].includes(access)) refuse(`${what} has access \`${access}\`, which is none of RW, RO, W1C, WO`);
  if (access === "RO" && spec.reset !== undefined) refuse(`${what} is RO and has a reset value, but hardware gives its value`);
  if (!Number.isInteger(reset) || reset < 0 || reset >= 2 ** width)
    refuse(`${what} has ${width} bit${width === 1 ? "" : "s"} and resets to ${reset}, but holds 0 to ${2 ** width - 1}`);
  if (pulse && access !== "RW" && access !== "WO") refuse(`${what} is ${access} and has a pulse, but only RW and WO fields have one`);
  return { key, name, high, low, width, access, reset, pulse, doc };
};

const checkOverlap = (fields: readonly Field[], register: string): void => {
  fields.forEach((field, index) => {
    const before = fields[index - 1];
    if (before !== undefined && before.high >= field.low)
      refuse(`fields \`${register}.${before.key}\` and \`${register}.${field.key}\` overlap in bit ${field.low}`);
  });
};

const registerOf = (key: string, spec: RegisterSpec, after: number): Register => {
  const what = `register \`${key}\``;
  const name = nameOf(key, "a register");
  const { offset = after, doc } = spec;
  checkDoc(doc, what);
  if (!Number.isInteger(offset) || offset < 0 || offset % 4 !== 0 || offset >= addressLimit)
    refuse(`${what} is at ${offset}, but an offset is a multiple of 4 from 0 to ${addressLimit - 4}`);
  const given = Object.entries(spec.fields);
  if (given.length === 0) refuse(`${what} has no field`);
  const fields = given.map(([field, fieldSpec]) => fieldOf(field, fieldSpec, key)).toSorted((a, b) => a.low - b.low);
  checkOverlap(fields, key);
  return { key, name, offset, doc, fields };
};

const checkOffsets = (registers: readonly Register[]): void => {
  registers.forEach((register, index) => {
    const before = registers[index - 1];
    if (before?.offset === register.offset)
      refuse(`registers \`${before.key}\` and \`${register.key}\` are both at offset ${register.offset}`, "state an offset for one of them");
  });
};

/**
 * A table, checked, with an address for each register.
 * @throws UserError `bad-register-map` for names, offsets, bits, resets and docs that are not legal, and for fields or registers that overlap
 */
export const registerMap = <const T extends RegisterTable>(table: T): RegisterMap<T> => {
  const name = nameOf(table.name, "a register map");
  checkDoc(table.doc, `the register map \`${table.name}\``);
  const given = Object.entries(table.registers);
  if (given.length === 0 || given.length > mostRegisters) refuse(`the register map \`${table.name}\` has ${given.length} registers, not 1 to ${mostRegisters}`);
  const listed: Register[] = [];
  for (const [key, spec] of given) listed.push(registerOf(key, spec, (listed.at(-1)?.offset ?? -4) + 4));
  checkDistinct(listed.map((register) => ({ name: register.name, what: `register \`${register.key}\`` })));
  checkDistinct(
    listed.flatMap((register) => register.fields.map((field) => ({ name: `${register.name}_${field.name}`, what: `field \`${register.key}.${field.key}\`` }))),
  );
  const registers = listed.toSorted((a, b) => a.offset - b.offset);
  checkOffsets(registers);
  const addressWidth = clog2((registers.at(-1)?.offset ?? 0) + 4);
  return { table, name, doc: table.doc, registers, addressWidth };
};
