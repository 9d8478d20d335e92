import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { bool, clock, discard, input, instance, module, named, output, reg, repeat, sint, sync, uint, vec, when, wire } from "../../src/hdl/index.ts";
import type { NamedSignal } from "../../src/sim/engine.ts";
import { simulate } from "../../src/sim/index.ts";
import { VcdWriter } from "../../src/sim/vcd.ts";

const folder = mkdtempSync(join(tmpdir(), "systole väcd "));
afterAll(() => rmSync(folder, { recursive: true }));

/** The values of one instant, by the path of the signal. */
interface Instant {
  readonly time: number;
  readonly values: Readonly<Record<string, bigint>>;
}

interface Parsed {
  readonly widths: Readonly<Record<string, number>>;
  readonly instants: readonly Instant[];
}

/** Reads a value change dump by the words of the standard's grammar; throws on what it does not know. */
const parse = (text: string): Parsed => {
  const words = text.split(/\s+/).filter((word) => word !== "");
  const names = new Map<string, { paths: string[]; width: number }>();
  const scope: string[] = [];
  const instants: Instant[] = [];
  let values: Record<string, bigint> = {};
  let at = 0;
  const declare = ([, width = "", code = "", ...reference]: readonly string[]): void => {
    const range = /^\[(\d+):0\]$/.exec(reference[1] ?? "[0:0]");
    if (Number(range?.[1]) !== Number(width) - 1) throw new Error(`range ${reference[1]} of ${width} bits`);
    const known = names.get(code) ?? { paths: [], width: Number(width) };
    names.set(code, { ...known, paths: [...known.paths, [...scope, reference[0]].join(".")] });
  };
  const change = (code: string, bits: string): void => {
    const { paths, width } = names.get(code)!;
    if (bits.length > width || !/^[01]+$/.test(bits)) throw new Error(`${bits} for ${width} bits`);
    for (const path of paths) values[path] = BigInt(`0b${bits}`);
  };
  while (at < words.length) {
    const word = words[at++]!;
    if (word === "$dumpvars" || word === "$end") continue;
    if (word.startsWith("$")) {
      const end = words.indexOf("$end", at);
      const body = words.slice(at, end);
      at = end + 1;
      if (word === "$scope") scope.push(body[1]!);
      else if (word === "$upscope") scope.pop();
      else if (word === "$var") declare(body);
      else if (word === "$enddefinitions") expect(scope).toEqual([]);
      else if (word !== "$version" && `${word} ${body.join(" ")}` !== "$timescale 1ps") throw new Error(`${word} ${body.join(" ")}`);
    } else if (word.startsWith("#")) {
      const time = Number(word.slice(1));
      if (time <= (instants.at(-1)?.time ?? -1)) throw new Error(`time goes back to ${time}`);
      values = { ...values };
      instants.push({ time, values });
    } else if (word.startsWith("b")) change(words[at++]!, word.slice(1));
    else change(word.slice(1), word[0]!);
  }
  return { widths: Object.fromEntries([...names.values()].flatMap(({ paths, width }) => paths.map((path) => [path, width]))), instants };
};

const width = fc.oneof(fc.constantFrom(1, 2, 31, 32, 33, 64, 65), fc.integer({ min: 1, max: 200 }));
const signalPath = fc.array(fc.constantFrom("u_row", "row[0]", "row[10]", "cell[3]"), { maxLength: 3 });
const signals = fc.array(fc.record({ scope: signalPath, width }), { minLength: 1, maxLength: 12 });

/** Values in which most signals keep theirs and the corners are frequent. */
const valueOf = (width: number): fc.Arbitrary<bigint> => {
  const top = (1n << BigInt(width)) - 1n;
  return fc.oneof(fc.constantFrom(0n, 1n, top, top - 1n, 1n << BigInt(width - 1)), fc.bigInt(0n, top));
};

const story = signals.chain((shapes) =>
  fc.record({
    shapes: fc.constant(shapes),
    dumps: fc.array(
      fc.record({
        pause: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 1e9 })),
        values: fc.tuple(...shapes.map(({ width }) => fc.option(valueOf(width), { nil: undefined }))),
      }),
      { minLength: 1, maxLength: 8 },
    ),
  }),
);

