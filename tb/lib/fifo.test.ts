import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sink, source, stallProfiles, stalls } from "../../src/agents/index.ts";
import { Random } from "../../src/base/random.ts";
import { type FifoParameters, fifo } from "../../src/lib/fifo.ts";
import { background, simulate } from "../../src/sim/index.ts";

const shapes: readonly FifoParameters[] = [
  { width: 1, depth: 2 },
  { width: 33, depth: 16 },
];

describe.each(["wasm", "verilator"] as const)("on %s", (engine) => {
  test.each(shapes)("a fifo of $depth entries of $width bits keeps order and count, whatever its ends do", async ({ width, depth }) => {
    using sim = await simulate(fifo({ width, depth }), { engine });
    const { inValid, inReady, inData, outValid, outReady, outData, count } = sim.io;
    const most = 2n ** BigInt(width) - 1n;
    const entries = fc.array(fc.oneof(fc.constantFrom(0n, 1n, most), fc.bigInt(0n, most)), { maxLength: 60, size: "max" });
    const profile = fc.constantFrom(...stallProfiles);
    fc.assert(
      fc.property(entries, profile, profile, fc.nat(), (sent, before, after, seed) => {
        const random = new Random(seed);
        const taken: bigint[] = [];
        let held = 0;
        sim.reset();
        sim.run(
          source({ valid: inValid, ready: inReady }, sent.length, (i) => inData.poke(sent[i] ?? 0n), stalls(before, random)),
          sink({ valid: outValid, ready: outReady }, sent.length, () => taken.push(outData.peekBig()), stalls(after, random)),
          background(function* model() {
            for (;;) {
              yield;
              expect([count.peek(), inReady.peek(), outValid.peek()]).toEqual([held, Number(held < depth), Number(held > 0)]);
              held += (inValid.peek() & inReady.peek()) - (outValid.peek() & outReady.peek());
            }
          }),
        );
        expect(taken).toEqual(sent);
      }),
    );
  });
});

test.each([0, 1, 3, 12, 131072])("a depth of %i is refused", (depth) => {
  expect(() => fifo({ width: 8, depth })).toThrow(`a power of two from 2 to 65536 entries, not ${depth}`);
});
