import { signedText } from "../../base/signed-text.ts";
import { fieldMask, type Register, type RegisterMap, registerReset } from "./table.ts";

const hex = (value: number, digits: number): string => `0x${value.toString(16).padStart(digits, "0")}u`;

const registerLines = (prefix: string, register: Register): string[] => {
  const name = `${prefix}_${register.name.toUpperCase()}`;
  return [
    `// ${register.name}: ${register.doc}`,
    `#define ${name}_OFFSET ${hex(register.offset, 4)}`,
    `#define ${name}_RESET ${hex(registerReset(register), 8)}`,
    ...register.fields.flatMap((field) => [
      `// ${register.name}.${field.name}, ${field.access}: ${field.doc}`,
      `#define ${name}_${field.name.toUpperCase()}_MASK ${hex(fieldMask(field), 8)}`,
      `#define ${name}_${field.name.toUpperCase()}_SHIFT ${field.low}u`,
    ]),
    "",
  ];
};

/** C header (C99): offset and value after reset of each register, mask and shift of each field. */
export const cHeader = (map: RegisterMap): string => {
  const prefix = map.name.toUpperCase();
  const guard = `${prefix}_REGISTERS_H`;
  const lines = [
    `// Registers of ${map.name}: ${map.doc}`,
    `#ifndef ${guard}`,
    `#define ${guard}`,
    "",
    ...map.registers.flatMap((register) => registerLines(prefix, register)),
    "#endif",
  ];
  return signedText("//", `${lines.join("\n")}\n`);
};
