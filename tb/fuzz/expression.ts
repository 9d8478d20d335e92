import { minimalLiteral } from "../../src/hdl/node.ts";
import type { EnumShape, PortShape, Shape, VecShape } from "../../src/hdl/shape.ts";
import { sint, uint } from "../../src/hdl/shape.ts";
import type { Expr } from "./recipe.ts";
import { cornerValue, literalText, pickFrom, portShapeOf, type Scope, shapeText, type Value } from "./scope.ts";

/** An expression as text, with what the language makes of it. */
export interface Typed {
  readonly text: string;
  readonly kind: "bool" | "uint" | "sint";
  readonly width: number;
  /** Operators at most. */
  readonly ops: number;
}

const widest = 200;
/** Longer expressions get a name. */
const longest = 8;

const uintOf = (text: string, width: number, ops: number): Typed => ({ text, kind: "uint", width, ops });
const sintOf = (text: string, width: number, ops: number): Typed => ({ text, kind: "sint", width, ops });
const boolOf = (text: string, ops: number): Typed => ({ text, kind: "bool", width: 1, ops });
const like = ({ kind }: Typed, text: string, width: number, ops: number): Typed => (kind === "sint" ? sintOf(text, width, ops) : uintOf(text, width, ops));

const widths = [1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 31, 32, 33, 63, 64, 65, 100, 128, 129, 200];

/** Widest index that the language takes for a vector, and the narrowest that reaches all of it; never beyond it where all has to be defined. */
const indexWidth = (length: number, n: number, isDefined: boolean): number => {
  if (isDefined) return Math.floor(Math.log2(length));
  const reaching = Math.max(1, Math.ceil(Math.log2(length)));
  return n % 2 === 1 && 2 ** (reaching + 1) <= 2 * length ? reaching + 1 : reaching;
};

/** Writes expressions of a recipe as the language's. */
export class ExpressionWriter {
  readonly #scope: Scope;
  readonly #need: number | undefined;
  readonly #extra: readonly Value[];
  /** Clocks that what was written so far changes with. */
  readonly domains: Set<number>;

  /**
   * @param need clock of the reader: values of other clocks cross into it; undefined where anything may read any clock
   * @param extra values that can be read beside the scope's
   */
  constructor(scope: Scope, need: number | undefined, extra: readonly Value[] = [], domains = new Set<number>()) {
    this.#scope = scope;
    this.#need = need;
    this.#extra = extra;
    this.domains = domains;
  }

