import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random } from "../../src/base/random.ts";
import { tenderArray } from "../../src/designs/index.ts";
import {
  bool,
  type Circuit,
  constant,
  input,
  type Module,
  match,
  memory,
  module,
  mux,
  named,
  output,
  reg,
  states,
  sync,
  uint,
  vec,
  when,
  wire,
} from "../../src/hdl/index.ts";
import { makeClocks } from "../../src/sim/clocks.ts";
import { EmbeddedEngine } from "../../src/sim/embedded.ts";
import { Garbage } from "../../src/sim/garbage.ts";
import { Simulation, simulate, toSource } from "../../src/sim/index.ts";
import { flatten } from "../../src/sim/wasm/flatten.ts";
import { type WasmOptions, wasmCore } from "../../src/sim/wasm/index.ts";
import { build } from "../fuzz/build.ts";
import { type Player, playSteps } from "../fuzz/play.ts";
import { circuitArbitrary } from "../fuzz/recipe.ts";
import { circuitSource } from "../fuzz/source.ts";
import { stimulusFor } from "../fuzz/stimulus.ts";

const simulationOf = (design: Module, options: Omit<WasmOptions, "seed" | "visible">, clocks = makeClocks(toSource(design).clocks, {})): Simulation => {
  const source = toSource(design);
  const core = wasmCore(design.circuit, { seed: 1, visible: [], ...options });
  const engine = new EmbeddedEngine(core, { top: source.top, clocks: source.clocks.map(({ clk }) => clk), period: 10_000, trace: undefined });
  return new Simulation(source, engine, clocks, { seed: 1, maxCycles: 1000, engine: "wasm" });
};

describe("functions of any size", () => {
  test("a design computes the same, into however many functions it is divided", () => {
    fc.assert(
      fc.property(circuitArbitrary, fc.integer({ min: 1, max: 60 }), (recipe, functionSize) => {
        const design = build(circuitSource(recipe, { constants: "folded" }));
        const { circuit } = design;
        const stimulus = stimulusFor(circuit, [], { seed: recipe.seed, cycles: 12, resetCycles: 1 });
        const traces = [2500, functionSize].map((size) => {
          const sim = simulationOf(design, { functionSize: size }, makeClocks(toSource(design).clocks, stimulus.timing));
          const player: Player = { circuit, ports: sim.io as unknown as Player["ports"], stimulus };
          return playSteps(
            sim,
            circuit.clocks.map(({ key }) => key),
            [player],
          );
        });
        expect(traces[1]).toEqual(traces[0]);
      }),
      { numRuns: 150 },
    );
  });
});

/** Bytes of the compiled module can't be asked for, but what the grid saves shows in what is flattened. */
const netsOf = (circuit: Circuit, cells: boolean): number => flatten(circuit, new Garbage(1), cells).registers.length;

describe("grids", () => {
  const array = (size: number): ReturnType<typeof tenderArray> => tenderArray({ rows: size, cols: size, kind: "int8", accWidth: 32, shiftBits: 2 });

  test("Tender's array keeps its cells together: its scalar registers don't grow with the number of cells", () => {
    const [small, large] = [array(8), array(16)];
    expect(flatten(large.circuit, new Garbage(1)).grids).toHaveLength(1);
    expect(netsOf(large.circuit, false)).toBe(netsOf(small.circuit, false));
    expect(netsOf(large.circuit, true) - netsOf(large.circuit, false)).toBe(16 * 16 * 10);
  });

  test("a wire inside a cell can be read: the cells are then computed one by one, to the same values", async () => {
    const sums = await Promise.all(
      [[], ["cell_row[1].cell_col[2].u_cell.sum"]].map(async (paths) => {
        const sim = await simulate(array(4), { engine: "wasm", seed: 3, paths });
        sim.reset();
        const { x, w, y } = sim.io;
        for (const port of [x.valid, w.valid, x.first, y.ready]) port.poke(1);
        x.data.poke([1, 2, 3, 4]);
        w.data.poke([5, 6, 7, 8]);
        sim.step();
        x.first.poke(0);
        sim.step(3);
        const seen = paths.map((path) => sim.peekPath(path));
        sim.step(4);
        return { seen, acc: sim.peekPath("cell_row[1].cell_col[2].u_cell.acc") };
      }),
    );
    // Row 1, column 2 gets operands three cycles late: after four edges one product of 2 and 7 is in its accumulator and the next on its way, after eight there are five.
    expect(sums[1]!.seen).toEqual([28]);
    expect(sums.map(({ acc }) => acc)).toEqual([70, 70]);
  });
});

