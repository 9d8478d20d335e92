import { UserError } from "../../base/error.ts";
import { suggest } from "../../base/suggest.ts";
import { fieldMask, type RegisterMap, type RegisterTable, registerReset } from "./table.ts";

/** Where a field stands in the word of its register. */
export interface FieldConstants {
  readonly mask: number;
  readonly shift: number;
  readonly width: number;
}

export interface RegisterConstantsOf<F extends string = string> {
  /** Byte address. */
  readonly offset: number;
  /** Word after reset; RO fields count as 0. */
  readonly reset: number;
  readonly fields: { readonly [K in F]: FieldConstants };
}

/** What a driver needs to know of a register map, by the table's names. */
export type RegisterConstants<T extends RegisterTable> = {
  readonly [R in keyof T["registers"]]: RegisterConstantsOf<keyof T["registers"][R]["fields"] & string>;
};

/** Offsets, masks and shifts as a plain object: what the C header says, for drivers in TypeScript. */
export const registerConstants = <T extends RegisterTable>(map: RegisterMap<T>): RegisterConstants<T> =>
  Object.fromEntries(
    map.registers.map((register) => {
      const fields = register.fields.map((field) => [field.key, { mask: fieldMask(field), shift: field.low, width: field.width }]);
      return [register.key, { offset: register.offset, reset: registerReset(register), fields: Object.fromEntries(fields) as Record<string, FieldConstants> }];
    }),
  ) as unknown as RegisterConstants<T>;

/**
 * Word with the given values in its fields and `base` elsewhere, by default 0.
 * @throws UserError for a field that the register doesn't have, and a value that its field can't hold
 */
export const packFields = <F extends string>(register: RegisterConstantsOf<F>, values: { readonly [K in F]?: number }, base = 0): number => {
  const fields: Readonly<Record<string, FieldConstants>> = register.fields;
  return Object.entries<number | undefined>(values).reduce((word, [name, value]) => {
    if (value === undefined) return word;
    const field = fields[name];
    if (field === undefined) throw new UserError("unknown-field", `the register has no field \`${name}\``, { hint: suggest(name, Object.keys(fields)) });
    const { mask, shift, width } = field;
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** width)
      throw new UserError("bad-value", `field \`${name}\` holds 0 to ${2 ** width - 1}, not ${value}`);
    return ((word & ~mask) | (value << shift)) >>> 0;
  }, base);
};

/** Value of each field in a word. */
export const unpackFields = <F extends string>(register: RegisterConstantsOf<F>, word: number): { readonly [K in F]: number } =>
  Object.fromEntries(Object.entries<FieldConstants>(register.fields).map(([name, { mask, shift }]) => [name, ((word & mask) >>> 0) >>> shift])) as {
    readonly [K in F]: number;
  };
