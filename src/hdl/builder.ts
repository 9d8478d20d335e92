import { formatLocation, UserError } from "../base/error.ts";
import type { ClockDomain, Item, Loop, Place, Scope, Signal, Statement } from "./circuit.ts";
import { callerLocation, Site } from "./location.ts";
import { verilogName } from "./names.ts";
import type { Node } from "./node.ts";
import type { Shape, VecShape } from "./shape.ts";
import { describeShape, isSigned } from "./shape.ts";
import type { VarOf } from "./value.ts";
import { elementOf, nodeFor, valueFrom } from "./value.ts";

/** The always block whose body is running. */
interface Block {
  readonly kind: "sync" | "comb";
  readonly domain: ClockDomain | undefined;
  body: Statement[];
}

/** Deeper nesting would be unreadable, and exhaust the stack of whoever walks it. */
const maxNesting = 64;

/** State of the module whose body is running. Bodies are synchronous, so one variable holds the innermost. */
export class Builder {
  readonly module: string;
  readonly ownClock: ClockDomain;
  readonly loops: Loop[] = [];
  scope: Scope = { parent: undefined, signals: [], memories: [], items: [] };
  block: Block | undefined;
  #nesting = 0;
  readonly #names = new Map<Scope, Map<string, Site>>();

  constructor(module: string, ownClock: ClockDomain) {
    this.module = module;
    this.ownClock = ownClock;
  }

  /** Takes a name in a scope, by default the current one. @throws UserError when it is taken here or around it. */
  claim(name: string, what: string, inside: Scope = this.scope): { readonly name: string; readonly site: Site } {
    const verilog = verilogName(name, what);
    for (let scope: Scope | undefined = inside; scope !== undefined; scope = scope.parent) {
      const first = this.#names.get(scope)?.get(verilog);
      if (first !== undefined)
        throw new UserError("duplicate-name", `\`${verilog}\` is the name of two things in module \`${this.module}\``, {
          where: callerLocation(),
          hint: alsoAt("first used", first),
        });
    }
    const site = new Site();
    const names = this.#names.get(inside) ?? new Map<string, Site>();
    this.#names.set(inside, names.set(verilog, site));
    return { name: verilog, site };
  }

  /** Declares a wire or a register in a scope, by default the current one: the one place that makes signals of a body. */
  declare(name: string, what: string, shape: Shape, given: Partial<Omit<Signal, "name" | "shape" | "site">> = {}): Signal {
    const { role = "wire", domain, reset, initial, doc, scope = this.scope } = given;
    const claimed = this.claim(name, what, scope);
    const signal: Signal = { name: claimed.name, role, shape, domain, reset, initial, doc, scope, site: claimed.site };
    // The ports of a module are listed with the circuit, not with its scope.
    if (role === "wire" || role === "reg") scope.signals.push(signal);
    return signal;
  }

  /** Adds an item outside any always block. */
  add(item: Item, what: string): void {
    if (this.block !== undefined)
      throw new UserError("misplaced", `${what} stands outside sync() and comb(), at the level of the module`, { where: callerLocation() });
    this.scope.items.push(item);
  }

  /** Adds a statement to the running always block. */
  addStatement(statement: Statement, what: string): void {
    if (this.block === undefined) throw new UserError("misplaced", `${what} stands inside sync() or comb()`, { where: callerLocation() });
    this.block.body.push(statement);
  }

