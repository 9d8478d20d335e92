import { readFileSync, statSync } from "node:fs";
import { inspect } from "node:util";
import { UserError } from "./error.ts";
import { suggest } from "./suggest.ts";

export interface IntegerParameter {
  readonly kind: "integer";
  readonly doc: string;
  readonly default: number;
  /** Both bounds are legal values. */
  readonly min: number;
  readonly max: number;
  /** Only powers of two are legal. */
  readonly powerOfTwo: boolean;
}

export interface ChoiceParameter<C extends string = string> {
  readonly kind: "choice";
  readonly doc: string;
  readonly default: C;
  readonly choices: readonly C[];
}

export interface BooleanParameter {
  readonly kind: "boolean";
  readonly doc: string;
  readonly default: boolean;
}

export type Parameter = IntegerParameter | ChoiceParameter | BooleanParameter;

/** What can be set about a design, by name: the one source of `--set`, `--config`, `systole list` and the pages of docs/. */
export type ParameterSchema = Readonly<Record<string, Parameter>>;

type ValueOfParameter<P extends Parameter> = P extends IntegerParameter ? number : P extends ChoiceParameter<infer C> ? C : boolean;

/** A value for each parameter of a schema. */
export type ParameterValues<S extends ParameterSchema = ParameterSchema> = { readonly [K in keyof S]: ValueOfParameter<S[K]> };

export const integer = (doc: string, initial: number, min: number, max: number): IntegerParameter => ({
  kind: "integer",
  doc,
  default: initial,
  min,
  max,
  powerOfTwo: false,
});

/** Both bounds are powers of two themselves. */
export const powerOfTwo = (doc: string, initial: number, min: number, max: number): IntegerParameter => ({
  ...integer(doc, initial, min, max),
  powerOfTwo: true,
});

export const choice = <const C extends string>(doc: string, initial: NoInfer<C>, choices: readonly C[]): ChoiceParameter<C> => ({
  kind: "choice",
  doc,
  default: initial,
  choices,
});

export const boolean = (doc: string, initial: boolean): BooleanParameter => ({ kind: "boolean", doc, default: initial });

/** The legal values in words: "an integer from 1 to 64", "one of int8, int4", "true or false". */
export const legalRange = (parameter: Parameter): string => {
  if (parameter.kind === "integer") return `${parameter.powerOfTwo ? "a power of two" : "an integer"} from ${parameter.min} to ${parameter.max}`;
  return parameter.kind === "choice" ? `one of ${parameter.choices.join(", ")}` : "true or false";
};

/** The value, from its text (`--set`) or as JSON holds it, or undefined where it is not legal. */
const legalValue = (parameter: Parameter, given: unknown): number | string | boolean | undefined => {
  if (parameter.kind === "choice") return parameter.choices.find((name) => name === given);
  if (parameter.kind === "boolean") {
    if (given === true || given === "true") return true;
    return given === false || given === "false" ? false : undefined;
  }
  const number = typeof given === "string" && /^[+-]?\d+$/.test(given) ? Number(given) : given;
  if (typeof number !== "number" || !Number.isInteger(number) || number < parameter.min || number > parameter.max) return undefined;
  return parameter.powerOfTwo && !Number.isInteger(Math.log2(number)) ? undefined : number;
};

const show = (given: unknown): string => {
  const text = typeof given === "string" ? given : inspect(given, { depth: 1, breakLength: Infinity });
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
};

/**
 * Values for all parameters of a schema: those given, checked, and the defaults of the others.
 * @throws UserError `unknown-parameter` or `bad-parameter`, naming the key, the value and the legal range.
 */
export const parseParameters = <S extends ParameterSchema>(schema: S, given: Readonly<Record<string, unknown>>): ParameterValues<S> => {
  const values: Record<string, number | string | boolean> = {};
  for (const [name, parameter] of Object.entries(schema)) values[name] = parameter.default;
  for (const [name, raw] of Object.entries(given)) {
    const parameter = Object.hasOwn(schema, name) ? schema[name] : undefined;
    if (parameter === undefined)
      throw new UserError("unknown-parameter", `\`${show(name)}\` is no parameter here`, { hint: suggest(name, Object.keys(schema)) });
    const value = legalValue(parameter, raw);
    if (value === undefined)
      throw new UserError("bad-parameter", `\`${name}=${show(raw)}\` is not legal: \`${name}\` is ${legalRange(parameter)}`, {
        hint: `${name}: ${parameter.doc} (default ${String(parameter.default)})`,
      });
    values[name] = value;
  }
  return values as ParameterValues<S>;
};

/**
 * The assignments of `--set key=value`; a later one for the same key wins.
 * @throws UserError `bad-parameter` where there is no `=`.
 */
export const parseAssignments = (assignments: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    assignments.map((text) => {
      const at = text.indexOf("=");
      if (at < 1) throw new UserError("bad-parameter", `\`--set ${show(text)}\` is not of the form key=value`, { hint: "for example --set rows=16" });
      return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
    }),
  );

const MAX_CONFIG_BYTES = 1 << 20;

const readText = (file: string): string => {
  try {
    if (statSync(file).size <= MAX_CONFIG_BYTES) return readFileSync(file, "utf8");
  } catch (cause) {
    throw new UserError("bad-config", `the configuration \`${file}\` cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  throw new UserError("bad-config", `the configuration \`${file}\` is larger than ${MAX_CONFIG_BYTES} bytes`);
};

/**
 * A configuration file: one JSON object of parameters by name, not checked against a schema yet.
 * @throws UserError `bad-config`.
 */
export const readConfig = (file: string): Readonly<Record<string, unknown>> => {
  const text = readText(file);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new UserError("bad-config", `the configuration \`${file}\` is not JSON`, { hint: message, cause });
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    throw new UserError("bad-config", `the configuration \`${file}\` is not a JSON object`, { hint: 'for example { "rows": 16, "cols": 16 }' });
  return { ...parsed };
};