describe("writes in branches", () => {
  const branching = module(
    "branching",
    { kind: input(uint(2)), at: input(uint(2)), data: input(uint(8)), y: output(vec(4, uint(8))) },
    (io) => {
      const state = reg("state", states("kind", "low", "high", "both"), { reset: "low" });
      const words = memory("words", { depth: 4, element: uint(8), initial: [1, 2, 3, 4] });
      for (const at of [0, 1, 2, 3]) io.y.at(at).set(words.read(`word${at}`, constant(uint(2), at), { latency: 0 }));
      sync(() => {
        match(state, {
          low: () => words.write(io.at, io.data),
          high: () => when(io.kind.bit(0), () => words.write(0, 17)).otherwise(() => words.write(io.at.not(), io.data.xor(255))),
          both: () => words.write(3, io.data),
        });
        when(io.kind.eq(0), () => state.set("low"))
          .elsewhen(io.kind.eq(3), () => state.set("both"))
          .otherwise(() => state.set("high"));
      });
    },
    "Writes a memory from everywhere.",
  );

  test("only the branch that is taken writes, as in the reference", async () => {
    const run = async (engine: "wasm" | "reference"): Promise<number[][]> => {
      const sim = await simulate(branching, { engine });
      const random = new Random(5);
      sim.reset();
      return Array.from({ length: 200 }, () => {
        sim.io.kind.poke(random.integer(0, 3));
        sim.io.at.poke(random.integer(0, 3));
        sim.io.data.poke(random.integer(0, 255));
        sim.step();
        return sim.io.y.peek().map(Number);
      });
    };
    expect(await run("wasm")).toEqual(await run("reference"));
  });
});

describe("indices of large vectors", () => {
  test.each([
    ["few choices, each written out", 5, 3, 80],
    ["many choices, made by shifts", 20, 5, 12],
  ])("%s: the last statement that holds wins", async (_, columns, bits, statements) => {
    const board = module(
      "board",
      { at: input(uint(8)), row: input(uint(2)), column: input(uint(bits)), y: output(uint(63)) },
      (io) => {
        const cells = reg("cells", vec(4, vec(columns, uint(63))), { reset: Array.from({ length: 4 }, () => Array.from({ length: columns }, () => 0)) });
        sync(() => {
          for (let k = 0; k < statements; k += 1)
            when(io.at.ge(k), () =>
              cells
                .at(io.row)
                .at(io.column)
                .set(k + 1),
            );
        });
        io.y.set(cells.at(io.row).at(io.column));
      },
      "A register that many statements set through two indices.",
    );
    const sim = await simulate(board, { engine: "wasm" });
    sim.reset();
    const expected = new Map<string, number>();
    const random = new Random(3);
    for (let cycle = 0; cycle < 100; cycle++) {
      const [at, row, column] = [random.integer(0, 255), random.integer(0, 3), random.integer(0, columns - 1)];
      sim.io.at.poke(at);
      sim.io.row.poke(row);
      sim.io.column.poke(column);
      expect(Number(sim.io.y.peek())).toBe(expected.get(`${row} ${column}`) ?? 0);
      sim.step();
      expected.set(`${row} ${column}`, Math.min(at, statements - 1) + 1);
    }
  });
});

describe("long chains", () => {
  test("20,000 wires in a row neither exhaust the stack nor a function", async () => {
    const chain = module(
      "chain",
      { a: input(uint(8)), en: input(bool), y: output(uint(8)) },
      (io) => {
        const kept = reg("kept", uint(8), { reset: 0 });
        let value = io.a.xor(kept);
        for (let i = 0; i < 20_000; i += 1) {
          const next = wire(`w${i}`, uint(8));
          next.set(i % 3 === 0 ? value.addWrap(1) : i % 3 === 1 ? value : named(`n${i}`, value.xor(85)));
          value = next;
        }
        sync(() => kept.set(value));
        io.y.set(mux(io.en, value, 0));
      },
      "A long way.",
    );
    const sim = await simulate(chain, { engine: "wasm" });
    sim.reset();
    let expected = 7;
    for (let i = 0; i < 20_000; i += 1) expected = i % 3 === 0 ? (expected + 1) & 255 : i % 3 === 1 ? expected : expected ^ 85;
    sim.io.a.poke(7);
    sim.io.en.poke(1);
    expect(sim.io.y.peek()).toBe(expected);
  });
});
