/**
 * What every engine offers to the simulation above it. All values of ports pass through one array of 32-bit words,
 * `words`, least significant word first, in which each port has a place (`PortPlace`); an engine reads the pending
 * inputs there and publishes the values of all ports there at the end of every call.
 */
export interface Engine {
  readonly words: Uint32Array;
  readonly places: ReadonlyMap<string, PortPlace>;
  /** Edges of the first clock so far. */
  readonly cycle: number;
  /** Applies pending inputs and evaluates. */
  settle(): void;
  /** `count` whole cycles of the only clock: inputs applied with the clock low, then the rising edge. Ends high. */
  cycles(count: number): void;
  /** The only clock rises, then falls and takes the pending inputs: what a task sees next is settled for the next edge. */
  edge(): void;
  /**
   * Applies pending inputs, lowers the clocks in the mask, at a time in units of a thousandth of a nanosecond; without a
   * time it belongs to the instant of the rise that follows.
   */
  fall(clocks: number, time: number | undefined): void;
  /** Raises the clocks in the mask. */
  rise(clocks: number, time: number): void;
  /** Runs `plan.cycles` cycles of the only clock from columns of stimulus; returns the number of records captured so far. */
  block(plan: BlockPlan): number;
  /** A signal inside the design. @throws UserError when it is not there. */
  locate(path: string): InternalSignal;
  /** Ends the simulation, closes the waveform file. */
  close(): void;
}

/** Where a port's value sits in `Engine.words`. */
export interface PortPlace {
  readonly name: string;
  /** Number of the port in the engine. */
  readonly index: number;
  readonly direction: "input" | "output";
  readonly width: number;
  /** First word of the value as the model has it. */
  readonly value: number;
  /** First word of the value that an input takes at the next call. Outputs: -1. */
  readonly pending: number;
}

/**
 * A block of stimulus, or a piece of it. Columns hold a value of `bytesOf` its width for each cycle, in the machine's byte order,
 * bits above the width 0.
 */
export interface BlockPlan {
  readonly cycles: number;
  readonly inputs: readonly { readonly place: PortPlace; readonly column: Uint8Array }[];
  /** 1-bit ports that must all be high for a cycle to be recorded; none: every cycle is. */
  readonly when: readonly PortPlace[];
  readonly outputs: readonly PortPlace[];
  /** Columns of the outputs, one after another, each with `room` records and begun at a multiple of 8 bytes. */
  readonly captured: Uint8Array;
  readonly room: number;
  /** Records that are there already. */
  readonly records: number;
}

/** A register, wire or memory inside the design. */
export interface InternalSignal {
  readonly width: number;
  /** Index of the first element and number of elements, where it is a memory. */
  readonly memory: { readonly low: number; readonly length: number } | undefined;
  /** Little-endian words of the signal, or of one element. */
  read(element: number): Uint32Array;
  write(element: number, words: Uint32Array): void;
}

/** A signal inside an embedded engine, as waveforms show it. */
export interface NamedSignal {
  /** Below the top: instance names, generate blocks as `label[i]`, the signal's name. */
  readonly path: readonly string[];
  readonly width: number;
  /** All bits, unsigned. */
  read(): bigint;
}

export const wordsOf = (width: number): number => Math.ceil(width / 32);

/** Bytes of a value in a column. */
export const bytesOf = (width: number): number => (width <= 8 ? 1 : width <= 16 ? 2 : 4 * wordsOf(width));

/** Bytes of a column in `BlockPlan.captured`. */
export const columnBytes = (width: number, room: number): number => 8 * Math.ceil((bytesOf(width) * room) / 8);
