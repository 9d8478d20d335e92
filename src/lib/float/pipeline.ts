import { type Bool, bool, named, reg, type SInt, sint, sync, type UInt, uint, when } from "../../hdl/index.ts";

/**
 * What stands between two stages of a unit: takes the named values that one stage makes and gives those that the next one reads.
 * Each is called `<stage><Name>` in the Verilog.
 */
export type Cut = <V extends Readonly<Record<string, UInt | SInt>>>(stage: string, values: V) => V;

const joined = (stage: string, name: string): string => `${stage}${name.charAt(0).toUpperCase()}${name.slice(1)}`;

/** No registers: the unit is combinational, and the values between its stages are wires. */
export const wired: Cut = (stage, values) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, named(joined(stage, name), value)])) as typeof values;

/** Registers without a reset, which move while `enable` is 1. */
export const registered =
  (enable: Bool): Cut =>
  (stage, values) => {
    const stored = Object.entries(values).map(([name, value]) => {
      const shape = value.kind === "bool" ? bool : value.kind === "sint" ? sint(value.width) : uint(value.width);
      return { name, value, register: reg(joined(stage, name), shape) };
    });
    sync(() =>
      when(enable, () => {
        for (const { register, value } of stored) (register as { set(value: UInt | SInt): void }).set(value);
      }),
    );
    return Object.fromEntries(stored.map(({ name, register }) => [name, register])) as unknown as typeof values;
  };
