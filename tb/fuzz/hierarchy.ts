import type { PortShape } from "../../src/hdl/shape.ts";
import { bool, vec } from "../../src/hdl/shape.ts";
import { indented, optionsText, syncLines } from "./block.ts";
import { ExpressionWriter } from "./expression.ts";
import type { ClockRecipe, Expr, ItemRecipe, ShapeRecipe } from "./recipe.ts";
import { type Constant, clockKeys, literalText, ModuleScope, type Program, pickFrom, portShapeOf, Scope, shapeText } from "./scope.ts";

interface PortText {
  readonly name: string;
  readonly shape: PortShape;
  /** Number of its clock. */
  readonly clock: number;
}

/** A written module as its parents need it. */
export interface Interface {
  readonly name: string;
  readonly inputs: readonly PortText[];
  readonly outputs: readonly PortText[];
  readonly clocks: readonly ClockRecipe[];
  readonly ownClockUsed: boolean;
  readonly ownReset: ModuleScope["ownReset"];
  readonly constants: readonly Constant[];
  readonly cost: number;
}

export type WriteItems = (scope: Scope, items: readonly ItemRecipe[], children: readonly Interface[]) => void;

interface OutputRecipe {
  readonly shape: ShapeRecipe;
  readonly value: Expr;
  readonly clock: number;
}

/** What `writeModule` makes a module of. */
export interface ModuleSpec {
  readonly clocks: readonly ClockRecipe[];
  readonly inputs: readonly { readonly shape: ShapeRecipe; readonly clock: number }[];
  readonly items: readonly ItemRecipe[];
  readonly outputs: readonly OutputRecipe[];
  /** Outputs come from registers of the own clock, with a reset or without. */
  readonly registered?: { readonly reset: boolean };
  readonly observed: boolean;
  /** The own clock is in use, whatever the items. */
  readonly clocked?: boolean;
}

/** Beyond it, recipes of nested loops and instances would make circuits that take seconds. */
export const mostCost = 300;

const portLine = (direction: "input" | "output", { name, shape, clock }: PortText): string =>
  `${name}: ${direction}(${shapeText(shape)}${clock === 0 ? "" : `, "", { clock: "${clockKeys[clock]}" }`}),`;

/** Drives a target with an expression, through a register where asked for. */
const drive = (scope: Scope, target: string, shape: PortShape, value: Expr, domain: number, registered: ModuleSpec["registered"]): void => {
  const writer = new ExpressionWriter(scope, domain);
  const text = writer.like(shape, value);
  if (registered === undefined) {
    scope.lines.push(`${target}.set(${text});`);
    return;
  }
  const name = scope.name("r");
  const reset = registered.reset || scope.module.isDefined ? literalText(shape, value.n[0]) : undefined;
  if (reset !== undefined) scope.module.useReset(0);
  scope.lines.push(
    `const ${name} = reg("${name}", ${shapeText(shape)}${optionsText({ reset })});`,
    ...syncLines(scope, 0, [`${name}.set(${text});`]),
    `${target}.set(${name});`,
  );
};

/** Puts all that a scope declares on outputs of their own. */
const observe = (scope: Scope): PortText[] => {
  const ports: PortText[] = [];
  for (let i = 0; i < scope.own.length; i += 20) {
    const values = scope.own.slice(i, i + 20);
    const name = `seen${ports.length}`;
    const parts = values.map(({ text, shape, domains }) => {
      const bits = shape.kind === "enum" || shape.kind === "vec" ? `${text}.asUInt()` : text;
      return [...domains].every((domain) => domain === 0) ? bits : `crossing(${bits})`;
    });
    const width = values.reduce((sum, { shape }) => sum + shape.width, 0);
    ports.push({ name, shape: portShapeOf({ kind: "uint", width, lengths: [], cases: 0 }), clock: 0 });
    scope.tail.unshift(`io.${name}.set(cat(${parts.join(", ")}));`);
  }
  return ports;
};

/** Signals that nobody may read are discarded, a few together. */
export const discardAll = (scope: Scope): void => {
  for (let i = 0; i < scope.own.length; i += 20) {
    const parts = scope.own.slice(i, i + 20).map(({ text, shape }) => (shape.kind === "enum" ? `${text}.asUInt()` : text));
    scope.tail.unshift(`discard("z${scope.loops.length}_${i / 20}", cat(${parts.join(", ")}));`);
  }
};

