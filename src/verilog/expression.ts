import { clog2 } from "../base/clog2.ts";
import type { Place } from "../hdl/circuit.ts";
import type { Index } from "../hdl/index-expression.ts";
import { toSnake } from "../hdl/names.ts";
import { castSign, extend, type Node, operandsOf, type Select, sliceOf } from "../hdl/node.ts";
import { isSigned } from "../hdl/shape.ts";

/** Binding strength of the outermost operator of a text; higher binds tighter. */
const strength = {
  leaf: 20,
  unary: 13,
  mul: 11,
  add: 10,
  shift: 9,
  relation: 8,
  equality: 7,
  and: 6,
  xor: 5,
  or: 4,
  logicalAnd: 3,
  logicalOr: 2,
  conditional: 1,
};
type Strength = keyof typeof strength;

interface Text {
  readonly text: string;
  readonly kind: Strength;
}

const binaryOperators = { mul: "*", add: "+", sub: "-", and: "&", xor: "^", or: "|", eq: "==", ne: "!=", lt: "<", le: "<=", gt: ">", ge: ">=" } as const;

const kindOf = (node: Node): Strength => {
  switch (node.op) {
    case "mul":
      return "mul";
    case "add":
    case "sub":
      return "add";
    case "lt":
    case "le":
    case "gt":
    case "ge":
      return "relation";
    case "eq":
    case "ne":
      return "equality";
    case "and":
      return node.width === 1 ? "logicalAnd" : "and";
    case "or":
      return node.width === 1 ? "logicalOr" : "or";
    default:
      return "xor";
  }
};

/** Sized literal: decimal where people read it, hexadecimal above 32 bits. */
export const literal = (value: bigint, width: number, signed: boolean): string => {
  if (width === 1 && !signed) return `1'b${value}`;
  const magnitude = value < 0n ? -value : value;
  const sign = value < 0n ? "-" : "";
  const digits = magnitude >= 1n << 32n ? `h${magnitude.toString(16)}` : `d${magnitude}`;
  return `${sign}${width}'${signed ? "s" : ""}${digits}`;
};

export const stateName = (caseName: string): string => toSnake(caseName).toUpperCase();

/** True where an index in the high bits and a constant in the low ones make exactly the offset's bits. */
const isAligned = ({ index, stride }: Select["dynamic"][number], constant: number, total: number): boolean =>
  Number.isInteger(Math.log2(stride)) && constant < stride && stride * 2 ** index.width === 2 ** clog2(total);

/** Offset of a select as text: multiples of the element's width stay visible, as in `8*(17*r + c)`. */
const offsetText = ({ constant, loops, dynamic, element }: Select, total: number): string => {
  const [only] = dynamic;
  if (only !== undefined && dynamic.length === 1 && loops.length === 0 && isAligned(only, constant, total)) {
    const low = Math.log2(only.stride);
    return low === 0 ? standaloneText(only.index).text : `{${partText(only.index)}, ${low}'d${constant}}`;
  }
  if (dynamic.length > 0) {
    const width = Math.max(1, clog2(total));
    const terms = dynamic.map(({ index, stride }) => {
      const wide = operand(extend(castSign(index, false), Math.max(width, index.width)), "mul", false, true);
      return stride === 1 ? wide : `${wide} * ${width}'d${stride}`;
    });
    const fixed = loopTerms(constant, loops, 1);
    return [...terms, ...(fixed === "0" ? [] : [`${width}'(${fixed})`])].join(" + ");
  }
  const exact = constant % element === 0 && loops.every(({ stride }) => stride % element === 0);
  if (!exact || element === 1 || loops.length === 0) return loopTerms(constant, loops, 1);
  const inner = loopTerms(constant, loops, element);
  if (/^\w+$/.test(inner)) return `${element}*${inner}`;
  return inner.includes(" ") ? `${element}*(${inner})` : loopTerms(constant, loops, 1);
};

const loopTerms = (constant: number, loops: Select["loops"], unit: number): string => {
  let text = "";
  for (const { loop, stride } of loops) {
    const factor = stride / unit;
    if (factor === 0) continue;
    const term = Math.abs(factor) === 1 ? loop.name : `${Math.abs(factor)}*${loop.name}`;
    text = text === "" ? (factor < 0 ? `-${term}` : term) : `${text} ${factor < 0 ? "-" : "+"} ${term}`;
  }
  const fixed = constant / unit;
  if (text.startsWith("-")) return `${fixed} - ${text.slice(1)}`;
  if (text === "") return String(fixed);
  if (fixed === 0) return text;
  return `${text} ${fixed < 0 ? "-" : "+"} ${Math.abs(fixed)}`;
};

const isWhole = (select: Select | undefined, width: number): boolean =>
  select === undefined || (select.width === width && select.loops.length === 0 && select.dynamic.length === 0);

