import { UserError } from "../base/error.ts";
import type { Circuit, ClockDomain, Delay, Instance, Item, Memory, MemoryRead, Property, Scope, Signal } from "../hdl/circuit.ts";
import { Index } from "../hdl/index-expression.ts";
import { toSnake } from "../hdl/names.ts";
import { castSign, type Node, notOf, reduce } from "../hdl/node.ts";
import { bool, describeShape, type EnumShape, isSigned, type Shape } from "../hdl/shape.ts";
import { expressionText, indexText, literal, partText, placeText, sourceText, stateName } from "./expression.ts";
import { combLines, edgeText, indent, resetValue, syncBlocks } from "./statement.ts";

const range = (width: number): string => (width === 1 ? "" : `[${width - 1}:0]`);

const typeOf = (shape: Shape): string => (shape.kind === "enum" ? typeName(shape) : isSigned(shape) ? "logic signed" : "logic");

const typeName = (shape: EnumShape): string => `${toSnake(shape.name)}_t`;

/** Lines of a table whose columns align; the last column is left ragged. */
const align = (rows: readonly (readonly string[])[], separator = " "): string[] => {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)));
  const used = widths.map((width) => width > 0);
  return rows.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .filter((_, column) => used[column])
      .join(separator)
      .trimEnd(),
  );
};

const vectorNote = (shape: Shape): string | undefined => (shape.kind === "vec" ? describeShape(shape) : undefined);

const remark = (parts: readonly (string | undefined)[]): string => {
  const said = parts.filter((part) => part !== undefined && part !== "");
  return said.length === 0 ? "" : `// ${said.join(": ")}`;
};

/** Adds a comma after each entry but the last, and lines the remarks up. */
const withRemarks = (entries: readonly string[], remarks: readonly string[]): string[] => {
  const texts = entries.map((entry, index) => (index === entries.length - 1 ? entry : `${entry},`));
  return align(
    texts.map((text, index) => [text, remarks[index] ?? ""]),
    "  ",
  );
};

const portLines = (circuit: Circuit): string[] => {
  const rows: string[][] = [];
  const remarks: string[] = [];
  for (const { clk, rst } of circuit.clocks) {
    for (const name of rst === undefined ? [clk] : [clk, rst]) {
      rows.push(["input", "logic", "", name]);
      remarks.push("");
    }
  }
  for (const { name, direction, shape, doc } of circuit.ports) {
    rows.push([direction, typeOf(shape), range(shape.width), name]);
    remarks.push(remark([vectorNote(shape), doc]));
  }
  return withRemarks(align(rows), remarks);
};

const declarationLines = ({ signals, memories, items }: Scope): string[] => {
  const rows: string[][] = [];
  const remarks: string[] = [];
  for (const { name, shape, doc } of signals) {
    rows.push([typeOf(shape), shape.kind === "enum" ? "" : range(shape.width), `${name};`]);
    remarks.push(remark([vectorNote(shape), doc]));
  }
  for (const { name, element, depth, doc } of memories) {
    rows.push([element.signed ? "logic signed" : "logic", range(element.width), `${name} [0:${depth - 1}];`]);
    remarks.push(remark([doc]));
  }
  for (const item of items) {
    if (item.kind !== "delay") continue;
    rows.push(["logic", bitsOf(item.data.shape.width, item.cycles), `${item.data.name}_line;`]);
    remarks.push("");
  }
  return align(
    align(rows).map((text, index) => [text, remarks[index] ?? ""]),
    "  ",
  );
};

const initialLines = ({ signals, memories }: Scope): string[] => {
  const registers = signals.filter((signal) => signal.initial !== undefined).map((signal) => `  ${signal.name} = ${resetValue(signal, signal.initial ?? 0n)};`);
  const words = memories.flatMap(({ name, element, initial }: Memory) =>
    (initial ?? []).map((value, address) => `  ${name}[${address}] = ${literal(value, element.width, element.signed)};`),
  );
  return registers.length + words.length === 0 ? [] : ["initial begin", ...registers, ...words, "end"];
};

/** What a child's reset connects to: the parent's, where it has one, or a derived one, in the child's polarity. */
const resetOf = ({ child, parent }: Instance["clocks"][number], derived: Node | undefined, { scope, site }: Circuit): Node => {
  const one = { width: 1, signed: false };
  const common = { shape: bool, domain: parent, reset: undefined, initial: undefined, doc: undefined, scope, site };
  const level: Node | undefined = parent.rst === undefined ? undefined : { op: "ref", signal: { name: parent.rst, role: "input", ...common }, ...one };
  if (level === undefined) return child.activeLow ? notOf(derived!) : derived!;
  if (derived === undefined) return child.activeLow === parent.activeLow ? level : notOf(level);
  if (child.activeLow && parent.activeLow) return { op: "and", a: level, b: notOf(derived), ...one };
  const active: Node = { op: "or", a: parent.activeLow ? notOf(level) : level, b: derived, ...one };
  return child.activeLow ? notOf(active) : active;
};

