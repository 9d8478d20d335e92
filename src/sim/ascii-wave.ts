import { UserError } from "../base/error.ts";
import type { Shape } from "../hdl/shape.ts";

/** How values read: numbers of a base, or one name for each value from 0. */
export type WaveFormat = "bin" | "dec" | "hex" | readonly string[];

export interface WaveOptions {
  /** First and last cycle to draw. Default: all that are recorded. */
  readonly from?: number;
  readonly to?: number;
  /** By name of the signal. Default: a line for one bit, names for states, decimal for signed numbers, else hexadecimal. */
  readonly format?: Readonly<Record<string, WaveFormat>>;
  /** Characters of a cycle. Default: from 3 to 12, as the values need. */
  readonly cycleWidth?: number;
  /** Characters of a line, after which the drawing goes on below. Default 120. */
  readonly columns?: number;
}

/** Cycles that a recording keeps: the last ones. */
export const keptCycles = 1000;

export interface RecordedSignal {
  readonly name: string;
  readonly shape: Shape;
  /** All bits, unsigned; one value a cycle. */
  readonly values: readonly bigint[];
}

/** What the edges of the first clock saw, from cycle `first` to `last`. */
export interface RecordedWave {
  readonly first: number;
  readonly last: number;
  readonly signals: readonly RecordedSignal[];
}

/** A row to draw: bits make a line, other values are written between `|`. */
interface Row {
  readonly name: string;
  readonly isLine: boolean;
  readonly texts: readonly string[];
}

const textOf = (shape: Shape, format: WaveFormat | undefined, value: bigint): string => {
  if (shape.kind === "vec") {
    const { element, length } = shape;
    const at = (i: number): bigint => BigInt.asUintN(element.width, value >> BigInt(i * element.width));
    return Array.from({ length }, (_, i) => textOf(element, format, at(i))).join(" ");
  }
  const stated = format ?? (shape.kind === "enum" ? shape.cases : shape.kind === "sint" ? "dec" : "hex");
  if (typeof stated === "object") return stated[Number(value)] ?? `?${value}`;
  if (stated === "dec") return String(shape.kind === "sint" ? BigInt.asIntN(shape.width, value) : value);
  return stated === "hex" ? value.toString(16) : value.toString(2).padStart(shape.width, "0");
};

const rowOf = ({ name, shape, values }: RecordedSignal, format: WaveFormat | undefined): Row => ({
  name,
  isLine: shape.width === 1 && shape.kind !== "enum" && format === undefined,
  texts: values.map((value) => textOf(shape, format, value)),
});

/** End of the run of equal texts that begins at `start`. */
const runEnd = (texts: readonly string[], start: number, limit: number): number => {
  let end = start + 1;
  while (end < limit && texts[end] === texts[start]) end++;
  return end;
};

/** Characters of a cycle in which every value fits, up to 12. */
const neededWidth = (rows: readonly Row[]): number => {
  let width = 3;
  for (const { texts } of rows) {
    for (let start = 0, end = 0; start < texts.length; start = end) {
      end = runEnd(texts, start, texts.length);
      width = Math.max(width, Math.ceil((texts[start]!.length + 1) / (end - start)));
    }
  }
  return Math.min(width, 12);
};

/** The end of a text that has no room: low digits tell more than high ones. */
const abbreviated = (text: string, room: number): string => {
  if (text.length <= room) return text.padEnd(room);
  return room <= 2 ? ".".repeat(room) : `..${text.slice(2 - room)}`;
};

const drawLine = (texts: readonly string[], from: number, to: number, width: number): string => {
  let line = "";
  for (let i = from; i < to; i++) {
    const level = texts[i] === "1" ? "~" : "_";
    line += (i === 0 || texts[i - 1] === texts[i] ? level : "|") + level.repeat(width - 1);
  }
  return line;
};

const drawValues = (texts: readonly string[], from: number, to: number, width: number): string => {
  let line = "|";
  for (let start = from, end = 0; start < to; start = end) {
    end = runEnd(texts, start, to);
    line += `${abbreviated(texts[start]!, (end - start) * width - 1)}|`;
  }
  return line;
};

/** Every 1st, 2nd, 5th, 10th ... cycle, so that numbers stay apart. */
const drawRuler = (first: number, count: number, width: number): string => {
  const room = String(first + count - 1).length + 2;
  let step = 1;
  for (let i = 0; step * width < room; i++) step = [1, 2, 5][i % 3]! * 10 ** Math.floor(i / 3);
  let ruler = "";
  for (let i = 0; i < count; i += step) ruler = ruler.padEnd(i * width) + String(first + i);
  return ruler;
};

const checkWhole = (what: string, value: number, low: number): number => {
  if (Number.isInteger(value) && value >= low) return value;
  throw new UserError("bad-value", `\`${what}\` of a wave is a whole number from ${low}, not ${value}`);
};

/** The part of what was recorded that is to be drawn. */
const cut = ({ first, last, signals }: RecordedWave, { from = first, to = last }: WaveOptions): RecordedWave => {
  if (!(from >= first && from <= to && to <= last) || !Number.isInteger(from) || !Number.isInteger(to))
    throw new UserError("bad-range", `the wave has the cycles ${first} to ${last}, not ${from} to ${to}`, {
      hint: `a recording keeps the last ${keptCycles} cycles`,
    });
  return { first: from, last: to, signals: signals.map((signal) => ({ ...signal, values: signal.values.slice(from - first, to - first + 1) })) };
};

/**
 * Text in pure ASCII: a ruler with the numbers of cycles, a line for each one-bit signal (`_` is 0, `~` is 1, `|` begins a cycle in which it changed), and other values
 * between `|`. Begins and ends with a line break, so that it stands straight in a snapshot.
 * @throws UserError for a range that is not recorded, a format for no signal, or a size that is too small.
 */
export const drawWave = (recorded: RecordedWave, options: WaveOptions = {}): string => {
  const { format = {} } = options;
  for (const name of Object.keys(format))
    if (recorded.signals.every((signal) => signal.name !== name))
      throw new UserError("no-signal", `\`format\` names \`${name}\`, which the wave does not have`);
  const { first, last, signals } = cut(recorded, options);
  const rows = signals.map((signal) => rowOf(signal, format[signal.name]));
  const width = checkWhole("cycleWidth", options.cycleWidth ?? neededWidth(rows), 2);
  const margin = Math.max("cycle".length, ...rows.map(({ name }) => name.length)) + 2;
  const perLine = Math.max(1, Math.floor((checkWhole("columns", options.columns ?? 120, 1) - margin) / width));
  const cycles = last - first + 1;
  const lines: string[] = [];
  for (let from = 0; from < cycles; from += perLine) {
    const to = Math.min(from + perLine, cycles);
    lines.push("", "cycle".padEnd(margin) + drawRuler(first + from, to - from, width));
    for (const { name, isLine, texts } of rows) lines.push(name.padEnd(margin) + (isLine ? drawLine : drawValues)(texts, from, to, width));
  }
  return `${lines.join("\n")}\n`;
};
