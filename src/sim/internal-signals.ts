import { UserError } from "../base/error.ts";
import type { Engine, InternalSignal } from "./engine.ts";

/** Signals inside the design by path, each looked up in the engine once. */
export class InternalSignals {
  readonly #engine: Engine;
  readonly #located = new Map<string, InternalSignal>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The signal, and the element of it where the path ends with an index, as in `u_mem.words[3]`. @throws UserError for what is not there. */
  find(path: string): { readonly signal: InternalSignal; readonly element: number } {
    const match = /^(.*?)(?:\[(\d+)\])?$/.exec(path)!;
    const name = match[1]!;
    let signal = this.#located.get(name);
    if (signal === undefined) {
      signal = this.#engine.locate(name);
      this.#located.set(name, signal);
    }
    if (match[2] === undefined) return { signal, element: 0 };
    const { memory } = signal;
    if (memory === undefined) throw new UserError("no-memory", `\`${name}\` is no memory, so \`${path}\` can't be read`);
    const element = Number(match[2]) - memory.low;
    if (element >= 0 && element < memory.length) return { signal, element };
    throw new UserError("bad-index", `\`${name}\` has the words ${memory.low} to ${memory.low + memory.length - 1}, not ${match[2]}`);
  }
}
