import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AxiLiteBus, sink, source, stallProfiles, stalls } from "../../src/agents/index.ts";
import { Random } from "../../src/base/random.ts";
import { type RegisterMap, type RegisterTable, registerBlock, registerMap } from "../../src/lib/csr/index.ts";
import { type InputHandle, type PortHandle, type Simulation, simulate } from "../../src/sim/index.ts";
import { type CycleInputs, type CycleOutputs, RegisterModel, tables } from "./csr-model.ts";

type Ports = ReturnType<typeof registerBlock<RegisterTable>>["ports"];

/** A table found at run time: its ports have no names at compile time. */
type Hardware = Readonly<Record<string, Readonly<Record<string, { readonly value: InputHandle; readonly set: InputHandle; readonly written?: PortHandle }>>>>;

const cycles = 60;

const word = (random: Random): number => (random.chance(0.2) ? 0 : random.chance(0.25) ? 0xffffffff : random.next() >>> 0);

/** Mostly addresses of registers, some beside them, some anywhere. */
const address = ({ registers, addressWidth }: RegisterMap, random: Random): number => {
  if (random.chance(0.1)) return random.integer(0, 2 ** addressWidth - 1);
  const { offset } = registers[random.integer(0, registers.length - 1)]!;
  return random.chance(0.1) ? offset + random.integer(1, 3) : offset;
};

/** Inputs of each cycle, each channel with a stall profile of its own. */
const stimulus = (map: RegisterMap, random: Random): (() => CycleInputs) => {
  const some = () => stalls(stallProfiles[random.integer(0, stallProfiles.length - 1)] ?? "none", random);
  const [noAw, noW, noB, noAr, noR] = [some(), some(), some(), some(), some()];
  const driven = map.registers.flatMap((register) => register.fields.map((field) => ({ name: `${register.key}.${field.key}`, field })));
  return () => ({
    reset: random.chance(0.03),
    aw: noAw() ? undefined : address(map, random),
    w: noW() ? undefined : { data: word(random), strobes: random.chance(0.5) ? 15 : random.integer(0, 15) },
    bready: !noB(),
    ar: noAr() ? undefined : address(map, random),
    rready: !noR(),
    hardware: new Map(driven.map(({ name, field }) => [name, word(random) % 2 ** field.width])),
  });
};

const drive = (sim: Simulation<Ports>, map: RegisterMap, inputs: CycleInputs): void => {
  const { sAxil: bus, hw } = sim.io;
  sim.setReset(inputs.reset);
  bus.awvalid.poke(inputs.aw !== undefined);
  bus.awaddr.poke(inputs.aw ?? 0);
  bus.wvalid.poke(inputs.w !== undefined);
  bus.wdata.poke(inputs.w?.data ?? 0);
  bus.wstrb.poke(inputs.w?.strobes ?? 0);
  bus.bready.poke(inputs.bready);
  bus.arvalid.poke(inputs.ar !== undefined);
  bus.araddr.poke(inputs.ar ?? 0);
  bus.rready.poke(inputs.rready);
  for (const register of map.registers)
    for (const field of register.fields) {
      const ports = (hw as unknown as Hardware)[register.key]![field.key]!;
      const value = inputs.hardware.get(`${register.key}.${field.key}`) ?? 0;
      if (field.access === "RO") ports.value.poke(value);
      else if (field.access === "W1C") ports.set.poke(value);
    }
};

const observe = (sim: Simulation<Ports>, map: RegisterMap): CycleOutputs => {
  const { sAxil: bus, hw, illegal } = sim.io;
  const values: Record<string, number> = {};
  const written: string[] = [];
  for (const register of map.registers)
    for (const field of register.fields) {
      const ports = (hw as unknown as Hardware)[register.key]![field.key]!;
      if (field.access !== "RO") values[`${register.key}.${field.key}`] = ports.value.peekNumber();
      if (ports.written?.peek() === 1) written.push(`${register.key}.${field.key}`);
    }
  return {
    ready: { aw: bus.awready.peek() === 1, w: bus.wready.peek() === 1, ar: bus.arready.peek() === 1 },
    b: bus.bvalid.peek() === 1 ? bus.bresp.peekNumber() : undefined,
    r: bus.rvalid.peek() === 1 ? { resp: bus.rresp.peekNumber(), data: bus.rdata.peekNumber() } : undefined,
    illegal: illegal.peek() === 1,
    values,
    written,
  };
};

/** Random inputs in every cycle; block and model show the same in each. */
const compare = (sim: Simulation<Ports>, map: RegisterMap, seed: number): void => {
  const next = stimulus(map, new Random(seed));
  const model = new RegisterModel(map);
  sim.setReset(false);
  sim.reset();
  sim.run(function* bench() {
    for (let cycle = 0; cycle < cycles; cycle += 1) {
      const inputs = next();
      drive(sim, map, inputs);
      yield;
      expect(observe(sim, map), `cycle ${cycle}`).toEqual(model.outputs());
      model.edge(inputs);
    }
  });
};

test("any table: ports, answers and pulses are those of the model, in each cycle, through stalls, races and resets", async () => {
  const property = fc.asyncProperty(tables, fc.nat(), async (table, seed) => {
    const map = registerMap(table);
    using sim = await simulate(registerBlock(map), { engine: "wasm" });
    compare(sim, map, seed);
  });
  await fc.assert(property, { numRuns: 300 });
});

/** One of everything; a register alone; the last address of the widest block. */
const chosen = {
  everything: {
    a: { doc: "A.", fields: { size: { bits: [20, 3], access: "RW", reset: 5, pulse: true, doc: "." }, go: { bits: 31, access: "WO", pulse: true, doc: "." } } },
    b: { doc: "B.", fields: { busy: { bits: 0, access: "RO", doc: "." }, events: { bits: [17, 6], access: "W1C", reset: 9, doc: "." } } },
    c: { offset: 0x40, doc: "C.", fields: { word: { bits: [31, 0], access: "RW", doc: "." } } },
  },
  alone: { events: { doc: "Events.", fields: { value: { bits: [31, 0], access: "W1C", reset: 0xffffffff, doc: "." } } } },
  "read only": { last: { offset: 65532, doc: "Last.", fields: { value: { bits: [31, 0], access: "RO", doc: "." } } } },
} as const satisfies Record<string, RegisterTable["registers"]>;

test.each(Object.entries(chosen))("on Verilator, %s: the same", async (_, registers) => {
  const map: RegisterMap = registerMap({ name: "chosen", doc: "Chosen registers.", registers });
  using sim = await simulate(registerBlock(map), { engine: "verilator" });
  fc.assert(fc.property(fc.nat(), (seed) => compare(sim, map, seed)));
});

describe.each(["wasm", "verilator"] as const)("on %s", (engine) => {
  test("a read and a write are taken in every cycle where nobody stalls", async () => {
    const map: RegisterMap = registerMap({ name: "chosen", doc: "Chosen registers.", registers: chosen.everything });
    using sim = await simulate(registerBlock(map), { engine });
    const bus: AxiLiteBus = sim.io.sAxil;
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
