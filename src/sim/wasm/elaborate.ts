import { clog2 } from "../../base/clog2.ts";
import { UserError } from "../../base/error.ts";
import { forEachItem, readsOf, refsIn, writesOf } from "../../hdl/check/traverse.ts";
import type { Circuit, ClockDomain, Instance, Item, Loop, Memory, Place, Scope, Signal } from "../../hdl/circuit.ts";
import type { Site } from "../../hdl/location.ts";
import type { Node, Select } from "../../hdl/node.ts";
import { isSigned, leafOf, type Shape, sint, uint } from "../../hdl/shape.ts";
import type { Garbage } from "../garbage.ts";
import { type Cells, candidate } from "./grid/candidate.ts";
import type { Grid } from "./grid/grid.ts";
import { refNet } from "./lower.ts";
import { type Domain, type Driver, type FlatMemory, type FlatSignal, makeNet, type Net } from "./net.ts";

/** Elements of a vector that an index chooses among; one of more elements stays in one piece. */
const mostIndexed = 256;

/** A signal of one region, cut where one driver ends and the next begins. */
export class Holder implements FlatSignal {
  readonly signal: Signal;
  readonly path: readonly string[];
  readonly garbage: Garbage;
  /** It belongs to a cell of a grid. */
  readonly inGrid: boolean;
  readonly #cuts: Set<number>;
  #nets: readonly Net[] | undefined;
  #array: Net | undefined;

  constructor(signal: Signal, region: Region) {
    this.signal = signal;
    this.path = [...region.path, signal.name];
    this.garbage = region.garbage;
    this.inGrid = region.grid !== undefined;
    this.#cuts = new Set([0, signal.shape.width]);
    const step = leafOf(signal.shape).width;
    const few = signal.shape.width / step <= mostIndexed;
    if (signal.shape.kind === "vec" && (few || !indexedIn(region.circuit).has(signal)))
      for (let low = step; low < signal.shape.width; low += step) this.#cuts.add(low);
  }

  get width(): number {
    return this.signal.shape.width;
  }

  get signed(): boolean {
    return isSigned(this.signal.shape);
  }

  cut(low: number, width: number): void {
    this.#cuts.add(low);
    this.#cuts.add(low + width);
  }

  /** Lowest bits first. No cut is made after the first call. */
  get nets(): readonly Net[] {
    this.#nets ??= this.#split();
    return this.#nets;
  }

  /** The whole signal as cells of a grid see it. */
  get array(): Net {
    if (this.#array === undefined) this.#array = Object.assign(new Part(this, 0, this.width, this.signed), { array: this });
    return this.#array;
  }

  #split(): Net[] {
    const bounds = [...this.#cuts].toSorted((a, b) => a - b);
    const leaf = leafOf(this.signal.shape);
    const whole = isSigned(leaf);
    return bounds.slice(1).map((high, index) => {
      const low = bounds[index]!;
      return new Part(this, low, high - low, whole && leaf.width === high - low);
    });
  }
}

/** Net of a signal. A class, because arrays have very many. */
class Part implements Net {
  readonly low: number;
  readonly width: number;
  readonly signed: boolean;
  driver: Driver | undefined = undefined;
  readonly #holder: Holder;

  constructor(holder: Holder, low: number, width: number, signed: boolean) {
    this.#holder = holder;
    this.low = low;
    this.width = width;
    this.signed = signed;
  }

  get name(): string {
    return this.#holder.signal.name;
  }

  get role(): Signal["role"] {
    return this.#holder.signal.role;
  }

  get shape(): Shape {
    return this.signed ? sint(this.width) : uint(this.width);
  }

  get domain(): ClockDomain | undefined {
    return this.#holder.signal.domain;
  }

  get reset(): bigint | undefined {
    return this.#part(this.#holder.signal.reset);
  }

  get initial(): bigint | undefined {
    return this.#part(this.#holder.signal.initial);
  }

  get doc(): string | undefined {
    return this.#holder.signal.doc;
  }

  get scope(): Scope {
    return this.#holder.signal.scope;
  }

  get site(): Site {
    return this.#holder.signal.site;
  }

  get cell(): boolean {
    return this.#holder.inGrid;
  }

