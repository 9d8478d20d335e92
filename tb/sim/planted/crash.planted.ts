import { expect, test } from "vitest";
import { simulate } from "../../../src/sim/index.ts";
import { traps } from "./traps.ts";

test("the model's C++ ends the process", async () => {
  const sim = await simulate(traps);
  sim.io.abort.poke(1);
  sim.step();
  expect(sim.cycle).toBe("never reached");
});
