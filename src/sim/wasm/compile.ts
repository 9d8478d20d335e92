import { castSign, catOf, lit, type Node, sliceOf } from "../../hdl/node.ts";
import { FunctionBuilder, ModuleBuilder } from "./assembler.ts";
import { Emitter, type Homes, storeName } from "./emitter.ts";
import type { Flat } from "./flatten.ts";
import { GridEmitter } from "./grid/emit.ts";
import type { GridPlan } from "./grid/plan.ts";
import { actingResets, emitResets } from "./grid/reset.ts";
import { containerBytes, type Place } from "./layout.ts";
import { pushLimb } from "./limb.ts";
import { clearLine, emitLine } from "./lines.ts";
import { choose, readBits, refNet } from "./lower.ts";
import { pushNarrow } from "./narrow.ts";
import { type Domain, type FlatMemory, type FlatSignal, type FlatWrite, makeNet, type Net } from "./net.ts";
import { Plan, type Root } from "./plan.ts";
import type { Storage, WritePlaces } from "./storage.ts";
import { limbsOf } from "./wide.ts";

const operators = { narrow: pushNarrow, wide: limbsOf };

/** The bytes of a module, and how much memory it needs. */
export interface Compiled {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Bytes of memory in use. */
  readonly end: number;
}

/** Publishes an output port: its value as words, bits above the width 0. */
const publish = (signal: FlatSignal, word: number): Root<Emitter> => {
  const node = readBits(signal, 0, signal.width, refNet);
  const offset = 4 * word;
  return {
    nodes: [node],
    emit(e) {
      if (node.width > 64) return e.store({ clock: undefined, offset }, node);
      e.f.i32(0);
      e.push(node);
      e.f.memory(node.width <= 32 ? "i32.store" : "i64.store", offset);
    },
  };
};

const storing = (place: Place, node: Node, next: boolean): Root<Emitter> => ({ nodes: [node], emit: (e) => e.store(place, node, next) });

/** Writes the functions of a design into one module. */
class Compiler {
  readonly #flat: Flat;
  readonly #storage: Storage;
  readonly #module = new ModuleBuilder();
  readonly #fail: number;
  readonly #homes: Homes;
  readonly #functionSize: number;
  readonly #uses = new Map<Node | Net, number>();