export const writeModule = (program: Program, spec: ModuleSpec, children: readonly Interface[], writeItems: WriteItems): Interface => {
  const name = `${program.options.defined?.prefix ?? ""}${program.name("m")}`;
  const module = new ModuleScope(program, spec.clocks);
  const scope = new Scope(module, [], []);
  const inputs = spec.inputs.map((port, i): PortText => ({ name: `i${i}`, shape: portShapeOf(port.shape), clock: port.clock % spec.clocks.length }));
  for (const port of inputs) scope.declare({ text: `io.${port.name}`, shape: port.shape, domains: new Set([port.clock]) });
  if (spec.clocked === true) {
    module.useReset(0);
    scope.lines.push('const tick = reg("tick", bool, { reset: 0 });', ...syncLines(scope, module.clock(0).domain, ["tick.set(tick.not());"]));
    scope.declare({ text: "tick", shape: bool, domains: new Set([0]) });
  }
  writeItems(scope, spec.items, children);
  const outputs = spec.outputs.map((port, i): PortText => ({ name: `o${i}`, shape: portShapeOf(port.shape), clock: port.clock % spec.clocks.length }));
  for (const [i, port] of outputs.entries()) drive(scope, `io.${port.name}`, port.shape, spec.outputs[i]!.value, port.clock, spec.registered);
  const constants = module.isFolded ? [] : module.constants;
  for (const { name, shape } of constants) scope.own.push({ text: `io.${name}`, shape, domains: new Set([0]) });
  if (spec.observed) outputs.push(...observe(scope));
  else discardAll(scope);
  const [own, ...further] = spec.clocks;
  const text = [
    `const ${name} = module("${name}", {`,
    ...indented([
      ...further.map(({ reset, activeLow }, i) => `${clockKeys[i + 1]}: clock({ reset: "${reset}", activeLow: ${activeLow} }),`),
      ...[...inputs, ...constants.map((constant) => ({ ...constant, clock: 0 }))].map((port) => portLine("input", port)),
      ...outputs.map((port) => portLine("output", port)),
    ]),
    "}, (io) => {",
    ...indented(scope.text),
    `}, { doc: "Random.", clock: { clk: "clk", rst: "rst", reset: "${own!.reset}", activeLow: ${own!.activeLow} } });`,
  ];
  program.texts.push(text.join("\n"));
  const { ownClockUsed, ownReset, cost } = module;
  return { name, inputs, outputs, clocks: spec.clocks, ownClockUsed, ownReset, constants: module.constants, cost };
};

/** Clocks of the parent for those of a child, by number; undefined where one has no match. */
const matchClocks = (parent: ModuleScope, child: Interface, pick: number): number[] | undefined => {
  const matched = [0];
  for (const { reset } of child.clocks.slice(1)) {
    const fitting = parent.clocks.flatMap((clock, domain) => (domain > 0 && (reset === "none" || clock.reset !== "none") ? [domain] : []));
    if (fitting.length === 0) return undefined;
    matched.push(pickFrom(fitting, pick));
  }
  return matched;
};

/** The module's reset is a child's too, and a synchronous one may get a derived one beside it: text of the options. */
const resetText = (scope: Scope, { ownReset }: Interface, derived: Expr | null): string => {
  if (ownReset === undefined) return "";
  scope.module.useReset(0, ownReset);
  if (ownReset === "async" || derived === null) return "";
  return `, { reset: ${new ExpressionWriter(scope, 0).condition(derived)} }`;
};

export const writeInstance = (
  scope: Scope,
  { child: pick, inputs, placed, derived }: ItemRecipe & { kind: "instance" },
  children: readonly Interface[],
): void => {
  const { module } = scope;
  if (children.length === 0) return;
  const child = pickFrom(children, pick);
  const clocks = matchClocks(module, child, placed);
  if (clocks === undefined || module.cost + child.cost > mostCost) return;
  if (child.ownClockUsed) module.ownClockUsed = true;
  module.cost += child.cost;
  const domains = new Set<number>();
  const clockOf = ({ clock }: PortText): number | undefined => (clock === 0 && !child.ownClockUsed ? undefined : clocks[clock]);
  const connections = child.clocks.slice(1).map((_, i) => `${clockKeys[i + 1]}: io.${clockKeys[clocks[i + 1]!]}`);
  for (const [i, port] of child.inputs.entries()) {
    const writer = new ExpressionWriter(scope, clockOf(port), [], domains);
    connections.push(`${port.name}: ${writer.like(port.shape, pickFrom(inputs, i))}`);
  }
  for (const { name, shape, value } of child.constants) {
    const text = module.constant(shape, value);
    if (!module.isFolded) connections.push(`${name}: ${text}`);
    domains.add(0);
  }
  const reset = resetText(scope, child, derived);
  const name = scope.name("u");
  const values: Parameters<Scope["declare"]>[0][] = [];
  for (const [i, port] of child.outputs.entries()) {
    const way = (placed >> (2 * (i % 6))) & 3;
    const clock = clockOf(port);
    const common = { shape: port.shape, domains: clock === undefined ? domains : new Set([clock]) };
    if (way === 2) connections.push(`${port.name}: "unused"`);
    else if (way === 1) {
      const wire = scope.name("w");
      scope.lines.push(`const ${wire} = wire("${wire}", ${shapeText(port.shape)});`);
      connections.push(`${port.name}: ${wire}`);
      values.push({ text: wire, ...common });
    } else values.push({ text: `${name}.${port.name}`, ...common });
  }
  scope.lines.push(`const ${name} = instance("${name}", ${child.name}, { ${connections.join(", ")} }${reset});`);
  for (const value of values) scope.declare(value);
};