const instanceLines = ({ name, child, inputs, outputs, clocks, reset }: Instance, circuit: Circuit): string[] => {
  const pins: [string, string][] = [];
  for (const pair of clocks) {
    const { key, clk, rst } = pair.child;
    pins.push([clk, pair.parent.clk]);
    if (rst !== undefined) pins.push([rst, sourceText(resetOf(pair, key === "" ? reset : undefined, circuit))]);
  }
  for (const port of child.ports) {
    const driven = inputs.find((input) => input.port === port);
    const placed = outputs.find((output) => output.port === port);
    pins.push([port.name, driven !== undefined ? sourceText(driven.value) : placed !== undefined ? placeText(placed.place) : ""]);
  }
  const widest = Math.max(...pins.map(([pin]) => pin.length));
  const lines = pins.map(([pin, text], index) => `  .${pin.padEnd(widest)} (${text})${index === pins.length - 1 ? "" : ","}`);
  const parameters = Object.entries(child.external?.parameters ?? {}).map(
    ([key, value]) => `.${key}(${typeof value === "number" ? value : JSON.stringify(value)})`,
  );
  const type = parameters.length === 0 ? child.name : `${child.name} #(${parameters.join(", ")})`;
  return [`${type} ${name} (`, ...lines, ");"];
};

const readLines = (read: MemoryRead): string[] => {
  const { memory, data, address, enable, latency, heldAddress, domain } = read;
  if (latency === 0 || domain === undefined) return [`assign ${data.name} = ${memory.name}[${expressionText(address)}];`];
  const [target, source] = heldAddress === undefined ? [data.name, `${memory.name}[${expressionText(address)}]`] : [heldAddress.name, sourceText(address)];
  const set = `${target} <= ${source};`;
  const block = [`always_ff ${edgeText(domain, false)} begin`, enable === undefined ? `  ${set}` : `  if (${expressionText(enable)}) ${set}`, "end"];
  return heldAddress === undefined ? block : [...block, `assign ${data.name} = ${memory.name}[${heldAddress.name}];`];
};

/** `cycles * width` as text. */
const scaled = (width: number, cycles: Index): string =>
  indexText(
    new Index(
      cycles.constant * width,
      cycles.terms.map(({ loop, factor }) => ({ loop, factor: factor * width })),
    ),
    width,
  );

const bitsOf = (width: number, cycles: Index): string => {
  if (cycles.terms.length === 0) return range(width * cycles.constant);
  return width === 1 ? `[${indexText(cycles.plus(-1), 1)}:0]` : `[${scaled(width, cycles)}-1:0]`;
};

/** One step of a delay line. Where its length depends on a loop variable, a concatenation would be empty for length 1. */
const delayMoves = (line: string, width: number, cycles: Delay["cycles"], value: Node): string[] => {
  if (cycles.terms.length > 0) return [`${line} <= ${line} << ${width};`, `${line}[${width === 1 ? "0" : `${width - 1}:0`}] <= ${sourceText(value)};`];
  const kept = width * (cycles.constant - 1);
  if (kept === 0) return [`${line} <= ${sourceText(value)};`];
  return [`${line} <= {${line}[${kept === 1 ? "0" : `${kept - 1}:0`}], ${partText(value)}};`];
};

/** Shift line, oldest value on top. */
const delayLines = ({ data, value, cycles, enable, reset, domain }: Delay): string[] => {
  const { width } = data.shape;
  const line = `${data.name}_line`;
  const single = cycles.terms.length === 0 && cycles.constant === 1;
  const moves = delayMoves(line, width, cycles, value);
  const guarded = enable === undefined ? undefined : `if (${expressionText(enable)}) begin`;
  const clear = [`if (${domain.activeLow ? "!" : ""}${domain.rst}) begin`, `  ${line} <= '0;`];
  const plain = guarded === undefined ? moves : [guarded, ...indent(moves), "end"];
  const body = reset ? [...clear, `end else ${guarded ?? "begin"}`, ...indent(moves), "end"] : plain;
  const top = cycles.plus(-1);
  const last = width * top.constant;
  const oldest = single
    ? line
    : cycles.terms.length === 0
      ? `${line}[${width === 1 ? last : `${last + width - 1}:${last}`}]`
      : width === 1
        ? `${line}[${indexText(top, 1)}]`
        : `${line}[${scaled(width, top)} +: ${width}]`;
  return [`always_ff ${edgeText(domain, reset)} begin`, ...indent(body), "end", `assign ${data.name} = ${oldest};`];
};

