import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { UserError } from "../base/error.ts";
import { signedText } from "../base/signed-text.ts";
import { type Circuit, childrenOf } from "../hdl/circuit.ts";
import { moduleText } from "./module.ts";

/** A file of the design: its name, without a folder, and its text. */
export interface VerilogFile {
  readonly name: string;
  readonly text: string;
}

const wrapText = (text: string, width = 116): string[] => {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return line === "" ? lines : [...lines, line];
};

/** What a reader wants to know before the ports: purpose, parameters, latency, notes, properties. */
const headerLines = ({ name, about, scope }: Circuit): string[] => {
  const lines = [name, ...wrapText(about.doc)];
  if (about.parameters !== undefined && about.parameters.length > 0) {
    lines.push("", "Parameters:");
    const width = Math.max(...about.parameters.map((parameter) => `${parameter.name} = ${parameter.value}`.length));
    for (const parameter of about.parameters) lines.push(`  ${`${parameter.name} = ${parameter.value}`.padEnd(width)}  (${parameter.legal})`);
  }
  if (about.latency !== undefined) lines.push("", ...wrapText(`Latency: ${about.latency}`));
  if (about.notes !== undefined && about.notes.length > 0) lines.push("", ...about.notes.flatMap((note) => wrapText(note)));
  const properties = scope.items.flatMap((item) => (item.kind === "assert" ? [item.name] : []));
  if (properties.length > 0) lines.push("", ...wrapText(`Assertions: ${properties.join(", ")}.`));
  return lines.map((line) => (line === "" ? "//" : `// ${line}`));
};

/** Text of a circuit's file: licence, content hash, description, module. */
export const fileText = (circuit: Circuit): string => signedText("//", `${headerLines(circuit).join("\n")}\n${moduleText(circuit)}`);

const externText = (circuit: Circuit, file: string): VerilogFile => {
  try {
    return { name: basename(file), text: readFileSync(file, "utf8") };
  } catch (cause) {
    throw new UserError("missing-file", `the Verilog of \`${circuit.name}\` can't be read from ${file}`, { where: circuit.site.location, cause });
  }
};

/**
 * One file a module, children first, each module once.
 * @throws UserError where two different modules have one name.
 */
export const verilogFiles = (top: Circuit): VerilogFile[] => {
  const files = new Map<string, VerilogFile>();
  const texts = new Map<string, string>();
  const visited = new Set<Circuit>();
  const add = (circuit: Circuit): void => {
    if (visited.has(circuit)) return;
    visited.add(circuit);
    for (const child of childrenOf(circuit)) add(child);
    const file = circuit.external === undefined ? { name: `${circuit.name}.sv`, text: fileText(circuit) } : externText(circuit, circuit.external.file);
    const first = texts.get(circuit.name);
    if (first !== undefined && first !== file.text)
      throw new UserError("duplicate-module", `two different modules are called \`${circuit.name}\``, {
        where: circuit.site.location,
        hint: "make the name a function of all parameters",
      });
    texts.set(circuit.name, file.text);
    files.set(file.name, file);
  };
  add(top);
  return [...files.values()];
};
