/**
 * Writes the generated parts of docs/*.md anew: `node --import tsx scripts/docs.ts`, with `--check` it only compares and ends with 1 where a page is stale.
 *
 * A part stands between `<!-- KIND ARGUMENT -->` and `<!-- end -->`:
 * - `prints`: the text of the module that the last ```ts block above builds; the block sees the whole language.
 * - `operators`: a table of the expressions listed in the comment, one a line, with shape and text.
 * - `block NAME`: source, printed text and hand-written text of one block of the language review.
 * - `printed FILE`: the text that the module exported by the tutorial's file FILE prints.
 * - `source FILE`: the text of a file of the clone.
 * - `timer FORMAT`: the example's registers as `markdown`, `c` or `systemrdl`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { timerMap } from "../docs/examples/timer.ts";
import type { Circuit, Module, SInt, UInt } from "../src/hdl/index.ts";
import * as hdl from "../src/hdl/index.ts";
import { cHeader, registerPage, systemRdl } from "../src/lib/csr/index.ts";
import { verilogFiles } from "../src/verilog/index.ts";
import { reviewedBlocks } from "../tb/verilog/blocks.ts";

export const pages = ["docs/csr.md", "docs/hdl.md", "docs/language-review.md", "docs/tutorial.md"];

const fenced = (language: string, text: string): string => `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;

/** The module's text without licence, hash and header. */
const bodyOf = (circuit: Circuit): string => {
  const text = verilogFiles(circuit).at(-1)?.text ?? "";
  return text.slice(text.indexOf(`module ${circuit.name}`));
};

/** Value of a piece of TypeScript without types, which sees the language and `names`. */
const evaluated = (code: string, names: Readonly<Record<string, unknown>>): unknown => {
  const scope = { ...hdl, ...names };
  // The code is the documentation's own.
  // oxlint-disable-next-line typescript/no-implied-eval, typescript/no-unsafe-call
  return new Function(...Object.keys(scope), code)(...Object.values(scope)) as unknown;
};

/** Ports that the operators' table uses: `a`, `b` signed, `u`, `v` unsigned, `c`, `d` conditions, `n` a small amount, `w` a vector. */
export const operandPorts = {
  a: hdl.input(hdl.sint(8)),
  b: hdl.input(hdl.sint(5)),
  u: hdl.input(hdl.uint(8)),
  v: hdl.input(hdl.uint(5)),
  c: hdl.input(hdl.bool),
  d: hdl.input(hdl.bool),
  n: hdl.input(hdl.uint(2)),
  w: hdl.input(hdl.vec(4, hdl.uint(8))),
};

const operatorRow = (expression: string): string => {
  const shapeOf = (value: UInt | SInt): hdl.BoolShape | hdl.UIntShape | hdl.SIntShape =>
    value.kind === "bool" ? hdl.bool : value.kind === "sint" ? hdl.sint(value.width) : hdl.uint(value.width);
  let shape = "";
  const { circuit } = hdl.module(
    "row",
    operandPorts,
    (io) => {
      const value = evaluated(`return ${expression};`, io) as UInt | SInt;
      const made = shapeOf(value);
      shape = made.kind === "bool" ? "bool" : `${made.kind}(${made.width})`;
      const y = hdl.named("y", value);
      hdl.discard("all", hdl.cat(io.a, io.b, io.u, io.v, io.c, io.d, io.n, io.w, y));
    },
    "",
  );
  const text = /assign y = (.*);/.exec(bodyOf(circuit))?.[1] ?? "";
  return `| \`${expression.replaceAll("|", "\\|")}\` | ${shape} | \`${text.replaceAll("|", "\\|")}\` |`;
};

const operators = (list: string): string => ["| expression | shape | prints |", "| --- | --- | --- |", ...list.trim().split("\n").map(operatorRow)].join("\n");

const review = (name: string): string => {
  const block = reviewedBlocks.find(({ reference }) => reference === name);
  if (block === undefined) throw new Error(`no reviewed block is called ${name}`);
  const part = (title: string, language: string, text: string): string => `<details><summary>${title}</summary>\n\n${fenced(language, text)}\n\n</details>`;
  return [
    part(`Source: ${block.source}`, "ts", readFileSync(block.source, "utf8")),
    part(`Printed: ${block.circuit.name}.sv`, "systemverilog", bodyOf(block.circuit)),
    part(`By hand: tb/reference/${name}.sv`, "systemverilog", readFileSync(`tb/reference/${name}.sv`, "utf8")),
  ].join("\n");
};

/** Files of a page's ```ts blocks that begin with `// FILE`, for a folder in `tb/verilog`: the package's names lead to the clone's sources. */
export const pageFiles = (text: string): Map<string, string> =>
  new Map(
    [...text.matchAll(/```ts\n\/\/ (\S+\.ts)\n([\s\S]*?)```/g)].map(([, file = "", code = ""]) => [
      file,
      code.replaceAll(/"systole\/([\w/]+)"/g, (_, name: string) => `"../../../src/${name.includes("/") ? name : `${name}/index`}.ts"`),
    ]),
  );

const printed = async (file: string, page: string): Promise<string> => {
  const folder = await mkdtemp(resolve("tb/verilog/page-"));
  try {
    for (const [name, code] of pageFiles(page)) await writeFile(join(folder, name), code);
    const exported = (await import(pathToFileURL(join(folder, file)).href)) as { default: Module };
    return fenced("systemverilog", bodyOf(exported.default.circuit));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const registerTexts = new Map([
  ["markdown", registerPage],
  ["c", cHeader],
  ["systemrdl", systemRdl],
]);

const registerText = (format: string): string => {
  const print = registerTexts.get(format);
  if (print === undefined) throw new Error(`no text of registers is called ${format}`);
  return fenced(format, print(timerMap));
};

const lastBlock = (text: string): string => [...text.matchAll(/```ts\n([\s\S]*?)```/g)].at(-1)?.[1] ?? "";

const generated = async (kind: string, argument: string, above: string, page: string): Promise<string> => {
  switch (kind) {
    case "prints":
      return fenced("systemverilog", bodyOf((evaluated(`return ${lastBlock(above).trim().replace(/;$/, "")};`, {}) as Module).circuit));
    case "operators":
      return operators(argument);
    case "block":
      return review(argument);
    case "source":
      return fenced("ts", readFileSync(argument, "utf8"));
    case "timer":
      return registerText(argument);
    default:
      return printed(argument, page);
  }
};

/** The page with its generated parts as they are now. */
export const regenerated = async (text: string): Promise<string> => {
  let done = "";
  let rest = text;
  for (;;) {
    const found = /<!-- (prints|operators|block|printed|source|timer)\s*([\s\S]*?)\s*-->\n[\s\S]*?<!-- end -->/.exec(rest);
    if (found === null) return done + rest;
    const [whole, kind = "", argument = ""] = found;
    const above = rest.slice(0, found.index);
    const opening = whole.slice(0, whole.indexOf("-->") + 3);
    done += `${above}${opening}\n${await generated(kind, argument, done + above, text)}\n<!-- end -->`;
    rest = rest.slice(found.index + whole.length);
  }
};

if (process.argv[1] !== undefined && resolve(process.argv[1]) === import.meta.filename) {
  const check = process.argv.includes("--check");
  for (const page of pages) {
    const before = readFileSync(page, "utf8");
    const after = await regenerated(before);
    if (before === after) continue;
    if (check) {
      console.error(`${page} is stale: run node --import tsx scripts/docs.ts`);
      process.exitCode = 1;
    } else writeFileSync(page, after);
  }
}
