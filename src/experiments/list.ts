import { legalRange } from "../base/parameters.ts";
import type { Design } from "../designs/design.ts";
import type { FieldsOf } from "./results.ts";

/** Designs with their parameters, defaults, legal ranges and the configurations that the tests run. */
export const listDesigns = (designs: readonly Design[]): FieldsOf<"list"> => ({
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
