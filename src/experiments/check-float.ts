import { UserError } from "../base/error.ts";
import * as golden from "../golden/float/binary32.ts";
import type { Module, PortMap } from "../hdl/index.ts";
import { addLatency, binary32Adder } from "../lib/float/add.ts";
import { binary32Divider, divideLatency } from "../lib/float/divide.ts";
import { fromIntegerLatency, integerToBinary32Converter } from "../lib/float/from-integer.ts";
import { binary32Multiplier, multiplyLatency } from "../lib/float/multiply.ts";
import { binary32ToBfloat16Converter, toBfloat16Latency } from "../lib/float/to-bfloat16.ts";
import { binary32ToIntegerConverter, toIntegerLatency } from "../lib/float/to-integer.ts";
import { type EngineChoice, type EngineName, type Simulation, simulate } from "../sim/index.ts";
import { type FloatCases, functionOf, readFloatCases } from "./vectors/float-cases.ts";

/** How a result's bits are read. */
type Kind = "binary32" | "bfloat16" | "integer";

/** A unit as the cases use it. */
interface Unit {
  readonly ports: readonly string[];
  /** The operand is a signed integer. */
  readonly signed?: true;
  readonly kind: Kind;
  readonly latency: number;
  readonly make: () => Module<PortMap>;
  readonly model: (...operands: number[]) => number;
}

/** The integer that SoftFloat's 8086-SSE specialisation gives for what is none of 32 bits. */
const indefinite = 0x80000000;

const toInt32 = (value: number): number => {
  const whole = golden.toInteger(value);
  return whole === undefined || whole !== BigInt.asIntN(32, whole) ? indefinite : Number(BigInt.asUintN(32, whole));
};

const pair = { ports: ["a", "b"], kind: "binary32" } as const;

/** By TestFloat's names of functions. */
const units: Readonly<Record<string, Unit>> = {
  f32_add: { ...pair, latency: addLatency, make: () => binary32Adder(), model: golden.add },
  f32_sub: { ...pair, latency: addLatency, make: () => binary32Adder({ operation: "subtract" }), model: golden.subtract },
  f32_mul: { ...pair, latency: multiplyLatency, make: binary32Multiplier, model: golden.multiply },
  f32_div: { ...pair, latency: divideLatency(), make: () => binary32Divider(), model: golden.divide },
  i32_to_f32: {
    ports: ["value"],
    signed: true,
    kind: "binary32",
    latency: fromIntegerLatency,
    make: () => integerToBinary32Converter({ width: 32 }),
    model: (value) => golden.fromInteger(BigInt(value | 0)),
  },
  f32_to_bf16: { ports: ["value"], kind: "bfloat16", latency: toBfloat16Latency, make: binary32ToBfloat16Converter, model: golden.toBfloat16 },
  f32_to_i32: {
    ports: ["value"],
    kind: "integer",
    latency: toIntegerLatency,
    make: () => binary32ToIntegerConverter({ width: 32, signed: true, beyond: "indefinite" }),
    model: toInt32,
  },
};

const word = new DataView(new ArrayBuffer(4));

const valueOf = (kind: Kind, bits: number): number => {
  if (kind === "integer") return bits | 0;
  word.setUint32(0, kind === "bfloat16" ? bits * 2 ** 16 : bits);
  return word.getFloat32(0);
};

