import { bool, vec } from "../../src/hdl/shape.ts";
import { type DeclaredRegister, declareRegister, indented, optionsText, syncLines, writeComb, writeSync } from "./block.ts";
import { ExpressionWriter } from "./expression.ts";
import { discardAll, type Interface, mostCost, writeGrid, writeInstance } from "./hierarchy.ts";
import type { ItemRecipe } from "./recipe.ts";
import { cornerValue, literalText, portShapeOf, Scope, shapeText } from "./scope.ts";

const writeNamed = (scope: Scope, { value, late }: ItemRecipe & { kind: "named" }): void => {
  const writer = new ExpressionWriter(scope, undefined);
  const { text, kind, width } = writer.emit(value);
  const shape = portShapeOf({ kind, width, lengths: [], cases: 0 });
  const name = scope.name("n");
  if (late) {
    scope.lines.push(`const ${name} = wire("${name}", ${shapeText(shape)});`);
    scope.tail.push(`${name}.set(${text});`);
  } else scope.lines.push(`const ${name} = named("${name}", ${text});`);
  scope.declare({ text: name, shape, domains: writer.domains });
};

/** In a defined circuit: 0 until the first edge after a reset, when the registers of read ports get their first word. */
const startedRegister = (scope: Scope, domain: number): string => {
  const name = scope.name("on");
  const { text } = scope.module.clock(domain);
  scope.module.useReset(domain);
  scope.lines.push(
    `const ${name} = reg("${name}", bool${optionsText({ reset: "0", initial: "0", clock: text })});`,
    ...syncLines(scope, domain, [`${name}.set(1);`]),
  );
  // A condition that is always true folds, and then nothing reads the register.
  scope.own.push({ text: name, shape: bool, domains: new Set([domain]) });
  return name;
};

const writeMemory = (scope: Scope, recipe: ItemRecipe & { kind: "memory" }): void => {
  const { module } = scope;
  const { isDefined } = module;
  const depth = isDefined ? 2 ** Math.ceil(Math.log2(recipe.depth)) : recipe.depth;
  const shape = portShapeOf(recipe.shape);
  const lanes = shape.width % recipe.lanes === 0 ? recipe.lanes : 1;
  const addressWidth = Math.ceil(Math.log2(depth));
  const words = isDefined || recipe.writes.length === 0 ? depth : Math.min(recipe.initial, depth);
  const initial = Array.from({ length: words }, (_, i) => `${cornerValue(recipe.initial + 7 * i, shape.width, shape.kind === "sint")}n`);
  const name = scope.name("m");
  const lane = lanes === 1 ? undefined : String(shape.width / lanes);
  const contents = words === 0 ? undefined : `[${initial.map((text) => (shape.kind === "bool" ? text.slice(0, -1) : text)).join(", ")}]`;
  const options = optionsText({ depth: String(depth), element: shapeText(shape), lane, initial: contents });
  scope.lines.push(`const ${name} = memory("${name}"${options});`);
  module.cost += (depth * shape.width) / 32;
  for (const read of recipe.reads) writeRead(scope, name, shape, addressWidth, read);
  if (recipe.writes.length === 0) return;
  const { domain } = module.clock(recipe.clock);
  const started = isDefined ? startedRegister(scope, domain) : undefined;
  const lines = recipe.writes.flatMap(({ condition, address, data, mask }) => {
    const writer = new ExpressionWriter(scope, domain);
    const lane = lanes === 1 ? "" : `, ${writer.bits(mask, lanes)}`;
    const write = `${name}.write(${writer.bits(address, addressWidth)}, ${writer.like(shape, data)}${lane})`;
    const conditions = [...(condition === null ? [] : [writer.condition(condition)]), ...(started === undefined ? [] : [started])];
    return conditions.length === 0
      ? [`${write};`]
      : [`when(${conditions.length === 2 ? `${conditions[0]}.and(${conditions[1]})` : conditions[0]}, () => ${write});`];
  });
  scope.lines.push(...syncLines(scope, recipe.clock, lines));
};

const writeRead = (
  scope: Scope,
  memory: string,
  shape: ReturnType<typeof portShapeOf>,
  addressWidth: number,
  { latency, collision, address, enable, clock }: (ItemRecipe & { kind: "memory" })["reads"][number],
): void => {
  const name = scope.name("q");
  const { module } = scope;
  if (latency === 0) {
    const writer = new ExpressionWriter(scope, undefined);
    scope.lines.push(`const ${name} = ${memory}.read("${name}", ${writer.bits(address, addressWidth)}, { latency: 0 });`);
    scope.declare({ text: name, shape, domains: writer.domains });
    return;
  }
  const { domain, text } = module.clock(clock);
  const writer = new ExpressionWriter(scope, domain);
  const at = writer.bits(address, addressWidth);
  const enabled = enable === null ? undefined : writer.condition(enable);
  const started = enabled !== undefined && module.isDefined ? startedRegister(scope, domain) : undefined;
  const options = optionsText({
    latency: "1",
    collision: `"${module.isDefined && collision === "undefined" ? "old" : collision}"`,
    enable: started === undefined ? enabled : `${started}.not().or(${enabled})`,
    clock: text,
  });
  scope.lines.push(`const ${name} = ${memory}.read("${name}", ${at}${options});`);
  scope.declare({ text: name, shape, domains: new Set([domain]) });
};

