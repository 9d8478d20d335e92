import fc from "fast-check";
import { expect, test } from "vitest";
import { assert, bool, input, module, output, reg, sync, uint, when } from "../../src/hdl/index.ts";
import { fifo } from "../../src/lib/fifo.ts";
import type { Task } from "../../src/sim/index.ts";
import { simulate } from "../../src/sim/index.ts";

test.each(["verilator", "wasm", "reference"] as const)("a module of the language runs on %s", async (engine) => {
  const sim = await simulate(fifo({ width: 100, depth: 4 }), { engine });
  const entry = fc.oneof(fc.constantFrom(0n, 1n, 2n ** 100n - 1n), fc.bigInt(0n, 2n ** 100n - 1n));
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 12 }), fc.infiniteStream(fc.boolean()), fc.infiniteStream(fc.boolean()), (entries, offers, takes) => {
      sim.reset();
      const got: (number | bigint)[] = [];
      const push = function* (): Task {
        for (const value of entries) {
          while (offers.next().value !== true) yield;
          sim.io.inData.poke(value);
          sim.io.inValid.poke(true);
          do yield;
          while (sim.io.inReady.peek() === 0);
          sim.io.inValid.poke(false);
        }
      };
      const pull = function* (): Task {
        while (got.length < entries.length) {
          const ready = takes.next().value === true;
          sim.io.outReady.poke(ready);
          yield;
          if (ready && sim.io.outValid.peek() === 1) got.push(sim.io.outData.peek());
        }
        sim.io.outReady.poke(false);
      };
      sim.run(push, pull);
      expect(got).toEqual(entries);
      expect(sim.io.count.peek()).toBe(0);
    }),
  );
  sim.close();
});

test.each([
  ["verilator", "planted.sv"],
  ["wasm", "tb/sim/module.test.ts"],
  ["reference", "tb/sim/module.test.ts"],
] as const)("a false assertion is an error with its name, place and cycle on %s", async (engine, file) => {
  const planted = module(
    "planted",
    { en: input(bool), held: output(uint(4)) },
    (io) => {
      const held = reg("count", uint(4), { reset: 0 });
      sync(() => {
        when(io.en, () => held.set(held.add(1).wrap(4)));
      });
      io.held.set(held);
      assert("below_five", held.lt(5));
    },
    { doc: "Counts past what it asserts." },
  );
  const sim = await simulate(planted, { engine });
  sim.reset();
  sim.io.en.poke(1);
  expect(() => sim.step(20)).toThrow(expect.objectContaining({ failure: "assertion", cycle: 6, where: expect.objectContaining({ file }) as object }));
  sim.close();
});
