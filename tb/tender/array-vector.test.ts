import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sink, source, stallProfiles, stalls } from "../../src/agents/index.ts";
import { Random } from "../../src/base/random.ts";
import { arrayCycles, tenderArray } from "../../src/designs/index.ts";
import type { nativePorts } from "../../src/designs/tender/ports.ts";
import { vectorFormats, vectorLatency } from "../../src/designs/tender/vector-parameters.ts";
import { vectorUnit } from "../../src/designs/tender/vector-unit.ts";
import { vectorResult } from "../../src/golden/tender/vector-unit.ts";
import { bool, input, instance, type Module, module, output, sint, uint, vec, wire } from "../../src/hdl/index.ts";
import { type Simulation, simulate } from "../../src/sim/index.ts";
import { bitsOf } from "../golden/float-operands.ts";

const [rows, cols, accWidth] = [3, 2, 24];
const vector = { lanes: cols, accWidth, requantize: true, bitsPerStage: 13 } as const;
const array = { rows, cols, kind: "int8", accWidth, shiftBits: 2 } as const;

type NativePorts = ReturnType<typeof nativePorts>;

const streamOf = <P extends object>(payload: P) => ({ valid: input(bool), ready: output(bool), ...payload });

const ports = {
  load: streamOf({ constant: input(uint(2)), column: input(uint(1)), data: input(uint(32)) }),
  x: streamOf({ data: input(vec(rows, uint(8))), shift: input(uint(2)), first: input(bool), last: input(bool) }),
  w: streamOf({ data: input(vec(cols, sint(8))) }),
  y: { valid: output(bool), ready: input(bool), data: output(vec(cols, uint(32))), last: output(bool), overflow: output(bool), nan: output(bool) },
};

/** The array's results go into the vector unit as they come. */
const pair = module(
  "array_and_vector_unit",
  ports,
  ({ load, x, w, y }) => {
    const ready = wire("ready", bool);
    const { y: sums } = instance("u_array", tenderArray(array) as Module<NativePorts>, { x: { ...x, unsigned: 0 }, w, y: { ready } });
    const { valid, data, last, overflow } = sums;
    instance("u_vector", vectorUnit(vector), {
      load: { ...load, bank: 0 },
      x: { valid, ready, data, last, overflow, bank: 0, compensation: 0x80000000, relu: 0, format: vectorFormats.int8 },
      y,
    });
  },
  "Array and vector unit.",
);

const columns = [
  { scale: Math.fround(0.01), compensation: 3, bias: -1, codeScale: 0.5 },
  { scale: Math.fround(-0.003), compensation: Math.fround(0.3), bias: 0, codeScale: 0.25 },
];

/** Codes of one tile: [channels] of [rows] activations and [cols] weights, all in one group. */
const expected = (x: readonly (readonly number[])[], w: readonly (readonly number[])[]): number[][] =>
  Array.from({ length: rows }, (_, place) => {
    const row = rows - 1 - place;
    return columns.map((constants, column) => {
      const sum = x.reduce((total, channel, k) => total + channel[row]! * w[k]![column]!, 0);
      return vectorResult(sum, constants, undefined, false, { bits: 8, unsigned: false }).bits;
    });
  });

let sim: Simulation<typeof ports>;
beforeAll(async () => {
  sim = await simulate(pair, { engine: "wasm", maxCycles: 10_000 });
});
afterAll(() => sim.close());

const constants = columns.flatMap(({ scale, compensation, bias, codeScale }, column) =>
  [scale, compensation, bias, codeScale].map((value, constant) => ({ column, constant, value })),
);

const load = (): void => {
  const { load: port } = sim.io;
  sim.run(
    source(port, constants.length, (beat) => {
      const { column, constant, value } = constants[beat]!;
      port.column.poke(column);
      port.constant.poke(constant);
      port.data.poke(bitsOf(value));
    }),
  );
};

const elements = (length: number) => fc.array(fc.integer({ min: -128, max: 127 }), { minLength: length, maxLength: length });
const tiles = fc.array(fc.array(fc.tuple(elements(rows), elements(cols)), { minLength: rows, maxLength: 12 }), { minLength: 1, maxLength: 4 });

/** Tiles of one group through both; the codes of all rows, and the cycles from the first beat to the last row. */
const run = (work: readonly (readonly (readonly [number[], number[]])[])[], stallOf: () => () => boolean) => {
  const beats = work.flatMap((tile) => tile.map(([x, w], k) => ({ x, w, first: k === 0, last: k === tile.length - 1 })));
  const { x, w, y } = sim.io;
  const seen: number[][] = [];
  let lastCycle = 0;
  const start = sim.cycle;
  sim.run(
    source(
      x,
      beats.length,
      (beat) => {
        const { x: data, first, last } = beats[beat]!;
        x.data.poke(data.map((value) => value & 0xff));
        x.first.poke(first);
        x.last.poke(last);
      },
      stallOf(),
    ),
    source(w, beats.length, (beat) => w.data.poke([...beats[beat]!.w]), stallOf()),
    sink(
      y,
      rows * work.length,
      () => {
        seen.push(y.data.peek().map(Number));
        lastCycle = sim.cycle;
      },
      stallOf(),
    ),
  );
  return { seen, cycles: lastCycle + 1 - start };
};

const expectedOf = (work: readonly (readonly (readonly [number[], number[]])[])[]): number[][] =>
  work.flatMap((tile) =>
    expected(
      tile.map(([x]) => x),
      tile.map(([, w]) => w),
    ),
  );

test("sums that leave the array become codes of the next layer, whatever stalls", () => {
  fc.assert(
    fc.property(tiles, fc.constantFrom(...stallProfiles), fc.nat(), (work, profile, seed) => {
      sim.reset();
      load();
      const random = new Random(seed);
      expect(run(work, () => stalls(profile, random)).seen).toEqual(expectedOf(work));
    }),
    { numRuns: 60 },
  );
});

test("the vector unit costs the array no cycle but its latency", () => {
  const tile = Array.from(
    { length: 7 },
    (_, k) =>
      [
        [k, -k, 3],
        [k - 4, 100],
      ] as [number[], number[]],
  );
  sim.reset();
  load();
  const { seen, cycles } = run([tile, tile, tile], () => () => false);
  expect(seen).toEqual(expectedOf([tile, tile, tile]));
  expect(cycles).toBe(arrayCycles(array, tile.length, 3) + vectorLatency(vector));
});
