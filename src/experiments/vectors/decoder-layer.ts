import { tensor } from "../../base/tensor.ts";
import { decoderLayer } from "../../golden/tender/opt-layer.ts";
import type { LayerCalibration } from "./calibration-case.ts";
import { checkCalibration } from "./calibration-case.ts";
import type { Comparison } from "./comparison.ts";
import type { JsonValue } from "./json-value.ts";
import { readLayerSizes, readParameters } from "./layer-case.ts";
import { checkLinear, checkScores, checkValues } from "./layer-products.ts";
import { readCalls } from "./recorded-calls.ts";
import { checkSymQuant } from "./sym-quant.ts";

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
  let clipped = 0;
  for (const call of file.get("calls").items()) {
    const operation = call.get("op").text();
    if (operation === "sym_quant") clipped += checkSymQuant(call, comparison);
    else if (operation !== "sym_dequant") call.get("op").fail(`is "${operation}", not sym_quant or sym_dequant`);
  }
  comparison.exact(file.get("saturated_codes"), [], [clipped]);
  const recorded = readCalls(file.get("calls"), sizes);

  let calibration: LayerCalibration | undefined;
  if (sizes.mode !== "dynamic") {
    comparison.begin(`${sizes.name} calibration`);
    calibration = checkCalibration(file.get("calibration"), parameters, sizes, comparison, tolerance);
  }
  const context = { gemm: file.get("gemm"), sizes, parameters, recorded, calibration, comparison, tolerance };
  const output = decoderLayer(x, sizes.heads, parameters.norms, {
    linear: (name, input) => checkLinear(context, name, input),
    scores: (head, queries, keys) => checkScores(context, head, queries, keys),
    values: (head, scores, values) => checkValues(context, head, scores, values),
  });
  comparison.begin(`${sizes.name} output`);
  const largest = output.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  comparison.output(file.get("official_layer_output"), shape, output.data, () => largest * tolerance);
};