  /** Runs `fill` with `body` as the target of statements. */
  into(body: Statement[], fill: () => void): void {
    const { block } = this;
    if (block === undefined) throw new UserError("misplaced", "when() and match() stand inside sync() or comb()", { where: callerLocation() });
    const outer = block.body;
    if (this.#nesting === maxNesting)
      throw new UserError("too-long", `statements are nested more than ${maxNesting} deep`, {
        where: callerLocation(),
        hint: "give inner conditions a name and a comb() block of their own",
      });
    block.body = body;
    this.#nesting += 1;
    try {
      fill();
    } finally {
      this.#nesting -= 1;
      block.body = outer;
    }
  }

  set(place: Place, value: Node): void {
    const site = new Site();
    const { signal } = place;
    const { name, role } = signal;
    if (this.block === undefined) {
      if (role === "reg")
        throw new UserError("misplaced", `\`${name}\` is a register and is set inside sync()`, { where: site.location, hint: alsoAt("declared", signal.site) });
      this.scope.items.push({ kind: "assign", place, value, site });
      return;
    }
    if (this.block.kind === "sync" && role !== "reg")
      throw new UserError("misplaced", `\`${name}\` is no register, so sync() can't set it`, {
        where: site.location,
        hint: `${alsoAt("declared", signal.site)}; make it a reg() or set it in comb()`,
      });
    if (this.block.kind === "comb" && role === "reg")
      throw new UserError("misplaced", `\`${name}\` is a register and is set inside sync()`, { where: site.location, hint: alsoAt("declared", signal.site) });
    if (role === "reg" && signal.domain !== this.block.domain)
      throw new UserError("wrong-clock", `\`${name}\` belongs to clock \`${signal.domain?.clk}\`, this block to \`${this.block.domain?.clk}\``, {
        where: site.location,
        hint: alsoAt("declared", signal.site),
      });
    this.block.body.push({ kind: "set", place, value, site });
  }
}

/** Note that names the other line of an error. */
export const alsoAt = (what: string, site: Site): string => {
  const { location } = site;
  return location === undefined ? what : `${what} at ${formatLocation(location)}`;
};

let current: Builder | undefined;

/** Builder of the module whose body is running. @throws UserError outside module(). */
export const builder = (what: string): Builder => {
  if (current === undefined) throw new UserError("misplaced", `${what} stands inside the body of module()`, { where: callerLocation() });
  return current;
};

/** Runs a module's body under its builder. */
export const building = (next: Builder, body: () => unknown): void => {
  const outer = current;
  current = next;
  try {
    const result = body();
    if (typeof (result as { then?: unknown } | undefined)?.then === "function")
      throw new UserError("async-body", `the body of module \`${next.module}\` is asynchronous`, {
        where: callerLocation(),
        hint: "load what it needs before, and build synchronously",
      });
  } finally {
    current = outer;
  }
};

/** A variable over a signal or a part of it. */
export const variable = <S extends Shape>(node: Node & { op: "ref" }, shape: S): VarOf<S> => {
  const value = valueFrom(node, shape);
  const { signal, select } = node;
  const place: Place = select === undefined ? { signal } : { signal, select };
  const set = (given: unknown): void => builder("set()").set(place, nodeFor(given, shape, `\`${signal.name}\``));
  const at = (index: Parameters<typeof elementOf>[2]): unknown => {
    const vector = shape as VecShape;
    return variable(elementOf(node, vector, index) as Node & { op: "ref" }, vector.element as Shape);
  };
  return Object.assign(value, { targetShape: shape, set }, shape.kind === "vec" ? { at, place } : { place }) as unknown as VarOf<S>;
};

export const refTo = (signal: Signal): Node & { op: "ref" } => ({ op: "ref", signal, width: signal.shape.width, signed: isSigned(signal.shape) });

/** Place of a target that a parent gives to an instance. @throws UserError for anything that can't be driven. */
export const placeOf = (target: unknown, shape: Shape, what: string): Place => {
  const { place, targetShape } = (target ?? {}) as { place?: Place; targetShape?: Shape };
  if (place === undefined || targetShape === undefined)
    throw new UserError("not-driveable", `${what} is an output and needs a wire or an output of this module`, { where: callerLocation() });
  if (targetShape.width !== shape.width || isSigned(targetShape) !== isSigned(shape))
    throw new UserError("bad-connection", `${what} is ${describeShape(shape)}, but the target is ${describeShape(targetShape)}`, {
      where: callerLocation(),
      hint: alsoAt("target declared", place.signal.site),
    });
  return place;
};