  garbage(scope = this.#holder.garbage): bigint {
    const { name, shape } = this.#holder.signal;
    return BigInt.asUintN(this.width, scope.bits(name, shape.width) >> BigInt(this.low));
  }

  #part(value: bigint | undefined): bigint | undefined {
    return value === undefined ? undefined : BigInt.asUintN(this.width, value >> BigInt(this.low));
  }
}

/** Signals of a module that some index computed at run time reads or writes. */
const indexedSignals = new WeakMap<Circuit, ReadonlySet<Signal>>();

const indexedIn = (circuit: Circuit): ReadonlySet<Signal> => {
  const known = indexedSignals.get(circuit);
  if (known !== undefined) return known;
  const found = new Set<Signal>();
  const note = (signal: Signal, select: Select | undefined): void => {
    if (select !== undefined && select.dynamic.length > 0) found.add(signal);
  };
  forEachItem(circuit.scope, (item) => {
    for (const { place } of writesOf(item)) note(place.signal, place.select);
    for (const { expression } of readsOf(item)) for (const { signal, select } of refsIn(expression)) note(signal, select);
  });
  indexedSignals.set(circuit, found);
  return found;
};

/** One instance's body, or one iteration of a generate loop in it: where names lead. */
export class Region {
  readonly circuit: Circuit;
  readonly scope: Scope;
  readonly outer: Region | undefined;
  readonly path: readonly string[];
  readonly garbage: Garbage;
  readonly loops: ReadonlyMap<Loop, number>;
  /** Clock domains by key of the circuit's clock port. */
  readonly domains: ReadonlyMap<string, Domain>;
  /** The grid of which this is a cell, or a part of one. */
  readonly grid: Grid | undefined;
  readonly memories = new Map<Memory, FlatMemory>();
  readonly instances = new Map<Instance, Region>();
  readonly #holders = new Map<Signal, Holder>();
  readonly #resets = new Map<Instance, Net>();

  constructor(given: Pick<Region, "circuit" | "scope" | "outer" | "path" | "garbage" | "loops" | "domains" | "grid">) {
    this.circuit = given.circuit;
    this.scope = given.scope;
    this.outer = given.outer;
    this.path = given.path;
    this.garbage = given.garbage;
    this.loops = given.loops;
    this.domains = given.domains;
    this.grid = given.grid;
    const ports = given.outer === undefined ? given.circuit.portSignals : [];
    for (const signal of [...ports, ...given.scope.signals]) this.#holders.set(signal, new Holder(signal, this));
    for (const memory of given.scope.memories) this.memories.set(memory, this.#flatMemory(memory));
  }

  get holders(): Iterable<Holder> {
    return this.#holders.values();
  }

  holder(signal: Signal): Holder {
    const found = this.#holders.get(signal) ?? this.outer?.holder(signal);
    if (found !== undefined) return found;
    throw new UserError("no-signal", `\`${signal.name}\` is not declared in \`${this.path.join(".")}\``);
  }

  memory(memory: Memory): FlatMemory {
    const found = this.memories.get(memory) ?? this.outer?.memory(memory);
    if (found !== undefined) return found;
    throw new UserError("no-signal", `memory \`${memory.name}\` is not declared in \`${this.path.join(".")}\``);
  }

  /** First bit of a part of a signal, as far as it is known before the simulation runs; of the first cell, where it depends on the cell. */
  offset(select: Select): number {
    return select.loops.reduce((sum, { loop, stride }) => sum + stride * (this.loops.get(loop) ?? 0), select.constant);
  }

  /** True for a part that is another one in each cell of a grid. */
  variesByCell({ loops }: Select): boolean {
    return loops.some(({ loop, stride }) => stride !== 0 && this.grid?.loops.includes(loop) === true);
  }

  domain(key: string): Domain {
    return this.domains.get(key)!;
  }

  /** Net that is 1 while an instance with a derived reset is in reset; its driver is for whoever can read the region's signals. */
  derivedReset(item: Instance): Net | undefined {
    if (item.reset === undefined) return undefined;
    const like = { scope: this.scope, site: item.site };
    const net = this.#resets.get(item) ?? makeNet(`${item.name} reset`, like, item.reset, { kind: "garbage" }, { cell: this.grid !== undefined });
    this.#resets.set(item, net);
    return net;
  }

  #flatMemory(memory: Memory): FlatMemory {
    return {
      memory,
      path: [...this.path, memory.name],
      words: 2 ** Math.max(1, clog2(memory.depth)),
      garbage: this.garbage,
      writes: [],
    };
  }
}

