import type { ClockDomain, MemoryWrite, Signal, Statement } from "../hdl/circuit.ts";
import { isSigned, leafOf } from "../hdl/shape.ts";
import { expressionText, laneText, literal, negatedText, placeText, sourceText, stateName } from "./expression.ts";

/** Two spaces before each line, but for empty ones and directives. */
export const indent = (lines: readonly string[]): string[] => lines.map((line) => (line === "" || line.startsWith("`") ? line : `  ${line}`));

/** Statements that concern some registers only: the block is printed once for those with a reset and once for those without. */
const project = (body: readonly Statement[], keep: (statement: Statement) => boolean): Statement[] =>
  body.flatMap((statement): Statement[] => {
    if (statement.kind === "if") {
      const kept = project(statement.body, keep);
      const otherwise = project(statement.otherwise, keep);
      return kept.length + otherwise.length === 0 ? [] : [{ ...statement, body: kept, otherwise }];
    }
    if (statement.kind === "case") {
      const arms = statement.arms.map((arm) => ({ ...arm, body: project(arm.body, keep) }));
      return arms.every((arm) => arm.body.length === 0) ? [] : [{ ...statement, arms }];
    }
    return keep(statement) ? [statement] : [];
  });

const writeLines = ({ memory, address, data, mask }: MemoryWrite): string[] => {
  const word = `${memory.name}[${expressionText(address)}]`;
  if (mask === undefined) return [`${word} <= ${sourceText(data)};`];
  return Array.from({ length: memory.element.width / memory.lane }, (_, lane) => {
    const low = lane * memory.lane;
    const bits = memory.lane === 1 ? `${low}` : `${low + memory.lane - 1}:${low}`;
    return `if (${laneText(mask, 1, lane)}) ${word}[${bits}] <= ${laneText(data, memory.lane, lane)};`;
  });
};

const ifLines = (statement: Statement & { kind: "if" }, assign: string): string[] => {
  const { condition, body, otherwise } = statement;
  if (body.length === 0) return [`if (${negatedText(condition)}) begin`, ...indent(bodyLines(otherwise, assign)), "end"];
  const lines = [`if (${expressionText(condition)}) begin`, ...indent(bodyLines(body, assign))];
  return otherwise.length === 0 ? [...lines, "end"] : [...lines, ...elseLines(otherwise, assign)];
};

/** `end else if` where the alternative is a condition alone, `end else begin` otherwise. */
const elseLines = (otherwise: readonly Statement[], assign: string): string[] => {
  const [only] = otherwise;
  if (otherwise.length === 1 && only?.kind === "if" && only.body.length > 0) {
    const [first = "", ...rest] = ifLines(only, assign);
    return [`end else ${first}`, ...rest];
  }
  return ["end else begin", ...indent(bodyLines(otherwise, assign)), "end"];
};

const caseLines = ({ subject, arms }: Statement & { kind: "case" }, assign: string): string[] => {
  // The last state also takes the encodings that no state has, so that every simulator and synthesis tool agrees on them.
  const partial = arms.length < 2 ** subject.width;
  return [
    `case (${expressionText(subject)})`,
    ...arms.flatMap(({ caseName, body }, index) => {
      const name = stateName(caseName);
      const label = partial && index === arms.length - 1 ? "default" : name;
      const remark = label === name ? "" : `  // ${name}`;
      return body.length === 0 ? [`  ${label}: ;${remark}`] : [`  ${label}: begin${remark}`, ...indent(indent(bodyLines(body, assign))), "  end"];
    }),
    "endcase",
  ];
};

const bodyLines = (body: readonly Statement[], assign: string): string[] =>
  body.flatMap((statement) => {
    switch (statement.kind) {
      case "set":
        return [`${placeText(statement.place)} ${assign} ${sourceText(statement.value)};`];
      case "if":
        return ifLines(statement, assign);
      case "case":
        return caseLines(statement, assign);
      case "write":
        return writeLines(statement);
    }
  });

export const combLines = (body: readonly Statement[]): string[] => ["always_comb begin", ...indent(bodyLines(body, "=")), "end"];

const targets = (body: readonly Statement[]): Signal[] =>
  body.flatMap((statement) => {
    if (statement.kind === "set") return [statement.place.signal];
    if (statement.kind === "if") return [...targets(statement.body), ...targets(statement.otherwise)];
    if (statement.kind === "case") return statement.arms.flatMap((arm) => targets(arm.body));
    return [];
  });

const inOrderOfDeclaration = (signals: readonly Signal[]): Signal[] => {
  const wanted = new Set(signals);
  const scopes = new Set(signals.map((signal) => signal.scope));
  return [...scopes].flatMap((scope) => scope.signals.filter((signal) => wanted.has(signal)));
};

export const resetValue = (signal: Signal, value: bigint): string => {
  const leaf = leafOf(signal.shape);
  if (leaf.kind === "enum") return stateName(leaf.cases[Number(value)] ?? "");
  const { width } = signal.shape;
  if (signal.shape.kind === "vec" && value !== 0n) return `${width}'h${value.toString(16).padStart(Math.ceil(width / 4), "0")}`;
  return literal(value, width, isSigned(signal.shape));
};

/** Edge that a clocked block waits for. */
export const edgeText = ({ clk, rst, reset, activeLow }: ClockDomain, withReset: boolean): string =>
  withReset && reset === "async" && rst !== undefined ? `@(posedge ${clk} or ${activeLow ? "negedge" : "posedge"} ${rst})` : `@(posedge ${clk})`;

/** One always_ff for the registers with a reset and one for the rest: a shared one would make the reset an enable of the rest. */
export const syncBlocks = (domain: ClockDomain, body: readonly Statement[]): string[][] => {
  const withReset = project(body, (statement) => statement.kind === "set" && statement.place.signal.reset !== undefined);
  const without = project(body, (statement) => statement.kind !== "set" || statement.place.signal.reset === undefined);
  const blocks: string[][] = [];
  if (withReset.length > 0) {
    const registers = inOrderOfDeclaration(targets(withReset));
    const resets = registers.map((signal) => `${signal.name} <= ${resetValue(signal, signal.reset ?? 0n)};`);
    const condition = `${domain.activeLow ? "!" : ""}${domain.rst}`;
    blocks.push([`always_ff ${edgeText(domain, true)} begin`, ...indent([`if (${condition}) begin`, ...indent(resets), ...elseLines(withReset, "<=")]), "end"]);
  }
  if (without.length > 0) blocks.push([`always_ff ${edgeText(domain, false)} begin`, ...indent(bodyLines(without, "<=")), "end"]);
  return blocks;
};
