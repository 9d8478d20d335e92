import { bool, sint, uint, vec } from "../../src/hdl/index.ts";
import type { ElementShape, EnumShape, PortShape, Shape } from "../../src/hdl/shape.ts";
import type { ClockRecipe, ShapeRecipe } from "./recipe.ts";

/** Something that expressions may read: its text, and the clocks that it changes with (0 is the module's own). */
export interface Value {
  readonly text: string;
  readonly shape: Shape;
  readonly domains: ReadonlySet<number>;
}

export interface SourceOptions {
  /** `unfolded` reads every constant from an input `kN` that is held at its value. */
  readonly constants: "folded" | "unfolded";
  /** Every state is defined after a reset, as it has to be where an engine has an undefined state of its own. Names of modules begin with the prefix. */
  readonly defined?: { readonly prefix: string };
}

export interface Constant {
  readonly name: string;
  readonly shape: PortShape;
  readonly value: bigint;
}

/** Names of clocks by number. The own clock needs none. */
export const clockKeys = ["", "x", "y"] as const;

/** State of the program being written. */
export class Program {
  readonly options: SourceOptions;
  readonly texts: string[] = [];
  #names = 0;

  constructor(options: SourceOptions) {
    this.options = options;
  }

  name(prefix: string): string {
    this.#names += 1;
    return `${prefix}${this.#names}`;
  }
}

/** State of the module being written. */
export class ModuleScope {
  readonly program: Program;
  /** Clock 0 is the module's own. */
  readonly clocks: readonly ClockRecipe[];
  /** All constants; inputs where they are not folded. */
  readonly constants: Constant[] = [];
  /** Something uses the own clock, so that it is a port. */
  ownClockUsed = false;
  /** Something has the own clock's reset: at once, if only one of them does. */
  ownReset: "sync" | "async" | undefined = undefined;
  /** Operators and state bits written so far, those of instances counted each time. */
  cost = 0;

  constructor(program: Program, clocks: readonly ClockRecipe[]) {
    this.program = program;
    this.clocks = clocks;
  }

  get isFolded(): boolean {
    return this.program.options.constants === "folded";
  }

  get isDefined(): boolean {
    return this.program.options.defined !== undefined;
  }

  /** Number of the clock that a recipe picks, and the text that names it as an argument (undefined for the own clock). */
  clock(pick: number): { readonly domain: number; readonly text: string | undefined } {
    const domain = pick % this.clocks.length;
    if (domain === 0) this.ownClockUsed = true;
    return { domain, text: domain === 0 ? undefined : `io.${clockKeys[domain]}` };
  }

  /** Something is reset with a clock: at once, or as the clock's reset is. */
  useReset(domain: number, reset = this.clocks[domain]!.reset): void {
    if (domain === 0) this.ownReset = reset === "async" || this.clocks[0]!.reset === "async" || this.ownReset === "async" ? "async" : "sync";
  }

  /** Text of a constant: a sized literal, which the language folds, or an input, which it can't. */
  constant(shape: PortShape, value: bigint): string {
    let name = this.constants.find((constant) => constant.value === value && shapeText(constant.shape) === shapeText(shape))?.name;
    if (name === undefined) {
      name = `k${this.constants.length}`;
      this.constants.push({ name, shape, value });
    }
    return this.isFolded ? `constant(${shapeText(shape)}, ${numberText(shape, value)})` : `io.${name}`;
  }
}

/** A body of declarations: the module's, or one of a generate loop. */
export class Scope {
  readonly module: ModuleScope;
  /** All that can be read here. */
  readonly values: Value[];
  /** What is declared here, the names of parts of expressions too. */
  readonly own: Value[] = [];
  readonly lines: string[] = [];
  /** What drives wires that are declared above, later in the text. */
  readonly tail: string[] = [];
  /** Variables of the loops around, with their counts. */
  readonly loops: readonly { readonly name: string; readonly count: number }[];

  constructor(module: ModuleScope, values: readonly Value[], loops: Scope["loops"]) {
    this.module = module;
    this.values = [...values];
    this.loops = loops;
  }

  name(prefix: string): string {
    return this.module.program.name(prefix);
  }

  declare(value: Value): void {
    this.values.push(value);
    this.own.push(value);
  }

  /** Lines with the late ones in reverse order, so that the text says nothing about the order of evaluation. */
  get text(): string[] {
    return [...this.lines, ...this.tail.toReversed()].flatMap((lines) => lines.split("\n"));
  }
}

export const shapeText = (shape: Shape): string => {
  if (shape.kind === "bool") return "bool";
  if (shape.kind === "enum") return shape.name;
  if (shape.kind === "vec") return `vec(${shape.length}, ${shapeText(shape.element)})`;
  return `${shape.kind}(${shape.width})`;
};

const numberText = (shape: PortShape, value: bigint): string => (shape.kind === "bool" ? String(value) : `${value}n`);

/** Shape of a recipe, without states. */
export const portShapeOf = ({ kind, width, lengths }: ShapeRecipe): PortShape => {
  const leaf = kind === "bool" ? bool : kind === "sint" ? sint(width) : uint(width);
  return lengths.toReversed().reduce<ElementShape>((element, length) => vec(length, element), leaf);
};

/** Shape of a recipe; states are declared in the program. */
export const shapeOf = (program: Program, recipe: ShapeRecipe): Shape => {
  if (recipe.cases < 2) return portShapeOf(recipe);
  const name = program.name("e");
  const cases = Array.from({ length: recipe.cases }, (_, i) => `${name}${"abcde"[i]}`);
  program.texts.push(`const ${name} = states("${name}", ${cases.map((state) => `"${state}"`).join(", ")});`);
  const shape: EnumShape = { kind: "enum", name, cases, width: Math.ceil(Math.log2(cases.length)) };
  return shape;
};

/** A value of `width` bits from a recipe's number: corners, or bits that look random. */
export const cornerValue = (n: number, width: number, signed: boolean): bigint => {
  const most = (1n << BigInt(signed ? width - 1 : width)) - 1n;
  const least = signed ? -most - 1n : 0n;
  const choice = n % 12;
  const table = [0n, 1n, most, least, signed ? -1n : most, most >> 1n, 2n, 85n];
  const value = table[choice] ?? (BigInt(n + 1) * 0x9e3779b97f4a7c15f39cc0605cedc834d3n * BigInt(n + 3)) >> 7n;
  return signed ? BigInt.asIntN(width, value) : BigInt.asUintN(width, value);
};

/** Text of a constant as reset and initial values take it. */
export const literalText = (shape: Shape, n: number): string => {
  if (shape.kind === "enum") return `"${shape.cases[n % shape.cases.length]}"`;
  if (shape.kind === "vec") return `[${Array.from({ length: shape.length }, (_, i) => literalText(shape.element, n + i)).join(", ")}]`;
  return numberText(shape, cornerValue(n, shape.width, shape.kind === "sint"));
};

/** The recipe's entry at an index, taken modulo the length. */
export const pickFrom = <T>(entries: readonly T[], n: number): T => {
  const entry = entries[n % entries.length];
  if (entry === undefined) throw new Error("nothing to pick from");
  return entry;
};
