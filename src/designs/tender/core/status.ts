import { type Bool, bool, cat, constant, type UInt } from "../../../hdl/index.ts";
import { jobErrors } from "./descriptor.ts";

/** Bits of a status. */
export const statusWidth = Object.keys(jobErrors).length;

/** A status with the bits of these errors, 0 for the others. */
export const statusOf = (errors: { readonly [name in keyof typeof jobErrors]?: Bool }): UInt => {
  const bits = (Object.keys(jobErrors) as (keyof typeof jobErrors)[]).toSorted((a, b) => jobErrors[b].bit - jobErrors[a].bit);
  return cat(...(bits.map((name) => errors[name] ?? constant(bool, 0)) as unknown as [Bool, ...Bool[]]));
};
