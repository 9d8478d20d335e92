import fc from "fast-check";
import { parseParameters } from "../../src/base/parameters.ts";
import { type CoreParameters, checkCore, coreSchema } from "../../src/designs/tender/core/parameters.ts";
import type { CoreJob, CoreOutput } from "../../src/driver/tender/core/job.ts";
import { shiftAccumulateWrapped } from "../../src/golden/tender/matmul.ts";
import { vectorResult } from "../../src/golden/tender/vector-unit.ts";
import { products } from "../golden/arbitraries.ts";

export const coreOf = (given: Partial<CoreParameters>): CoreParameters => {
  const parameters = parseParameters(coreSchema, { ...given });
  checkCore(parameters);
  return parameters;
};

/** Small cores of all kinds: words narrower and wider than a beat, rows of codes below a beat, one bit of shift, no dividers. */
export const smallCores: readonly CoreParameters[] = [
  { kind: "int8", rows: 4, cols: 4, dataWidth: 64 },
  { kind: "int8", rows: 16, cols: 8, dataWidth: 64, shiftBits: 1 },
  { kind: "int8", rows: 4, cols: 8, dataWidth: 128 },
  { kind: "int4", rows: 4, cols: 8, dataWidth: 64 },
  { kind: "int4", rows: 8, cols: 4, dataWidth: 64, requantize: false },
  { kind: "composable", rows: 4, cols: 8, dataWidth: 64 },
  { kind: "composable", rows: 16, cols: 16, dataWidth: 128, shiftBits: 1 },
].map((given) => coreOf({ accWidth: 48, activationKib: 1, weightKib: 1, channels: 64, burst: 4, ...given } as Partial<CoreParameters>));

/** Finite values, down to subnormal ones: `magnitudes` are sizes of positive ones. */
const floats = (length: number, magnitudes: fc.Arbitrary<number>, signed: boolean): fc.Arbitrary<Float32Array> =>
  fc
    .array(fc.tuple(magnitudes, fc.boolean()), { minLength: length, maxLength: length })
    .map((values) => Float32Array.from(values, ([size, negative]) => (signed && negative ? -size : size)));

const scales = fc.oneof(
  fc.constantFrom(2 ** -149, 3 * 2 ** -149, 2 ** -126, 1, 2 ** 60),
  fc.float({ min: Math.fround(1e-45), max: Math.fround(1e-30), noNaN: true }),
  fc.float({ min: Math.fround(1e-6), max: 1, noNaN: true }),
);
const amounts = fc.oneof(fc.constantFrom(0, 1, 2 ** -149), fc.float({ min: 0, max: 1000, noNaN: true }));

const outputs = (parameters: CoreParameters, bits: number, columns: number): fc.Arbitrary<CoreOutput> => {
  const floatOutput = fc.constantFrom<CoreOutput>({ format: "binary32" }, { format: "bfloat16" });
  if (!parameters.requantize) return floatOutput;
  const element: 4 | 8 = parameters.kind === "int8" || (parameters.kind === "composable" && bits > 4) ? 8 : 4;
  const tileColumns = parameters.kind === "composable" && element === 8 ? parameters.cols / 2 : parameters.cols;
  const wholeBeats = (tileColumns * element) % parameters.dataWidth === 0;
  const codes = fc.record({
    format: fc.constant("codes" as const),
    bits: fc.constant(element),
    unsigned: fc.boolean(),
    bias: floats(columns, amounts, true),
    codeScale: floats(columns, scales, false),
    transpose: wholeBeats ? fc.boolean() : fc.constant(true),
  });
  return fc.oneof(floatOutput, codes);
};

export interface JobLimits {
  readonly rows?: number;
  readonly columns?: number;
  readonly channels?: number;
  readonly groups?: number;
}

/** Jobs that a core can do, of any shape and form. */
export const coreJobs = (parameters: CoreParameters, limits: JobLimits = {}): fc.Arbitrary<CoreJob> =>
  products({ bits: parameters.kind === "int4" ? [2, 4] : [4, 8], rows: 40, columns: 40, channels: 40, groups: 12, ...limits }).chain((product) =>
    fc
      .record({
        scales: floats(product.columns, scales, false),
        compensation: floats(product.columns, amounts, true),
        rowCompensation: fc.option(floats(product.rows, amounts, true), { nil: undefined }),
        relu: fc.boolean(),
        output: outputs(parameters, product.bits, product.columns),
      })
      .map(({ output, ...rest }) => ({ product: { ...product, ...rest, name: "a job" }, output })),
  );

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** What a job gives, [M, N], by the golden models alone. */
export const expectedResults = ({ product, output }: CoreJob, accWidth: number): number[] => {
  const { columns, scales: columnScales, compensation, rowCompensation, relu } = product;
  const format = output.format === "codes" ? { bits: output.bits, unsigned: output.unsigned } : output.format;
  return Array.from(shiftAccumulateWrapped(product, accWidth).values, (value, at) => {
    const column = at % columns;
    const codes = output.format === "codes" ? output : undefined;
    const constants = {
      scale: columnScales[column]!,
      compensation: compensation[column]!,
      bias: codes?.bias[column] ?? 0,
      codeScale: codes?.codeScale[column] ?? 1,
    };
    const { bits } = vectorResult(value, constants, rowCompensation?.[Math.floor(at / columns)], relu, format);
    if (codes !== undefined) return !codes.unsigned && bits >= 2 ** (codes.bits - 1) ? bits - 2 ** codes.bits : bits;
    word[0] = output.format === "bfloat16" ? bits << 16 : bits;
    return float[0]!;
  });
};
