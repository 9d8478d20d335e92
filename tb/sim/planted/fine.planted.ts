import { expect, test } from "vitest";
import { simulate } from "../../../src/sim/index.ts";
import { traps } from "./traps.ts";

test("another file's model runs", async () => {
  const sim = await simulate(traps);
  sim.step(3);
  expect(sim.io.count.peek()).toBe(3);
  sim.close();
});