export interface CheckFloatOptions {
  /** Cases of one function, named after it: `f32_add.u32` and so on; see `readFloatCases`. */
  readonly vectors: string;
  /** What simulates the unit. Default: as `simulate` chooses. */
  readonly engine?: EngineChoice | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

interface FloatDifference {
  /** File's function, case and operands. */
  readonly product: string;
  readonly expected: string;
  readonly got: string;
  /** Cycle in which the result left the unit; null for the golden model. */
  readonly cycle: number | null;
}

interface FloatRow {
  /** The golden model, or the module in simulation. */
  readonly name: string;
  readonly compared: number;
  readonly mismatches: number;
  /** Largest difference of finite values. */
  readonly maxAbsDiff: number;
}

/** Result of `check float` (design section 10). */
export interface CheckFloatResult {
  readonly ok: boolean;
  readonly engine: EngineName;
  readonly compared: number;
  readonly mismatches: number;
  readonly first: FloatDifference | null;
  readonly maxAbsDiff: number;
  readonly rows: readonly FloatRow[];
}

/** Any NaN equals any NaN: which one a NaN operand gives is left open (IEEE 754-2019 section 6.2.3). */
const compare = (
  name: string,
  kind: Kind,
  { name: label, operands, results }: FloatCases,
  got: ArrayLike<number>,
  latency: number | null,
): { row: FloatRow; first: FloatDifference | null } => {
  let first: FloatDifference | null = null;
  let mismatches = 0;
  let maxAbsDiff = 0;
  const hex = (bits: number): string => `0x${bits.toString(16).padStart(kind === "bfloat16" ? 4 : 8, "0")}`;
  results.forEach((expected, index) => {
    const bits = got[index]!;
    if (bits === expected) return;
    const [wanted, found] = [valueOf(kind, expected), valueOf(kind, bits)];
    if (Number.isNaN(wanted) && Number.isNaN(found)) return;
    mismatches += 1;
    const difference = Math.abs(wanted - found);
    if (Number.isFinite(difference)) maxAbsDiff = Math.max(maxAbsDiff, difference);
    const product = `${label}[${index}](${operands.map((operand) => `0x${operand[index]!.toString(16).padStart(8, "0")}`).join(", ")})`;
    first ??= { product, expected: hex(expected), got: hex(bits), cycle: latency === null ? null : index + latency };
  });
  return { row: { name, compared: results.length, mismatches, maxAbsDiff }, first };
};

/** Cycles of one call into the engine. */
const piece = 4096;

/** One case a cycle; the results leave `latency` cycles later. */
const runUnit = (sim: Simulation, unit: Unit, cases: FloatCases, onProgress: CheckFloatOptions["onProgress"]): Uint32Array => {
  const count = cases.results.length;
  const results = new Uint32Array(count + unit.latency);
  for (let from = 0; from < results.length; from += piece) {
    onProgress?.(from, results.length);
    const cycles = Math.min(piece, results.length - from);
    const columns = cases.operands.map((operand) => {
      const column = new Uint32Array(cycles);
      column.set(operand.subarray(from, from + cycles));
      return unit.signed === true ? new Int32Array(column.buffer) : column;
    });
    const inputs = Object.fromEntries([["enable", 1], ...unit.ports.map((port, at) => [port, columns[at]!])]) as Record<string, never>;
    results.set(sim.block({ inputs, cycles, capture: ["result"] }).columns["result"] as ArrayLike<number>, from);
  }
  return results.subarray(unit.latency);
};

/**
 * `systole check float`: every case of a file through the golden model and through the unit in simulation. A difference is a result (`ok` false), not an error.
 * @throws UserError `unknown-function` for a file named after none of the functions, and whatever `readFloatCases` refuses; exit code 2.
 */
export const checkFloat = async ({ vectors, engine, onProgress }: CheckFloatOptions): Promise<CheckFloatResult> => {
  const name = functionOf(vectors);
  const unit = Object.hasOwn(units, name) ? units[name] : undefined;
  if (unit === undefined)
    throw new UserError("unknown-function", `${vectors} is named after the function \`${name}\`, and there are cases for ${Object.keys(units).join(", ")}`);
  const cases = readFloatCases(vectors, unit.ports.length);
  const module = unit.make();
  using sim = await simulate(module, { engine, cycles: cases.results.length + unit.latency });
  const modelled = cases.results.map((_, index) => unit.model(...cases.operands.map((operand) => operand[index]!)));
  const compared = [
    compare(module.name, unit.kind, cases, runUnit(sim, unit, cases, onProgress), unit.latency),
    compare("golden model", unit.kind, cases, modelled, null),
  ];
  const rows = compared.map(({ row }) => row);
  const mismatches = rows.reduce((sum, row) => sum + row.mismatches, 0);
  return {
    ok: mismatches === 0,
    engine: sim.engine,
    compared: rows.reduce((sum, row) => sum + row.compared, 0),
    mismatches,
    first: compared.find(({ first }) => first !== null)?.first ?? null,
    maxAbsDiff: rows.reduce((most, row) => Math.max(most, row.maxAbsDiff), 0),
    rows,
  };
};