  get #values(): readonly Value[] {
    return this.#extra.length === 0 ? this.#scope.values : [...this.#scope.values, ...this.#extra];
  }

  emit(expr: Expr): Typed {
    const made = this.#operator(expr);
    this.#scope.module.cost += 1;
    const fitting = made.width > widest ? like(made, `${made.text}.wrap(${widest})`, widest, made.ops + 1) : made;
    return fitting.ops > longest ? this.#named(fitting) : fitting;
  }

  #named(given: Typed): Typed {
    const name = this.#scope.name("t");
    this.#scope.lines.push(`const ${name} = named("${name}", ${given.text});`);
    this.#scope.own.push({ text: name, shape: portShapeOf({ ...given, lengths: [], cases: 0 }), domains: this.domains });
    return { ...given, text: name, ops: 0 };
  }

  #arg(expr: Expr, index: number): Typed {
    return expr.args.length === 0 ? this.#reference(expr) : this.emit(pickFrom(expr.args, index));
  }

  #operator(expr: Expr): Typed {
    const [n, m] = expr.n;
    switch (expr.op) {
      case "ref":
        return this.#reference(expr);
      case "lit":
        return this.#literal(n, m);
      case "at":
        return this.#element(expr);
      case "is":
        return this.#is(n, m) ?? this.#reference(expr);
      case "mux":
        return this.#mux(expr);
      case "cat":
        return this.#cat(expr);
      case "shl":
      case "shr":
      case "shlBy":
      case "shrBy":
        return this.#shift(expr);
      case "and":
      case "or":
      case "xor":
      case "addWrap":
      case "subWrap":
      case "not":
        return this.#unsignedOnly(expr);
      case "add":
      case "sub":
      case "mul":
      case "eq":
      case "ne":
      case "lt":
      case "le":
      case "gt":
      case "ge":
        return this.#binary(expr);
      default:
        return unary(expr.op, n, this.#arg(expr, 0));
    }
  }

  /** Text of a value, marked as a crossing where it belongs to another clock than the reader. */
  #use(domains: Iterable<number>, text: string): string {
    const from = [...domains];
    for (const domain of from) if (this.#need === undefined || domain === this.#need) this.domains.add(domain);
    if (this.#need === undefined || from.every((domain) => domain === this.#need)) return text;
    this.domains.add(this.#need);
    return `crossing(${text})`;
  }

  #reference(expr: Expr): Typed {
    const { text, shape, domains } = pickFrom(this.#values, expr.n[0]);
    if (shape.kind === "vec" || shape.kind === "enum") {
      const bits = this.#use(domains, `${text}.asUInt()`);
      return shape.width > widest ? uintOf(`${bits}.wrap(${widest})`, widest, 2) : uintOf(bits, shape.width, 1);
    }
    return { text: this.#use(domains, text), kind: shape.kind, width: shape.width, ops: 0 };
  }

  #literal(n: number, m: number): Typed {
    const width = pickFrom(widths, n >> 1);
    const shape = n % 2 === 0 ? uint(width) : sint(width);
    return this.#constant(shape, cornerValue(m, width, n % 2 === 1));
  }

  /** A constant belongs to the own clock, folded or not, so that both ways make the same circuit. */
  #constant(shape: PortShape, value: bigint, folded?: string): Typed {
    const { module } = this.#scope;
    const text = module.constant(shape, value);
    const used = this.#use([0], text);
    return { text: module.isFolded ? (folded ?? text) : used, kind: shape.kind === "vec" ? "uint" : shape.kind, width: shape.width, ops: 0 };
  }

  /** The second operand; a literal may stand as a plain number, which has the least width that holds it. */
  #operand(expr: Expr, beside: Typed): Typed {
    const second = expr.args[1];
    if (second?.op !== "lit" || second.n[0] % 3 !== 0) return sameSign(this.#arg(expr, 1), beside.kind === "sint");
    const signed = beside.kind === "sint";
    const value = cornerValue(second.n[1], beside.width + (second.n[0] % 2), signed);
    const { width } = minimalLiteral(value, signed);
    return this.#constant(signed ? sint(width) : uint(width), value, `${value}n`);
  }

  #binary(expr: Expr): Typed {
    const a = this.#arg(expr, 0);
    const b = this.#operand(expr, a);
    const ops = a.ops + b.ops + 1;
    const text = `${a.text}.${expr.op}(${b.text})`;
    const widest = Math.max(a.width, b.width);
    if (expr.op === "add") return like(a, text, widest + 1, ops);
    if (expr.op === "sub") return sintOf(text, widest + 1, ops);
    if (expr.op === "mul") return like(a, text, a.width + b.width, ops);
    return boolOf(text, ops);
  }

  #unsignedOnly(expr: Expr): Typed {
    const a = sameSign(this.#arg(expr, 0), false);
    if (expr.op === "not") return { ...a, text: `${a.text}.not()`, ops: a.ops + 1 };
    const b = this.#operand(expr, a);
    const ops = a.ops + b.ops + 1;
    const width = Math.max(a.width, b.width);
    const isLogic = expr.op === "and" || expr.op === "or" || expr.op === "xor";
    if (a.kind === "bool" && isLogic) {
      if (b.kind === "bool") return boolOf(`${a.text}.${expr.op}(${b.text})`, ops);
      return uintOf(`${a.text}.bits(0, 0).${expr.op}(${b.text})`, width, ops);
    }
    return uintOf(`${a.text}.${expr.op}(${b.text})`, width, ops);
  }

  #shift(expr: Expr): Typed {
    const [n] = expr.n;
    const a = this.#arg(expr, 0);
    if (expr.op === "shl") return like(a, `${a.text}.shl(${n % 70})`, a.width + (n % 70), a.ops + 1);
    if (expr.op === "shr") return like(a, `${a.text}.shr(${n % (a.width + 2)})`, Math.max(1, a.width - (n % (a.width + 2))), a.ops + 1);
    const amount = sized(sameSign(this.#arg(expr, 1), false), 1 + (n % 6));
    const ops = a.ops + amount.ops + 1;
    if (expr.op === "shrBy") return like(a, `${a.text}.shr(${amount.text})`, a.width, ops);
    return like(a, `${a.text}.shl(${amount.text})`, a.width + 2 ** amount.width - 1, ops);
  }

  #mux(expr: Expr): Typed {
    const condition = asBool(this.#arg(expr, 0), expr.n[0]);
    const a = this.#arg(expr, 1);
    const b = sameSign(this.#arg(expr, 2), a.kind === "sint");
    const ops = condition.ops + a.ops + b.ops + 1;
    if (a.kind === "bool" && b.kind === "bool") return boolOf(`mux(${condition.text}, ${a.text}, ${b.text})`, ops);
    return like(a, `mux(${condition.text}, ${a.text}, ${b.text})`, Math.max(a.width, b.width), ops);
  }

  #cat(expr: Expr): Typed {
    const parts = expr.args.length === 0 ? [this.#reference(expr)] : expr.args.map((arg) => this.emit(arg));
    const width = parts.reduce((sum, part) => sum + part.width, 0);
    const ops = parts.reduce((sum, part) => sum + part.ops + 1, 1);
    return uintOf(`cat(${parts.map(({ text }) => text).join(", ")})`, width, ops);
  }

  #is(n: number, m: number): Typed | undefined {
    const enums = this.#values.filter((value) => value.shape.kind === "enum");
    if (enums.length === 0) return undefined;
    const { text, shape, domains } = pickFrom(enums, n);
    return boolOf(this.#use(domains, `${text}.is("${pickFrom((shape as EnumShape).cases, m)}")`), 1);
  }

  /** An element of a vector, by constants, loop variables and signals. */
  #element(expr: Expr): Typed {
    const vectors = this.#values.filter((value) => value.shape.kind === "vec");
    if (vectors.length === 0) return this.#reference(expr);
    const { text, shape, domains } = pickFrom(vectors, expr.n[0]);
    const [path, leaf] = this.path(shape as VecShape, expr.args, expr.n[1]);
    const used = this.#use(domains, `${text}${path}${leaf.kind === "vec" ? ".asUInt()" : ""}`);
    if (leaf.kind === "vec") return leaf.width > widest ? uintOf(`${used}.wrap(${widest})`, widest, 2) : uintOf(used, leaf.width, 1);
    return { text: used, kind: leaf.kind, width: leaf.width, ops: 1 };
  }

  /** Indices of a place, one for each operand as long as there are lengths; at least one. */
  path(shape: VecShape, indices: readonly Expr[], n: number): [string, PortShape] {
    let text = "";
    let inner: PortShape = shape;
    for (let i = 0; i < Math.max(1, indices.length) && inner.kind === "vec"; i += 1) {
      text += `.at(${this.#index(inner.length, indices[i], n >> (2 * i))})`;
      inner = inner.element;
    }
    return [text, inner];
  }

  #index(length: number, expr: Expr | undefined, n: number): string {
    const loop = this.#scope.loops.find(({ count }) => count <= length);
    const { isDefined } = this.#scope.module;
    const width = indexWidth(length, n, isDefined);
    if (n % 3 === 1 && loop !== undefined) return loop.count < length && n % 2 === 1 ? `${loop.name}.plus(${length - loop.count})` : loop.name;
    if (expr === undefined || n % 3 === 2 || width === 0) return String(n % length);
    return sized(sameSign(this.emit(expr), false), width).text;
  }

  condition(expr: Expr): string {
    return asBool(this.emit(expr), expr.n[1]).text;
  }

  /** Unsigned bits, exactly as many. */
  bits(expr: Expr, width: number): string {
    return sized(sameSign(this.emit(expr), false), width).text;
  }

  /** Text of what `set` and connections take for a shape. */
  like(shape: Shape, expr: Expr): string {
    if (shape.kind === "enum") return this.#state(shape, expr);
    if (shape.kind === "vec") return this.#vector(shape, expr);
    const given = this.emit(expr);
    if (shape.kind === "bool") return asBool(given, expr.n[1]).text;
    const fitting = sameSign(given, shape.kind === "sint");
    return fitting.width <= shape.width ? fitting.text : narrowed(fitting, shape.width, expr.n[1]).text;
  }

  #sameClock(shape: Shape): Value[] {
    const text = shapeText(shape);
    return this.#values.filter(
      (value) => shapeText(value.shape) === text && (this.#need === undefined || [...value.domains].every((domain) => domain === this.#need)),
    );
  }

  #state(shape: EnumShape, expr: Expr): string {
    const others = this.#sameClock(shape);
    if (expr.n[0] % 3 !== 0 || others.length === 0) return literalText(shape, expr.n[1]);
    const { text, domains } = pickFrom(others, expr.n[1]);
    return this.#use(domains, text);
  }

  #vector(shape: VecShape, expr: Expr): string {
    const others = this.#sameClock(shape);
    if (expr.n[0] % 3 === 0 && others.length > 0) {
      const { text, domains } = pickFrom(others, expr.n[1]);
      return this.#use(domains, text);
    }
    const given = sameSign(this.emit(expr), false);
    const wide = this.#named(given.width < shape.width ? sized(given, shape.width) : given);
    return elements(shape, (low, leaf) => {
      const start = low % Math.max(1, wide.width - leaf.width + 1);
      const slice = uintOf(`${wide.text}.bits(${start + leaf.width - 1}, ${start})`, leaf.width, 0);
      return leaf.kind === "bool" ? asBool(slice, 0).text : sameSign(slice, leaf.kind === "sint").text;
    });
  }

  /** A state to branch on, of the reader's clock. */
  states(pick: number): Value | undefined {
    const found = this.#values.filter(
      (value) => value.shape.kind === "enum" && (this.#need === undefined || [...value.domains].every((domain) => domain === this.#need)),
    );
    if (found.length === 0) return undefined;
    const value = pickFrom(found, pick);
    this.#use(value.domains, value.text);
    return value;
  }
}

