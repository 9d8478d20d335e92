import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { input, output } from "../../src/hdl/ports.ts";
import { bool, uint } from "../../src/hdl/shape.ts";
import type { Simulation } from "../../src/sim/index.ts";
import { SimulationError, simulate, verilog } from "../../src/sim/index.ts";
import { traps } from "./planted/traps.ts";

const alarmPorts = {
  failAssert: input(bool),
  failError: input(bool),
  failFatal: input(bool),
  callStop: input(bool),
  callFinish: input(bool),
  callDisplay: input(bool),
  value: input(uint(8)),
  count: output(uint(8)),
};
const alarms = verilog({ top: "alarms", files: ["tb/reference/alarms.sv"], clock: { clk: "clk" }, ports: alarmPorts });

const failureOf = (action: () => void): SimulationError => {
  try {
    action();
  } catch (error) {
    if (error instanceof SimulationError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
};

describe("what the design says becomes an error", () => {
  let sim: Simulation<typeof alarmPorts>;
  let printed: string;
  beforeEach(async () => {
    printed = "";
    sim = await simulate(alarms, { print: (text) => (printed += text) });
    sim.step(3);
  });
  afterEach(() => sim.close());

  test("a named assertion with a message", () => {
    sim.io.failAssert.poke(1);
    sim.io.value.poke(42);
    const error = failureOf(() => sim.step(10));
    expect(error).toMatchObject({
      code: "simulation-assertion",
      failure: "assertion",
      hierarchy: "alarms.u_alarm.below_ten",
      where: { file: "alarms.sv", line: 8 },
      cycle: 3,
      exitCode: 1,
    });
    expect(error.message).toBe("assertion failed in alarms.u_alarm.below_ten in cycle 3: value is 42");
  });

  test("an assertion without a message", () => {
    sim.io.value.poke(77);
    expect(failureOf(() => sim.step())).toMatchObject({ failure: "assertion", hierarchy: "alarms.u_alarm", where: { line: 9 } });
  });

  test.each([
    ["failError", "assertion", 10, "plain error"],
    ["failFatal", "assertion", 11, "fatal with 7"],
    ["callStop", "stop", 12, "the design called $stop in cycle 3"],
    ["callFinish", "finish", 13, "the design called $finish in cycle 3"],
  ] as const)("%s", (port, failure, line, message) => {
    sim.io.value.poke(7);
    sim.io[port].poke(1);
    const error = failureOf(() => sim.step());
    expect(error).toMatchObject({ failure, where: { file: "alarms.sv", line }, cycle: 3 });
    expect(error.message).toContain(message);
  });

  test("a failure within a task and within a block says its cycle", () => {
    const driver = function* () {
      for (let i = 0; i < 4; i++) yield;
      sim.io.failError.poke(1);
      for (;;) yield;
    };
    expect(failureOf(() => sim.run(driver)).cycle).toBe(7);
    sim.io.failError.poke(0);
    const failError = Uint8Array.from({ length: 20 }, (_, i) => Number(i === 5));
    const before = sim.cycle;
    expect(failureOf(() => sim.block({ cycles: 20, inputs: { failError } })).cycle).toBe(before + 5);
  });

  test("the instance and others go on afterwards", async () => {
    const other = await simulate(alarms);
    sim.io.failAssert.poke(1);
    failureOf(() => sim.step());
    sim.io.failAssert.poke(0);
    other.step(5);
    expect(other.io.count.peek()).toBe(5);
    sim.step(2);
    expect(sim.cycle).toBe(5);
    other.close();
  });

  test("what it prints is handed on", () => {
    sim.io.callDisplay.poke(1);
    sim.io.value.poke(9);
    sim.step(2);
    expect(printed).toBe("value=9\nvalue=9\n");
    sim.io.failError.poke(1);
    failureOf(() => sim.step());
    expect(printed).not.toContain("%Error");
  });
});

describe("hangs and crashes", () => {
  test("a crash of the model's code is an error; other instances go on", async () => {
    const sim = await simulate(traps);
    const other = await simulate(traps);
    sim.step(3);
    sim.io.crash.poke(1);
    const error = failureOf(() => sim.step());
    expect(error).toMatchObject({ failure: "crash", cycle: 3, exitCode: 1 });
    expect(error.message).toBe("the compiled model of `traps` crashed in cycle 3");
    expect(failureOf(() => sim.step()).message).toContain("can't go on");
    other.step(4);
    expect(other.io.count.peek()).toBe(4);
    sim.close();
    other.close();
  });

  test("a combinational loop that does not settle is an error", async () => {
    const sim = await simulate(traps);
    sim.io.oscillate.poke(1);
    const error = failureOf(() => sim.io.ring.peek());
    expect(error.failure).toBe("fatal");
    expect(error.message).toContain("did not converge");
    sim.close();
  });

  test("a loop without end in one evaluation is left after the time limit; other instances go on", async () => {
    const sim = await simulate(traps, { hangTimeout: 300 });
    const other = await simulate(traps, { hangTimeout: 300 });
    sim.step(4);
    sim.io.hang.poke(1);
    const error = failureOf(() => sim.step());
    expect(error).toMatchObject({ failure: "hang", cycle: 4 });
    expect(error.message).toBe("one evaluation of `traps` did not end within 300 ms, in cycle 4");
    expect(failureOf(() => sim.step()).message).toContain("can't go on");
    other.step(2_000_000);
    expect(other.cycle).toBe(2_000_000);
    sim.close();
    other.close();
  });

  test("a long run that makes progress is no hang", async () => {
    const sim = await simulate(traps, { hangTimeout: 100 });
    sim.step(10_000_000);
    expect(sim.cycle).toBe(10_000_000);
    sim.close();
  });
});