/** Feeds one edge of a grid from expressions that may depend on the row or column. */
const writeEdge = (scope: Scope, variable: string, count: number, target: string, shape: PortShape, value: Expr): void => {
  const inner = new Scope(scope.module, scope.values, [{ name: variable, count }]);
  drive(inner, target, shape, value, 0, undefined);
  discardAll(inner);
  scope.lines.push(`repeat("${scope.name("g")}", ${count}, (${variable}) => {`, ...indented(inner.text), `}, "${variable}");`);
};

/** Cells between nets that run east and south, each an instance of one module or written in place. */
export const writeGrid = (
  scope: Scope,
  { rows, columns, shapes, west, north, cell }: ItemRecipe & { kind: "grid" },
  children: readonly Interface[],
  writeItems: WriteItems,
): void => {
  const { module } = scope;
  if (module.cost > mostCost / 4) return;
  const [a, b, y] = [portShapeOf(shapes[0]), portShapeOf(shapes[1]), portShapeOf(shapes[2])];
  const [east, south, results] = [scope.name("h"), scope.name("v"), scope.name("y")];
  const nets = [vec(rows, vec(columns + 1, a)), vec(rows + 1, vec(columns, b)), vec(rows, vec(columns, y))] as const;
  for (const [i, name] of [east, south, results].entries()) scope.lines.push(`const ${name} = wire("${name}", ${shapeText(nets[i]!)});`);
  writeEdge(scope, "r", rows, `${east}.at(r).at(0)`, a, west);
  writeEdge(scope, "c", columns, `${south}.at(0).at(c)`, b, north);
  const inner = new Scope(module, scope.values, [
    { name: "r", count: rows },
    { name: "c", count: columns },
  ]);
  const domains = new Set([0]);
  const [fromWest, fromNorth] = [`${east}.at(r).at(c)`, `${south}.at(r).at(c)`];
  const targets = [`${east}.at(r).at(c.plus(1))`, `${south}.at(r.plus(1)).at(c)`, `${results}.at(r).at(c)`];
  const values = [cell.east, cell.south, cell.result];
  const before = module.cost;
  if (cell.inline) {
    inner.values.push({ text: fromWest, shape: a, domains }, { text: fromNorth, shape: b, domains });
    writeItems(inner, cell.items, children);
    for (const [i, shape] of [a, b, y].entries()) drive(inner, targets[i]!, shape, values[i]!, 0, cell.registered ? cell : undefined);
    discardAll(inner);
  } else {
    const { reset: kind, activeLow } = module.clocks[0]!;
    const own = { reset: kind, activeLow: activeLow !== (rows % 2 === 0) };
    const ports = values.map((value, i) => ({ shape: shapes[i]!, value, clock: 0 }));
    const inputs = [
      { shape: shapes[0], clock: 0 },
      { shape: shapes[1], clock: 0 },
    ];
    const spec = { clocks: [own], inputs, items: cell.items, outputs: ports, observed: false, ...(cell.registered ? { registered: cell } : {}) };
    const made = writeModule(module.program, spec, children, writeItems);
    if (made.ownClockUsed) module.ownClockUsed = true;
    const constants = made.constants.map(({ name, shape, value }) => `, ${name}: ${module.constant(shape, value)}`);
    const outputs = targets.map((target, i) => `o${i}: ${target}`).join(", ");
    inner.values.push({ text: fromWest, shape: a, domains }, { text: fromNorth, shape: b, domains });
    const reset = resetText(inner, made, cell.derived);
    inner.lines.push(
      `instance("${scope.name("u")}", ${made.name}, { i0: ${fromWest}, i1: ${fromNorth}, ${outputs}${module.isFolded ? "" : constants.join("")} }${reset});`,
    );
    discardAll(inner);
    module.cost += made.cost;
  }
  module.cost += (module.cost - before) * (rows * columns - 1);
  scope.lines.push(`grid("${scope.name("g")}", ${rows}, ${columns}, (r, c) => {`, ...indented(inner.text), "});");
  for (const [i, name] of [east, south, results].entries()) scope.declare({ text: name, shape: nets[i]!, domains });
};
