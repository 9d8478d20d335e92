import { describe, expect, test } from "vitest";
import { AxiMemory, type AxiMemoryOptions } from "../../../src/agents/axi-memory.ts";
import { sink } from "../../../src/agents/index.ts";
import { Random } from "../../../src/base/random.ts";
import { type Simulation, simulate, type Task } from "../../../src/sim/index.ts";
import { axiWire } from "./axi-wire.ts";

type Wire = Simulation<(typeof axiWire)["ports"]>;

interface Request {
  readonly id?: number;
  readonly address: number;
  readonly beats: number;
  readonly size?: number;
  readonly burst?: number;
}

const askRead = function* ({ sAxi }: Wire["io"], requests: readonly Request[]): Task {
  for (const { id = 0, address, beats, size = 3, burst = 1 } of requests) {
    sAxi.arid.poke(id);
    sAxi.araddr.poke(address);
    sAxi.arlen.poke(beats - 1);
    sAxi.arsize.poke(size);
    sAxi.arburst.poke(burst);
    sAxi.arvalid.poke(1);
    do yield;
    while (sAxi.arready.peek() !== 1);
  }
  sAxi.arvalid.poke(0);
};

const askWrite = function* ({ sAxi }: Wire["io"], { address, beats }: Request): Task {
  sAxi.awaddr.poke(address);
  sAxi.awlen.poke(beats - 1);
  sAxi.awsize.poke(3);
  sAxi.awburst.poke(1);
  sAxi.awvalid.poke(1);
  do yield;
  while (sAxi.awready.peek() !== 1);
  sAxi.awvalid.poke(0);
};

/** Beats of one burst: data, strobes and whether `wlast` is set. */
const giveData = function* ({ sAxi }: Wire["io"], beats: readonly (readonly [bigint, number, boolean])[]): Task {
  for (const [data, strobes, last] of beats) {
    sAxi.wdata.poke(data);
    sAxi.wstrb.poke(strobes);
    sAxi.wlast.poke(last);
    sAxi.wvalid.poke(1);
    do yield;
    while (sAxi.wready.peek() !== 1);
  }
  sAxi.wvalid.poke(0);
};

interface Beat {
  readonly id: number;
  readonly data: bigint;
  readonly response: number;
  readonly last: number;
  readonly cycle: number;
}

const takeData = (sim: Wire, beats: number, found: Beat[]) =>
  sink({ valid: sim.io.sAxi.rvalid, ready: sim.io.sAxi.rready }, beats, () => {
    const { rid, rdata, rresp, rlast } = sim.io.sAxi;
    found.push({ id: rid.peekNumber(), data: rdata.peekBig(), response: rresp.peekNumber(), last: rlast.peekNumber(), cycle: sim.cycle });
  });

const open = async (options: Partial<AxiMemoryOptions> = {}) => {
  const sim = await simulate(axiWire, { engine: "wasm", maxCycles: 1000 });
  const memory = new AxiMemory({ bytes: Uint8Array.from({ length: 8192 }, (_, i) => i & 0xff), base: 0x1_0000_0000, ...options });
  const serve = memory.serve({ read: sim.io.mAxi, write: sim.io.mAxi });
  return { sim, memory, serve };
};

const base = 0x1_0000_0000;
const page = { address: base, beats: 2 };

describe("the memory refuses", () => {
  test.each([
    [{ ...page, address: base + 4096 - 8 }, "AR: the burst of 2 beats at 0x100000ff8 crosses a boundary of 4 KiB"],
    [{ ...page, burst: 2 }, "has type 2, and the memory knows INCR (1) only"],
    [{ ...page, size: 2 }, "has beats of 4 bytes, and the memory moves whole beats of 8 only"],
    [{ ...page, address: base + 4 }, "does not begin at a multiple of 8"],
  ])("the request %o", async (request, message) => {
    const { sim, serve } = await open();
    expect(() => sim.run(serve, askRead(sim.io, [request]), takeData(sim, 2, []))).toThrow(message);
    sim.close();
  });

  test.each([
    ["changes", "AR: the payload changed before the offer was taken"],
    ["falls", "AR: `m_axi_arvalid` fell before the offer was taken"],
  ])("a request that %s while it waits", async (what, message) => {
    const { sim, serve } = await open({ stalls: { ar: () => true } });
    const { sAxi } = sim.io;
    const fickle = function* fickle(): Task {
      sAxi.arvalid.poke(1);
      yield;
      yield;
      if (what === "falls") sAxi.arvalid.poke(0);
      else sAxi.arlen.poke(3);
      yield;
      yield;
    };
    expect(() => sim.run(serve, fickle)).toThrow(message);
    sim.close();
  });

  test.each([
    [[[1n, 255, true] as const], "W: `m_axi_wlast` is 1 with beat 1 of 2"],
    [[[1n, 255, false] as const, [2n, 255, false] as const], "W: `m_axi_wlast` is 0 with beat 2 of 2"],
  ])("the data %o of two beats", async (data, message) => {
    const { sim, serve } = await open();
    expect(() =>
      sim.run(serve, askWrite(sim.io, page), giveData(sim.io, data), function* wait() {
        for (let i = 0; i < 20; i += 1) yield;
      }),
    ).toThrow(message);
    sim.close();
  });

  test.each([
    [{ bytes: 65 }, "a multiple of 64 bytes, not 65"],
    [{ base: 64 }, "begins at a multiple of 4096, not 64"],
    [{ latency: 0 }, "a whole number from 1, not 0"],
    [{ latency: [4, 3] as const }, "a whole number from 1, not 4,3"],
    [{ outstanding: 0 }, "at least one burst is in flight, not 0"],
    [{ beatsPerCycle: 2 }, "at most 1 beat a cycle, not 2"],
  ])("the option %o", (change, message) => {
    expect(() => new AxiMemory({ bytes: 64, ...change })).toThrow(message);
  });
});

