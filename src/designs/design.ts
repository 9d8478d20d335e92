import { legalRange, type ParameterSchema, type ParameterValues } from "../base/parameters.ts";
import type { About, Module } from "../hdl/index.ts";

/** A generator as the registry knows it: everything that a command needs to list it and to build any of its configurations. */
export interface Design<S extends ParameterSchema = ParameterSchema> {
  readonly name: string;
  /** One line. */
  readonly doc: string;
  readonly parameters: S;
  /** Configurations that the tests run against the golden model. */
  readonly verified: readonly ParameterValues<S>[];
  /** @throws UserError for parameters that don't go together */
  build(values: ParameterValues<S>): Module;
}

/** Parameters with their values and legal ranges, for a module's header. */
export const describeParameters = <S extends ParameterSchema>(schema: S, values: ParameterValues<S>): NonNullable<About["parameters"]> =>
  Object.entries(schema).map(([name, parameter]) => ({ name, value: String(values[name]), legal: legalRange(parameter) }));
