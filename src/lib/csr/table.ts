/** How software reaches a field: read and write, read only, write one to clear, write only. */
export type Access = "RW" | "RO" | "W1C" | "WO";

/** A field as a table states it. */
export interface FieldSpec {
  /** One bit by its number, or a range `[high, low]`, both included. */
  readonly bits: number | readonly [high: number, low: number];
  readonly access: Access;
  /** One line. */
  readonly doc: string;
  /** Value after reset, 0 where nothing is said. RO fields have none: hardware gives their value. */
  readonly reset?: number;
  /** RW and WO: the hardware also sees when software has written the field. */
  readonly pulse?: boolean;
}

/** A register of 32 bits as a table states it. */
export interface RegisterSpec {
  /** Byte address, a multiple of 4. Default: the address after the register before; the first is at 0. */
  readonly offset?: number;
  /** One line. */
  readonly doc: string;
  /** Fields by name (camelCase); bits that no field has read as 0. */
  readonly fields: Readonly<Record<string, FieldSpec>>;
}

/** All that is said about a block of registers, once. */
export interface RegisterTable {
  /** Name of the block, camelCase. */
  readonly name: string;
  /** One line. */
  readonly doc: string;
  /** Registers by name (camelCase). */
  readonly registers: Readonly<Record<string, RegisterSpec>>;
}

export interface Field {
  /** As the table has it. */
  readonly key: string;
  /** As Verilog, SystemRDL and, in capitals, C have it. */
  readonly name: string;
  readonly high: number;
  readonly low: number;
  readonly width: number;
  readonly access: Access;
  readonly reset: number;
  readonly pulse: boolean;
  readonly doc: string;
}

export interface Register {
  readonly key: string;
  readonly name: string;
  readonly offset: number;
  readonly doc: string;
  /** Lowest first. */
  readonly fields: readonly Field[];
}

/** A table that was checked, with all addresses. Its type keeps the table's, so that ports and constants are typed by it. */
export interface RegisterMap<T extends RegisterTable = RegisterTable> {
  readonly table: T;
  readonly name: string;
  readonly doc: string;
  /** By address. */
  readonly registers: readonly Register[];
  /** Bits of a byte address that reaches all registers. */
  readonly addressWidth: number;
}

/** Bits of the field within its register, as an unsigned number. */
export const fieldMask = ({ low, width }: Pick<Field, "low" | "width">): number => (2 ** width - 1) * 2 ** low;

/** Value of the register after reset; RO fields count as 0. */
export const registerReset = ({ fields }: Register): number => fields.reduce((sum, { reset, low }) => sum + reset * 2 ** low, 0);
