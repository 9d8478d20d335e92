import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { roundRobinArbiter } from "../../src/lib/arbiter.ts";
import { simulate } from "../../src/sim/index.ts";

describe.each(["wasm", "verilator"] as const)("on %s", (engine) => {
  test.each([2, 5, 32])("an arbiter of %i grants the next requester after the one served last", async (requesters) => {
    using sim = await simulate(roundRobinArbiter({ requesters }), { engine });
    const request = fc.oneof(fc.constantFrom(0, 1, 2 ** requesters - 1, 2 ** (requesters - 1)), fc.integer({ min: 0, max: 2 ** requesters - 1 }));
    fc.assert(
      fc.property(fc.array(fc.record({ request, taken: fc.boolean() }), { maxLength: 60 }), (cycles) => {
        sim.reset();
        // Before the first grant the lowest requester comes first.
        let served = requesters - 1;
        for (const cycle of cycles) {
          sim.io.request.poke(cycle.request);
          sim.io.taken.poke(cycle.taken);
          const order = Array.from({ length: requesters }, (_, i) => (served + 1 + i) % requesters);
          const winner = order.find((index) => ((cycle.request >>> index) & 1) === 1);
          expect(sim.io.grant.peek()).toBe(winner === undefined ? 0 : 2 ** winner);
          if (winner !== undefined && cycle.taken) served = winner;
          sim.step();
        }
      }),
    );
  });
});

test.each([1, 65, 2.5])("%d requesters are refused", (requesters) => {
  expect(() => roundRobinArbiter({ requesters })).toThrow(`2 to 64 requesters, not ${requesters}`);
});
