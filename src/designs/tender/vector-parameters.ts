import { boolean, integer, type ParameterValues } from "../../base/parameters.ts";
import { addLatency } from "../../lib/float/add.ts";
import { divideLatency } from "../../lib/float/divide.ts";
import { fromIntegerLatency } from "../../lib/float/from-integer.ts";
import { multiplyLatency } from "../../lib/float/multiply.ts";
import { toBfloat16Latency } from "../../lib/float/to-bfloat16.ts";
import { toIntegerLatency } from "../../lib/float/to-integer.ts";

/** Parameters of the vector unit. */
export const vectorSchema = {
  lanes: integer("columns in parallel", 16, 1, 64),
  accWidth: integer("bits of the accumulators", 32, 24, 48),
  requantize: boolean("with a divider a lane, which makes codes of the next layer", true),
  bitsPerStage: integer("bits of the quotient that a stage of the divider finds", 1, 1, 13),
};

export type VectorParameters = ParameterValues<typeof vectorSchema>;

/** What a row of results is written as: the code of `x.format`. Bit 2 says codes, bit 1 four bits of them, bit 0 unsigned or bfloat16. */
export const vectorFormats = { binary32: 0, bfloat16: 1, int8: 4, uint8: 5, int4: 6, uint4: 7 } as const;

export type VectorFormat = keyof typeof vectorFormats;

/** Constants of a column: the code of `load.constant`. */
export const vectorConstants = { scale: 0, compensation: 1, bias: 2, codeScale: 3 } as const;

/** Stages after the row was taken at which its values are there, and at which it reads what it needs. */
export interface VectorStages {
  /** The accumulator is binary32, and the column's scale is read. */
  readonly whole: number;
  readonly product: number;
  /** The result: ReLU and the column's bias are applied. */
  readonly result: number;
  /** binary32 or bfloat16. */
  readonly plain: number;
  /** Without the bias; the scale of codes is read. */
  readonly moved: number;
  readonly code: number;
}

export const stagesOf = ({ bitsPerStage }: Pick<VectorParameters, "bitsPerStage">): VectorStages => {
  const product = fromIntegerLatency + multiplyLatency;
  const result = product + addLatency;
  const moved = result + addLatency;
  return {
    whole: fromIntegerLatency,
    product,
    result,
    plain: result + toBfloat16Latency,
    moved,
    code: moved + divideLatency({ bitsPerStage }) + toIntegerLatency,
  };
};

/** Cycles from a row of accumulators to its results, the same for all formats: without stalls `rows` rows take `rows + vectorLatency` from first taken to last given. */
export const vectorLatency = (parameters: Pick<VectorParameters, "requantize" | "bitsPerStage">): number => {
  const { plain, code } = stagesOf(parameters);
  return parameters.requantize ? code + 1 : plain;
};
