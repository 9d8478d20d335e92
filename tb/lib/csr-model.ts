import fc from "fast-check";
import type { Field, FieldSpec, RegisterMap, RegisterSpec, RegisterTable } from "../../src/lib/csr/index.ts";
import { corners } from "../golden/arbitraries.ts";

/** What the bus and the hardware give in one cycle. */
export interface CycleInputs {
  readonly reset: boolean;
  readonly aw: number | undefined;
  readonly w: { readonly data: number; readonly strobes: number } | undefined;
  readonly bready: boolean;
  readonly ar: number | undefined;
  readonly rready: boolean;
  /** By `register.field`: the value of an RO field, the `set` of a W1C field. */
  readonly hardware: ReadonlyMap<string, number>;
}

/** What a register block shows in one cycle; undefined where it says nothing. */
export interface CycleOutputs {
  readonly ready: { readonly aw: boolean; readonly w: boolean; readonly ar: boolean };
  readonly b: number | undefined;
  readonly r: { readonly resp: number; readonly data: number } | undefined;
  readonly illegal: boolean;
  readonly values: Readonly<Record<string, number>>;
  readonly written: readonly string[];
}

const error = 2;
const nameOf = (register: { readonly key: string }, field: Field): string => `${register.key}.${field.key}`;

/** A register block as its documentation has it, one cycle after the other: words, queues of one request, answers. */
export class RegisterModel {
  readonly #map: RegisterMap;
  #values = new Map<string, number>();
  #written: string[] = [];
  #illegal = false;
  #aw: number | undefined;
  #w: CycleInputs["w"];
  #ar: number | undefined;
  #b: number | undefined;
  #r: CycleOutputs["r"];

  constructor(map: RegisterMap) {
    this.#map = map;
    this.#reset();
  }

  #reset(): void {
    const stored = this.#map.registers.flatMap((register) => register.fields.map((field) => ({ name: nameOf(register, field), field })));
    this.#values = new Map(stored.filter(({ field }) => field.access !== "RO").map(({ name, field }) => [name, field.reset]));
    this.#written = [];
    this.#illegal = false;
    this.#aw = this.#w = this.#ar = this.#b = this.#r = undefined;
  }

  outputs(): CycleOutputs {
    return {
      ready: { aw: this.#aw === undefined, w: this.#w === undefined, ar: this.#ar === undefined },
      b: this.#b,
      r: this.#r,
      illegal: this.#illegal,
      values: Object.fromEntries(this.#values),
      written: this.#written,
    };
  }

  edge(inputs: CycleInputs): void {
    if (inputs.reset) {
      this.#reset();
      return;
    }
    this.#aw ??= inputs.aw;
    this.#w ??= inputs.w;
    this.#ar ??= inputs.ar;
    if (inputs.bready) this.#b = undefined;
    if (inputs.rready) this.#r = undefined;
    this.#illegal = false;
    this.#written = [];
    // The read sees the values before the write.
    if (this.#ar !== undefined && this.#r === undefined) {
      this.#r = this.#read(this.#ar, inputs.hardware);
      this.#ar = undefined;
    }
    if (this.#aw !== undefined && this.#w !== undefined && this.#b === undefined) {
      this.#b = this.#write(this.#aw, this.#w);
      this.#aw = this.#w = undefined;
    }
    for (const register of this.#map.registers)
      for (const field of register.fields)
        if (field.access === "W1C") this.#update(nameOf(register, field), (old) => old | BigInt(inputs.hardware.get(nameOf(register, field)) ?? 0));
  }

  #update(name: string, change: (old: bigint) => bigint): void {
    this.#values.set(name, Number(change(BigInt(this.#values.get(name) ?? 0))));
  }

  #read(address: number, hardware: ReadonlyMap<string, number>): CycleOutputs["r"] {
    const register = this.#map.registers.find(({ offset }) => offset === address);
    if (register === undefined) {
      this.#illegal = true;
      return { resp: error, data: 0 };
    }
    let data = 0n;
    for (const field of register.fields) {
      const name = nameOf(register, field);
      const value = field.access === "RO" ? hardware.get(name) : field.access === "WO" ? 0 : this.#values.get(name);
      data |= BigInt(value ?? 0) << BigInt(field.low);
    }
    return { resp: 0, data: Number(data) };
  }

  #write(address: number, { data, strobes }: { readonly data: number; readonly strobes: number }): number {
    const register = this.#map.registers.find(({ offset }) => offset === address);
    if (register === undefined) {
      this.#illegal = true;
      return error;
    }
    for (const field of register.fields) {
      const name = nameOf(register, field);
      for (let bit = field.low; bit <= field.high; bit += 1) {
        if (((strobes >> (bit >> 3)) & 1) === 0) continue;
        const one = (BigInt(data) >> BigInt(bit)) & 1n;
        const place = BigInt(bit - field.low);
        if (field.access === "W1C") this.#update(name, (old) => old & ~(one << place));
        else if (field.access !== "RO") this.#update(name, (old) => (old & ~(1n << place)) | (one << place));
        if (field.pulse && !this.#written.includes(name)) this.#written.push(name);
      }
    }
    return 0;
  }
}

const access = fc.constantFrom("RW", "RO", "W1C", "WO");
const fieldShape = fc.record({ gap: corners(0, 9), width: corners(1, 32), access, pulse: fc.boolean(), asRange: fc.boolean(), reset: fc.nat() });

const fieldsOf = (shapes: readonly { gap: number; width: number; access: "RW" | "RO" | "W1C" | "WO"; pulse: boolean; asRange: boolean; reset: number }[]) => {
  const fields: Record<string, FieldSpec> = {};
  let at = 0;
  shapes.forEach(({ gap, width, access, pulse, asRange, reset }, index) => {
    const low = Math.min(at + (index === 0 && gap > 8 ? 31 : gap), 31);
    if (at > 31) return;
    const high = Math.min(low + width - 1, 31);
    at = high + 1;
    const bits = high === low && !asRange ? low : ([high, low] as const);
    fields[`f${index}`] = {
      bits,
      access,
      doc: `Field ${index}.`,
      ...(access === "RO" ? {} : { reset: reset % 3 === 0 ? 2 ** (high - low + 1) - 1 : reset % 2 ** (high - low + 1) }),
      ...(pulse && (access === "RW" || access === "WO") ? { pulse } : {}),
    };
  });
  return fields;
};

/** Tables of up to six registers: fields of any width and kind, holes between them, offsets stated or not, any order. */
export const tables: fc.Arbitrary<RegisterTable> = fc
  .record({
    registers: fc.array(fc.record({ skip: corners(0, 9), fields: fc.array(fieldShape, { minLength: 1, maxLength: 7 }) }), { minLength: 1, maxLength: 6 }),
    downwards: fc.boolean(),
  })
  .map(({ registers, downwards }) => {
    let next = downwards ? 256 : 0;
    const entries = registers.map(({ skip, fields }, index): [string, RegisterSpec] => {
      const offset = downwards ? next - 4 - 4 * skip : next + 4 * skip;
      const stated = downwards || skip > 0;
      next = downwards ? offset : offset + 4;
      return [`r${index}`, { ...(stated ? { offset } : {}), doc: `Register ${index}.`, fields: fieldsOf(fields) }];
    });
    return { name: "random", doc: "Random registers.", registers: Object.fromEntries(entries) };
  });
