import type { Product } from "../../golden/tender/matmul.ts";
import { linearNames } from "../../golden/tender/opt-layer.ts";
import { codeRange } from "../../golden/tender/quantize.ts";
import type { JsonValue } from "./json-value.ts";
import { readLayerSizes } from "./layer-case.ts";
import type { CaseSizes } from "./sizes.ts";
import { extent, readSizes } from "./sizes.ts";

/** One integer product of a vector file, for one row chunk: operands as recorded, and the accumulators that an array must reach. */
export interface IntegerProduct extends Product {
  /** e.g. `opt_int8_g4_c4_all_dyn qk[1] chunk 2` */
  readonly name: string;
  /** Place of the expected accumulators in the file, e.g. `cases[9].gemm.qk[1].hw[2].acc_final`. */
  readonly path: string;
  /** [rows, columns] */
  readonly expectedAcc: Float64Array;
}

/** Where a case keeps the operands of one product. */
interface Places {
  readonly name: string;
  readonly codes: JsonValue;
  readonly weights: JsonValue;
  readonly groupOf: JsonValue;
  readonly hardware: JsonValue;
  readonly unsigned: boolean;
  readonly channels: number;
  readonly columns: number;
}

const readProduct = ({ bits, groups, chunk, chunks }: CaseSizes, places: Places): IntegerProduct[] => {
  const { channels, columns, unsigned } = places;
  const activations = codeRange(bits, unsigned);
  const weightRange = codeRange(bits, false);
  const codes = places.codes.codes([chunks, chunk, channels], activations.low, activations.high);
  const weights = places.weights.codes([columns, channels], weightRange.low, weightRange.high);
  const groupOf = Uint8Array.from(places.groupOf.codes([chunks, channels], 0, groups - 1));
  const records = places.hardware.items();
  if (records.length !== chunks) places.hardware.fail(`holds ${records.length} chunks, not ${chunks}`);
  return records.map((record, position) => {
    const table = groupOf.subarray(position * channels, (position + 1) * channels);
    const order = Uint32Array.from(record.get("order").numbers([channels]));
    const groupSizes = [...record.get("group_sizes_largest_first").numbers([groups])];
    checkOrder(record, order, groupSizes, table);
    const acc = record.get("acc_final");
    return {
      name: `${places.name} chunk ${position}`,
      path: acc.path,
      codes: codes.subarray(position * chunk * channels, (position + 1) * chunk * channels),
      rows: chunk,
      weights,
      columns,
      channels,
      groupOf: table,
      order,
      groupSizes,
      bits,
      unsigned,
      expectedAcc: acc.numbers([chunk, columns]),
    };
  });
};

/** The order must name every channel once, each inside its group's stretch: an array given anything else would not compute the product. */
const checkOrder = (record: JsonValue, order: Uint32Array, groupSizes: readonly number[], groupOf: Uint8Array): void => {
  const seen = new Set(order);
  if (seen.size !== groupOf.length || order.some((channel) => channel >= groupOf.length))
    record.get("order").fail(`is not a permutation of ${groupOf.length} channels`);
  let position = 0;
  for (const [group, size] of groupSizes.entries()) {
    for (let member = 0; member < size; member++, position++)
      if (groupOf[order[position] ?? 0] !== groupSizes.length - 1 - group)
        record.get("order").fail(`puts channel ${order[position]} at place ${position}, outside its group`);
  }
  if (position !== groupOf.length) record.get("group_sizes_largest_first").fail(`sums to ${position}, not ${groupOf.length}`);
};

const lmHeadPlaces = (file: JsonValue, { name }: CaseSizes): Places[] => [
  {
    name,
    codes: file.get("x_q"),
    weights: file.get("w_q"),
    groupOf: file.get("group_index_code"),
    hardware: file.get("hw"),
    unsigned: false,
    channels: extent(file.get("K")),
    columns: extent(file.get("N")),
  },
];

const layerPlaces = (file: JsonValue): Places[] => {
  const { name, hidden, ffn, tokens, depth, quantizedAttention } = readLayerSizes(file);
  const gemm = file.get("gemm");
  const place = (label: string, record: JsonValue, channels: number, columns: number): Places => ({
    name: `${name} ${label}`,
    codes: record.get("x_codes"),
    weights: record.get("w_codes"),
    groupOf: record.get("group_index_code"),
    hardware: record.get("hw"),
    unsigned: record.get("x_unsigned").flag(),
    channels,
    columns,
  });
  const linear = linearNames.map((label) => place(label, gemm.get(label), label === "fc2" ? ffn : hidden, label === "fc1" ? ffn : hidden));
  if (!quantizedAttention) return linear;
  const scores = gemm.get("qk").items();
  const values = gemm.get("sv").items();
  return [
    ...linear,
    ...scores.map((record, head) => place(`qk[${head}]`, record, depth, tokens)),
    ...values.map((record, head) => place(`sv[${head}]`, record, tokens, depth)),
  ];
};

/** Kinds of cases, by the name in the file. */
export const caseKinds = ["lmhead_dynamic_nobias", "opt_decoder_layer"] as const;
export type CaseKind = (typeof caseKinds)[number];

export const kindOf = (file: JsonValue): CaseKind =>
  caseKinds.find((kind) => kind === file.get("kind").text()) ?? file.get("kind").fail(`is "${file.get("kind").text()}", not one of ${caseKinds.join(", ")}`);

/**
 * Every integer product of a vector file, chunk by chunk, as an array takes it: pass `order` and `groupSizes` to `tileSchedule` for the beats.
 * @throws UserError `bad-vectors` when operands are out of range or an order is not that of its groups.
 */
export const integerProducts = (file: JsonValue): IntegerProduct[] =>
  file
    .get("cases")
    .items()
    .flatMap((entry) => {
      const sizes = readSizes(entry);
      const places = kindOf(entry) === "opt_decoder_layer" ? layerPlaces(entry) : lmHeadPlaces(entry, sizes);
      return places.flatMap((place) => readProduct(sizes, place));
    });