/** Property as a named block, the one form that Verilator, Yosys and Icarus all read; Icarus has no immediate cover. */
const propertyLines = ({ kind, name, condition, domain }: Property, reset: ClockDomain | undefined): string[] => {
  const guard = reset?.rst === undefined ? undefined : `${reset.activeLow ? "" : "!"}${reset.rst}`;
  const head = guard === undefined ? `begin : ${name}` : `if (${guard}) begin : ${name}`;
  const lines = [`always @(posedge ${domain.clk}) begin`, `  ${head}`, `    ${kind} (${expressionText(condition)});`, "  end", "end"];
  return kind === "cover" ? ["`ifndef __ICARUS__", ...lines, "`endif"] : lines;
};

/** Blocks of lines; neighbours that are single assigns stay together, everything else gets a blank line around. */
const joinBlocks = (blocks: readonly (readonly string[])[]): string[] => {
  const lines: string[] = [];
  blocks.forEach((block, index) => {
    if (block.length === 0) return;
    const previous = blocks[index - 1];
    const together = previous?.length === 1 && block.length === 1;
    if (lines.length > 0 && !together) lines.push("");
    lines.push(...block);
  });
  return lines;
};

const itemBlocks = (item: Item, circuit: Circuit): string[][] => {
  switch (item.kind) {
    case "assign":
      return [[`assign ${placeText(item.place)} = ${sourceText(item.value)};`]];
    case "discard":
      return [[`assign ${item.signal.name} = ${expressionText(reduce("parity", castSign(item.value, false)))};`]];
    case "comb":
      return [combLines(item.body)];
    case "sync":
      return syncBlocks(item.domain, item.body);
    case "repeat":
      return [
        [
          `for (genvar ${item.loop.name} = 0; ${item.loop.name} < ${item.loop.count}; ${item.loop.name} = ${item.loop.name} + 1) begin : ${item.loop.label}`,
          ...indent(scopeLines(item.scope, circuit)),
          "end",
        ],
      ];
    case "instance":
      return [instanceLines(item, circuit)];
    case "read":
      return [readLines(item)];
    case "delay":
      return [delayLines(item)];
    default:
      return [];
  }
};

const scopeLines = (scope: Scope, circuit: Circuit): string[] => {
  const blocks = scope.items.flatMap((item) => itemBlocks(item, circuit));
  const properties = scope.items.filter((item): item is Property => item.kind === "assert" || item.kind === "assume" || item.kind === "cover");
  const checks = properties.map((property) =>
    propertyLines(
      property,
      circuit.clocks.find((domain) => domain.key === property.domain.key),
    ),
  );
  const guarded = checks.length === 0 ? [] : ["`ifndef SYNTHESIS", ...joinBlocks(checks), "`endif"];
  return joinBlocks([declarationLines(scope), initialLines(scope), ...blocks, guarded]);
};

const enumsOf = (scope: Scope): EnumShape[] => {
  const found = new Set<EnumShape>();
  const visit = ({ signals, items }: Scope): void => {
    for (const { shape } of signals) if (shape.kind === "enum") found.add(shape);
    for (const item of items) if (item.kind === "repeat") visit(item.scope);
  };
  visit(scope);
  return [...found];
};

const enumLines = (circuit: Circuit): string[] => {
  const owner = new Map<string, string>();
  return enumsOf(circuit.scope).flatMap((shape) => {
    const names = shape.cases.map(stateName);
    for (const name of [typeName(shape), ...names]) {
      const other = owner.get(name) ?? circuit.scope.signals.find((signal: Signal) => signal.name === name)?.name;
      if (other !== undefined)
        throw new UserError("duplicate-name", `state or type \`${name}\` of ${shape.name} is also the name of ${other} in module \`${circuit.name}\``, {
          where: circuit.site.location,
          hint: "states of one module need different names",
        });
      owner.set(name, shape.name);
    }
    return [
      `typedef enum logic ${range(shape.width) === "" ? "[0:0]" : range(shape.width)} {${names.map((name, index) => `${name} = ${shape.width}'d${index}`).join(", ")}} ${typeName(shape)};`,
    ];
  });
};

/** The text of one module, from `module` to `endmodule`. The same circuit gives the same bytes. */
export const moduleText = (circuit: Circuit): string => {
  const ports = portLines(circuit);
  const body = joinBlocks([enumLines(circuit), scopeLines(circuit.scope, circuit)].filter((block) => block.length > 0));
  return [`module ${circuit.name} (`, ...indent(ports), ");", ...indent(body), "endmodule", ""].join("\n");
};
