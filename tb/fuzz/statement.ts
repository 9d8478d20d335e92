import type { EnumShape } from "../../src/hdl/shape.ts";
import { ExpressionWriter } from "./expression.ts";
import type { Expr, StatementRecipe } from "./recipe.ts";
import { pickFrom, type Scope, type Value } from "./scope.ts";

/** An always block being written: its targets, in the order in which one may read those before it. */
export interface Block {
  readonly scope: Scope;
  /** Clock of the block; undefined for combinational ones. */
  readonly clock: number | undefined;
  readonly targets: readonly Value[];
  readonly domains: Set<number>;
}

/** What expressions of a combinational block may read beside the scope: targets before `limit`. Registers can be read anywhere. */
const writerFor = ({ scope, clock, targets, domains }: Block, limit: number): ExpressionWriter =>
  new ExpressionWriter(scope, clock, clock === undefined ? targets.slice(0, limit) : [], domains);

/** The first target that statements set: what decides whether they run must not depend on it. */
const firstTarget = (body: readonly StatementRecipe[], targets: number): number => {
  let first = targets;
  for (const statement of body) {
    if (statement.kind === "set") first = Math.min(first, statement.target % targets);
    else if (statement.kind === "match") for (const arm of statement.arms) first = Math.min(first, firstTarget(arm, targets));
    else first = Math.min(first, firstTarget(statement.otherwise, targets), ...statement.arms.map((arm) => firstTarget(arm.body, targets)));
  }
  return first;
};

const indent = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);

const setLine = (block: Block, { target, indices, value }: StatementRecipe & { kind: "set" }): string => {
  const index = target % block.targets.length;
  const { text, shape } = pickFrom(block.targets, index);
  const writer = writerFor(block, index);
  if (shape.kind !== "vec" || indices.length === 0) return `${text}.set(${writer.like(shape, value)});`;
  const [path, leaf] = writer.path(shape, indices, target >> 3);
  return `${text}${path}.set(${writer.like(leaf, value)});`;
};

const ifLines = (block: Block, statement: StatementRecipe & { kind: "if" }): string[] => {
  const limit = firstTarget([statement], block.targets.length);
  const condition = (expr: Expr): string => writerFor(block, limit).condition(expr);
  const lines = statement.arms.flatMap((arm, i) => [
    i === 0 ? `when(${condition(arm.condition)}, () => {` : `}).elsewhen(${condition(arm.condition)}, () => {`,
    ...indent(statementLines(block, arm.body)),
  ]);
  if (statement.otherwise.length > 0) lines.push("}).otherwise(() => {", ...indent(statementLines(block, statement.otherwise)));
  return [...lines, "});"];
};

const matchLines = (block: Block, statement: StatementRecipe & { kind: "match" }): string[] => {
  const limit = firstTarget([statement], block.targets.length);
  const subject = writerFor(block, limit).states(statement.pick);
  if (subject === undefined) return statementLines(block, statement.arms[0] ?? []);
  const arms = (subject.shape as EnumShape).cases.flatMap((state, i) => [`${state}() {`, ...indent(statementLines(block, statement.arms[i] ?? [])), "},"]);
  return [`match(${subject.text}, {`, ...indent(arms), "});"];
};

export const statementLines = (block: Block, body: readonly StatementRecipe[]): string[] =>
  body.flatMap((statement) => {
    if (statement.kind === "set") return [setLine(block, statement)];
    return statement.kind === "if" ? ifLines(block, statement) : matchLines(block, statement);
  });
