import { clog2 } from "../../base/clog2.ts";
import {
  assert,
  type Bool,
  bool,
  constant,
  delay,
  discard,
  type Inside,
  input,
  instance,
  type Module,
  module,
  mux,
  named,
  output,
  repeat,
  sint,
  uint,
  vec,
  wire,
} from "../../hdl/index.ts";
import { describeParameters } from "../design.ts";
import { tally } from "./tally.ts";
import { plainLane, requantizingLane } from "./vector-lane.ts";
import { stagesOf, type VectorParameters, vectorLatency, vectorSchema } from "./vector-parameters.ts";

const vectorPorts = ({ lanes, accWidth, requantize }: VectorParameters) => ({
  load: {
    valid: input(bool),
    ready: output(bool, "no row inside reads this bank"),
    bank: input(uint(1)),
    constant: input(uint(requantize ? 2 : 1), requantize ? "0 scale, 1 compensation, 2 bias, 3 scale of codes" : "0 scale, 1 compensation"),
    column: input(uint(Math.max(1, clog2(lanes)))),
    data: input(uint(32), "binary32"),
  },
  x: {
    valid: input(bool),
    ready: output(bool),
    data: input(vec(lanes, sint(accWidth)), "one row of accumulators"),
    last: input(bool),
    overflow: input(bool, "an accumulator of this row overflowed"),
    bank: input(uint(1), "whose constants the row takes"),
    compensation: input(uint(32), "of the row, binary32; 80000000 (-0) changes nothing"),
    relu: input(bool),
    format: input(uint(3), requantize ? "0 binary32, 1 bfloat16, 4 int8, 5 uint8, 6 int4, 7 uint4" : "0 binary32, 1 bfloat16"),
  },
  y: {
    valid: output(bool),
    ready: input(bool),
    data: output(vec(lanes, uint(32)), "one row of results, each in the low bits, zeros above"),
    last: output(bool),
    overflow: output(bool),
    nan: output(bool, "a result of this row is NaN, or was before it became the code 0"),
  },
});

export type VectorPorts = ReturnType<typeof vectorPorts>;
type VectorIo = Inside<VectorPorts>;

/** A bank's constants stay as they are until all rows that take them have left. */
const guardBanks = (io: VectorIo, latency: number, advance: Bool, taken: Bool): void => {
  const leaving = delay("leavingBank", io.x.bank, latency, { enable: advance });
  const given = named("given", io.y.valid.and(io.y.ready));
  const inside0 = tally("inside0", latency, taken.and(io.x.bank.eq(0)), given.and(leaving.eq(0)));
  const inside1 = tally("inside1", latency, taken.and(io.x.bank.eq(1)), given.and(leaving.eq(1)));
  io.load.ready.set(mux(io.load.bank.eq(0), inside0.eq(0), inside1.eq(0)));
};

/** What travels with a row, as each stage of the lanes reads it. */
const laneTags = ({ x }: VectorIo, parameters: VectorParameters, enable: Bool) => {
  const stages = stagesOf(parameters);
  const wholeBank = delay("wholeBank", x.bank, stages.whole, { enable });
  const plainFormat = delay("plainFormat", x.format, stages.plain, { enable });
  const plain = {
    enable,
    compensation: x.compensation,
    bank: x.bank,
    wholeBank,
    resultRelu: delay("resultRelu", x.relu, stages.result, { enable }),
    plainBfloat16: plainFormat.bit(0),
  };
  if (!parameters.requantize) {
    discard("format", plainFormat.bits(2, 1));
    return { plain, codes: undefined };
  }
  const resultBank = delay("resultBank", wholeBank, stages.result - stages.whole, { enable });
  const movedBank = delay("movedBank", resultBank, stages.moved - stages.result, { enable });
  const codeFormat = delay("codeFormat", plainFormat, stages.code - stages.plain, { enable });
  return { plain, codes: { resultBank, movedBank, codeFormat } };
};

const build = (io: VectorIo, parameters: VectorParameters): void => {
  const { lanes, requantize } = parameters;
  const latency = vectorLatency(parameters);
  const advance = wire("advance", bool, "results that nobody takes freeze everything but the loads");
  const taken = named("taken", io.x.valid.and(advance));
  const loaded = named("loaded", io.load.valid.and(io.load.ready));
  advance.set(io.y.ready.or(io.y.valid.not()));
  io.x.ready.set(advance);
  guardBanks(io, latency, advance, taken);

  const chosen = wire("chosen", vec(lanes, bool), "the column that a constant is for");
  chosen.set(Array.from({ length: lanes }, (_, column) => loaded.and(io.load.column.eq(column))));
  const nans = wire("nans", vec(lanes, bool));
  const { plain, codes } = laneTags(io, parameters, advance);
  const { load } = io;
  repeat("lane", lanes, (l) => {
    const common = {
      ...plain,
      load: { valid: chosen.at(l), bank: load.bank, constant: load.constant, data: load.data },
      acc: io.x.data.at(l),
      value: io.y.data.at(l),
      nan: nans.at(l),
    };
    if (codes === undefined) instance("u_lane", plainLane(parameters), common);
    else instance("u_lane", requantizingLane(parameters), { ...common, ...codes });
  });

  io.y.valid.set(delay("valid", taken, latency, { enable: advance, reset: true }));
  io.y.last.set(delay("last", io.x.last, latency, { enable: advance }));
  io.y.overflow.set(delay("overflow", io.x.overflow, latency, { enable: advance }));
  io.y.nan.set(nans.asUInt().any());
  const known = io.x.format.lt(2).or(requantize ? io.x.format.bit(2) : constant(bool, 0));
  assert("known_format", taken.not().or(known));
};

/**
 * Tender's vector unit (contracts, Vector unit and Requantisation): a row of accumulators a cycle becomes
 * `y = fround(fround(float(acc) * scale) + fround(compensation of the column + of the row))`, then ReLU where the row wants it, then binary32, bfloat16, or
 * `clamp(roundHalfEven(fround(fround(y - bias) / codeScale)))`. Its stream of rows is the array's `y`.
 * @throws UserError for bits a stage that no divider has
 */
export const vectorUnit = (parameters: VectorParameters): Module<VectorPorts> => {
  const { lanes, accWidth, requantize, bitsPerStage } = parameters;
  const latency = vectorLatency(parameters);
  return module(`tender_vector_unit_n${lanes}_a${accWidth}${requantize ? `_q${bitsPerStage}` : ""}`, vectorPorts(parameters), (io) => build(io, parameters), {
    doc: `Tender's vector unit: dequantises ${lanes} columns, adds compensations, applies ReLU, and gives binary32${requantize ? ", bfloat16 or codes" : " or bfloat16"}.`,
    parameters: describeParameters(vectorSchema, parameters),
    latency: `${latency} cycles from a row taken to its results, whatever the format; one row a cycle.`,
    notes: [
      "Constants of a column are in two banks; a row says whose it takes. A bank takes constants while no row inside uses it, and all columns of a bank are to be loaded before its first row.",
      "Results that wait for y_ready freeze all rows inside.",
    ],
  });
};
