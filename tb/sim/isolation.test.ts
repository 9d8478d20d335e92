import { expect, test } from "vitest";
import { runTool } from "../../src/base/tool.ts";

test("a model's C++ that takes its process down fails its own test file, not the runner", async () => {
  const args = ["node_modules/vitest/vitest.mjs", "run", "--config", "tb/sim/planted/vitest.config.ts", "--reporter", "verbose"];
  const result = await runTool(process.execPath, args, { accept: [1], env: { NO_COLOR: "1" } });
  const output = `${result.stdout}\n${result.stderr}`;
  expect(output).toMatch(/✓ tb\/sim\/planted\/fine\.planted\.ts > another file's model runs/);
  expect(output).toMatch(/Worker .*exited unexpectedly/);
  expect(output).toMatch(/Test Files +1 passed \(2\)/);
  expect(output).not.toMatch(/✓ tb\/sim\/planted\/crash\.planted\.ts/);
});
