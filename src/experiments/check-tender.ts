import { UserError } from "../base/error.ts";
import type { EngineChoice, EngineName } from "../sim/index.ts";
import type { ComparisonRow, FirstDifference } from "./vectors/comparison.ts";
import { Comparison } from "./vectors/comparison.ts";
import { checkDecoderLayer } from "./vectors/decoder-layer.ts";
import { kindOf } from "./vectors/integer-products.ts";
import type { JsonValue } from "./vectors/json-value.ts";
import { readJson } from "./vectors/json-value.ts";
import { checkLmHead } from "./vectors/lm-head.ts";
import { checkHalfScales, checkMicro } from "./vectors/sym-quant.ts";

export interface CheckTenderOptions {
  /** File of the format of `vectors/tender.json` (research/tender.md section 6). */
  readonly vectors: string;
  /** `golden`: the golden model, from the inputs of the file. `array`: the array in simulation, from the operands of the file. Default: golden. */
  readonly level?: "golden" | "array" | undefined;
  /** What simulates the array. Default: as `simulate` chooses. */
  readonly engine?: EngineChoice | undefined;
  /** Relative difference allowed between recomputed and recorded float intermediates; see `checkDecoderLayer`. Default 2^-18. */
  readonly tolerance?: number | undefined;
  readonly onProgress?: ((done: number, total: number, name: string) => void) | undefined;
}

/** Result of `check tender` (design section 10). */
export interface CheckTenderResult {
  readonly ok: boolean;
  readonly level: "golden" | "array";
  /** What computed: the golden model, or the engine that simulated the array. */
  readonly engine: "golden" | EngineName;
  readonly vectors: string;
  readonly cases: number;
  readonly compared: number;
  readonly mismatches: number;
  /** First differing element, null when there is none. */
  readonly first: FirstDifference | null;
  /** Largest difference between binary32 outputs of the golden model and the official ones. */
  readonly maxAbsDiff: number;
  readonly rows: readonly ComparisonRow[];
}

/** A file's content that leads the model into an error is the file's fault, and is reported with the case that did it. */
const inCase = (file: JsonValue, check: () => void): void => {
  try {
    check();
  } catch (error) {
    if (error instanceof UserError && error.code !== "bad-vectors")
      throw new UserError("bad-vectors", `${file.path}: ${error.message}`, { hint: error.hint, cause: error });
    throw error;
  }
};

/**
 * Compares every value of parsed vectors with the golden model.
 * @throws UserError `bad-vectors` for an unknown format or contents that are missing, misshapen or contradict each other.
 */
export const compareVectors = (file: JsonValue, options: Pick<CheckTenderOptions, "tolerance" | "onProgress"> = {}): Comparison => {
  const comparison = new Comparison();
  file.get("meta").get("repo").text();
  const cases = file.get("cases").items();
  if (cases.length === 0) file.get("cases").fail("is empty");
  inCase(file.get("micro_sym_quant"), () => checkMicro(file.get("micro_sym_quant"), comparison));
  if (file.has("fp16_scale_table")) inCase(file.get("fp16_scale_table"), () => checkHalfScales(file.get("fp16_scale_table"), comparison));
  for (const [at, entry] of cases.entries()) {
    options.onProgress?.(at, cases.length, entry.get("name").text());
    inCase(entry, () =>
      kindOf(entry) === "lmhead_dynamic_nobias" ? checkLmHead(entry, comparison) : checkDecoderLayer(entry, comparison, options.tolerance ?? 2 ** -18),
    );
  }
  return comparison;
};

/**
 * `systole check tender`: recomputes every case of a vector file with the golden model. A difference is a result (`ok` false), not an error.
 * @throws UserError `unreadable-vectors` or `bad-vectors`, exit code 2.
 */
export const checkTender = async (options: CheckTenderOptions): Promise<CheckTenderResult> => {
  const file = await readJson(options.vectors);
  const cases = file.get("cases").items().length;
  if (options.level === "array") {
    const { compareOnArray } = await import("./check-tender-array.ts");
    const onArray = await compareOnArray(file, options.engine, options.onProgress);
    const maxAbsDiff = onArray.rows.reduce((most, row) => Math.max(most, row.maxAbsDiff), 0);
    return { ok: onArray.mismatches === 0, level: "array", vectors: options.vectors, cases, ...onArray, maxAbsDiff };
  }
  const { compared, mismatches, first, maxAbsDiff, rows } = compareVectors(file, options);
  return { ok: mismatches === 0, level: "golden", engine: "golden", vectors: options.vectors, cases, compared, mismatches, first, maxAbsDiff, rows };
};
