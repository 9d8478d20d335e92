import type { ClockDomain, Memory, Property, Signal } from "../../hdl/circuit.ts";
import type { Node } from "../../hdl/node.ts";
import { sint, uint } from "../../hdl/shape.ts";
import type { Garbage } from "../garbage.ts";

/** A clock domain as the flat design sees it: the top's clock by number, and the top's reset. */
export interface Domain {
  readonly clock: number;
  readonly reset: ClockDomain["reset"];
  /** Node that is 1 while the reset is active. */
  readonly active: Node | undefined;
}

/** What gives a net its value. */
export type Driver =
  | { readonly kind: "input" }
  /** Never changes: bits that are undefined. */
  | { readonly kind: "garbage" }
  | { readonly kind: "comb"; readonly value: Node }
  | { readonly kind: "read"; readonly memory: FlatMemory; readonly address: Node }
  | { readonly kind: "register"; readonly domain: Domain; readonly next: Node; readonly reset: bigint | undefined }
  /** Oldest element of a delay line. */
  | { readonly kind: "line"; readonly line: Line }
  /** Register of a grid's cell. */
  | { readonly kind: "grid" };

/**
 * Bits of the flat design that are driven as one: a signal of one instance and iteration, or the part of it between two
 * neighbouring boundaries of what drives it. References in `Node`s lead to nets, through the field `signal`.
 */
export interface Net extends Signal {
  /** First bit within the signal that it is a part of. */
  readonly low: number;
  readonly width: number;
  /** Reset and initial value are those of its own bits. */
  readonly reset: bigint | undefined;
  readonly initial: bigint | undefined;
  /** How its value is kept in a container: sign or zero extended. */
  readonly signed: boolean;
  /** Its bits at power-up, where it is a register without an initial value, or undefined for good; of a cell's net in the cell's scope. */
  garbage(scope?: Garbage): bigint;
  /** It stands for the nets of all cells of a grid. */
  readonly cell: boolean;
  /** The vector that this net stands for, where cells of a grid read it. */
  readonly array?: FlatSignal;
  driver: Driver | undefined;
}

/** A net that the source has no name for; it belongs to what it is made for, `like`. */
export const makeNet = (
  name: string,
  like: Pick<Signal, "scope" | "site">,
  { width, signed }: Pick<Node, "width" | "signed">,
  driver: Driver,
  given: { readonly garbage?: () => bigint; readonly cell?: boolean } = {},
): Net => ({
  name,
  role: "wire",
  shape: signed ? sint(width) : uint(width),
  domain: undefined,
  reset: undefined,
  initial: undefined,
  doc: undefined,
  scope: like.scope,
  site: like.site,
  low: 0,
  width,
  signed,
  garbage: given.garbage ?? (() => 0n),
  cell: given.cell ?? false,
  driver,
});

/** Memory of one instance; it has a word for each value of an address. */
export interface FlatMemory {
  readonly memory: Memory;
  readonly path: readonly string[];
  readonly words: number;
  readonly garbage: Garbage;
  readonly writes: FlatWrite[];
}

/** A write port, taken at the edge of its clock where the condition holds. */
export interface FlatWrite {
  readonly domain: Domain;
  readonly condition: Node;
  readonly address: Node;
  readonly data: Node;
  readonly mask: Node | undefined;
}

/** Delay line: element 0 is the newest. */
export interface Line {
  /** Name of the signal that carries the oldest element. */
  readonly output: string;
  readonly path: readonly string[];
  readonly width: number;
  readonly cycles: number;
  readonly value: Node;
  readonly enable: Node | undefined;
  readonly reset: boolean;
  readonly domain: Domain;
  readonly garbage: Garbage;
}

/** Assertion or assumption, with what its error says. */
export interface Check {
  readonly property: Property;
  readonly hierarchy: string;
  readonly domain: Domain;
  /** 1 where it holds or the reset is active. */
  readonly holds: Node;
}

/** A signal as its source has it, in the nets that it consists of, lowest bits first. */
export interface FlatSignal {
  readonly signal: Signal;
  readonly path: readonly string[];
  readonly width: number;
  readonly signed: boolean;
  readonly nets: readonly Net[];
}
