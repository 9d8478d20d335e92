import {
  type Bool,
  bool,
  constant,
  delay,
  type Inside,
  input,
  instance,
  type Module,
  module,
  mux,
  named,
  output,
  reg,
  sint,
  sync,
  type UInt,
  uint,
  vec,
  when,
} from "../../hdl/index.ts";
import { binary32Adder } from "../../lib/float/add.ts";
import { binary32Divider } from "../../lib/float/divide.ts";
import { isNan } from "../../lib/float/format.ts";
import { integerToBinary32Converter } from "../../lib/float/from-integer.ts";
import { binary32Multiplier } from "../../lib/float/multiply.ts";
import { binary32ToBfloat16Converter } from "../../lib/float/to-bfloat16.ts";
import { binary32ToIntegerConverter } from "../../lib/float/to-integer.ts";
import { stagesOf, type VectorParameters, vectorConstants } from "./vector-parameters.ts";

type LaneParameters = Omit<VectorParameters, "lanes">;

const plainPorts = ({ accWidth, requantize }: LaneParameters) => ({
  enable: input(bool, "0 freezes the lane"),
  load: {
    valid: input(bool, "a constant of this column comes"),
    bank: input(uint(1)),
    constant: input(uint(requantize ? 2 : 1), "0 scale, 1 compensation, 2 bias, 3 scale of codes"),
    data: input(uint(32)),
  },
  acc: input(sint(accWidth)),
  compensation: input(uint(32), "of the row"),
  bank: input(uint(1), "of the row that enters"),
  wholeBank: input(uint(1), "of the row whose accumulators have become binary32"),
  resultRelu: input(bool, "of the row whose results are there"),
  plainBfloat16: input(bool, "of the row whose results have become bfloat16"),
  value: output(uint(32)),
  nan: output(bool, "a result or quotient is NaN"),
});

const requantizingPorts = (parameters: LaneParameters) => ({
  ...plainPorts(parameters),
  resultBank: input(uint(1)),
  movedBank: input(uint(1)),
  codeFormat: input(uint(3), "of the row whose codes are there"),
});

type PlainIo = Inside<ReturnType<typeof plainPorts>>;
type RequantizingIo = Inside<ReturnType<typeof requantizingPorts>>;

/** One constant of the column in both banks, as the row in `bank` reads it. */
const stored = (io: PlainIo, name: keyof typeof vectorConstants, bank: UInt): UInt => {
  const banks = reg(`${name}Banks`, vec(2, uint(32)));
  sync(() => {
    when(io.load.valid.and(io.load.constant.eq(vectorConstants[name])), () => banks.at(io.load.bank).set(io.load.data));
  });
  return named(`${name}Here`, banks.at(bank));
};

/** `fround(fround(float(acc) * s) + c)` with `c = fround(column + row)`, after ReLU where the row wants it. */
const dequantized = (io: PlainIo, parameters: LaneParameters): UInt => {
  const { enable } = io;
  const stages = stagesOf(parameters);
  const { result: whole } = instance("u_convert", integerToBinary32Converter({ width: parameters.accWidth }), { enable, value: io.acc });
  const { result: product } = instance("u_multiply", binary32Multiplier(), { enable, a: whole, b: stored(io, "scale", io.wholeBank) });
  const { result: sum } = instance("u_compensation", binary32Adder(), { enable, a: stored(io, "compensation", io.bank), b: io.compensation });
  const added = stages.result - stages.product;
  const compensation = delay("compensationLate", sum, stages.product - added, { enable });
  const { result } = instance("u_add", binary32Adder(), { enable, a: product, b: compensation });
  // NaN has no sign here, and -0 becomes +0.
  return named("result", mux(io.resultRelu.and(result.bit(31)), 0, result));
};

interface Plain {
  readonly value: UInt;
  readonly nan: Bool;
}

const plain = (io: PlainIo, result: UInt): Plain => {
  const { enable } = io;
  const { result: half } = instance("u_bfloat16", binary32ToBfloat16Converter(), { enable, value: result });
  const late = delay("resultLate", result, 1, { enable });
  return { value: named("plain", mux(io.plainBfloat16, half.extend(32), late)), nan: named("plainNan", isNan(late)) };
};

/** Codes in the range of their width and sign, in the low bits; zeros above. */
const clamped = (format: UInt, wide: UInt): UInt => {
  const [narrow, unsigned] = [format.bit(1), format.bit(0)];
  const at = (value: number) => constant(sint(9), value);
  const high = named("high", mux(unsigned, mux(narrow, at(15), at(255)), mux(narrow, at(7), at(127))));
  const low = named("low", mux(unsigned, at(0), mux(narrow, at(-8), at(-128))));
  const whole = named("whole", wide.asSInt());
  const code = named(
    "code",
    mux(whole.lt(low), low, mux(whole.gt(high), high, whole))
      .asUInt()
      .wrap(8),
  );
  return mux(narrow, code.bits(3, 0).extend(8), code);
};

/** `clamp(roundHalfEven(fround(fround(y - bias) / scale)))`, beside the plain results, which wait for it. */
const requantized = (io: RequantizingIo, result: UInt, parameters: LaneParameters): Plain => {
  const { enable } = io;
  const stages = stagesOf(parameters);
  const { result: moved } = instance("u_subtract", binary32Adder({ operation: "subtract" }), { enable, a: result, b: stored(io, "bias", io.resultBank) });
  const { result: quotient } = instance("u_divide", binary32Divider(parameters), { enable, a: moved, b: stored(io, "codeScale", io.movedBank) });
  // Nine bits with sign hold every code; what is beyond them is beyond its own range too.
  const code = instance("u_code", binary32ToIntegerConverter({ width: 9, signed: true }), { enable, value: quotient });
  const { value, nan } = plain(io, result);
  const wait = stages.code - stages.plain;
  const plainLate = delay("plainLate", value, wait, { enable });
  const nanLate = delay("plainNanLate", nan, wait, { enable });
  const isCode = io.codeFormat.bit(2);
  const fitting = clamped(io.codeFormat, code.result);
  const out = reg("out", uint(32));
  const outNan = reg("outNan", bool);
  sync(() => {
    when(enable, () => {
      out.set(mux(isCode, fitting.extend(32), plainLate));
      outNan.set(mux(isCode, code.nan, nanLate));
    });
  });
  return { value: out, nan: outNan };
};

const give = (io: PlainIo, { value, nan }: Plain): void => {
  io.value.set(value);
  io.nan.set(nan);
};

const nameOf = ({ accWidth }: LaneParameters): string => `tender_vector_lane_a${accWidth}`;

const doc = "One column of Tender's vector unit, with its constants in two banks";

/** A lane that gives binary32 and bfloat16. */
export const plainLane = (parameters: LaneParameters): Module<ReturnType<typeof plainPorts>> =>
  module(nameOf(parameters), plainPorts(parameters), (io) => give(io, plain(io, dequantized(io, parameters))), `${doc}: binary32 and bfloat16.`);

/** A lane that gives codes too. */
export const requantizingLane = (parameters: LaneParameters): Module<ReturnType<typeof requantizingPorts>> =>
  module(
    `${nameOf(parameters)}_q${parameters.bitsPerStage}`,
    requantizingPorts(parameters),
    (io) => give(io, requantized(io, dequantized(io, parameters), parameters)),
    `${doc}: binary32, bfloat16 and codes.`,
  );
