import { expect, test } from "vitest";
import { linearCompensation, shiftAccumulate, tenderLinear, vectorUnit } from "../../src/golden/tender/matmul.ts";
import { symQuant, unsignedQuant } from "../../src/golden/tender/quantize.ts";
import type { LayerProduct } from "../../src/model/layer-products.ts";
import { layerProducts } from "../../src/model/layer-products.ts";
import { linearOf } from "../../src/model/linear.ts";
import { loadModel } from "../../src/model/model.ts";
import { demoTokens } from "../../src/model/tokens.ts";

const model = loadModel("opt-mini");
const tokens = demoTokens(model, 64);
const settings = { model, layer: 1, tokens, groups: 8 };

/** Output [T, N] from the integer products, as the vector unit makes it. */
const outputOf = ({ products, activations, weights, layer }: LayerProduct, rows: number): Float32Array => {
  const columns = weights.scales.length;
  const y = new Float32Array(rows * columns);
  for (const [position, product] of products.entries()) {
    const { bias, scale0 } = activations.chunks[position]!;
    const accumulators = shiftAccumulate(product);
    const compensation = linearCompensation(bias, layer.weight, layer.bias);
    for (let row = 0; row < activations.chunk && position * activations.chunk + row < rows; row++)
      for (let column = 0; column < columns; column++)
        y[(position * activations.chunk + row) * columns + column] = vectorUnit(
          Number(accumulators[row * columns + column]!),
          Math.fround(scale0 * weights.scales[column]!),
          compensation[column]!,
        );
  }
  return y;
};

const largestDifference = (one: Float32Array, other: Float32Array): number =>
  one.reduce((worst, value, at) => Math.max(worst, Math.abs(value - other[at]!)), 0);
const largest = (values: Float32Array): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

test.each([
  [8, 64],
  [8, 24],
  [4, 16],
])("at %d bits in chunks of %d rows: six products whose integers give what the model computes", (bits, chunk) => {
  const found = layerProducts({ ...settings, bits, chunk });
  expect(found.map(({ name, input, weights }) => [name, input.shape, weights.scales.length])).toEqual([
    ["Q", [64, 256], 256],
    ["K", [64, 256], 256],
    ["V", [64, 256], 256],
    ["O", [64, 256], 256],
    ["FC1", [64, 256], 1024],
    ["FC2", [64, 1024], 256],
  ]);
  expect(found[1]!.activations).toBe(found[0]!.activations);
  const linear = linearOf({ name: "tender", bits, groups: 8, chunk });
  for (const product of found) {
    const { name, input, layer, activations, weights, products } = product;
    const rectified = name === "FC2";
    expect(activations.unsigned).toBe(rectified);
    expect(products).toHaveLength(Math.ceil(64 / chunk));
    expect(activations.codes.every((code) => code >= (rectified ? 0 : -(2 ** (bits - 1))) && code <= 2 ** (rectified ? bits : bits - 1) - 1)).toBe(true);
    const y = outputOf(product, 64);
    const golden = tenderLinear(input, layer.weight, layer.bias, { bits, groups: 8, chunk, unsigned: rectified });
    expect(y).toEqual(golden.y.data);
    const [fake] = linear(input.data, rectified ? "rectified" : "centred", [layer]);
    expect(largestDifference(y, fake!), name).toBeLessThan(2e-5 * Math.max(1, largest(y)));
    const exact = linearOf({ name: "fp32" })(input.data, "centred", [layer])[0]!;
    expect(largestDifference(y, exact) / largest(exact), name).toBeLessThan(bits === 8 ? 0.05 : 0.7);
    expect(weights.codes).toHaveLength(layer.weight.data.length);
  }
});

test("codes are the quantiser's, value by value", () => {
  const [q, , , , , fc2] = layerProducts({ ...settings, bits: 8, chunk: 64 });
  for (const { activations, input } of [q!, fc2!]) {
    const { bias, scales, groupOf } = activations.chunks[0]!;
    const channels = input.shape[1]!;
    for (let at = 0; at < input.data.length; at += 37) {
      const [scale, value] = [scales[groupOf[at % channels]!]!, Math.fround(input.data[at]! - bias[at % channels]!)];
      expect(activations.codes[at]).toBe(activations.unsigned ? unsignedQuant(value, scale, 8) : symQuant(value, scale, 8));
    }
  }
});

test("layer 1's input has outlier channels, which the grouping sets apart", () => {
  const [q] = layerProducts({ ...settings, bits: 8, chunk: 64 });
  const { groupSizes, cmax } = q!.activations.chunks[0]!;
  const sorted = Array.from(cmax).toSorted((one, other) => one - other);
  expect(sorted.at(-1)! / sorted[128]!).toBeGreaterThan(20);
  expect(groupSizes[0]).toBeLessThan(8);
});

test("the first layer reads the tokens alone, later ones what the quantised layers before made, and others are refused by number", () => {
  const inputOf = (layer: number, bits: number): Float32Array => layerProducts({ ...settings, layer, bits, chunk: 64 })[0]!.input.data;
  expect(inputOf(0, 4)).toEqual(inputOf(0, 8));
  expect(inputOf(1, 4)).not.toEqual(inputOf(1, 8));
  for (const layer of [6, -1, 0.5]) expect(() => inputOf(layer, 8)).toThrow(`layer ${layer} is not an integer from 0 to 5`);
});
