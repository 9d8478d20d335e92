import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import {
  bool,
  clock,
  input,
  instance,
  match,
  memory,
  module,
  mux,
  output,
  reg,
  repeat,
  type Shape,
  sint,
  states,
  sync,
  uint,
  vec,
  when,
} from "../../src/hdl/index.ts";
import { axisSlice } from "../../src/lib/stream.ts";
import { drawWave } from "../../src/sim/ascii-wave.ts";
import type { Simulation } from "../../src/sim/index.ts";
import { simulate, verilog } from "../../src/sim/index.ts";

/** What a drawing says of one signal, a text a cycle: read from the characters alone. */
const decoded = (drawing: string, name: string, width: number): string[] => {
  const margin = /^cycle +/m.exec(drawing)![0].length;
  const bodies = drawing.split("\n").flatMap((line) => (line.startsWith(`${name} `) ? [line.slice(margin)] : []));
  return bodies.flatMap((body) => {
    const starts = Array.from({ length: Math.floor(body.length / width) }, (_, i) => i * width);
    if (!body.endsWith("|")) return starts.map((start) => (body[start + width - 1] === "~" ? "1" : "0"));
    return starts.map((start) => {
      const bar = body.lastIndexOf("|", start);
      return body.slice(bar + 1, body.indexOf("|", bar + 1)).trimEnd();
    });
  });
};

const shapes: readonly Shape[] = [bool, uint(1), uint(2), uint(32), uint(33), uint(200), sint(2), sint(8), sint(64), vec(3, sint(5)), vec(2, uint(1))];

const recording = fc.constantFrom(...shapes).chain((shape) => {
  const top = (1n << BigInt(shape.width)) - 1n;
  const value = fc.oneof(fc.constantFrom(0n, 1n & top, top, top >> 1n, (top >> 1n) + 1n), fc.bigInt(0n, top));
  const runs = fc.array(fc.tuple(value, fc.integer({ min: 1, max: 5 })), { minLength: 1, maxLength: 10 });
  return fc.record({
    shape: fc.constant(shape),
    first: fc.nat(2000),
    values: runs.map((runs) => runs.flatMap(([value, cycles]) => Array.from({ length: cycles }, () => value))),
    width: fc.integer({ min: 2, max: 64 }),
    columns: fc.integer({ min: 1, max: 300 }),
  });
});

/** Bits of a drawn text, of the shape's own default format. */
const bitsOf = (shape: Shape, text: string): bigint => {
  if (shape.kind === "vec") return text.split(" ").reduceRight((bits, part) => (bits << BigInt(shape.element.width)) | bitsOf(shape.element, part), 0n);
  return shape.kind === "sint" ? BigInt.asUintN(shape.width, BigInt(text)) : BigInt(`0x${text}`);
};

test("a drawing tells the values again, but for those that it shortens, whose end it tells", () => {
  fc.assert(
    fc.property(recording, ({ shape, first, values, width, columns }) => {
      const signal = { name: "a.b", shape, values };
      const wave = { first, last: first + values.length - 1, signals: [signal] };
      const texts = decoded(drawWave(wave, { cycleWidth: width, columns }), "a.b", width);
      expect(texts).toHaveLength(values.length);
      for (const [i, text] of texts.entries()) {
        if (!text.startsWith(".")) expect(bitsOf(shape, text)).toBe(values[i]);
        else if (text.startsWith("..") && shape.kind === "uint") expect(values[i]!.toString(16).endsWith(text.slice(2))).toBe(true);
      }
      // With its own width it shortens nothing that fits in 12 characters.
      if (values.every((value) => value < 0x1_000_000_000n)) expect(drawWave(wave, { columns: 1000 })).not.toContain("..");
    }),
  );
});

const mixer = module(
  "mixer",
  { add: input(bool), value: input(sint(9)), wide: input(uint(70)), sum: output(uint(12)), seen: output(uint(70)), near: output(sint(10)) },
  (io) => {
    const sum = reg("total", uint(12), { reset: 0 });
    const seen = reg("seenBefore", uint(70), { reset: 0 });
    sync(() => {
      when(io.add, () => sum.set(sum.addWrap(io.value.asUInt())));
      seen.set(io.wide);
    });
    io.sum.set(sum);
    io.seen.set(seen);
    io.near.set(mux(io.add, io.value.add(1), io.value.sub(1)));
  },
  "Registers, and an output that follows its input at once.",
);

