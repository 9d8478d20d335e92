import { tensor } from "../../base/tensor.ts";
import { decoderLayer } from "../../golden/tender/opt-layer.ts";
import type { LayerCalibration } from "./calibration-case.ts";
import { checkCalibration } from "./calibration-case.ts";
import type { Comparison } from "./comparison.ts";
import type { JsonValue } from "./json-value.ts";
import { readLayerSizes, readParameters } from "./layer-case.ts";
import type { LayerContext } from "./layer-products.ts";
import { checkLinear, checkScores, checkValues } from "./layer-products.ts";
import { readCalls } from "./recorded-calls.ts";
import { checkCalls, checkUnsignedCalls } from "./sym-quant.ts";

/**
 * Recomputes a case of kind `opt_decoder_layer` from `x` and `params` (and, in static mode, the calibration samples).
 *
 * Each product gets the recorded official outputs of the products before it, so that a difference can't spread; LayerNorm, softmax, residuals and ReLU
 * are recomputed in binary32. The quantiser's input so derived must agree with the one recorded in `calls[]` within `tolerance` (relative to the tensor's
 * largest magnitude, because another machine's PyTorch may add floats in another order), and codes are then taken from the recorded one.
 */
export const checkDecoderLayer = (file: JsonValue, comparison: Comparison, tolerance: number): void => {
  const sizes = readLayerSizes(file);
  const parameters = readParameters(file.get("params"), sizes);
  const shape = [sizes.tokens, sizes.hidden];
  const x = tensor(shape, file.get("x").floats(shape));
  comparison.begin(`${sizes.name} calls`);
  comparison.exact(file.get("saturated_codes"), [], [checkCalls(file.get("calls"), sizes.bits, comparison)]);
  const recorded = readCalls(file.get("calls"), sizes);

  if (sizes.mode === "dynamic" && !file.get("calibration").isNull) file.get("calibration").fail("is given in a case of mode dynamic");
  let calibration: LayerCalibration | undefined;
  if (sizes.mode !== "dynamic") {
    comparison.begin(`${sizes.name} calibration`);
    calibration = checkCalibration(file.get("calibration"), parameters, sizes, comparison, tolerance);
  }
  const context: LayerContext = { gemm: file.get("gemm"), sizes, parameters, recorded, calibration, comparison, tolerance, unsigned: { scores: [], fc2: [] } };
  const output = decoderLayer(x, sizes.heads, parameters.norms, {
    linear: (name, input) => checkLinear(context, name, input),
    scores: (head, queries, keys) => checkScores(context, head, queries, keys),
    values: (head, scores, values) => checkValues(context, head, scores, values),
  });
  comparison.begin(`${sizes.name} unsigned calls`);
  checkUnsignedCalls(recorded.fc2, context.unsigned.fc2, file.get("calls"), comparison);
  if (recorded.attention !== undefined) checkUnsignedCalls(recorded.attention.scores, context.unsigned.scores, file.get("calls"), comparison);
  comparison.begin(`${sizes.name} output`);
  const largest = output.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  comparison.output(file.get("official_layer_output"), shape, output.data, () => largest * tolerance);
};
