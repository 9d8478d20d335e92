import { ExpressionWriter } from "./expression.ts";
import type { ItemRecipe, RegisterRecipe } from "./recipe.ts";
import { literalText, type Scope, shapeOf, shapeText, type Value } from "./scope.ts";
import { statementLines } from "./statement.ts";

export const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);

/** Options as text, those that are undefined left out. */
export const optionsText = (options: Readonly<Record<string, string | undefined>>): string => {
  const given = Object.entries(options).filter(([, text]) => text !== undefined);
  return given.length === 0 ? "" : `, { ${given.map(([key, text]) => `${key}: ${text}`).join(", ")} }`;
};

/** A register of a scope, declared before everything that may read it. */
export interface DeclaredRegister {
  readonly value: Value;
  readonly recipe: RegisterRecipe;
}

/** Declares a register. Where all has to be defined, it has a reset. */
export const declareRegister = (scope: Scope, recipe: RegisterRecipe, pick: number): DeclaredRegister => {
  const { module } = scope;
  const { domain, text } = module.clock(pick);
  const shape = shapeOf(module.program, recipe.shape);
  const name = scope.name("r");
  const { reset: kind } = module.clocks[domain]!;
  const reset = kind === "none" ? null : (recipe.reset ?? (module.isDefined ? 0 : null));
  if (reset !== null) module.useReset(domain);
  const literal = (n: number | null): string | undefined => (n === null ? undefined : literalText(shape, n));
  const options = optionsText({ reset: literal(reset), initial: literal(recipe.initial), clock: text });
  scope.lines.push(`const ${name} = reg("${name}", ${shapeText(shape)}${options});`);
  module.cost += shape.width / 8;
  const value: Value = { text: name, shape, domains: new Set([domain]) };
  scope.declare(value);
  return { value, recipe };
};

export const syncLines = (scope: Scope, pick: number, body: readonly string[]): string[] => {
  const { text } = scope.module.clock(pick);
  return [`sync(${text === undefined ? "" : `${text}, `}() => {`, ...indented(body), "});"];
};

/** The block of registers that are declared already: each has its next value, then come statements over all of them. */
export const writeSync = (scope: Scope, { clock, body }: ItemRecipe & { kind: "sync" }, registers: readonly DeclaredRegister[]): void => {
  const { domain } = scope.module.clock(clock);
  const domains = new Set([domain]);
  const lines = registers.flatMap(({ value, recipe }) => {
    const writer = new ExpressionWriter(scope, domain, [], domains);
    const set = `${value.text}.set(${writer.like(value.shape, recipe.next)})`;
    return recipe.enable === null ? [`${set};`] : [`when(${writer.condition(recipe.enable)}, () => ${set});`];
  });
  const block = { scope, clock: domain, targets: registers.map(({ value }) => value), domains };
  lines.push(...statementLines(block, body));
  scope.lines.push(...syncLines(scope, clock, lines));
};

/** Wires of a combinational block: a first value each, then statements. The first wire's is a signal, since a block of constants is refused. */
export const writeComb = (scope: Scope, { wires, body, late }: ItemRecipe & { kind: "comb" }): void => {
  const domains = new Set<number>();
  const values = wires.map((wire): Value => {
    const shape = shapeOf(scope.module.program, wire.shape);
    const name = scope.name("w");
    scope.lines.push(`const ${name} = wire("${name}", ${shapeText(shape)});`);
    return { text: name, shape, domains };
  });
  const lines: string[] = [];
  for (const [i, { value }] of wires.entries()) {
    const { text, shape } = values[i]!;
    const writer = new ExpressionWriter(scope, undefined, values.slice(0, i), domains);
    if (i === 0) lines.push(...signalFirst(writer, values[0]!, value.n[0]));
    lines.push(`${text}.set(${writer.like(shape, value)});`);
  }
  lines.push(...statementLines({ scope, clock: undefined, targets: values, domains }, body));
  (late ? scope.tail : scope.lines).push(["comb(() => {", ...indented(lines), "});"].join("\n"));
  for (const value of values) scope.declare(value);
};

/** A statement that reads a signal, whatever the block's expressions fold to. */
const signalFirst = (writer: ExpressionWriter, { text, shape }: Value, pick: number): string[] => {
  const condition = writer.condition({ op: "ref", args: [], n: [pick, 0] });
  const constant = (n: number): string => `${text}.set(${literalText(shape, n)})`;
  return [`when(${condition}, () => ${constant(pick)}).otherwise(() => ${constant(pick + 1)});`];
};