/** Item of a region. */
export interface Placed {
  readonly region: Region;
  readonly item: Exclude<Item, { kind: "repeat" }>;
}

export interface Elaborated {
  readonly top: Region;
  readonly regions: readonly Region[];
  readonly grids: readonly Grid[];
  readonly items: readonly Placed[];
}

const cutAt = (region: Region, { signal, select }: Place): void => {
  if (select === undefined || select.dynamic.length > 0 || region.variesByCell(select)) return;
  region.holder(signal).cut(region.offset(select), select.width);
};

const domainsOfChild = (region: Region, item: Instance): ReadonlyMap<string, Domain> => {
  const derived = region.derivedReset(item);
  return new Map(
    item.clocks.map(({ child, parent }) => {
      const { clock, active: outer } = region.domain(parent.key);
      const active = derived !== undefined && child.key === "" ? refNet(derived) : outer;
      return [child.key, { clock, reset: child.reset, active: child.rst === undefined ? undefined : active }];
    }),
  );
};

/** Opens instances and generate loops, declares what is in them, and cuts signals where drivers meet. */
class Elaborator {
  readonly regions: Region[] = [];
  readonly items: Placed[] = [];
  readonly grids: Grid[] = [];
  readonly #isRefused: (item: Item) => boolean;

  constructor(isRefused: (item: Item) => boolean) {
    this.#isRefused = isRefused;
  }

  open(region: Region): Region {
    this.regions.push(region);
    for (const item of region.scope.items) {
      if (item.kind === "repeat") {
        const cells = region.grid !== undefined || this.#isRefused(item) ? undefined : candidate(item);
        if (cells !== undefined) {
          this.#cells(region, item, cells);
          continue;
        }
        for (let index = 0; index < item.loop.count; index++) this.open(this.#iteration(region, item, index));
        continue;
      }
      if (item.kind === "instance") region.instances.set(item, this.#instance(region, item));
      this.items.push({ region, item });
      for (const { place } of writesOf(item)) cutAt(region, place);
    }
    return region;
  }

  #cells(region: Region, item: Item, { loops, scope }: Cells): void {
    const { path, garbage, circuit, domains } = region;
    const grid: Grid = { item, loops, path, garbage, registers: [], outputs: [] };
    this.grids.push(grid);
    this.open(new Region({ circuit, scope, outer: region, path: [], garbage, loops: region.loops, domains, grid }));
  }

  #iteration(region: Region, { loop, scope }: Item & { kind: "repeat" }, index: number): Region {
    return new Region({
      circuit: region.circuit,
      scope,
      outer: region,
      path: [...region.path, `${loop.label}[${index}]`],
      garbage: region.garbage.child(loop.label, index),
      loops: new Map([...region.loops, [loop, index]]),
      domains: region.domains,
      grid: region.grid,
    });
  }

  #instance(region: Region, item: Instance): Region {
    const { child, name } = item;
    return this.open(
      new Region({
        circuit: child,
        scope: child.scope,
        outer: undefined,
        path: [...region.path, name],
        garbage: region.garbage.child(name),
        loops: new Map(),
        domains: domainsOfChild(region, item),
        grid: region.grid,
      }),
    );
  }
}

/**
 * The regions and items of a design; `active` gives the node that is 1 while a top clock's reset is active.
 * @param isRefused loops that are no grids
 */
export const elaborate = (circuit: Circuit, garbage: Garbage, active: (clock: number) => Node | undefined, isRefused: (item: Item) => boolean): Elaborated => {
  const domains = new Map(
    circuit.clocks.map((domain, clock): [string, Domain] => [
      domain.key,
      { clock, reset: domain.reset, active: domain.rst === undefined ? undefined : active(clock) },
    ]),
  );
  const elaborator = new Elaborator(isRefused);
  const top = elaborator.open(new Region({ circuit, scope: circuit.scope, outer: undefined, path: [], garbage, loops: new Map(), domains, grid: undefined }));
  return { top, grids: elaborator.grids, regions: elaborator.regions, items: elaborator.items };
};
