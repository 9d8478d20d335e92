import { describe, expect, test } from "vitest";
import { timer, timerMap } from "../../docs/examples/timer.ts";
import { axiLiteManager, stallProfiles, stalls } from "../../src/agents/index.ts";
import { Random } from "../../src/base/random.ts";
import { axiLiteRegisters } from "../../src/lib/axi.ts";
import { packFields, registerConstants, unpackFields } from "../../src/lib/csr/index.ts";
import { background, simulate } from "../../src/sim/index.ts";

const { control, length, status } = registerConstants(timerMap);

describe.each(["wasm", "verilator"] as const)("on %s", (engine) => {
  test.each(stallProfiles)("software runs the example's timer, stalls: %s", async (profile) => {
    using sim = await simulate(timer, { engine });
    const software = axiLiteManager(sim.io.sAxil, { stall: stalls(profile, new Random(7)) });
    sim.reset();
    sim.run(function* driver() {
      expect(yield* software.read(length.offset)).toBe(1000);
      yield* software.write(length.offset, 0xffff_0028);
      expect(yield* software.read(length.offset)).toBe(40);
      yield* software.write(length.offset, 0xffff_ffff, { strobes: 0b0010 });
      expect(yield* software.read(length.offset)).toBe(0xff28);
      yield* software.write(length.offset, packFields(length, { cycles: 5 }));
      yield* software.write(control.offset, packFields(control, { start: 1, interruptEnable: 1 }));
      while (sim.io.irq.peek() !== 1) yield;
      expect(unpackFields(status, yield* software.read(status.offset))).toEqual({ running: 0, done: 1, illegal: 0 });
      yield* software.write(0x8, 1, { response: "SLVERR" });
      yield* software.read(0x2, { response: "SLVERR" });
      expect(unpackFields(status, yield* software.read(status.offset))).toEqual({ running: 0, done: 1, illegal: 1 });
      yield* software.write(status.offset, packFields(status, { illegal: 1 }));
      expect(unpackFields(status, yield* software.read(status.offset))).toEqual({ running: 0, done: 1, illegal: 0 });
      yield* software.write(status.offset, packFields(status, { done: 1 }));
      expect(sim.io.irq.peek()).toBe(0);
      expect(unpackFields(control, yield* software.read(control.offset))).toEqual({ start: 0, interruptEnable: 1 });
    });
  });
});

test("without stalls an access takes a cycle for the request and one for its answer", async () => {
  using sim = await simulate(timer, { engine: "wasm" });
  const software = axiLiteManager(sim.io.sAxil);
  sim.reset();
  const before = sim.cycle;
  sim.run(function* driver() {
    yield* software.write(length.offset, 1);
    yield* software.read(length.offset);
  });
  expect(sim.cycle - before).toBe(4);
});

test.each(stallProfiles)("what is offered stays until it is taken, stalls: %s", async (profile) => {
  using sim = await simulate(axiLiteRegisters({ registers: 4 }), { engine: "wasm" });
  const { sAxil: bus } = sim.io;
  const random = new Random(11);
  const software = axiLiteManager(bus, { stall: stalls(profile, random) });
  const channels = [
    { valid: bus.awvalid, ready: bus.awready, payload: [bus.awaddr] },
    { valid: bus.wvalid, ready: bus.wready, payload: [bus.wdata, bus.wstrb] },
    { valid: bus.arvalid, ready: bus.arready, payload: [bus.araddr] },
  ];
  let waited = 0;
  sim.reset();
  sim.run(
    function* driver() {
      for (let i = 0; i < 40; i += 1) {
        const data = random.next() >>> 0;
        yield* software.write(4 * (i % 4), data);
        expect(yield* software.read(4 * (i % 4))).toBe(data);
      }
    },
    background(function* monitor() {
      for (let waiting: readonly (readonly (number | bigint)[] | undefined)[] = []; ; ) {
        yield;
        const offered = channels.map(({ valid, payload }) => (valid.peek() === 1 ? payload.map((port) => port.peek()) : undefined));
        waiting.forEach((beat, channel) => {
          if (beat !== undefined) expect(offered[channel]).toEqual(beat);
        });
        waiting = offered.map((beat, channel) => (channels[channel]?.ready.peek() === 1 ? undefined : beat));
        waited += waiting.filter((beat) => beat !== undefined).length;
      }
    }),
  );
  expect(waited > 0).toBe(profile !== "none");
});

test("an answer that is not the one expected ends the run and says which", async () => {
  using sim = await simulate(timer, { engine: "wasm" });
  const software = axiLiteManager(sim.io.sAxil);
  sim.reset();
  expect(() =>
    sim.run(function* driver() {
      yield* software.write(0x1c, 0xab);
    }),
  ).toThrow("the write of 0xab to address 0x1c was answered with SLVERR, not OKAY");
  sim.reset();
  expect(() =>
    sim.run(function* driver() {
      yield* software.read(0, { response: "DECERR" });
    }),
  ).toThrow("the read of address 0x0 was answered with OKAY, not DECERR");
});