const elements = (shape: VecShape, of: (low: number, leaf: Exclude<PortShape, VecShape>) => string, low = 0): string => {
  const { element } = shape;
  const parts = Array.from({ length: shape.length }, (_, i) => {
    const start = low + i * element.width;
    return element.kind === "vec" ? elements(element, of, start) : of(start, element);
  });
  return `[${parts.join(", ")}]`;
};

/** The same bits with the sign asked for. */
const sameSign = (given: Typed, signed: boolean): Typed => {
  if (signed === (given.kind === "sint")) return given;
  return signed ? sintOf(`${given.text}.asSInt()`, given.width, given.ops + 1) : uintOf(`${given.text}.asUInt()`, given.width, given.ops + 1);
};

const asBool = (given: Typed, n: number): Typed => {
  if (given.kind === "bool") return given;
  const ways = given.width === 1 ? ["bit(0)"] : ["any()", "all()", "parity()", `bit(${n % given.width})`];
  return boolOf(`${given.text}.${pickFrom(ways, n)}`, given.ops + 1);
};

/** Exactly `width` bits. */
const sized = (given: Typed, width: number): Typed => {
  if (given.width === width) return given;
  if (given.width > width) return narrowed(given, width, 0);
  return like(given, `${given.text}.extend(${width})`, width, given.ops + 1);
};

