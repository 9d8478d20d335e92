import { sizeOf } from "../../base/tensor.ts";
import type { QuantizedActivations } from "../../golden/tender/groups.ts";
import { halfScales, roundToHalf } from "../../golden/tender/half.ts";
import { codeRange, dequantize, roundHalfEven, symQuant } from "../../golden/tender/quantize.ts";
import type { Comparison } from "./comparison.ts";
import type { JsonValue } from "./json-value.ts";
import { consistent } from "./sizes.ts";

/** Index into `scale` for every element of `shape`, by the broadcasting rule: an axis of length 1 repeats. */
const broadcast = (file: JsonValue, scale: readonly number[], shape: readonly number[]): number[] => {
  if (scale.length !== shape.length || scale.some((length, axis) => length !== 1 && length !== shape[axis]))
    file.fail(`of shape [${scale.join(", ")}] does not broadcast over [${shape.join(", ")}]`);
  return Array.from({ length: sizeOf(shape) }, (_, at) => {
    let rest = at;
    let index = 0;
    let stride = 1;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (scale[axis] !== 1) index += (rest % shape[axis]!) * stride;
      stride *= scale[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    return index;
  });
};

/** One recorded call of the official `sym_quant`: repeats it on its inputs. Returns how many quotients were clipped. */
const checkSymQuant = (call: JsonValue, bits: number, comparison: Comparison): number => {
  consistent(call.get("q_bits"), bits, "the case's q_bits");
  const shape = call.get("fp").shape();
  const values = call.get("fp").floats(shape);
  const scaleShape = call.get("scale").shape();
  const scales = call.get("scale").floats(scaleShape);
  const index = broadcast(call.get("scale"), scaleShape, shape);
  if (scales.includes(0)) call.get("scale").fail("holds a zero");
  comparison.exact(
    call.get("q"),
    shape,
    values.map((value, at) => symQuant(value, scales[index[at]!]!, bits)),
  );
  const { low, high } = codeRange(bits, false);
  return values.reduce((clipped, value, at) => {
    const code = roundHalfEven(Math.fround(value / scales[index[at]!]!));
    return clipped + (code < low || code > high ? 1 : 0);
  }, 0);
};

/**
 * The calls in order: each `sym_quant` repeated, each `sym_dequant` that follows one given the same codes and scales.
 * Returns how many quotients were clipped in all.
 */
export const checkCalls = (list: JsonValue, bits: number, comparison: Comparison): number => {
  let clipped = 0;
  let before: JsonValue | undefined;
  for (const call of list.items()) {
    const operation = call.get("op").text();
    if (operation === "sym_quant") {
      clipped += checkSymQuant(call, bits, comparison);
      before = call;
    } else if (operation !== "sym_dequant") call.get("op").fail(`is "${operation}", not sym_quant or sym_dequant`);
    else {
      for (const key of before === undefined ? [] : ["q", "scale"]) {
        const shape = before!.get(key).shape();
        comparison.exact(call.get(key), shape, before!.get(key).numbers(shape));
      }
      before = undefined;
    }
  }
  return clipped;
};

/** The `sym_dequant` calls of an unsigned tensor [heads, chunks, chunk, K]: one for each group that any chunk uses, smallest scale first, zeros elsewhere. */
export const checkUnsignedCalls = (calls: readonly JsonValue[], heads: readonly QuantizedActivations[], list: JsonValue, comparison: Comparison): void => {
  const all = heads.flatMap(({ chunks }) => chunks);
  const used = all[0]!.scales.length;
  const indices = Array.from({ length: used }, (_, index) => index).filter((index) => all.some(({ groupOf }) => groupOf.includes(index)));
  if (calls.length !== indices.length) list.fail(`has ${calls.length} sym_dequant calls for an unsigned tensor of ${indices.length} groups`);
  for (const [at, call] of calls.entries()) {
    const index = indices[at]!;
    comparison.exact(
      call.get("scale"),
      call.get("scale").shape(),
      all.map(({ scales }) => scales[index]!),
    );
    const codes = heads.flatMap(({ codes: own, chunks, chunk, channels }) =>
      Array.from(own, (code, place) => (chunks[Math.floor(place / channels / chunk)]!.groupOf[place % channels] === index ? code : 0)),
    );
    comparison.exact(call.get("q"), call.get("q").shape(), codes);
  }
};

/** The micro cases: ties, signed zeros, clipping, a scale below 1e-9; codes and dequantised values. */
export const checkMicro = (file: JsonValue, comparison: Comparison): void => {
  comparison.begin("micro_sym_quant");
  for (const entry of file.items()) {
    const bits = entry.get("q_bits").integer(2, 15);
    const scale = Math.fround(entry.get("scale").number());
    if (scale === 0) entry.get("scale").fail("is zero");
    const shape = entry.get("fp").shape();
    if (shape.length !== 1) entry.get("fp").fail("is not a list of numbers");
    const codes = entry
      .get("fp")
      .floats(shape)
      .map((value) => symQuant(value, scale, bits));
    comparison.exact(entry.get("q"), shape, codes);
    comparison.exact(
      entry.get("dq"),
      shape,
      codes.map((code) => dequantize(code, scale)),
    );
  }
};

/** Group scales of a binary16 run: scales by division and by reciprocal, and how far their ratios are from two. */
export const checkHalfScales = (file: JsonValue, comparison: Comparison): void => {
  comparison.begin("fp16_scale_table");
  for (const entry of file.items()) {
    const bits = entry.get("q_bits").integer(2, 15);
    const groups = entry.get("groups").integer(1, 64);
    const tmax = entry.get("tmax").number();
    const { scales, ratioError } = halfScales(tmax, groups, bits);
    const reciprocal = Math.fround(1 / codeRange(bits, false).high);
    comparison.exact(entry.get("scales_fp16_smallest_first"), [groups], scales);
    comparison.exact(
      entry.get("scales_recip"),
      [groups],
      Array.from({ length: groups }, (_, index) => roundToHalf(roundToHalf(roundToHalf(tmax) / 2 ** (groups - 1 - index)) * reciprocal)),
    );
    comparison.near(entry.get("max_ratio_error"), [], [ratioError], () => 2 ** -45);
    if (entry.get("exact_power_of_two").flag() !== (ratioError === 0)) entry.get("exact_power_of_two").fail(`contradicts a ratio error of ${ratioError}`);
  }
};
