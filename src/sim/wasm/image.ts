import { internalSignal } from "../embedded.ts";
import type { InternalSignal } from "../engine.ts";
import type { Flat } from "./flatten.ts";
import type { GridPlan } from "./grid/plan.ts";
import { cellScopes, findLane, placesOfLane } from "./grid/state.ts";
import { containerBytes, type Place } from "./layout.ts";
import type { FlatMemory, FlatSignal, Line, Net } from "./net.ts";
import type { Storage } from "./storage.ts";

/** The state of a simulation as bytes: filled at the start, read and changed by path. */
export class Image {
  readonly #view: DataView;
  readonly #storage: Storage;
  readonly #pointer: (clock: number) => number;

  /** @param pointer address of a clock's present half */
  constructor(buffer: ArrayBuffer, storage: Storage, pointer: (clock: number) => number) {
    this.#view = new DataView(buffer);
    this.#storage = storage;
    this.#pointer = pointer;
  }

  get cycle(): number {
    return Number(this.#view.getBigUint64(this.#storage.cycleAddress, true));
  }

  set rising(clocks: number) {
    this.#view.setUint32(this.#storage.risingAddress, clocks, true);
  }

  /** State at power-up: initial values, garbage elsewhere. */
  fill(flat: Flat): void {
    for (const net of [...flat.registers, ...flat.garbage]) {
      const all = net.initial ?? net.garbage();
      this.#write(this.#address(this.#storage.layout.placeOf(net)!), net.width, net.signed, all);
    }
    for (const plan of flat.grids) this.#fillGrid(plan);
    for (const line of flat.lines)
      for (let age = 0; age < line.cycles; age++) this.#write(this.#element(line, age), line.width, false, line.garbage.bits(line.output, line.width, age));
    for (const flatMemory of flat.memories) {
      const { memory, words, garbage: scope } = flatMemory;
      const { width, signed } = memory.element;
      for (let address = 0; address < words; address++)
        this.#write(this.#word(flatMemory, address), width, signed, memory.initial?.[address] ?? scope.bits(memory.name, width, address));
    }
  }

  #fillGrid(plan: GridPlan): void {
    for (let lane = 0; lane < plan.rows * plan.columns; lane++) {
      const scopes = cellScopes(plan, lane);
      for (const register of plan.grid.registers) {
        const { net, path } = register;
        const value = net.initial ?? net.garbage(scopes(path));
        for (const place of placesOfLane(plan, this.#storage.grids, register, lane)) this.#write(this.#address(place), net.width, net.signed, value);
      }
    }
  }

  /** How to read a signal as unsigned bits, where all of it is kept. */
  reader(signal: FlatSignal): (() => bigint) | undefined {
    const readers = signal.nets.map((net) => this.#netReader(net));
    if (!readers.every((read) => read !== undefined)) return undefined;
    const { nets } = signal;
    return () => readers.reduce((sum, read, index) => sum | (read() << BigInt(nets[index]!.low)), 0n);
  }

  locate(flat: Flat, path: string): InternalSignal | undefined {
    const named = ({ path: names }: { readonly path: readonly string[] }): boolean => names.join(".") === path;
    const memory = flat.memories.find(named);
    if (memory !== undefined) return this.#locateMemory(memory);
    const line = flat.lines.find(named);
    if (line !== undefined) return this.#locateLine(line);
    const signal = flat.signals.find(named);
    return signal === undefined ? this.#locateInGrid(flat, path) : this.#locateSignal(signal);
  }

  #locateSignal(signal: FlatSignal): InternalSignal | undefined {
    const read = this.reader(signal);
    if (read === undefined) return undefined;
    return accessible(signal.width, read, (value) => {
      for (const net of signal.nets)
        if (net.driver?.kind === "register") this.#write(this.#address(this.#storage.layout.placeOf(net)!), net.width, net.signed, value >> BigInt(net.low));
    });
  }

  /** A register of a grid's cell. */
  #locateInGrid(flat: Flat, path: string): InternalSignal | undefined {
    const found = findLane(flat.grids, path);
    if (found === undefined) return undefined;
    const pieces = found.pieces.map((register) => ({ net: register.net, places: placesOfLane(found.plan, this.#storage.grids, register, found.lane) }));
    const last = pieces.at(-1)!.net;
    return accessible(
      last.low + last.width,
      () => pieces.reduce((sum, { net, places }) => sum | (this.#read(this.#address(places[0]!), net.width) << BigInt(net.low)), 0n),
      (value) => {
        for (const { net, places } of pieces) for (const place of places) this.#write(this.#address(place), net.width, net.signed, value >> BigInt(net.low));
      },
    );
  }

  #locateMemory(flat: FlatMemory): InternalSignal {
    const { width, signed } = flat.memory.element;
    return internalSignal(width, flat.memory.depth, (element) => {
      const address = this.#word(flat, element);
      return held(
        () => this.#read(address, width),
        (value) => this.#write(address, width, signed, value),
      );
    });
  }

  #locateLine(line: Line): InternalSignal {
    const { width, cycles } = line;
    const read = (): bigint => {
      let all = 0n;
      for (let age = cycles - 1; age >= 0; age--) all = (all << BigInt(width)) | this.#read(this.#element(line, age), width);
      return all;
    };
    return accessible(width * cycles, read, (value) => {
      for (let age = 0; age < cycles; age++) this.#write(this.#element(line, age), width, false, value >> BigInt(age * width));
    });
  }

  #netReader(net: Net): (() => bigint) | undefined {
    const { width, driver } = net;
    const { layout } = this.#storage;
    if (driver?.kind === "line") return () => this.#read(this.#element(driver.line, driver.line.cycles - 1), width);
    const packed = layout.packedOf(net);
    if (packed !== undefined) return () => this.#readPacked(packed.address, packed.bit, width);
    const place = layout.placeOf(net);
    return place === undefined ? undefined : () => this.#read(this.#address(place), width);
  }

  #readPacked(address: number, bit: number, width: number): bigint {
    let all = 0n;
    for (let at = Math.floor((bit + width - 1) / 8); at >= 0; at--) all = (all << 8n) | BigInt(this.#view.getUint8(address + at));
    return BigInt.asUintN(width, all >> BigInt(bit));
  }

  #address({ clock, offset }: Place): number {
    return clock === undefined ? offset : this.#pointer(clock) + offset;
  }

  #element(line: Line, age: number): number {
    return this.#address(this.#storage.lines.get(line)!) + age * containerBytes(line.width);
  }

  #word(memory: FlatMemory, address: number): number {
    return this.#storage.memories.get(memory)! + address * containerBytes(memory.memory.element.width);
  }

  #read(address: number, width: number): bigint {
    if (width <= 32) {
      const value = width <= 8 ? this.#view.getUint8(address) : width <= 16 ? this.#view.getUint16(address, true) : this.#view.getUint32(address, true);
      return BigInt.asUintN(width, BigInt(value));
    }
    let all = 0n;
    for (let at = containerBytes(width) - 8; at >= 0; at -= 8) all = (all << 64n) | this.#view.getBigUint64(address + at, true);
    return BigInt.asUintN(width, all);
  }

  /** The low bits of a value, extended to their container. */
  #write(address: number, width: number, signed: boolean, value: bigint): void {
    const own = signed ? BigInt.asIntN(width, value) : BigInt.asUintN(width, value);
    if (width <= 8) this.#view.setUint8(address, Number(own));
    else if (width <= 16) this.#view.setUint16(address, Number(own), true);
    else if (width <= 32) this.#view.setUint32(address, Number(own), true);
    else for (let at = 0; at < containerBytes(width); at += 8) this.#view.setBigUint64(address + at, BigInt.asUintN(64, own >> BigInt(8 * at)), true);
  }
}

/** A value to be read and written. */
const held = (read: () => bigint, write: (value: bigint) => void): { value: bigint } => ({
  get value() {
    return read();
  },
  set value(value) {
    write(value);
  },
});

const accessible = (width: number, read: () => bigint, write: (value: bigint) => void): InternalSignal =>
  internalSignal(width, undefined, () => held(read, write));
