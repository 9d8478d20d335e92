import { type ArrayParameters, tenderArray } from "../designs/index.ts";
import { runProducts } from "../driver/tender/array-run.ts";
import type { EngineChoice, EngineName } from "../sim/index.ts";
import { simulate } from "../sim/index.ts";
import type { ComparisonRow, FirstDifference } from "./vectors/comparison.ts";
import { type IntegerProduct, integerProducts } from "./vectors/integer-products.ts";
import type { JsonValue } from "./vectors/json-value.ts";

/** Small arrays with the widest accumulator: every product takes several tiles, and no file's accumulators overflow. */
const arrayFor = (kind: ArrayParameters["kind"]): ArrayParameters => ({ rows: 4, cols: 4, kind, accWidth: 48, shiftBits: 2 });

interface ArrayComparison {
  readonly engine: EngineName;
  readonly compared: number;
  readonly mismatches: number;
  readonly first: FirstDifference | null;
  readonly rows: readonly ComparisonRow[];
}

const compareOn = async (
  parameters: ArrayParameters,
  products: readonly IntegerProduct[],
  engine: EngineChoice | undefined,
  row: (name: string, compared: number, wrong: FirstDifference[]) => void,
): Promise<EngineName> => {
  using sim = await simulate(tenderArray(parameters), { engine });
  const { results } = runProducts(sim, parameters, products);
  products.forEach((product, at) => {
    const wrong: FirstDifference[] = [];
    product.expectedAcc.forEach((expected, index) => {
      const got = results[at]?.values[index] ?? Number.NaN;
      const [r, c] = [Math.floor(index / product.columns), index % product.columns];
      if (got !== expected) wrong.push({ path: `${product.path}[${r}][${c}]`, expected, got: Number.isFinite(got) ? got : null });
    });
    row(`${parameters.kind}: ${product.name.split(" ")[0]}`, product.expectedAcc.length, wrong);
  });
  return sim.engine;
};

/** Runs every integer product of a vector file through the array in simulation, on native cells and on composable ones, and compares the accumulators. */
export const compareOnArray = async (
  file: JsonValue,
  engine?: EngineChoice,
  onProgress?: (done: number, total: number, name: string) => void,
): Promise<ArrayComparison> => {
  const products = integerProducts(file);
  const narrow = products.filter(({ bits }) => bits <= 4);
  const wide = products.filter(({ bits }) => bits > 4);
  const runs = [
    { kind: "int8", products: wide },
    { kind: "int4", products: narrow },
    { kind: "composable", products },
  ] as const;
  const rows = new Map<string, { name: string; compared: number; mismatches: number; maxAbsDiff: number }>();
  let first: FirstDifference | null = null;
  let ran: EngineName = "wasm";
  for (const [index, run] of runs.entries()) {
    if (run.products.length === 0) continue;
    onProgress?.(index, runs.length, `${run.kind} array`);
    ran = await compareOn(arrayFor(run.kind), run.products, engine, (name, compared, wrong) => {
      const row = rows.get(name) ?? { name, compared: 0, mismatches: 0, maxAbsDiff: 0 };
      rows.set(name, row);
      row.compared += compared;
      row.mismatches += wrong.length;
      for (const { expected, got } of wrong) row.maxAbsDiff = Math.max(row.maxAbsDiff, Math.abs(expected - (got ?? 0)));
      first ??= wrong[0] ?? null;
    });
  }
  const list = [...rows.values()];
  return {
    engine: ran,
    compared: list.reduce((sum, row) => sum + row.compared, 0),
    mismatches: list.reduce((sum, row) => sum + row.mismatches, 0),
    first,
    rows: list,
  };
};