test("existing Verilog has waves too, with its ports by their names", async () => {
  const ports = { we: input(bool), address: input(uint(4)), data: input(uint(40)), q0: output(uint(40)), q1: output(uint(40)) };
  const lanes = verilog({ top: "lanes", files: ["tb/reference/lanes.sv"], clock: { clk: "clk" }, ports });
  using sim = await simulate(lanes, { wave: ["we", "data", "g_lane[1].u_lane.words[9]", "g_lane[1].u_lane.state"] });
  sim.pokePath("g_lane[1].u_lane.words[9]", 0x0987654321);
  sim.io.address.poke(9);
  sim.io.data.poke(0xaabbccdd00);
  for (const we of [0, 1, 0, 0]) {
    sim.io.we.poke(we);
    sim.step();
  }
  expect(sim.wave({ format: { "g_lane[1].u_lane.state": ["none", "one", "two"] }, cycleWidth: 6 })).toMatchInlineSnapshot(`
    "
    cycle                      0     1     2     3
    we                         ______|~~~~~|___________
    data                       |aabbccdd00             |
    g_lane[1].u_lane.words[9]  |987654321  |aabbccdd01 |
    g_lane[1].u_lane.state     |none |one  |two  |?3   |
    "
  `);
  await expect(simulate(lanes, { wave: ["g_lane[0].u_lane.words"] })).rejects.toThrow("takes one of its words, as in `g_lane[0].u_lane.words[4]`");
});

