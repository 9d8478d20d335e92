import { expect, test } from "vitest";
import { benchSim } from "../../src/experiments/bench-sim.ts";
import { fieldsOf } from "../../src/experiments/results.ts";

test("bench sim runs one stimulus five ways, to the same outputs", { timeout: 240_000 }, async () => {
  const progress: number[] = [];
  const result = await benchSim({ sizes: [4], repetitions: 2, seconds: 0.01, onProgress: (done, total) => progress.push(done / total) });
  expect(fieldsOf["bench sim"].parse(result)).toEqual(result);
  expect(result.rows.map(({ engine, mode }) => `${engine} ${mode}`)).toEqual(["cpp step", "verilator step", "verilator block", "wasm step", "wasm block"]);
  expect(new Set(result.rows.map((row) => row.hash)).size).toBe(1);
  expect(result.rows[0]!.hash).not.toBe("811c9dc5");
  for (const row of result.rows) expect(row.cyclesPerSecond).toBeGreaterThan(1000);
  expect(progress).toEqual([0.5, 1]);
});

test("a size that the bench can't take is refused", async () => {
  await expect(benchSim({ sizes: [6] })).rejects.toThrow("a multiple of 4, not 6");
});
