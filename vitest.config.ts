import { defaultServerConditions } from "vite";
import { defineConfig } from "vitest/config";
import { SlowestFiles } from "./scripts/slowest-files.ts";

/** .ci/run counts the tests from the report. */
const isCi = process.env["CI"] === "true";

export default defineConfig({
  // `systole` and `systole/hdl` in docs/examples lead to the sources, as in tsconfig.json.
  ssr: { resolve: { conditions: ["systole-source", ...defaultServerConditions] } },
  test: {
    include: ["tb/**/*.test.ts"],
    setupFiles: ["tb/setup.ts"],
    // A crash in a simulated model's C++ then ends one worker, not the runner (design section 4).
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: [["default", { summary: process.stdout.isTTY }], new SlowestFiles(), ...(isCi ? ["json"] : [])],
    outputFile: { json: "sim_build/vitest.json" },
    expect: { requireAssertions: true },
  },
});
