import type { Field, Register, RegisterMap } from "./table.ts";

const hex = (value: number): string => `0x${value.toString(16).padStart(4, "0")}`;

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("<", "&lt;");

const row = (...cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;

const bits = ({ high, low }: Field): string => (high === low ? String(high) : `${high}:${low}`);

const fieldRow = (field: Field): string =>
  row(bits(field), `\`${field.name}\``, field.access, field.access === "RO" ? "" : `0x${field.reset.toString(16)}`, field.doc);

const registerLines = (register: Register): string[] => [
  "",
  `## ${register.name} (${hex(register.offset)})`,
  "",
  cell(register.doc),
  "",
  "| bits | field | access | reset | |",
  "| --- | --- | --- | --- | --- |",
  ...register.fields.map(fieldRow),
];

/** Page of a register map: the list by address, then the fields of each register. */
export const registerPage = (map: RegisterMap): string =>
  [
    `# Registers of ${map.name}`,
    "",
    cell(map.doc),
    "",
    "Registers have 32 bits. RW: read and write. RO: read only, writes are ignored. W1C: writing ones clears. WO: write only, reads as 0.",
    "Bits of no field read as 0. An address of no register, or no multiple of 4, is answered with SLVERR.",
    "",
    "| offset | register | |",
    "| --- | --- | --- |",
    ...map.registers.map((register) => row(hex(register.offset), `\`${register.name}\``, register.doc)),
    ...map.registers.flatMap(registerLines),
    "",
  ].join("\n");
