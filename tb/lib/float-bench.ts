import type { PortMap } from "../../src/hdl/index.ts";
import type { Simulation } from "../../src/sim/index.ts";

type Operands = Readonly<Record<string, Uint32Array | Int32Array | BigInt64Array>>;

/** One case a cycle through a unit whose results leave `latency` cycles later. */
export const through = <P extends PortMap>(
  sim: Simulation<P>,
  latency: number,
  operands: Operands,
  capture: readonly string[] = ["result"],
): readonly (readonly number[])[] => {
  const count = Object.values(operands)[0]!.length;
  const columns = Object.entries(operands).map(([port, values]) => {
    const column = new (values.constructor as Uint32ArrayConstructor)(count + latency);
    column.set(values as Uint32Array);
    return [port, column] as const;
  });
  const inputs = Object.fromEntries([["enable", 1], ...columns]) as Record<string, never>;
  const result = (sim as unknown as Simulation).block({ inputs, cycles: count + latency, capture });
  return capture.map((port) => Array.from(result.columns[port] as ArrayLike<number>).slice(latency));
};

/** The cases whose result is wrong, as text. */
export const wrong = (operands: Operands, got: readonly number[], expected: (index: number) => number): readonly string[] =>
  got.flatMap((bits, index) => {
    const wanted = expected(index);
    if (bits === wanted) return [];
    const given = Object.values(operands).map((column) => column[index]!.toString(16));
    return [`${given.join(", ")} gives ${bits.toString(16)}, not ${wanted.toString(16)}`];
  });