const writeDelay = (scope: Scope, { value, cycles, growing, enable, reset, clock }: ItemRecipe & { kind: "delay" }): void => {
  const { module } = scope;
  const { domain, text } = module.clock(clock);
  const writer = new ExpressionWriter(scope, domain);
  const given = writer.emit(value);
  const isReset = module.clocks[domain]!.reset !== "none" && (reset || module.isDefined);
  if (isReset) module.useReset(domain);
  const loop = scope.loops.at(-1);
  const options = optionsText({
    enable: enable === null ? undefined : writer.condition(enable),
    reset: isReset ? "true" : undefined,
    clock: text,
  });
  const name = scope.name("d");
  const count = growing && loop !== undefined ? `${loop.name}.plus(${cycles})` : String(cycles);
  scope.lines.push(`const ${name} = delay("${name}", ${given.text}, ${count}${options});`);
  module.cost += (given.width * cycles) / 8;
  const shape = portShapeOf({ kind: given.kind, width: given.width, lengths: [], cases: 0 });
  scope.declare({ text: name, shape, domains: new Set([domain]) });
};

/** A vector seen with other lengths. */
const writeView = (scope: Scope, { pick, factor }: ItemRecipe & { kind: "view" }): void => {
  const vectors = scope.values.filter(({ shape }) => shape.kind === "vec");
  const value = vectors[pick % Math.max(1, vectors.length)];
  if (value === undefined) return;
  const { width } = value.shape;
  const lengths = Array.from({ length: Math.min(width, 12) }, (_, i) => i + 1).filter((length) => width % length === 0);
  const length = lengths[factor % lengths.length]!;
  const leaf = portShapeOf({ kind: factor % 2 === 0 ? "uint" : "sint", width: width / length, lengths: [length], cases: 0 });
  scope.values.push({ text: `${value.text}.reshape(${shapeText(leaf)})`, shape: leaf, domains: value.domains });
};

const writeProperty = (scope: Scope, { property, holds, value, clock }: ItemRecipe & { kind: "property" }): void => {
  const { domain, text } = scope.module.clock(clock);
  const writer = new ExpressionWriter(scope, domain);
  const name = scope.name("p");
  const { text: given, kind, width } = writer.emit(value);
  // One more is always greater, since a sum loses nothing.
  const always = `${given}.add(1).gt(${given})`;
  const sometimes = `${given}.ne(${literalText(portShapeOf({ kind, width, lengths: [], cases: 0 }), value.n[1])})`;
  const condition = property === "cover" || (!holds && !scope.module.isDefined) ? sometimes : always;
  scope.lines.push(`${property}("${name}", ${condition}${text === undefined ? "" : `, ${text}`});`);
};

const writeRepeat = (scope: Scope, { count, shape: recipe, first, next, items }: ItemRecipe & { kind: "repeat" }, children: readonly Interface[]): void => {
  const shape = portShapeOf(recipe);
  const chain = scope.name("c");
  const clock = first.n[1] % scope.module.clocks.length;
  const writer = new ExpressionWriter(scope, clock);
  scope.lines.push(`const ${chain} = wire("${chain}", vec(${count + 1}, ${shapeText(shape)}));`, `${chain}.at(0).set(${writer.like(shape, first)});`);
  const domains = new Set([clock]);
  const loop = { name: "ijkl"[scope.loops.length] ?? "i", count };
  const inner = new Scope(scope.module, scope.values, [...scope.loops, loop]);
  inner.values.push({ text: `${chain}.at(${loop.name})`, shape, domains });
  const before = scope.module.cost;
  writeItems(inner, items, children);
  const step = new ExpressionWriter(inner, clock);
  const value = step.like(shape, next);
  inner.lines.push(`${chain}.at(${loop.name}.plus(1)).set(${value});`);
  discardAll(inner);
  scope.module.cost += (scope.module.cost - before) * (count - 1);
  scope.lines.push([`repeat("${scope.name("g")}", ${count}, (${loop.name}) => {`, ...indented(inner.text), "});"].join("\n"));
  scope.declare({ text: chain, shape: vec(count + 1, shape), domains });
};

/** The items of a scope. Registers come first, so that everything may read them; what their blocks read is decided last. */
export const writeItems = (scope: Scope, items: readonly ItemRecipe[], children: readonly Interface[]): void => {
  const declared = new Map<ItemRecipe, readonly DeclaredRegister[]>();
  for (const item of items)
    if (item.kind === "sync")
      declared.set(
        item,
        item.registers.map((register) => declareRegister(scope, register, item.clock)),
      );
  const late: (ItemRecipe & { kind: "sync" })[] = [];
  for (const [i, item] of items.entries()) {
    if (item.kind === "sync" && i % 2 === 0) late.push(item);
    else if (item.kind === "sync" || scope.module.cost < mostCost) writeItem(scope, item, children, declared.get(item) ?? []);
  }
  for (const item of late) writeSync(scope, item, declared.get(item) ?? []);
};

const writeItem = (scope: Scope, item: ItemRecipe, children: readonly Interface[], registers: readonly DeclaredRegister[]): void => {
  switch (item.kind) {
    case "named":
      return writeNamed(scope, item);
    case "comb":
      return writeComb(scope, item);
    case "sync":
      return writeSync(scope, item, registers);
    case "memory":
      return writeMemory(scope, item);
    case "delay":
      return writeDelay(scope, item);
    case "instance":
      return writeInstance(scope, item, children);
    case "repeat":
      return writeRepeat(scope, item, children);
    case "grid":
      return writeGrid(scope, item, children, writeItems);
    case "view":
      return writeView(scope, item);
    case "property":
      return writeProperty(scope, item);
  }
};
