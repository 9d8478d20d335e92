import { formatLocation, UserError } from "../base/error.ts";
import type { Command, Engine, Failure, FieldsOf } from "../experiments/results.ts";

/** What a command hands to the printer: its fields, and the same as text for a person. */
export interface Report<C extends Command> {
  readonly ok: boolean;
  readonly fields: FieldsOf<C>;
  readonly text: string;
  readonly what?: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly seed?: number;
  readonly engine?: Engine;
  /** Versions of the tools that took part, by name. */
  readonly tools?: Readonly<Record<string, string>>;
  /** Default: 0 where ok, otherwise 1. */
  readonly exitCode?: 0 | 1 | 2;
}

/** JSON has no infinities, and readers round integers from 2^53 on: null and decimal strings stand for them. */
const jsonSafe = (_key: string, value: unknown): unknown => {
  if (typeof value === "bigint") return value < 2n ** 53n && value > -(2n ** 53n) ? Number(value) : value.toString();
  if (typeof value !== "number") return ArrayBuffer.isView(value) && !(value instanceof DataView) ? [...(value as unknown as Iterable<number>)] : value;
  if (!Number.isFinite(value)) return null;
  return Math.abs(value) >= 2 ** 53 ? BigInt(value).toString() : value;
};

export const toJson = (value: unknown): string => JSON.stringify(value, jsonSafe, 2);

/** The object of `--json`: the envelope of design section 10 around a command's fields. */
export const envelope = <C extends Command>(command: C, report: Report<C>): Readonly<Record<string, unknown>> => ({
  schema: 1,
  command,
  what: report.what ?? null,
  config: report.config ?? {},
  seed: report.seed ?? null,
  engine: report.engine ?? null,
  tools: report.tools ?? {},
  ok: report.ok,
  ...report.fields,
});

/** The object of `--json` for a command that could not do its work. */
export const failureOf = (command: string, error: unknown): Failure => ({
  schema: 1,
  command,
  ok: false,
  error:
    error instanceof UserError
      ? { code: error.code, message: error.message, file: error.where?.file ?? null, line: error.where?.line ?? null, hint: error.hint ?? null }
      : { code: "internal", message: error instanceof Error ? error.message : String(error), file: null, line: null, hint: "this is a bug in systole" },
});

/** An error as text: place, message and hint of the user's own, or the stack of a bug. */
export const errorText = (error: unknown): string => {
  if (error instanceof UserError) {
    const place = error.where === undefined ? "systole: " : `${formatLocation(error.where)}: `;
    const hint = error.hint === undefined ? "" : `\n  hint: ${error.hint.replaceAll("\n", "\n  ")}`;
    return `${place}${error.message}${hint}\n`;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `${stack}\nThis is a bug in systole: please report it with the lines above.\n`;
};
