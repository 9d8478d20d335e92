import { defineConfig } from "vitest/config";

/** A small run of its own, in which one file's model crashes: `isolation.test.ts` spawns it. */
export default defineConfig({ test: { include: ["tb/sim/planted/*.planted.ts"], pool: "forks", testTimeout: 120_000, maxWorkers: 1, fileParallelism: false } });