const narrowed = (given: Typed, width: number, n: number): Typed => {
  const way = n % 4 === 1 && given.ops === 0 ? "sat" : "wrap";
  return like(given, `${given.text}.${way}(${width})`, width, given.ops + (way === "sat" ? 5 : 1));
};

const unary = (op: string, n: number, a: Typed): Typed => {
  const ops = a.ops + 1;
  const narrower = 1 + (n % a.width);
  switch (op) {
    case "neg": {
      const signed = sameSign(a, true);
      return sintOf(`${signed.text}.neg()`, a.width + 1, signed.ops + 1);
    }
    case "any":
    case "all":
    case "parity":
      return boolOf(`${a.text}.${op}()`, ops);
    case "cross":
      return { ...a, text: `crossing(${a.text})`, ops };
    case "asUInt":
      return sameSign(a, false);
    case "asSInt":
      return sameSign(a, true);
    case "toSInt":
      return a.kind === "sint" ? a : sintOf(`${a.text}.toSInt()`, a.width + 1, a.ops + 2);
    case "extend":
      return sized(a, a.width + (n % 20));
    case "wrap":
      return like(a, `${a.text}.wrap(${narrower})`, narrower, ops);
    case "sat":
      return like(a, `${a.text}.sat(${narrower})`, narrower, 3 * a.ops + 5);
    case "fits":
      return a.kind === "sint" ? boolOf(`${a.text}.fits(${narrower})`, 2 * a.ops + 3) : boolOf(`${a.text}.bit(${n % a.width})`, ops);
    case "bits": {
      const low = (n >> 4) % narrower;
      return uintOf(`${a.text}.bits(${narrower - 1}, ${low})`, narrower - low, ops);
    }
    default:
      return boolOf(`${a.text}.bit(${n % a.width})`, ops);
  }
};
