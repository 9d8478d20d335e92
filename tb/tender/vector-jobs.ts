import fc from "fast-check";
import { type VectorFormat, type VectorParameters, vectorFormats } from "../../src/designs/tender/vector-parameters.ts";
import { type ColumnConstants, type ResultFormat, vectorResult } from "../../src/golden/tender/vector-unit.ts";
import { integers, numberOf, operands } from "../golden/float-operands.ts";

export interface VectorRow {
  readonly accumulators: readonly number[];
  readonly compensation: number | undefined;
  readonly overflow: boolean;
}

/** Rows that share their columns' constants, as those of one tile do. */
export interface VectorJob {
  readonly columns: readonly ColumnConstants[];
  readonly rows: readonly VectorRow[];
  readonly relu: boolean;
  readonly format: VectorFormat;
}

const formatsOf = ({ requantize }: VectorParameters): readonly VectorFormat[] =>
  (Object.keys(vectorFormats) as VectorFormat[]).filter((format) => requantize || vectorFormats[format] < 2);

/** Any binary32 number, corners often: subnormal, infinite, NaN; or one of an ordinary size, with which results are ordinary too. */
const any = operands.map(numberOf);
const ordinary = fc.float({ min: -1000, max: 1000, noNaN: true });
const scales = fc.float({ min: Math.fround(2 ** -40), max: 1, noNaN: true });

/** Constants with which results stay below about 500, and codes lie within their ranges or a little beyond; powers of two make ties. */
const realistic = (accWidth: number): fc.Arbitrary<ColumnConstants> => {
  const float = (min: number, max: number) => fc.float({ min, max, noNaN: true });
  const near = fc.oneof(fc.constantFrom(0, -0, 0.5, -1.5, 8), float(-16, 16));
  return fc.record({
    scale: fc.oneof(fc.constantFrom(1, 8, 256), float(0.5, 512)).map((reach) => Math.fround(reach * 2 ** (1 - accWidth))),
    compensation: near,
    bias: near,
    codeScale: fc.oneof(fc.constantFrom(0.25, 0.5, 1, 2), float(0.125, 4)),
  });
};

const columnsOf = (accWidth: number): fc.Arbitrary<ColumnConstants> =>
  fc.oneof(
    { weight: 4, arbitrary: realistic(accWidth) },
    fc.record({ scale: scales, compensation: ordinary, bias: ordinary, codeScale: scales }),
    fc.record({ scale: any, compensation: any, bias: any, codeScale: any }),
    fc.record({ scale: scales, compensation: fc.constantFrom(0, -0), bias: fc.constantFrom(0, -0, Infinity), codeScale: fc.constantFrom(0, 1, Infinity) }),
  );

const exactly = <T>(value: fc.Arbitrary<T>, length: number): fc.Arbitrary<T[]> => fc.array(value, { minLength: length, maxLength: length });

/** Jobs of a few rows each, one after another. */
export const vectorJobs = (parameters: VectorParameters, rows = 6): fc.Arbitrary<VectorJob[]> => {
  const accumulators = integers(parameters.accWidth).map(Number);
  const row = fc.record({
    accumulators: exactly(accumulators, parameters.lanes),
    compensation: fc.option(fc.oneof({ weight: 3, arbitrary: fc.float({ min: -16, max: 16, noNaN: true }) }, ordinary, any), { nil: undefined }),
    overflow: fc.boolean(),
  });
  const job = fc.record({
    columns: exactly(columnsOf(parameters.accWidth), parameters.lanes),
    rows: fc.array(row, { minLength: 1, maxLength: rows }),
    relu: fc.boolean(),
    format: fc.constantFrom(...formatsOf(parameters)),
  });
  return fc.array(job, { minLength: 1, maxLength: 4 });
};

const goldenFormats: Readonly<Record<VectorFormat, ResultFormat>> = {
  binary32: "binary32",
  bfloat16: "bfloat16",
  int8: { bits: 8, unsigned: false },
  uint8: { bits: 8, unsigned: true },
  int4: { bits: 4, unsigned: false },
  uint4: { bits: 4, unsigned: true },
};

/** A row of results with its flags, as one text. */
export const rowText = (data: readonly number[], last: boolean, overflow: boolean, nan: boolean): string =>
  `${data.map((bits) => bits.toString(16)).join(" ")}${last ? ", last" : ""}${overflow ? ", overflow" : ""}${nan ? ", NaN" : ""}`;

/** The rows that the golden model expects. */
export const expectedRows = (jobs: readonly VectorJob[]): readonly string[] =>
  jobs.flatMap(({ columns: constants, rows, relu, format }) =>
    rows.map(({ accumulators, compensation, overflow }, index) => {
      const results = accumulators.map((value, column) => vectorResult(value, constants[column]!, compensation, relu, goldenFormats[format]));
      const nan = results.some((result) => result.nan);
      return rowText(
        results.map(({ bits }) => bits),
        index === rows.length - 1,
        overflow,
        nan,
      );
    }),
  );
