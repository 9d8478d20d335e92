import fc from "fast-check";
import { expect, test } from "vitest";
import { add, divide, fromInteger, multiply, subtract, toBfloat16, toInteger, toIntegerClamped } from "../../src/golden/float/binary32.ts";
import { codeRange } from "../../src/golden/tender/quantize.ts";
import { vectorResult } from "../../src/golden/tender/vector-unit.ts";
import { integers, numberOf, operands } from "./float-operands.ts";

const negativeOrZero = (bits: number): boolean => bits === 0 || (bits >= 2 ** 31 && bits <= 0xff800000);

test("the vector unit's model in doubles equals exact fractions rounded once a step", () => {
  const constants = fc.record({ scale: operands, compensation: operands, bias: operands, codeScale: operands });
  const format = fc.constantFrom(
    "binary32" as const,
    "bfloat16" as const,
    ...([4, 8] as const).flatMap((bits) => [false, true].map((unsigned) => ({ bits, unsigned }))),
  );
  fc.assert(
    fc.property(integers(48), constants, fc.option(operands, { nil: undefined }), fc.boolean(), format, (acc, column, row, relu, kind) => {
      const c = row === undefined ? column.compensation : add(column.compensation, row);
      const sum = add(multiply(fromInteger(acc), column.scale), c);
      const y = relu && negativeOrZero(sum) ? 0 : sum;
      const numbers = {
        scale: numberOf(column.scale),
        compensation: numberOf(column.compensation),
        bias: numberOf(column.bias),
        codeScale: numberOf(column.codeScale),
      };
      const got = vectorResult(Number(acc), numbers, row === undefined ? undefined : numberOf(row), relu, kind);
      if (typeof kind === "string") {
        expect(got).toEqual({ bits: kind === "binary32" ? y : toBfloat16(y), nan: toInteger(y) === undefined });
        return;
      }
      const quotient = divide(subtract(y, column.bias), column.codeScale);
      const { low, high } = codeRange(kind.bits, kind.unsigned);
      const code = toIntegerClamped(quotient, BigInt(low), BigInt(high));
      expect(got).toEqual({ bits: Number(BigInt.asUintN(kind.bits, code)), nan: toInteger(quotient) === undefined });
    }),
    { numRuns: 5000 },
  );
});
