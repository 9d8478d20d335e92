import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type StallProfile, sink, source, stallProfiles, stalls } from "../../src/agents/index.ts";
import { Random } from "../../src/base/random.ts";
import { axiLiteRegisters } from "../../src/lib/axi.ts";
import { type Simulation, simulate } from "../../src/sim/index.ts";

type Ports = ReturnType<typeof axiLiteRegisters>["ports"];

interface Access {
  readonly kind: "read" | "write";
  readonly address: number;
  readonly data: number;
  readonly strobes: number;
}

const okay = 0;
const subordinateError = 2;

/** One access after another, each channel with stalls of its own; returns response and data of each. */
const perform = (sim: Simulation<Ports>, accesses: readonly Access[], profile: StallProfile, random: Random): [number, number][] => {
  const { sAxil: bus } = sim.io;
  const stall = stalls(profile, random);
  return accesses.map(({ kind, address, data, strobes }): [number, number] => {
    let answer: [number, number] = [-1, 0];
    if (kind === "write")
      sim.run(
        source({ valid: bus.awvalid, ready: bus.awready }, 1, () => bus.awaddr.poke(address), stall),
        source(
          { valid: bus.wvalid, ready: bus.wready },
          1,
          () => {
            bus.wdata.poke(data);
            bus.wstrb.poke(strobes);
          },
          stall,
        ),
        sink({ valid: bus.bvalid, ready: bus.bready }, 1, () => (answer = [bus.bresp.peekNumber(), 0]), stall),
      );
    else
      sim.run(
        source({ valid: bus.arvalid, ready: bus.arready }, 1, () => bus.araddr.poke(address), stall),
        sink({ valid: bus.rvalid, ready: bus.rready }, 1, () => (answer = [bus.rresp.peekNumber(), bus.rdata.peekNumber()]), stall),
      );
    return answer;
  });
};

describe.each(["wasm", "verilator"] as const)("on %s", (engine) => {
  test.each([2, 5])("%i registers keep what is written, byte by byte, and refuse addresses beyond them", async (registers) => {
    using sim = await simulate(axiLiteRegisters({ registers }), { engine });
    const addresses = 4 * 2 ** Math.ceil(Math.log2(registers));
    const data = fc.oneof(fc.constantFrom(0, 0xffffffff), fc.integer({ min: 0, max: 0xffffffff }));
    const access = fc.record({
      kind: fc.constantFrom("read" as const, "write" as const),
      address: fc.integer({ min: 0, max: addresses - 1 }),
      data,
      strobes: fc.oneof(fc.constantFrom(0, 15), fc.integer({ min: 0, max: 15 })),
    });
    fc.assert(
      fc.property(fc.array(access, { maxLength: 25 }), fc.constantFrom(...stallProfiles), fc.nat(), (accesses, profile, seed) => {
        sim.reset();
        const model = new Uint32Array(registers);
        const bytes = new Uint8Array(model.buffer);
        const answers = perform(sim, accesses, profile, new Random(seed));
        accesses.forEach(({ kind, address, data: written, strobes }, index) => {
          const register = address >> 2;
          const [response, read] = answers[index] ?? [];
          expect(response).toBe(register < registers ? okay : subordinateError);
          if (register >= registers) return;
          if (kind === "read") expect(read).toBe(model[register]);
          else for (let byte = 0; byte < 4; byte += 1) if (((strobes >> byte) & 1) === 1) bytes[4 * register + byte] = (written >>> (8 * byte)) & 0xff;
        });
        expect(sim.io.values.peek()).toEqual([...model]);
      }),
    );
  });

  test("takes a read and a write every cycle where nobody stalls", async () => {
    using sim = await simulate(axiLiteRegisters({ registers: 4 }), { engine });
    const { sAxil: bus } = sim.io;
    sim.reset();
    sim.run(
      source({ valid: bus.awvalid, ready: bus.awready }, 20, () => undefined),
      source({ valid: bus.wvalid, ready: bus.wready }, 20, () => undefined),
      sink({ valid: bus.bvalid, ready: bus.bready }, 20, () => undefined),
      source({ valid: bus.arvalid, ready: bus.arready }, 20, () => undefined),
      sink({ valid: bus.rvalid, ready: bus.rready }, 20, () => undefined),
    );
    expect(sim.cycle).toBe(22);
  });
});

test.each([1, 257, 2.5])("%d registers are refused", (registers) => {
  expect(() => axiLiteRegisters({ registers })).toThrow(`2 to 256 registers, not ${registers}`);
});
