import type { Circuit, Delay, Instance, Item, MemoryRead, Place, Property } from "../../hdl/circuit.ts";
import { castSign, lit, type Node, reduce } from "../../hdl/node.ts";
import type { Garbage } from "../garbage.ts";
import { elaborate, type Placed, type Region } from "./elaborate.ts";
import { type Grid, GridRefusal } from "./grid/grid.ts";
import { drivenNets, type GridPlan, planGrid } from "./grid/plan.ts";
import { Block, choose, collides, eitherOf, inverse, one, Reader, readBits, refNet, setBits } from "./lower.ts";
import { type Check, type Domain, type FlatMemory, type FlatSignal, type Line, makeNet, type Net } from "./net.ts";

/** A design without hierarchy, statements and loops: nets with an expression each. */
export interface Flat {
  readonly circuit: Circuit;
  /** Signals of the top's ports, in the order of its ports. */
  readonly ports: readonly FlatSignal[];
  /** The resets of the top's clocks, by number of the clock. */
  readonly resets: ReadonlyMap<number, Net>;
  /** Bits that say which clocks rise at the moment, for reads that collide across clocks; by number of the clock. */
  readonly rising: ReadonlyMap<number, Net>;
  readonly signals: readonly FlatSignal[];
  readonly registers: readonly Net[];
  readonly memories: readonly FlatMemory[];
  readonly lines: readonly Line[];
  readonly checks: readonly Check[];
  readonly grids: readonly GridPlan[];
  /** Nets that never change and that nothing defines. */
  readonly garbage: readonly Net[];
}

const bitNet = (circuit: Circuit, name: string): Net => makeNet(name, circuit, { width: 1, signed: false }, { kind: "input" });

class Flattener {
  readonly registers: Net[] = [];
  readonly memories: FlatMemory[] = [];
  readonly lines: Line[] = [];
  readonly checks: Check[] = [];
  readonly rising = new Map<number, Net>();
  readonly garbage: Net[] = [];
  readonly #circuit: Circuit;
  readonly #readers = new Map<Region, Reader>();

  constructor(circuit: Circuit) {
    this.#circuit = circuit;
  }

  /** Memory ports that read a word at an edge need all writes first. */
  place(items: readonly Placed[]): void {
    for (const placed of items) if (placed.item.kind !== "read") this.#place(placed);
    for (const { region, item } of items) if (item.kind === "read") this.#read(region, item);
  }

