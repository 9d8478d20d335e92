import { signedText } from "../../base/signed-text.ts";
import type { Access, Field, Register, RegisterMap } from "./table.ts";

/** Properties of SystemRDL 2.0 (Accellera, January 2018, clause 9) for each kind of access. */
const properties: { readonly [A in Access]: readonly string[] } = {
  RW: ["sw = rw;", "hw = r;"],
  RO: ["sw = r;", "hw = w;"],
  W1C: ["sw = rw;", "onwrite = woclr;", "hw = rw;", "precedence = hw;"],
  WO: ["sw = w;", "hw = r;"],
};

const quoted = (doc: string): string => `"${doc.replaceAll('"', '\\"')}"`;

const fieldLines = (field: Field): string[] => [
  "    field {",
  `      desc = ${quoted(field.doc)};`,
  ...properties[field.access].map((property) => `      ${property}`),
  ...(field.pulse ? ["      swmod;"] : []),
  `    } ${field.name}[${field.high}:${field.low}]${field.access === "RO" ? "" : ` = 0x${field.reset.toString(16)}`};`,
];

const registerLines = (register: Register): string[] => [
  "  reg {",
  `    desc = ${quoted(register.doc)};`,
  ...register.fields.flatMap(fieldLines),
  `  } ${register.name} @ 0x${register.offset.toString(16)};`,
];

/** SystemRDL 2.0: one address map. No SystemRDL compiler ran here; the text follows the standard. */
export const systemRdl = (map: RegisterMap): string => {
  const lines = [
    `addrmap ${map.name} {`,
    `  desc = ${quoted(map.doc)};`,
    "  default regwidth = 32;",
    "  default accesswidth = 32;",
    ...map.registers.flatMap(registerLines),
    "};",
  ];
  return signedText("//", `${lines.join("\n")}\n`);
};