test("a reader finds the scopes, the widths and the values of every dump", () => {
  const file = join(folder, "story.vcd");
  fc.assert(
    fc.property(story, ({ shapes, dumps }) => {
      const values = shapes.map(() => 0n);
      const named = shapes.map(({ scope, width }, i): NamedSignal => ({ path: [...scope, `s${i}`], width, read: () => values[i]! }));
      const nameOf = ({ path }: NamedSignal): string => ["top", ...path].join(".");
      const writer = new VcdWriter(file, "top", named);
      const expected = new Map<number, Instant["values"]>();
      let time = 0;
      for (const dump of dumps) {
        for (const [i, value] of dump.values.entries()) values[i] = value ?? values[i]!;
        writer.dump(time);
        expected.set(time, Object.fromEntries(named.map((signal, i) => [nameOf(signal), values[i]!])));
        time += dump.pause;
      }
      writer.close();
      const { widths, instants } = parse(readFileSync(file, "utf8"));
      expect(widths).toEqual(Object.fromEntries(named.map((signal) => [nameOf(signal), signal.width])));
      // Times at which nothing changed are left out, but for the first and the last.
      expect([instants[0]?.time, instants.at(-1)?.time]).toEqual([0, [...expected.keys()].at(-1)]);
      for (const [time, values] of expected) expect(instants.findLast((instant) => instant.time <= time)?.values).toEqual(values);
    }),
  );
});

test("the file holds nothing but declarations and changes", () => {
  const file = join(folder, "small.vcd");
  let [clk, count] = [0n, 0n];
  const writer = new VcdWriter(file, "counter", [
    { path: ["clk"], width: 1, read: () => clk },
    { path: ["row[1]", "u_cell", "count"], width: 4, read: () => count },
    { path: ["row[1]", "u_cell", "done"], width: 1, read: () => count >> 3n },
  ]);
  writer.dump(0);
  [clk, count] = [1n, 9n];
  writer.dump(10_000);
  clk = 0n;
  writer.dump(15_000);
  writer.dump(20_000);
  writer.close();
  writer.close();
  expect(`\n${readFileSync(file, "utf8")}`).toMatchInlineSnapshot(`
    "
    $timescale 1ps $end
    $scope module counter $end
    $var wire 1 ! clk $end
    $scope module row[1] $end
    $scope module u_cell $end
    $var wire 4 " count [3:0] $end
    $var wire 1 # done $end
    $upscope $end
    $upscope $end
    $upscope $end
    $enddefinitions $end
    #0
    $dumpvars
    0!
    b0 "
    0#
    $end
    #10000
    1!
    b1001 "
    1#
    #15000
    0!
    #20000
    "
  `);
});

test("thousands of signals have names of their own", () => {
  const file = join(folder, "many.vcd");
  let base = 0;
  const count = 94 * 94 + 5;
  const named = Array.from({ length: count }, (_, i): NamedSignal => ({ path: [`s${i}`], width: 32, read: () => BigInt(i * 3 + base) }));
  const writer = new VcdWriter(file, "top", named);
  writer.dump(0);
  base = 100_000;
  writer.dump(5);
  writer.close();
  const { instants } = parse(readFileSync(file, "utf8"));
  expect(instants.map(({ time }) => time)).toEqual([0, 5]);
  for (const i of [0, 93, 94, 94 * 94 - 1, count - 1])
    expect(instants.map(({ values }) => values[`top.s${i}`])).toEqual([BigInt(i * 3), BigInt(i * 3 + 100_000)]);
});

/** Widths, and changes from a time on, by the path from `top`. */
const historyOf = (file: string, top: string, from: number): Record<string, { width: number; changes: readonly (readonly [number, bigint])[] }> => {
  const { widths, instants } = parse(readFileSync(file, "utf8"));
  const paths = Object.keys(widths).filter((path) => path.split(".").includes(top));
  return Object.fromEntries(
    paths.map((path) => {
      const changes: [number, bigint][] = [];
      for (const { time, values } of instants) if (time >= from && values[path] !== changes.at(-1)?.[1]) changes.push([time, values[path]!]);
      return [path.slice(path.indexOf(top)), { width: widths[path]!, changes }];
    }),
  );
};