  #reader(region: Region): Reader {
    const known = this.#readers.get(region);
    if (known !== undefined) return known;
    const made = new Reader(region, this.garbage);
    this.#readers.set(region, made);
    return made;
  }

  #place({ region, item }: Placed): void {
    const reader = this.#reader(region);
    switch (item.kind) {
      case "assign": {
        if (region.grid !== undefined && this.#laneOutput(region, reader, item.place, reader.node(item.value))) break;
        const block = new Block(reader, false, () => {});
        this.#drive(block.run([{ kind: "set", place: item.place, value: item.value, site: item.site }]));
        break;
      }
      case "comb":
        this.#drive(new Block(reader, true, () => {}).run(item.body));
        break;
      case "sync": {
        const domain = region.domain(item.domain.key);
        const block = new Block(reader, false, (memory, write) => void region.memory(memory).writes.push({ ...write, domain }));
        for (const [net, next] of block.run(item.body)) this.#register(region, net, domain, next);
        break;
      }
      case "discard":
        this.#drive(new Map([[region.holder(item.signal).nets[0]!, reduce("parity", castSign(reader.node(item.value), false))]]));
        break;
      case "instance":
        this.#instance(region, reader, item);
        break;
      case "delay":
        this.#delay(region, reader, item);
        break;
      case "read":
        break;
      default:
        this.#check(region, reader, item);
    }
  }

  #drive(values: ReadonlyMap<Net, Node>): void {
    for (const [net, value] of values) net.driver = { kind: "comb", value };
  }

  #register(region: Region, net: Net, domain: Domain, next: Node): void {
    const { reset } = net;
    const guarded = reset === undefined || domain.active === undefined ? next : choose(domain.active, lit(reset, net.width, net.signed), next);
    net.driver = { kind: "register", domain, next: guarded, reset };
    if (region.grid === undefined) this.registers.push(net);
    else region.grid.registers.push({ net, next: guarded, domain, path: region.path });
  }

  #instance(region: Region, reader: Reader, item: Instance): void {
    const { child, inputs, outputs, reset } = item;
    const derived = region.derivedReset(item);
    if (derived !== undefined && reset !== undefined) {
      const { active } = region.domain("");
      derived.driver = { kind: "comb", value: active === undefined ? reader.node(reset) : eitherOf(active, reader.node(reset)) };
    }
    const inner = region.instances.get(item)!;
    const holderOf = (port: Circuit["ports"][number]) => inner.holder(child.portSignals[child.ports.indexOf(port)]!);
    for (const { port, value } of inputs) {
      const values = new Map<Net, Node>();
      setBits(holderOf(port), 0, reader.node(value), values);
      this.#drive(values);
    }
    for (const { port, place } of outputs) {
      const holder = holderOf(port);
      if (region.grid !== undefined && this.#laneOutput(region, reader, place, readBits(holder, 0, holder.width, refNet))) continue;
      const values = new Map<Net, Node>();
      const low = place.select === undefined ? 0 : region.offset(place.select);
      setBits(region.holder(place.signal), low, readBits(holder, 0, holder.width, refNet), values);
      this.#drive(values);
    }
  }

  /** A place outside the cell becomes an output of the grid. */
  #laneOutput(region: Region, reader: Reader, { signal, select }: Place, value: Node): boolean {
    const holder = region.holder(signal);
    if (region.grid === undefined || holder.inGrid) return false;
    if (select === undefined || !region.variesByCell(select)) throw new GridRefusal(region.grid.item, "cells drive a signal around them");
    region.grid.outputs.push({ signal: holder, select: reader.cellSelect(select), value });
    return true;
  }

  #delay(region: Region, reader: Reader, { data, value, cycles, enable, reset, domain }: Delay): void {
    const count = cycles.terms.reduce((sum, { loop, factor }) => sum + factor * region.loops.get(loop)!, cycles.constant);
    const line: Line = {
      output: data.name,
      path: [...region.path, `${data.name}_line`],
      width: data.shape.width,
      cycles: count,
      value: castSign(reader.node(value), false),
      enable: enable === undefined ? undefined : reader.node(enable),
      reset,
      domain: region.domain(domain.key),
      garbage: region.garbage,
    };
    this.lines.push(line);
    for (const net of region.holder(data).nets) net.driver = { kind: "line", line };
  }

  #check(region: Region, reader: Reader, property: Property): void {
    if (property.kind === "cover") return;
    const domain = region.domain(property.domain.key);
    const holds = reader.node(property.condition);
    this.checks.push({
      property,
      hierarchy: [this.#circuit.name, ...region.path, property.name].join("."),
      domain,
      holds: domain.active === undefined ? holds : eitherOf(holds, domain.active),
    });
  }

  #read(region: Region, read: MemoryRead): void {
    const reader = this.#reader(region);
    const memory = region.memory(read.memory);
    const [net] = region.holder(read.data).nets;
    const address = reader.node(read.address);
    if (net === undefined) return;
    if (read.latency === 0 || read.domain === undefined) {
      net.driver = { kind: "read", memory, address };
      return;
    }
    const domain = region.domain(read.domain.key);
    const enable = read.enable === undefined ? one : reader.node(read.enable);
    if (read.heldAddress !== undefined) {
      const held = region.holder(read.heldAddress).nets[0]!;
      this.#register(region, held, domain, choose(enable, address, refNet(held)));
      net.driver = { kind: "read", memory, address: refNet(held) };
      return;
    }
    const word = makeNet(`${net.name} word`, net, net, { kind: "read", memory, address });
    const name = `${net.name} collision`;
    const rubbish = makeNet(name, net, net, { kind: "garbage" }, { garbage: () => region.garbage.bits(name, net.width) });
    this.garbage.push(rubbish);
    const hit = collides(read, address, memory, (other) => (other.clock === domain.clock ? one : refNet(this.#risingNet(other.clock))));
    const found = hit === undefined ? refNet(word) : choose(hit, refNet(rubbish), refNet(word));
    this.#register(region, net, domain, enable === one ? found : choose(enable, found, refNet(net)));
  }

  #risingNet(clock: number): Net {
    const known = this.rising.get(clock);
    if (known !== undefined) return known;
    const made = bitNet(this.#circuit, `rising ${clock}`);
    this.rising.set(clock, made);
    return made;
  }
}

/** Vectors that hold the cells of all grids; a vector belongs to one clock, and one grid drives it. */
const planGrids = (grids: readonly Grid[]): GridPlan[] => {
  const clocks = new Map<FlatSignal, number>();
  const driven = new Set<Net>();
  return grids.map((grid) => {
    const plan = planGrid(grid);
    for (const signal of plan.arrays) {
      if ((clocks.get(signal) ?? plan.clock) !== plan.clock) throw new GridRefusal(grid.item, "two clocks meet in a vector");
      clocks.set(signal, plan.clock);
    }
    for (const { signal } of grid.outputs) {
      if (signal.nets.some((net) => driven.has(net))) throw new GridRefusal(grid.item, "two grids drive a vector");
    }
    for (const net of drivenNets(plan)) {
      driven.add(net);
      net.driver = { kind: "grid" };
    }
    return plan;
  });
};

const flattenOnce = (circuit: Circuit, garbage: Garbage, isRefused: (item: Item) => boolean): Flat => {
  const resets = new Map<number, Net>();
  circuit.clocks.forEach(({ rst }, clock) => rst !== undefined && resets.set(clock, bitNet(circuit, rst)));
  const active = (clock: number): Node | undefined => {
    const net = resets.get(clock);
    return net === undefined ? undefined : circuit.clocks[clock]!.activeLow ? inverse(refNet(net)) : refNet(net);
  };
  const { top, regions, items, grids } = elaborate(circuit, garbage, active, isRefused);
  const ports = circuit.portSignals.map((signal) => top.holder(signal));
  circuit.ports.forEach(({ direction }, index) => {
    if (direction === "input") for (const net of ports[index]!.nets) net.driver = { kind: "input" };
  });
  const flattener = new Flattener(circuit);
  flattener.memories.push(...regions.flatMap((region) => [...region.memories.values()]));
  flattener.place(items);
  const plans = planGrids(grids);
  const signals = regions.flatMap((region) => (region.grid === undefined ? [...region.holders] : []));
  for (const net of signals.flatMap(({ nets }) => nets)) net.driver ??= { kind: "garbage" };
  const { registers, memories, lines, checks, rising, garbage: made } = flattener;
  const undriven = signals.flatMap(({ nets }) => nets.filter(({ driver }) => driver?.kind === "garbage"));
  return { circuit, ports, resets, rising, signals, registers, memories, lines, checks, grids: plans, garbage: [...undriven, ...made] };
};

/**
 * Flattens a design: every net gets its driver. Loops of cells that are alike stay grids where vectors can hold them.
 * @param cells opens all loops cell by cell
 */
export const flatten = (circuit: Circuit, garbage: Garbage, cells = false): Flat => {
  const refused = new Set<Item>();
  for (;;) {
    try {
      return flattenOnce(circuit, garbage, (item) => cells || refused.has(item));
    } catch (error) {
      if (!(error instanceof GridRefusal)) throw error;
      refused.add(error.item);
    }
  }
};