/** An index as text, in multiples of `unit`. */
export const indexText = ({ constant, terms }: Index, unit: number): string =>
  offsetText({ width: unit, constant, loops: terms.map(({ loop, factor }) => ({ loop, stride: factor })), dynamic: [], element: unit }, 0);

/** A signal or a part of it, as it is read or driven. */
export const placeText = ({ signal, select }: Place): string => {
  const total = signal.shape.width;
  if (select === undefined || total === 1 || isWhole(select, total)) return signal.name;
  if (select.loops.length === 0 && select.dynamic.length === 0) {
    const { constant, width } = select;
    return width === 1 ? `${signal.name}[${constant}]` : `${signal.name}[${constant + width - 1}:${constant}]`;
  }
  const offset = offsetText(select, total);
  return select.width === 1 ? `${signal.name}[${offset}]` : `${signal.name}[${offset} +: ${select.width}]`;
};

const refText = (node: Node & { op: "ref" }): Text => {
  const { signal, select } = node;
  const text = placeText(select === undefined ? { signal } : { signal, select });
  const printedSigned = isWhole(select, signal.shape.width) && isSigned(signal.shape);
  if (printedSigned === node.signed) return { text, kind: "leaf" };
  return { text: node.signed ? `$signed(${text})` : `$unsigned(${text})`, kind: "leaf" };
};

/** Operators whose operands are computed in the width that the surroundings ask for. */
const contextual = new Set<Node["op"]>(["add", "sub", "mul", "neg", "not", "shl", "shr", "xor", "and", "or", "mux"]);

/** True where a size cast that drops bits stands below operators that take the width of their surroundings. */
const dropsBits = (node: Node): boolean => {
  if (node.op === "trunc" || node.op === "slice") return true;
  if (node.op === "mux") return dropsBits(node.a) || dropsBits(node.b);
  if (node.op === "cat") return node.parts.some(dropsBits);
  if (node.op === "shl" || node.op === "shr" || node.op === "cast" || node.op === "cross" || node.op === "ext") return dropsBits(node.a);
  return contextual.has(node.op) && operandsOf(node).some(dropsBits);
};

/**
 * Text of an expression that stands where only its own width counts: compared, concatenated, as a condition, an index or a shift amount.
 * Yosys 0.23 gives a size cast the width of what is inside when it works out how wide the operators around it are, so these get a cast of their own.
 */
const standaloneText = (node: Node): Text => {
  const inner = toText(node);
  if (inner.kind === "leaf" || !contextual.has(node.op) || !dropsBits(node)) return inner;
  return { text: `${node.width}'(${inner.text})`, kind: "leaf" };
};

/** Operand of a binary operator: in parentheses where it binds less tightly, or where a reader would have to think. */
const operand = (node: Node, parent: Strength, rightSide: boolean, standalone = false): string => {
  const { text, kind } = standalone ? standaloneText(node) : toText(node);
  const weaker = strength[kind] < strength[parent] || (strength[kind] === strength[parent] && rightSide && !(kind === parent && associative.has(kind)));
  return weaker || confusing(kind, parent) || looksBinary(text, parent) ? `(${text})` : text;
};

/** `|x` beside another operator reads as a slip, and so does `a - -b`. */
const looksBinary = (text: string, parent: Strength): boolean => /^[&|^]/.test(text) || (text.startsWith("-") && (parent === "add" || parent === "mul"));

const associative = new Set<Strength>(["and", "or", "xor", "logicalAnd", "logicalOr"]);
const bitwise = new Set<Strength>(["and", "or", "xor"]);

const confusing = (kind: Strength, parent: Strength): boolean => {
  if (kind === parent || kind === "leaf") return false;
  if (parent === "logicalOr" || parent === "logicalAnd") return kind !== "unary";
  if (parent === "shift" || bitwise.has(parent)) return kind !== "unary";
  return kind === "shift";
};

const standaloneKinds = new Set<Strength>(["relation", "equality", "logicalAnd", "logicalOr"]);

const binaryText = (op: keyof typeof binaryOperators, a: Node, b: Node, kind: Strength): Text => {
  const operator = kind === "logicalAnd" ? "&&" : kind === "logicalOr" ? "||" : binaryOperators[op];
  const standalone = standaloneKinds.has(kind);
  return { text: `${operand(a, kind, false, standalone)} ${operator} ${operand(b, kind, true, standalone)}`, kind };
};

