import type { ClockDomain } from "./circuit.ts";
import type { PortShape } from "./shape.ts";
import type { Like, Target, ValueOf, VarOf } from "./value.ts";

export interface PortOptions {
  /** Key of the `clock()` port whose domain the port belongs to. Default: the module's own clock. */
  readonly clock?: string;
}

interface PortBase<S extends PortShape> {
  readonly shape: S;
  readonly doc: string | undefined;
  readonly clock: string | undefined;
}

export interface InputPort<S extends PortShape = PortShape> extends PortBase<S> {
  readonly port: "input";
}

export interface OutputPort<S extends PortShape = PortShape> extends PortBase<S> {
  readonly port: "output";
}

export interface ClockOptions {
  readonly reset?: "sync" | "async" | "none";
  readonly activeLow?: boolean;
  readonly doc?: string;
}

/** A further clock with its reset: ports `<key>_clk` and `<key>_rst` (`_rst_n` where active low). */
export interface ClockInput {
  readonly port: "clock";
  readonly reset: "sync" | "async" | "none";
  readonly activeLow: boolean;
  readonly doc: string | undefined;
}

export type Port = InputPort | OutputPort | ClockInput;

/** Ports by name; nested objects are bundles, whose names join with `_` in Verilog. */
export interface PortMap {
  readonly [name: string]: Port | PortMap;
}

export const input = <S extends PortShape>(shape: S, doc?: string, options: PortOptions = {}): InputPort<S> => ({
  port: "input",
  shape,
  doc,
  clock: options.clock,
});

export const output = <S extends PortShape>(shape: S, doc?: string, options: PortOptions = {}): OutputPort<S> => ({
  port: "output",
  shape,
  doc,
  clock: options.clock,
});

export const clock = (options: ClockOptions = {}): ClockInput => ({
  port: "clock",
  reset: options.reset ?? "sync",
  activeLow: options.activeLow ?? false,
  doc: options.doc,
});

export type Flip<P> =
  P extends InputPort<infer S>
    ? OutputPort<S>
    : P extends OutputPort<infer S>
      ? InputPort<S>
      : P extends ClockInput
        ? P
        : { readonly [K in keyof P]: Flip<P[K]> };

/** The same bundle seen from the other end: inputs become outputs and the reverse. */
export const flip = <P extends PortMap>(bundle: P): Flip<P> => {
  const flipOne = (entry: Port | PortMap): Port | PortMap => {
    if (!isPort(entry)) return flip(entry);
    if (entry.port === "clock") return entry;
    return { ...entry, port: entry.port === "input" ? "output" : "input" };
  };
  return Object.fromEntries(Object.entries(bundle).map(([name, entry]) => [name, flipOne(entry)])) as Flip<P>;
};

export const isPort = (entry: Port | PortMap): entry is Port => typeof entry["port"] === "string";

/** What a module's body sees: inputs are values, outputs are variables that it drives. */
export type Inside<P> =
  P extends InputPort<infer S>
    ? ValueOf<S>
    : P extends OutputPort<infer S>
      ? VarOf<S>
      : P extends ClockInput
        ? ClockDomain
        : { readonly [K in keyof P]: Inside<P[K]> };

/** What a parent gives to an instance: a value for each input, and a target for each output that it wants to place itself, or "unused" where nobody reads it. */
export type Connections<P> = { readonly [K in keyof P as P[K] extends OutputPort ? never : K]: ConnectionOf<P[K]> } & {
  readonly [K in keyof P as P[K] extends OutputPort ? K : never]?: ConnectionOf<P[K]>;
};
type ConnectionOf<P> =
  P extends InputPort<infer S> ? Like<S> : P extends OutputPort<infer S> ? Target<S> | "unused" : P extends ClockInput ? ClockDomain : Connections<P>;

/** What a parent reads of an instance: its outputs. */
export type Outputs<P> = {
  readonly [K in keyof P as P[K] extends InputPort | ClockInput ? never : K]: P[K] extends OutputPort<infer S> ? ValueOf<S> : Outputs<P[K]>;
};

/** A bundle of wires between two ends: every member is a variable. */
export type Wires<P> = P extends InputPort<infer S> | OutputPort<infer S>
  ? VarOf<S>
  : { readonly [K in keyof P as P[K] extends ClockInput ? never : K]: Wires<P[K]> };
