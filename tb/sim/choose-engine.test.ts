import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { bool, extern, input, instance, module, output } from "../../src/hdl/index.ts";
import type { EngineChoice } from "../../src/sim/choose-engine.ts";
import { chooseEngine } from "../../src/sim/choose-engine.ts";
import { simulate, toSource } from "../../src/sim/index.ts";

const ports = { a: input(bool), y: output(bool) };
const inverter = module("inverter", ports, (io) => io.y.set(io.a.not()), "Inverts.");
const vendor = extern("vendor_cell", ports, { file: "vendor.v", doc: "A vendor's." });
const wrapper = module("wrapper", ports, (io) => instance("u_cell", vendor, { a: io.a, y: io.y }), "Holds a vendor's cell.");
const source = toSource(inverter);

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "systole-engine-"));
  vi.stubEnv("SYSTOLE_ENGINE", "");
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** A PATH with programs of these names and no others. */
const install = (...tools: readonly string[]): void => {
  for (const tool of tools) writeFileSync(join(folder, tool), "#!/bin/sh\n", { mode: 0o755 });
  vi.stubEnv("PATH", folder);
};
const toolchain = ["verilator", "g++", "clang++"];

interface Case {
  readonly what: string;
  readonly cycles?: number;
  readonly built?: boolean;
  readonly trace?: string;
  readonly tools?: readonly string[];
  readonly engine: EngineChoice;
}

describe("auto", () => {
  test.each<Case>([
    { what: "a run of unknown length", engine: "wasm" },
    { what: "a short run", cycles: 400_000, engine: "wasm" },
    { what: "a long run", cycles: 100_000_000, engine: "verilator" },
    { what: "a short run whose model is built", cycles: 400_000, built: true, engine: "verilator" },
    { what: "a tiny run whose model is built", cycles: 100, built: true, engine: "wasm" },
    { what: "a long run without Verilator", cycles: 100_000_000, tools: [], engine: "wasm" },
    { what: "a long run without a C++ compiler", cycles: 100_000_000, tools: ["verilator"], engine: "wasm" },
    { what: "a waveform as VCD", trace: "x.vcd", engine: "wasm" },
    { what: "a waveform as FST", trace: "x.fst", engine: "verilator" },
  ])("$what: $engine", ({ cycles, trace, built = false, tools = toolchain, engine }) => {
    install(...tools);
    expect(chooseEngine(source, { cycles, trace }, () => built)).toBe(engine);
  });

  test("Verilog text and what has a vendor's module in it run on Verilator, also where it is missing and another engine is the default", () => {
    install();
    for (const engine of ["auto", "wasm", "reference"]) {
      vi.stubEnv("SYSTOLE_ENGINE", engine);
      for (const circuit of [undefined, wrapper.circuit, vendor.circuit]) expect(chooseEngine({ ...source, circuit }, {}, () => false)).toBe("verilator");
      expect(chooseEngine({ ...source, circuit: undefined }, { engine: "wasm" }, () => false)).toBe("wasm");
    }
  });
});

test("what the call asks for comes before SYSTOLE_ENGINE, and that before auto", () => {
  install(...toolchain);
  vi.stubEnv("SYSTOLE_ENGINE", "reference");
  expect(chooseEngine(source, {}, () => false)).toBe("reference");
  expect(chooseEngine(source, { engine: "verilator" }, () => false)).toBe("verilator");
  expect(chooseEngine(source, { engine: "auto" }, () => false)).toBe("wasm");
});

test("a name that is no engine is refused", async () => {
  vi.stubEnv("SYSTOLE_ENGINE", "icarus");
  await expect(simulate(inverter)).rejects.toMatchObject({
    code: "bad-engine",
    exitCode: 2,
    message: "SYSTOLE_ENGINE is auto, verilator, wasm or reference, not `icarus`",
  });
  await expect(simulate(inverter, { engine: "Wasm" as "wasm" })).rejects.toMatchObject({
    code: "bad-engine",
    message: expect.stringContaining("`Wasm`") as string,
  });
});

test("Verilator by name where it is missing says which line installs it, and that wasm needs no tool", async () => {
  install();
  await expect(simulate(inverter, { engine: "verilator" })).rejects.toMatchObject({
    code: "missing-tool",
    exitCode: 2,
    message: "`verilator` is not installed",
    hint: expect.stringMatching(/^apt-get install .* verilator .*\n.*wasm/) as string,
  });
});
