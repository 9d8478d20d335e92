import { legalRange, type ParameterSchema, type ParameterValues } from "../base/parameters.ts";
import type { FieldsOf } from "./results.ts";

/** What `list` needs to know about a design; the registry's entries have more. */
export interface ListedDesign {
  readonly name: string;
  /** One line. */
  readonly doc: string;
  readonly parameters: ParameterSchema;
  /** Configurations that the tests run. */
  readonly verified: readonly ParameterValues[];
}

/** Designs with their parameters, defaults, legal ranges and verified configurations. */
export const listDesigns = (designs: readonly ListedDesign[]): FieldsOf<"list"> => ({
  rows: designs.map(({ name, doc, parameters, verified }) => ({
    design: name,
    doc,
    parameters: Object.entries(parameters).map(([key, parameter]) => ({
      name: key,
      doc: parameter.doc,
      default: parameter.default,
      range: legalRange(parameter),
    })),
    verified: verified.map((values) => ({ ...values })),
  })),
});