describe.each(["verilator", "wasm", "reference"] as const)("on %s", (engine) => {
  const folder = mkdtempSync(join(tmpdir(), "systole wäves "));
  afterAll(() => rmSync(folder, { recursive: true }));

  const segment = fc.record({
    mode: fc.constantFrom("step" as const, "run" as const, "block" as const),
    beats: fc.array(fc.tuple(fc.boolean(), fc.integer({ min: -256, max: 255 }), fc.constantFrom(0n, 1n, (1n << 70n) - 1n, 1n << 64n)), { maxLength: 8 }),
  });
  type Segment = typeof segment extends fc.Arbitrary<infer T> ? T : never;
  type Beats = Segment["beats"];

  const asBlock = (sim: Simulation<typeof mixer.ports>, beats: Beats) =>
    sim.block({
      cycles: beats.length,
      inputs: {
        add: Uint8Array.from(beats, ([add]) => Number(add)),
        value: Int16Array.from(beats, ([, value]) => value),
        wide: beats.map(([, , wide]) => wide),
      },
      capture: ["add", "value", "wide", "sum", "seen", "near"],
    }).columns;

  const play = (sim: Simulation<typeof mixer.ports>, { mode, beats }: Segment): void => {
    const poke = ([add, value, wide]: Beats[number]): void => {
      sim.io.add.poke(add);
      sim.io.value.poke(value);
      sim.io.wide.poke(wide);
    };
    if (mode === "block") asBlock(sim, beats);
    else if (mode === "step")
      for (const beat of beats) {
        poke(beat);
        sim.step();
      }
    else
      sim.run(function* () {
        for (const beat of beats) {
          poke(beat);
          yield;
        }
      });
  };

  test("steps, tasks and blocks record what the edges saw", async () => {
    const names = ["add", "value", "wide", "sum", "seen", "near"] as const;
    using recorded = await simulate(mixer, { engine, wave: [...names, "total", "seen_before", "rst"] });
    using plain = await simulate(mixer, { engine });
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 8 }), (segments) => {
        recorded.reset();
        plain.reset();
        const from = recorded.cycle;
        for (const part of segments) play(recorded, part);
        const beats = segments.flatMap(({ beats }) => beats);
        if (beats.length === 0) return;
        const expected = asBlock(plain, beats);
        expect([recorded.io.sum.peek(), recorded.io.seen.peek()]).toEqual([plain.io.sum.peek(), plain.io.seen.peek()]);
        const drawing = recorded.wave({
          from: from - 1,
          cycleWidth: 24,
          columns: 150,
          format: { wide: "dec", seen: "dec", sum: "dec", total: "dec", seen_before: "dec" },
        });
        const shown = (name: string): string[] => decoded(drawing, name, 24).slice(1);
        for (const name of names) expect(shown(name)).toEqual(Array.from(expected[name], String));
        expect(shown("total")).toEqual(shown("sum"));
        expect(shown("seen_before")).toEqual(shown("seen"));
        expect(decoded(drawing, "rst", 24)).toEqual(["1", ...beats.map(() => "0")]);
      }),
    );
  });

  test("a recording changes no waveform", async () => {
    const dumps: string[] = [];
    for (const wave of [undefined, ["sum", "total"]]) {
      const trace = join(folder, "same.vcd");
      const sim = await simulate(mixer, { engine, trace, paths: ["total"], clocks: { "": { period: 6 } }, ...(wave === undefined ? {} : { engine, wave }) });
      sim.reset();
      for (const mode of ["step", "run", "block", "step"] as const) {
        const beats: Beats = [
          [true, 5, 7n],
          [false, -5, 8n],
          [true, 100, 8n],
        ];
        play(sim, { mode, beats });
      }
      sim.close();
      dumps.push(readFileSync(trace, "utf8").split("$enddefinitions")[1]!);
    }
    expect(dumps[0]!.length).toBeGreaterThan(1000);
    expect(dumps[1]).toBe(dumps[0]);
  });

  test("a stalled stream reads well", async () => {
    const stream = ["tvalid", "tready", "tdata", "tlast"];
    using sim = await simulate(axisSlice({ dataWidth: 16 }), {
      wave: ["rst", ...stream.map((s) => `sAxis.${s}`), "skid_valid", ...stream.map((s) => `mAxis.${s}`)],
    });
    const { sAxis, mAxis } = sim.io;
    sim.reset();
    sAxis.tdata.poke(0);
    sim.step();
    sim.run(
      function* source() {
        for (const word of [0x1001, 0x1002, 0x1003, 0x1004]) {
          sAxis.tvalid.poke(1);
          sAxis.tdata.poke(word);
          sAxis.tlast.poke(word === 0x1004);
          do yield;
          while (sAxis.tready.peek() === 0);
        }
        sAxis.tvalid.poke(0);
      },
      function* sink() {
        for (const ready of [0, 1, 0, 0, 0, 1, 1, 1, 1]) {
          mAxis.tready.poke(ready);
          yield;
        }
      },
    );
    expect(sim.wave({ from: 2 })).toMatchInlineSnapshot(`
      "
      cycle         2    3    4    5    6    7    8    9    10
      rst           _____________________________________________
      sAxis.tvalid  ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~|_________
      sAxis.tready  ~~~~~~~~~~~~~~~|______________|~~~~~~~~~~~~~~
      sAxis.tdata   |1001|1002|1003|1004                         |
      sAxis.tlast   _______________|~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
      skid_valid    _______________|~~~~~~~~~~~~~~|______________
      mAxis.tvalid  _____|~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~|____
      mAxis.tready  _____|~~~~|______________|~~~~~~~~~~~~~~~~~~~
      mAxis.tdata   |0   |1001|1002               |1003|1004     |
      mAxis.tlast   ___________________________________|~~~~~~~~~
      "
    `);
  });

  test("states have their names, signed numbers their sign, vectors their elements", async () => {
    const lane = module(
      "lane",
      { go: input(bool), old: output(sint(6)) },
      (io) => {
        const state = reg("state", states("state", "idle", "up", "down"), { reset: "idle" });
        const level = reg("level", sint(6), { reset: 0 });
        const past = memory("past", { depth: 4, element: sint(6) });
        const at = reg("at", uint(2), { reset: 0 });
        sync(() => {
          at.set(at.addWrap(1));
          past.write(at, level);
          match(state, {
            idle: () => when(io.go, () => state.set("up")),
            up() {
              level.set(level.add(5).wrap(6));
              when(level.ge(8), () => state.set("down"));
            },
            down() {
              level.set(level.sub(9).wrap(6));
              when(level.le(-8), () => state.set("idle"));
            },
          });
        });
        io.old.set(past.read("oldest", at, { latency: 0 }));
      },
      "Goes up and down.",
    );
    const lanes = module(
      "lanes",
      { go: input(vec(2, bool)), levels: output(vec(2, sint(6))) },
      (io) => {
        repeat("row", 2, (i) => instance("u_lane", lane, { go: io.go.at(i), old: io.levels.at(i) }));
      },
      "Two lanes.",
    );
    const wave = ["go", "row[0].u_lane.state", "row[1].u_lane.state", "row[1].u_lane.level", "row[1].u_lane.past[2]", "row[1].u_lane.old", "levels"];
    using sim = await simulate(lanes, { engine, wave });
    sim.reset();
    sim.step(4);
    sim.io.go.poke([0, 1]);
    sim.step();
    sim.io.go.poke([1, 0]);
    sim.step();
    sim.io.go.poke([0, 0]);
    sim.step(12);
    expect(sim.wave({ from: 5, columns: 90, format: { "row[0].u_lane.state": "bin" } })).toMatchInlineSnapshot(`
      "
      cycle                  5       6       7       8       9       10      11      12
      go                     |0 1    |1 0    |0 0                                            |
      row[0].u_lane.state    |00             |01                     |10                     |
      row[1].u_lane.state    |idle   |up                     |down                           |
      row[1].u_lane.level    |0              |5      |10     |15     |6      |-3     |-12    |
      row[1].u_lane.past[2]  |0                      |5                              |-3     |
      row[1].u_lane.old      |0                                              |5      |10     |
      levels                 |0 0                                            |0 5    |5 10   |

      cycle                  13      14      15      16      17      18
      go                     |0 0                                            |
      row[0].u_lane.state    |10     |00                                     |
      row[1].u_lane.state    |idle                                           |
      row[1].u_lane.level    |-21                                            |
      row[1].u_lane.past[2]  |-3                     |-21                    |
      row[1].u_lane.old      |15     |6      |-3     |-12    |-21            |
      levels                 |10 15  |15 6   |6 -3   |-3 -12 |-12 -21|-21 -21|
      "
    `);
  });

  test("with two clocks the edges of the first count; a 1-bit state is no line", async () => {
    const two = module(
      "two",
      { mem: clock(), a: output(uint(4)), b: output(uint(4), undefined, { clock: "mem" }) },
      (io) => {
        const a = reg("a_count", uint(4), { reset: 0 });
        const b = reg("b_count", uint(4), { reset: 0, clock: io.mem });
        const phase = reg("phase", states("phase", "even", "odd"), { reset: "even" });
        sync(() => {
          a.set(a.addWrap(1));
          match(phase, { even: () => phase.set("odd"), odd: () => phase.set("even") });
        });
        sync(io.mem, () => b.set(b.addWrap(1)));
        io.a.set(a);
        io.b.set(b);
      },
      "Two counters.",
    );
    using sim = await simulate(two, { engine, wave: ["mem_rst", "a", "b", "phase"], clocks: { mem: { period: 4 } } });
    sim.reset();
    const from = sim.cycle;
    sim.step(4);
    sim.run({
      clock: "mem",
      *task() {
        for (let i = 0; i < 10; i++) yield;
      },
    });
    expect(sim.wave({ from })).toMatchInlineSnapshot(`
      "
      cycle    1    2    3    4    5    6    7
      mem_rst  ___________________________________
      a        |0   |1   |2   |3   |4   |5   |6   |
      b        |1   |4   |6   |9   |b   |e   |0   |
      phase    |even|odd |even|odd |even|odd |even|
      "
    `);
  });

  test("the last 1000 cycles are kept", async () => {
    using sim = await simulate(mixer, { engine, wave: ["add", "sum"] });
    sim.reset();
    sim.io.add.poke(1);
    sim.io.value.poke(1);
    sim.step(3500);
    const drawing = sim.wave({ format: { sum: "dec" }, cycleWidth: 5 });
    expect(decoded(drawing, "sum", 5)).toEqual(Array.from({ length: 1000 }, (_, i) => String(2500 + i)));
    expect(drawing).toMatch(/^\ncycle +2501 /);
    expect(() => sim.wave({ from: 2500 })).toThrow("has the cycles 2501 to 3500, not 2500 to 3500");
  });

  test("what can't be recorded or drawn is refused", async () => {
    using none = await simulate(mixer, { engine });
    expect(() => none.wave()).toThrow(expect.objectContaining({ code: "no-wave", hint: expect.stringContaining("`wave` of `simulate`") as string }));
    using sim = await simulate(mixer, { engine, wave: ["sum"] });
    expect(() => sim.wave()).toThrow("there was no edge yet");
    sim.step(3);
    expect(() => sim.wave({ from: 2, to: 1 })).toThrow("has the cycles 0 to 2, not 2 to 1");
    expect(() => sim.wave({ to: 3 })).toThrow("not 0 to 3");
    expect(() => sim.wave({ cycleWidth: 1 })).toThrow("`cycleWidth` of a wave is a whole number from 2, not 1");
    expect(() => sim.wave({ format: { total: "dec" } })).toThrow("`format` names `total`");
    await expect(simulate(mixer, { engine, wave: ["clk"] })).rejects.toThrow("`clk` is a clock");
    await expect(simulate(mixer, { engine, wave: ["u_none.sum"] })).rejects.toThrow("no signal `u_none.sum`");
  });
});
