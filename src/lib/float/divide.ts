import { UserError } from "../../base/error.ts";
import {
  bool,
  cat,
  constant,
  delay,
  discard,
  input,
  type Module,
  module,
  mux,
  named,
  output,
  reg,
  repeat,
  sync,
  type UInt,
  uint,
  vec,
  when,
  wire,
} from "../../hdl/index.ts";
import { isInfinite, isNan, isZero, packSpecial, type Unpacked, unpack } from "./format.ts";
import { leadingZeros, normalize, roundToNearest } from "./normalize.ts";
import { registered } from "./pipeline.ts";

export interface DividerParameters {
  /** Bits of the quotient that a stage finds, 1 to 13: fewer stages, each as much slower. Default 1. */
  readonly bitsPerStage?: number;
}

/** Bits of the quotient that rounding needs: one that may be 0, 24, and one below them. */
const quotientBits = 26;

/** Significand with its highest one at the top, also of subnormal numbers, and the places that it moved by. */
const raised = (name: string, { significand }: Unpacked): { readonly zeros: UInt; readonly significand: UInt } => {
  const zeros = named(`${name}Zeros`, leadingZeros(`${name}Zeros`, significand));
  return { zeros, significand: significand.shl(zeros).wrap(24) };
};

const stagesOf = ({ bitsPerStage = 1 }: DividerParameters): number => Math.ceil(quotientBits / bitsPerStage);

/** Cycles from operands to result: one for the operands, those of the quotient, two to normalise and round. */
export const divideLatency = (parameters: DividerParameters = {}): number => stagesOf(parameters) + 3;

/**
 * Restoring division in stages of registers: floor(dividend * 2^(bits - 1) / divisor), and whether a remainder is left.
 * The dividend is less than twice the divisor, and so is what is left of it after every step.
 */
const quotientOf = (enable: Parameters<typeof registered>[0], stages: number, bitsPerStage: number, dividend: UInt, divisor: UInt): UInt => {
  const bits = stages * bitsPerStage;
  const remainders = wire("remainders", vec(stages + 1, uint(25)), "what is left before each stage");
  const divisors = wire("divisors", vec(stages + 1, uint(24)));
  const quotients = wire("quotients", vec(stages + 1, uint(bits)));
  remainders.at(0).set(dividend);
  divisors.at(0).set(divisor);
  quotients.at(0).set(0);
  repeat("stage", stages, (i) => {
    const remainder = reg("remainder", uint(25));
    const stageDivisor = reg("divisor", uint(24));
    const quotient = reg("quotient", uint(bits));
    let left: UInt = remainders.at(i);
    const found: UInt[] = [];
    for (let step = 0; step < bitsPerStage; step += 1) {
      const trial = named(`trial${step}`, left.subWrap(divisors.at(i)), "negative where the divisor does not fit");
      const fits = trial.bit(24).not();
      left = named(`left${step}`, cat(mux(fits, trial.wrap(24), left.wrap(24)), constant(bool, 0)));
      found.push(fits);
    }
    sync(() =>
      when(enable, () => {
        remainder.set(left);
        stageDivisor.set(divisors.at(i));
        quotient.set(
          quotients
            .at(i)
            .shl(bitsPerStage)
            .wrap(bits)
            .or(cat(...found)),
        );
      }),
    );
    remainders.at(i.plus(1)).set(remainder);
    divisors.at(i.plus(1)).set(stageDivisor);
    quotients.at(i.plus(1)).set(quotient);
  });
  discard("divisor", divisors.at(stages));
  return cat(quotients.at(stages), remainders.at(stages).any());
};

const dividePorts = {
  enable: input(bool, "the pipeline moves"),
  a: input(uint(32), "dividend"),
  b: input(uint(32), "divisor"),
  result: output(uint(32)),
};

/**
 * `a / b`, correctly rounded, one a cycle: restoring division, `bitsPerStage` bits of the quotient in a stage.
 * @throws UserError for fewer than 1 or more than 13 bits a stage
 */
export const binary32Divider = (parameters: DividerParameters = {}): Module<typeof dividePorts> => {
  const { bitsPerStage = 1 } = parameters;
  if (!Number.isInteger(bitsPerStage) || bitsPerStage < 1 || bitsPerStage > 13)
    throw new UserError("bad-parameter", `a divider finds 1 to 13 bits of the quotient in a stage, not ${bitsPerStage}`);
  const stages = stagesOf(parameters);
  return module(
    `binary32_divide_b${bitsPerStage}`,
    dividePorts,
    (io) => {
      const cut = registered(io.enable);
      const dividend = unpack("a", io.a);
      const divisor = unpack("b", io.b);
      const numerator = raised("a", dividend);
      const denominator = raised("b", divisor);
      const ready = cut("ready", {
        sign: dividend.sign.xor(divisor.sign),
        // Of the first bit of the quotient.
        exponent: dividend.exponent.sub(divisor.exponent).sub(numerator.zeros.toSInt()).add(denominator.zeros.toSInt()).add(127).wrap(10),
        // A finite number by infinity is 0.
        dividend: mux(isInfinite(io.b), 0, numerator.significand),
        divisor: denominator.significand,
        nan: isNan(io.a)
          .or(isNan(io.b))
          .or(isZero(io.a).and(isZero(io.b)))
          .or(isInfinite(io.a).and(isInfinite(io.b))),
        infinite: isInfinite(io.a).or(isZero(io.b)),
      });

      const quotient = quotientOf(io.enable, stages, bitsPerStage, ready.dividend, ready.divisor);
      const moving = { enable: io.enable };
      const normal = cut("normal", {
        sign: delay("sign", ready.sign, stages, moving),
        ...normalize(delay("exponent", ready.exponent, stages, moving), named("wholeQuotient", quotient)),
        nan: delay("nan", ready.nan, stages, moving),
        infinite: delay("infinite", ready.infinite, stages, moving),
      });

      io.result.set(cut("final", { result: packSpecial(normal.nan, normal.infinite, normal.sign, roundToNearest(normal)) }).result);
    },
    {
      doc: "IEEE 754 binary32 a / b, to nearest, ties to even; subnormal numbers, infinities, NaN (result 7fc00000).",
      parameters: [{ name: "bitsPerStage", value: bitsPerStage, legal: "1 to 13" }],
      latency: `${divideLatency(parameters)} cycles with enable high; one result a cycle.`,
    },
  );
};