  constructor(flat: Flat, storage: Storage, functionSize: number) {
    this.#functionSize = functionSize;
    this.#flat = flat;
    this.#storage = storage;
    const { layout, memories, lines } = storage;
    this.#fail = this.#module.import("fail", ["i32"]);
    layout.sealHalves();
    const present = layout.halves.map(({ base }) => this.#module.global(base));
    this.#homes = { layout, memories, lines, present };
  }

  compile(visible: readonly Net[]): Compiled {
    const { circuit, ports } = this.#flat;
    const outputs = circuit.ports.flatMap(({ name, direction }, index) =>
      direction === "output" ? [publish(ports[index]!, this.#storage.places.get(name)!.value)] : [],
    );
    const shown = visible.map((net) => {
      const place = { clock: undefined, offset: this.#storage.layout.fixed(containerBytes(net.width)) };
      this.#storage.layout.setPlace(net, place);
      return storing(place, refNet(net), false);
    });
    const evaluate = this.#task([...outputs, ...shown]);
    const reset = this.#resets();
    this.#module.function(this.#calls([...(reset === undefined ? [] : [reset]), ...evaluate]), "evaluate");
    const ticks = circuit.clocks.map((_, clock) => this.#clock(clock));
    if (ticks[0] !== undefined) this.#module.function(this.#cycles(ticks[0]), "cycles");
    return { bytes: this.#module.bytes(), end: this.#storage.layout.end };
  }

  /** Functions that compute some roots, to be called one after the other. */
  #task(roots: readonly Root<Emitter>[]): number[] {
    const { layout } = this.#homes;
    const plan = new Plan<Emitter>(roots, this.#uses, this.#functionSize);
    for (const net of plan.crossing)
      if (layout.placeOf(net) === undefined) layout.setPlace(net, { clock: undefined, offset: layout.fixed(containerBytes(net.width)) });
    return plan.chunks.map((steps, chunk) => {
      const f = new FunctionBuilder();
      const e = new Emitter(f, this.#homes, operators, this.#uses, (net) => plan.crossing.has(net) && plan.chunkOf(net) !== chunk);
      e.begin();
      for (const step of steps) {
        if ("root" in step) step.root.emit(e);
        else {
          e.define(step.net);
          if (plan.crossing.has(step.net)) e.store(layout.placeOf(step.net)!, refNet(step.net));
        }
      }
      return this.#module.function(f);
    });
  }

  #calls(functions: readonly number[]): FunctionBuilder {
    const f = new FunctionBuilder();
    for (const index of functions) f.call(index);
    return f;
  }

  /** Registers whose reset acts at once. */
  #resets(): number | undefined {
    const roots: Root<Emitter>[] = [];
    const { layout } = this.#homes;
    const acting = ({ reset, active }: Domain): Node | undefined => (reset === "async" ? active : undefined);
    for (const net of this.#flat.registers) {
      if (net.driver?.kind !== "register" || net.driver.reset === undefined) continue;
      const active = acting(net.driver.domain);
      const value = lit(net.driver.reset, net.width, net.signed);
      if (active !== undefined) roots.push(storing(layout.placeOf(net)!, choose(active, value, refNet(net)), false));
    }
    for (const line of this.#flat.lines) {
      const active = line.reset ? acting(line.domain) : undefined;
      if (active === undefined) continue;
      roots.push({
        nodes: [active],
        emit(e) {
          e.push(active);
          e.f.if();
          clearLine(e, line);
          e.f.op("end");
        },
      });
    }
    for (const plan of this.#flat.grids) {
      const nodes = actingResets(plan).map(({ active }) => active);
      if (nodes.length > 0) roots.push({ nodes, emit: (e) => emitResets(e, plan, this.#storage.grids) });
    }
    if (roots.length === 0) return undefined;
    return this.#module.function(this.#calls(this.#task(roots)));
  }

  /** Functions `edge<clock>`, which computes the next half, and `commit<clock>`, which makes it the present one. Returns both. */
  #clock(clock: number): { readonly edge: number; readonly commit: number } {
    const flat = this.#flat;
    const { layout } = this.#homes;
    const roots: Root<Emitter>[] = [];
    flat.checks.forEach(({ domain, holds }, index) => {
      if (domain.clock === clock) roots.push(this.#check(holds, index));
    });
    for (const net of flat.registers)
      if (net.driver?.kind === "register" && net.driver.domain.clock === clock) roots.push(storing(layout.placeOf(net)!, net.driver.next, true));
    for (const line of flat.lines)
      if (line.domain.clock === clock)
        roots.push({ nodes: [line.value, ...[line.enable, line.domain.active].filter((node) => node !== undefined)], emit: (e) => emitLine(e, line) });
    const written = flat.memories.flatMap((memory) => memory.writes.filter(({ domain }) => domain.clock === clock).map((write) => ({ memory, write })));
    for (const { write } of written) {
      const places = this.#storage.writes.get(write)!;
      roots.push(storing(places.condition, write.condition, false), storing(places.address, write.address, false), storing(places.data, write.data, false));
      if (write.mask !== undefined && places.mask !== undefined) roots.push(storing(places.mask, write.mask, false));
    }
    const grids = flat.grids.filter((plan) => plan.clock === clock);
    const elements = new Set(grids.flatMap(({ arrays }) => [...arrays]));
    for (const signal of elements) roots.push(...this.#arrayRoots(signal, clock));
    const cells = grids.flatMap((plan) => this.#task([this.#gridRoot(plan)]));
    const edge = this.#module.function(this.#calls([...this.#task(roots), ...cells]), `edge${clock}`);
    const commit = this.#commit(clock, written);
    return { edge, commit: this.#module.function(commit, `commit${clock}`) };
  }

  /** Elements of a vector that no cell drives go where the cells look for them. */
  #arrayRoots(signal: FlatSignal, clock: number): Root<Emitter>[] {
    const { stride, arrays } = this.#storage.grids;
    const { offset, bytes, shape } = arrays.get(signal)!;
    return signal.nets.flatMap((net, index) => {
      if (net.driver?.kind === "grid") return [];
      const at = Math.floor(index / shape.columns) * stride + (index % shape.columns);
      return [storing({ clock, offset: offset + bytes * at }, castSign(refNet(net), shape.signed), false)];
    });
  }

  #gridRoot(plan: GridPlan): Root<Emitter> {
    const nodes = plan.uniform.filter(({ op }) => op !== "lit");
    return { nodes, emit: (e) => new GridEmitter(e, plan, this.#storage.grids).emit() };
  }

  #check(holds: Node, index: number): Root<Emitter> {
    return {
      nodes: [holds],
      emit: (e) => {
        e.push(holds);
        e.f.op("i32.eqz");
        e.f.if();
        e.f.i32(index);
        e.f.call(this.#fail);
        e.f.op("end");
      },
    };
  }

  #commit(clock: number, written: readonly { readonly memory: FlatMemory; readonly write: FlatWrite }[]): FunctionBuilder {
    const f = new FunctionBuilder();
    for (const { memory, write } of written) {
      const e = new Emitter(f, this.#homes, operators, new Map(), () => false);
      writeWord(e, memory, write, this.#storage.writes.get(write)!, this.#homes.layout);
    }
    const { base, size } = this.#homes.layout.halves[clock]!;
    const global = this.#homes.present[clock]!;
    f.i32(2 * base + size);
    f.getGlobal(global);
    f.op("i32.sub");
    f.setGlobal(global);
    if (clock !== 0) return f;
    f.i32(0);
    f.i32(0);
    f.memory("i64.load", this.#storage.cycleAddress);
    f.i64(1n);
    f.op("i64.add");
    f.memory("i64.store", this.#storage.cycleAddress);
    return f;
  }

  /** Cycles of the only clock with inputs that don't change. */
  #cycles({ edge, commit }: { readonly edge: number; readonly commit: number }): FunctionBuilder {
    const f = new FunctionBuilder(["i32"]);
    f.block();
    f.loop();
    f.get(0);
    f.op("i32.eqz");
    f.branchIf(1);
    f.call(edge);
    f.call(commit);
    f.get(0);
    f.i32(1);
    f.op("i32.sub");
    f.set(0);
    f.branch(0);
    f.op("end");
    f.op("end");
    return f;
  }
}

/** A word changes, or some of its lanes, where the write's condition holds. */
const writeWord = (e: Emitter, flat: FlatMemory, write: FlatWrite, places: WritePlaces, layout: Storage["layout"]): void => {
  const { f } = e;
  const { memory } = flat;
  const { width, signed } = memory.element;
  const temporary = (place: Place, like: Node, name: string): Node => {
    const net = makeNet(name, memory, like, { kind: "garbage" });
    layout.setPlace(net, place);
    return refNet(net);
  };
  const address = temporary(places.address, write.address, "address");
  e.push(temporary(places.condition, write.condition, "condition"));
  if (memory.depth < flat.words) {
    e.push(address);
    f.i32(memory.depth);
    f.op("i32.lt_u");
    f.op("i32.and");
  }
  f.if();
  const data = temporary(places.data, write.data, "data");
  const lanes = width / memory.lane;
  const mask = write.mask === undefined || places.mask === undefined ? undefined : temporary(places.mask, write.mask, "mask");
  const old = makeNet("old", memory, data, { kind: "read", memory: flat, address });
  const lane = (node: Node, index: number): Node => sliceOf(node, index * memory.lane, memory.lane);
  const merged =
    mask === undefined
      ? data
      : castSign(
          catOf(
            Array.from({ length: lanes }, (_, at) => choose(sliceOf(mask, lanes - 1 - at, 1), lane(data, lanes - 1 - at), lane(refNet(old), lanes - 1 - at))),
          ),
          signed,
        );
  const base = e.homes.memories.get(flat)!;
  const limbs = width > 64 ? e.limbs(merged) : undefined;
  const at = f.local("i32");
  e.pushWordOffset(flat, address);
  f.set(at);
  if (limbs === undefined) {
    f.get(at);
    e.push(merged);
    f.memory(storeName(width), base);
  }
  limbs?.forEach((limb, index) => {
    f.get(at);
    pushLimb(e, limb);
    f.memory("i64.store", base + 8 * index);
  });
  f.op("end");
};

/**
 * @param visible nets that are kept where they can be read
 * @param functionSize nodes that one function may hold
 */
export const compile = (flat: Flat, storage: Storage, visible: readonly Net[], functionSize: number): Compiled =>
  new Compiler(flat, storage, functionSize).compile(visible);