const unaryText = (operator: string, a: Node): Text => {
  const inner = operator === "~" || operator === "-" ? toText(a) : standaloneText(a);
  // Yosys 0.23 reads `&2'(x)` as a cast by `&2`, so a cast gets parentheses too.
  return { text: inner.kind === "leaf" && /^[a-z{$]/i.test(inner.text) ? `${operator}${inner.text}` : `${operator}(${inner.text})`, kind: "unary" };
};

/** The bits of a node where its sign doesn't matter: in a concatenation, as the source of an assignment of the same width. */
const bitsText = (node: Node): Text => {
  if (node.op === "cast") return bitsText(node.a);
  if (node.op === "ref")
    return { text: placeText(node.select === undefined ? { signal: node.signal } : { signal: node.signal, select: node.select }), kind: "leaf" };
  return toText(node);
};

/** Part of a concatenation: its sign counts for nothing there. */
export const partText = (node: Node): string => (node.op === "ref" ? bitsText(node) : standaloneText(node.op === "cast" ? node.a : node)).text;

const catText = (parts: readonly Node[]): string => {
  const [first] = parts;
  if (first !== undefined && parts.length > 1 && parts.every((part) => part === first)) return `{${parts.length}{${partText(first)}}}`;
  return `{${parts.map(partText).join(", ")}}`;
};

const muxText = (node: Node & { op: "mux" }): Text => {
  const arm = (inner: Node, last: boolean): string => {
    const { text, kind } = toText(inner);
    return kind === "leaf" || kind === "unary" || (last && kind === "conditional") ? text : `(${text})`;
  };
  const { text, kind } = standaloneText(node.sel);
  const condition = kind === "leaf" || (kind === "unary" && text.startsWith("!")) ? text : `(${text})`;
  return { text: `${condition} ? ${arm(node.a, false)} : ${arm(node.b, true)}`, kind: "conditional" };
};

/** Whole product of two plain operands: it is the same, whichever width a tool computes it in, and no tool minds. */
const isPlainProduct = (node: Node): boolean =>
  node.op === "mul" &&
  node.width >= node.a.width + node.b.width &&
  [node.a, node.b].every((factor) => /^[a-z$\d]/i.test(operand(extend(factor, node.width), "mul", true)));

/** Operand of an extension. The tools take the width of a size cast into arithmetic inside it, so what must wrap first gets a cast of its own. */
const isolatedText = (node: Node): string => {
  const { text, kind } = toText(node);
  if (kind === "leaf" || kind === "logicalAnd" || kind === "logicalOr" || !contextual.has(node.op) || isPlainProduct(node)) return text;
  return node.op === "not" && node.width === 1 ? text : `${node.width}'(${text})`;
};

const toText = (node: Node): Text => {
  switch (node.op) {
    case "lit":
      return { text: node.caseName === undefined ? literal(node.value, node.width, node.signed) : stateName(node.caseName), kind: "leaf" };
    case "ref":
      return refText(node);
    case "add":
    case "sub":
    case "mul":
      return binaryText(node.op, extend(node.a, node.width), extend(node.b, node.width), kindOf(node));
    case "shl":
    case "shr": {
      const operator = node.op === "shl" ? "<<" : node.signed ? ">>>" : ">>";
      const amount = typeof node.amount === "number" ? String(node.amount) : operand(node.amount, "shift", true, true);
      return { text: `${operand(extend(node.a, node.width), "shift", false)} ${operator} ${amount}`, kind: "shift" };
    }
    case "neg":
      return unaryText("-", extend(node.a, node.width));
    case "not":
      return unaryText(node.width === 1 ? "!" : "~", node.a);
    case "any":
      return unaryText("|", node.a);
    case "all":
      return unaryText("&", node.a);
    case "parity":
      return unaryText("^", node.a);
    case "ext":
      return { text: `${node.width}'(${isolatedText(node.a)})`, kind: "leaf" };
    case "trunc":
      return { text: `${node.width}'(${toText(node.a).text})`, kind: "leaf" };
    case "slice": {
      const bits = castSign(node.a, false);
      return { text: `${node.width}'(${node.low === 0 ? toText(bits).text : `${operand(bits, "shift", false)} >> ${node.low}`})`, kind: "leaf" };
    }
    case "cast":
      return { text: `${node.signed ? "$signed" : "$unsigned"}(${standaloneText(node.a).text})`, kind: "leaf" };
    case "cross":
      return toText(node.a);
    case "mux":
      return muxText(node);
    case "cat":
      return { text: catText(node.parts), kind: "leaf" };
    default:
      return binaryText(node.op, node.a, node.b, kindOf(node));
  }
};

/** A condition, an index or a property's expression: each node at its own width, so that no context-determined rule applies. */
export const expressionText = (node: Node): string => standaloneText(node).text;

/** Source of an assignment or a port connection of the same width: its sign needs no cast. */
export const sourceText = (node: Node): string => bitsText(node).text;

/** The opposite of a condition. */
export const negatedText = (node: Node): string => (node.op === "not" ? toText(node.a).text : unaryText("!", node).text);

/** One lane of a word. */
export const laneText = (node: Node, lane: number, index: number): string => sourceText(sliceOf(node, lane * index, lane));
