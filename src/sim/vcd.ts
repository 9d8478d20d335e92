import { closeSync, openSync, writeSync } from "node:fs";
import { UserError } from "../base/error.ts";
import type { NamedSignal } from "./engine.ts";

/** Characters that are kept before they go to the file. */
const chunk = 1 << 16;

/** The short name of a signal in the file: digits of base 94 from the printable characters, lowest first. */
const identifier = (index: number): string => {
  const digit = String.fromCharCode(33 + (index % 94));
  return index < 94 ? digit : digit + identifier(Math.floor(index / 94));
};

interface Scope {
  readonly scopes: Map<string, Scope>;
  readonly variables: string[];
}

const emptyScope = (): Scope => ({ scopes: new Map(), variables: [] });

/** Variables by scope, because a scope's declarations stand in one place. */
const scopeOf = (signals: readonly NamedSignal[], codes: readonly string[]): Scope => {
  const root = emptyScope();
  for (const [i, { path, width }] of signals.entries()) {
    let scope = root;
    for (const name of path.slice(0, -1)) {
      const inner = scope.scopes.get(name) ?? emptyScope();
      scope.scopes.set(name, inner);
      scope = inner;
    }
    scope.variables.push(`$var wire ${width} ${codes[i]} ${path.at(-1)}${width === 1 ? "" : ` [${width - 1}:0]`} $end\n`);
  }
  return root;
};

const declarations = (name: string, { scopes, variables }: Scope): string =>
  [`$scope module ${name} $end\n`, ...variables, ...[...scopes].map(([inner, scope]) => declarations(inner, scope)), "$upscope $end\n"].join("");

/**
 * Writes a waveform as a value change dump (IEEE 1364-2005, clause 18), times in units of a thousandth of a nanosecond. The bytes
 * depend only on what is dumped: the file has no date.
 */
export class VcdWriter {
  readonly #path: string;
  readonly #file: number;
  readonly #signals: readonly NamedSignal[];
  readonly #codes: readonly string[];
  readonly #last: (bigint | undefined)[];
  /** Time of the last dump, and of the last one that the file has. */
  #time = -1;
  #written = -1;
  #text = "";
  #closed = false;

  /** @throws UserError `unwritable-file` where the file can't be made. */
  constructor(path: string, top: string, signals: readonly NamedSignal[]) {
    this.#path = path;
    this.#signals = signals;
    this.#codes = signals.map((_, i) => identifier(i));
    this.#last = signals.map(() => undefined);
    try {
      this.#file = openSync(path, "w");
    } catch (cause) {
      throw this.#unwritable(cause);
    }
    this.#text = `$timescale 1ps $end\n${declarations(top, scopeOf(signals, this.#codes))}$enddefinitions $end\n`;
  }

  /** The signals as they are now: all of them the first time, then those that differ. Times do not go back. */
  dump(time: number): void {
    const isFirst = this.#time < 0;
    this.#time = time;
    if (isFirst) {
      this.#stamp();
      this.#text += "$dumpvars\n";
    }
    for (let i = 0; i < this.#signals.length; i++) {
      const value = this.#signals[i]!.read();
      if (value === this.#last[i]) continue;
      this.#last[i] = value;
      this.#stamp();
      this.#text += this.#signals[i]!.width === 1 ? `${value}${this.#codes[i]}\n` : `b${value.toString(2)} ${this.#codes[i]}\n`;
      if (this.#text.length >= chunk) this.#flush();
    }
    if (isFirst) this.#text += "$end\n";
  }

  /** The waveform ends at the last dump, also where that changed nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#stamp();
      this.#flush();
    } finally {
      closeSync(this.#file);
    }
  }

  #stamp(): void {
    if (this.#written === this.#time) return;
    this.#written = this.#time;
    this.#text += `#${this.#time}\n`;
  }

  #flush(): void {
    const bytes = Buffer.from(this.#text);
    this.#text = "";
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#file, bytes, done);
    } catch (cause) {
      throw this.#unwritable(cause);
    }
  }

  #unwritable(cause: unknown): UserError {
    return new UserError("unwritable-file", `the waveform file \`${this.#path}\` can't be written`, { cause });
  }
}