const adder = module(
  "adder",
  { add: input(bool), x: input(sint(40)), y: output(sint(70)) },
  (io) => {
    const sum = reg("sum", sint(70), { reset: 0 });
    sync(() => {
      when(io.add, () => sum.set(sum.add(io.x).wrap(70)));
    });
    io.y.set(sum);
  },
  "Adds up.",
);

const rows = module(
  "rows",
  {
    mem: clock({ reset: "async", activeLow: true }),
    add: input(bool),
    x: input(sint(40)),
    ys: output(vec(3, sint(70))),
    ticks: output(uint(3), undefined, { clock: "mem" }),
  },
  (io) => {
    const ticks = reg("tick_count", uint(3), { reset: 0, clock: io.mem });
    const xs = wire("xs", vec(4, sint(40)));
    xs.at(0).set(io.x);
    repeat("row", 3, (i) => {
      const negated = named("negated", xs.at(i).neg().wrap(40));
      instance("u_adder", adder, { add: io.add, x: negated, y: io.ys.at(i) });
      xs.at(i.plus(1)).set(xs.at(i).add(1).wrap(40));
    });
    discard("beyond", xs.at(3));
    sync(io.mem, () => ticks.set(ticks.addWrap(1)));
    io.ticks.set(ticks);
  },
  "Three cells beside a counter of another clock.",
);

describe.each(["wasm", "reference"] as const)("the waveform of %s", (engine) => {
  test("shows what Verilator's shows, at the same times", async () => {
    const traces = [join(folder, `${engine}.vcd`), join(folder, "verilator.vcd")] as const;
    for (const [trace, name] of [[traces[0], engine] as const, [traces[1], "verilator"] as const]) {
      using sim = await simulate(rows, { engine: name, trace, clocks: { mem: { period: 6, phase: 1 } } });
      sim.reset(2);
      sim.io.add.poke(1);
      for (const x of [5, -7, 2 ** 38]) {
        sim.io.x.poke(x);
        sim.step();
      }
      sim.run(function* () {
        for (const add of [0, 1, 1]) {
          sim.io.add.poke(add);
          yield;
        }
      });
      sim.step(2, "mem");
    }
    const [own, verilator] = traces.map((file) => historyOf(file, "rows", 20_000));
    expect(Object.keys(own!)).toEqual(expect.arrayContaining(["rows.clk", "rows.rst", "rows.mem_clk", "rows.mem_rst_n", "rows.row[2].u_adder.sum"]));
    for (const path of Object.keys(own!)) expect([path, own![path]]).toEqual([path, verilator![path]]);
  });

  test("shows steps, tasks and blocks at Verilator's times", async () => {
    const traces = [join(folder, `${engine}.vcd`), join(folder, "verilator.vcd")] as const;
    for (const [trace, name] of [[traces[0], engine] as const, [traces[1], "verilator"] as const]) {
      using sim = await simulate(adder, { engine: name, trace });
      sim.reset();
      sim.io.add.poke(1);
      sim.io.x.poke(3);
      sim.step(2);
      sim.run(function* () {
        yield;
        sim.io.x.poke(-3);
        yield;
      });
      sim.block({ cycles: 4, inputs: { add: Uint8Array.of(1, 0, 0, 1), x: 100n } });
      sim.io.x.poke(1);
      sim.step();
    }
    const [own, verilator] = traces.map((file) => historyOf(file, "adder", 10_000));
    expect(Object.keys(own!).toSorted()).toEqual(["add", "clk", "rst", "sum", "x", "y"].map((name) => `adder.${name}`));
    expect(own).toEqual(verilator);
  });
});

test("a place that can't be written, or is full, is the user's error", () => {
  expect(() => new VcdWriter(join(folder, "none", "x.vcd"), "top", [])).toThrow("can't be written");
  const full = new VcdWriter("/dev/full", "top", [{ path: ["s"], width: 1, read: () => 0n }]);
  full.dump(0);
  expect(() => full.close()).toThrow(expect.objectContaining({ code: "unwritable-file" }));
  full.close();
});