describe("the memory gives", () => {
  test("what it holds, after its latency, a beat a cycle", async () => {
    const { sim, memory, serve } = await open({ latency: 7 });
    const found: Beat[] = [];
    sim.run(serve, askRead(sim.io, [page, { address: base + 16, beats: 1 }]), takeData(sim, 3, found));
    expect(found.map(({ data }) => data)).toEqual([0x0706050403020100n, 0x0f0e0d0c0b0a0908n, 0x1716151413121110n]);
    expect(found.map(({ last }) => last)).toEqual([0, 1, 1]);
    // The first edge has no `ready` yet, the second one takes the request.
    expect(found.map(({ cycle }) => cycle)).toEqual([8, 9, 10]);
    expect(memory.counts).toEqual({ readBursts: 2, readBeats: 3, readBytes: 24, writeBursts: 0, writeBeats: 0, writeBytes: 0 });
    sim.close();
  });

  test("DECERR outside, and the responses that it is told to give", async () => {
    const { sim, serve } = await open({ respond: (address) => (address === base + 8 ? 2 : 0) });
    const found: Beat[] = [];
    sim.run(serve, askRead(sim.io, [page, { address: base + 8192, beats: 1 }, { address: base - 8, beats: 1 }]), takeData(sim, 4, found));
    expect(found.map(({ response }) => response)).toEqual([0, 2, 3, 3]);
    sim.close();
  });

  test("half a beat a cycle where it has that much, and reads and writes in turn where they share it", async () => {
    const times = async (options: Partial<AxiMemoryOptions>, writes: boolean): Promise<number> => {
      const { sim, serve } = await open(options);
      const found: Beat[] = [];
      const data = Array.from({ length: 100 }, (_, i) => [1n, 255, i === 99] as const);
      const writing = writes ? [askWrite(sim.io, { address: base, beats: 100 }), giveData(sim.io, data)] : [];
      sim.run(serve, askRead(sim.io, [{ address: base + 4096, beats: 100 }]), takeData(sim, 100, found), ...writing);
      sim.close();
      return found[99]!.cycle - found[0]!.cycle;
    };
    expect(await times({}, true)).toBe(99);
    expect(await times({ beatsPerCycle: 0.5 }, false)).toBe(198);
    expect(await times({ shared: true }, false)).toBe(99);
    expect(await times({ shared: true }, true)).toBeGreaterThan(190);
  });

  test("bursts of other identifiers in another order where it may, those of one in theirs", async () => {
    const order = async (ids: readonly number[]): Promise<number[]> => {
      const { sim, serve } = await open({ reorder: true, latency: [1, 9], random: new Random(3) });
      const found: Beat[] = [];
      sim.run(
        serve,
        askRead(
          sim.io,
          ids.map((id, index) => ({ id, address: base + 256 * index, beats: 2 })),
        ),
        takeData(sim, 2 * ids.length, found),
      );
      sim.close();
      // Bursts are whole: both beats of one come together.
      for (let at = 0; at < found.length; at += 2) expect(found[at + 1]!.id).toBe(found[at]!.id);
      return found.filter((_, at) => at % 2 === 0).map(({ id }) => id);
    };
    const mixed = await order([0, 1, 2, 3, 0, 1, 2, 3]);
    expect(mixed).not.toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
    expect(mixed.toSorted((a, b) => a - b)).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
    const { sim, serve } = await open({ reorder: true, latency: [1, 9] });
    const found: Beat[] = [];
    sim.run(
      serve,
      askRead(
        sim.io,
        [0, 1, 2, 3].map((index) => ({ address: base + 8 * index, beats: 1 })),
      ),
      takeData(sim, 4, found),
    );
    expect(found.map(({ data }) => Number(data & 0xffn))).toEqual([0, 8, 16, 24]);
    sim.close();
  });

  test("writes to memory by their strobes, with the answer and no earlier", async () => {
    const { sim, memory, serve } = await open({ latency: 20 });
    const { sAxi } = sim.io;
    const before = memory.bytes.slice(0, 24);
    const data = [
      [0xffff_ffff_ffff_ffffn, 0x81, false],
      [0xeeee_eeee_eeee_eeeen, 0x0f, true],
    ] as const;
    let early: Uint8Array | undefined;
    sim.run(serve, askWrite(sim.io, page), giveData(sim.io, data), function* check() {
      for (let i = 0; i < 15; i += 1) yield;
      early = memory.bytes.slice(0, 24);
      sAxi.bready.poke(1);
      do yield;
      while (sAxi.bvalid.peek() !== 1);
    });
    expect(early).toEqual(before);
    expect(Array.from(memory.bytes.subarray(0, 17))).toEqual([255, 1, 2, 3, 4, 5, 6, 255, 0xee, 0xee, 0xee, 0xee, 12, 13, 14, 15, 16]);
    expect(memory.counts.writeBytes).toBe(6);
    sim.close();
  });

  test("no more bursts in flight than its limit", async () => {
    const { sim, memory, serve } = await open({ outstanding: 2 });
    sim.run(serve, function* ask(): Task {
      const asking = askRead(sim.io, [page, page, page, page]);
      for (let i = 0; i < 30; i += 1) {
        asking.next();
        yield;
      }
    });
    expect(memory.counts.readBursts).toBe(2);
    sim.close();
  });
});
