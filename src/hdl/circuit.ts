import type { Index } from "./index-expression.ts";
import type { Site } from "./location.ts";
import type { Node, Select } from "./node.ts";
import type { PortMap } from "./ports.ts";
import type { PortShape, Shape } from "./shape.ts";

/** A clock with its reset, as the registers of a module see it. */
export interface ClockDomain {
  /** Key of the `clock()` port, or "" for the module's own clock. */
  readonly key: string;
  readonly clk: string;
  readonly rst: string | undefined;
  readonly reset: "sync" | "async" | "none";
  readonly activeLow: boolean;
}

/** Loop variable of a `repeat`: counts 0 to `count - 1` and prints as a genvar. */
export interface Loop {
  readonly name: string;
  readonly label: string;
  readonly count: number;
  readonly site: Site;
}

/** Anything that holds bits and has a name in the Verilog. */
export interface Signal {
  readonly name: string;
  readonly role: "input" | "output" | "wire" | "reg";
  readonly shape: Shape;
  /** Registers, and inputs of a stated domain. */
  readonly domain: ClockDomain | undefined;
  readonly reset: bigint | undefined;
  readonly initial: bigint | undefined;
  readonly doc: string | undefined;
  readonly scope: Scope;
  readonly site: Site;
}

export interface Memory {
  readonly name: string;
  readonly depth: number;
  readonly element: { readonly width: number; readonly signed: boolean };
  /** Bits of one write lane; a write's mask has one bit a lane. Equal to the width where writes are whole. */
  readonly lane: number;
  readonly initial: readonly bigint[] | undefined;
  readonly doc: string | undefined;
  readonly scope: Scope;
  readonly site: Site;
}

/** Where a statement writes: a signal or a part of it. */
export interface Place {
  readonly signal: Signal;
  readonly select?: Select;
}

export interface SetStatement {
  readonly kind: "set";
  readonly place: Place;
  readonly value: Node;
  readonly site: Site;
}

export interface IfStatement {
  readonly kind: "if";
  readonly condition: Node;
  readonly body: Statement[];
  readonly otherwise: Statement[];
  readonly site: Site;
}

export interface CaseStatement {
  readonly kind: "case";
  readonly subject: Node;
  readonly arms: readonly { readonly caseName: string; readonly value: bigint; readonly body: Statement[] }[];
  readonly site: Site;
}

export interface MemoryWrite {
  readonly kind: "write";
  readonly memory: Memory;
  readonly address: Node;
  readonly data: Node;
  readonly mask: Node | undefined;
  readonly site: Site;
}

export type Statement = SetStatement | IfStatement | CaseStatement | MemoryWrite;

export interface Instance {
  readonly kind: "instance";
  readonly name: string;
  readonly child: Circuit;
  readonly inputs: readonly { readonly port: FlatPort; readonly value: Node }[];
  /** Every output has a place: where the parent put it, or a wire made when the parent read it or declared it unused. */
  readonly outputs: readonly { readonly port: FlatPort; readonly place: Place }[];
  readonly clocks: readonly { readonly child: ClockDomain; readonly parent: ClockDomain }[];
  /** One bit that resets the child's own clock domain, beside the parent's reset. */
  readonly reset: Node | undefined;
  readonly site: Site;
}

export interface MemoryRead {
  readonly kind: "read";
  readonly memory: Memory;
  /** Register (latency 1) or wire (latency 0) that holds the word read. */
  readonly data: Signal;
  readonly address: Node;
  readonly enable: Node | undefined;
  readonly latency: 0 | 1;
  /** Latency 1 only: what a read of the word being written gives. */
  readonly collision: "old" | "new" | "undefined";
  /** `collision: "new"`: register that keeps the address. */
  readonly heldAddress: Signal | undefined;
  readonly domain: ClockDomain | undefined;
  readonly site: Site;
}

export interface Delay {
  readonly kind: "delay";
  /** Wire that carries the delayed value. */
  readonly data: Signal;
  readonly value: Node;
  readonly cycles: Index;
  readonly enable: Node | undefined;
  readonly reset: boolean;
  readonly domain: ClockDomain;
  readonly site: Site;
}

export interface Property {
  readonly kind: "assert" | "assume" | "cover";
  readonly name: string;
  readonly condition: Node;
  readonly domain: ClockDomain;
  readonly site: Site;
}

/** Items of a module or of one generate loop, in source order. */
export type Item =
  | { readonly kind: "assign"; readonly place: Place; readonly value: Node; readonly site: Site }
  | { readonly kind: "comb"; readonly body: Statement[]; readonly site: Site }
  | { readonly kind: "sync"; readonly domain: ClockDomain; readonly body: Statement[]; readonly site: Site }
  | { readonly kind: "repeat"; readonly loop: Loop; readonly scope: Scope }
  | { readonly kind: "discard"; readonly signal: Signal; readonly value: Node; readonly site: Site }
  | Instance
  | MemoryRead
  | Delay
  | Property;

/** Declarations and items of a module's body or of one generate block. */
export interface Scope {
  readonly parent: Scope | undefined;
  readonly signals: Signal[];
  readonly memories: Memory[];
  readonly items: Item[];
}

/** One Verilog port. */
export interface FlatPort {
  /** Keys from the port map down to the port. */
  readonly path: readonly string[];
  readonly name: string;
  readonly direction: "input" | "output";
  readonly shape: PortShape;
  readonly doc: string | undefined;
  /** Key of its clock port; undefined for the module's own clock. */
  readonly clock: string | undefined;
}

/** What a module says about itself; the printer makes the header from it. */
export interface About {
  readonly doc: string;
  /** Parameter, its value here and its legal range, as text. */
  readonly parameters?: readonly { readonly name: string; readonly value: string | number; readonly legal: string }[];
  readonly latency?: string;
  /** Further lines: interface conventions, what is proved, what is not. */
  readonly notes?: readonly string[];
  /** Names of the module's own clock and reset. Default `clk` and `rst`, active high, synchronous. */
  readonly clock?: { readonly clk: string; readonly rst?: string; readonly reset?: "sync" | "async" | "none"; readonly activeLow?: boolean };
}

/** A module as plain data: everything that printers, engines and checks need. */
export interface Circuit {
  readonly name: string;
  readonly about: About;
  readonly ports: readonly FlatPort[];
  /** Signals of the ports, in the order of `ports`. */
  readonly portSignals: readonly Signal[];
  /** The module's own clock first, where it has one in use. */
  readonly clocks: readonly ClockDomain[];
  readonly scope: Scope;
  /** A module that exists as Verilog already: its parameters and the file that holds it. */
  readonly external?: { readonly parameters: Readonly<Record<string, number | string>>; readonly file: string };
  readonly site: Site;
}

/** A module with the types of its ports. */
export interface Module<P extends PortMap = PortMap> {
  readonly name: string;
  readonly ports: P;
  readonly circuit: Circuit;
}

/** Circuits that a circuit has instances of, in source order. */
export const childrenOf = (circuit: Circuit): Circuit[] => {
  const children = new Set<Circuit>();
  const visit = (scope: Scope): void => {
    for (const item of scope.items) {
      if (item.kind === "instance") children.add(item.child);
      if (item.kind === "repeat") visit(item.scope);
    }
  };
  visit(circuit.scope);
  return [...children];
};
