import type { Node } from "../../hdl/node.ts";
import type { FunctionBuilder, MemoryAccess, Plain } from "./assembler.ts";
import { containerBytes, type Layout, type Place } from "./layout.ts";
import { type Limb, pushLimb } from "./limb.ts";
import type { FlatMemory, Line, Net } from "./net.ts";

/** Addresses of what is in no register half: memories by their first byte. */
export interface Homes {
  readonly layout: Layout;
  readonly memories: ReadonlyMap<FlatMemory, number>;
  /** Element 0 of each delay line. */
  readonly lines: ReadonlyMap<Line, Place>;
  /** Globals that hold the address of each clock's present half. */
  readonly present: readonly number[];
}

/** How nodes are computed: `narrow` leaves a value of at most 64 bits on the stack, `wide` gives the limbs of any. */
export interface Operators {
  narrow(e: Emitter, node: Node): void;
  wide(e: Emitter, node: Node): readonly Limb[];
}

/** Type of a narrow value on the stack. */
export const typeFor = (width: number): "i32" | "i64" => (width <= 32 ? "i32" : "i64");

/**
 * Writes the instructions that compute nodes in one function. A value up to 32 bits is an i32, up to 64 bits an i64, both on the stack; wider
 * ones are lists of 64-bit limbs in locals. Values are sign or zero extended to their container, as their sign says.
 */
export class Emitter {
  readonly f: FunctionBuilder;
  readonly homes: Homes;
  readonly #operators: Operators;
  readonly #uses: ReadonlyMap<Node | Net, number>;
  readonly #stored: (net: Net) => boolean;
  readonly #locals = new Map<Node | Net, number>();
  readonly #limbs = new Map<Node | Net, readonly Limb[]>();
  readonly #present = new Map<number, number>();
  readonly #next = new Map<number, number>();

  /**
   * @param uses how often each shared node or net is wanted
   * @param stored whether another function has computed and stored a net
   */
  constructor(f: FunctionBuilder, homes: Homes, operators: Operators, uses: ReadonlyMap<Node | Net, number>, stored: (net: Net) => boolean) {
    this.f = f;
    this.homes = homes;
    this.#operators = operators;
    this.#uses = uses;
    this.#stored = stored;
  }

  /** Leaves the value of a node of at most 64 bits on the stack. */
  push(node: Node): void {
    if (node.op === "ref" && node.select === undefined) return this.pushNet(node.signal as Net);
    const known = this.#locals.get(node);
    if (known !== undefined) return this.f.get(known);
    this.#operators.narrow(this, node);
    if (node.op !== "lit" && node.op !== "ref" && (this.#uses.get(node) ?? 0) > 1) this.#keep(node, node.width);
  }

  /** The value as an i64, or as an i32, whatever its width up to that. */
  pushAs(type: "i32" | "i64", node: Node): void {
    this.push(node);
    if (type === "i64" && node.width <= 32) this.f.op(node.signed ? "i64.extend_i32_s" : "i64.extend_i32_u");
  }

  pushNet(net: Net): void {
    const known = this.#locals.get(net);
    if (known !== undefined) return this.f.get(known);
    this.#computeNet(net);
    if ((this.#uses.get(net) ?? 0) > 1) this.#keep(net, net.width);
  }

  /** Computes a net now, so that later uses find it. */
  define(net: Net): void {
    if (net.width > 64) {
      this.netLimbs(net);
      return;
    }
    if (this.#locals.has(net)) return;
    this.#computeNet(net);
    const local = this.f.local(typeFor(net.width));
    this.f.set(local);
    this.#locals.set(net, local);
  }

  limbs(node: Node): readonly Limb[] {
    if (node.op === "ref" && node.select === undefined && node.width > 64) return this.netLimbs(node.signal as Net);
    const known = this.#limbs.get(node);
    if (known !== undefined) return known;
    const made = this.#operators.wide(this, node);
    this.#limbs.set(node, made);
    return made;
  }

  netLimbs(net: Net): readonly Limb[] {
    const known = this.#limbs.get(net);
    if (known !== undefined) return known;
    const made = this.#computeLimbs(net);
    this.#limbs.set(net, made);
    return made;
  }

  /** Stores a value at a place, or at the same place of the next half. */
  store(place: Place, node: Node, next = false): void {
    if (node.width > 64) {
      this.limbs(node).forEach((limb, index) => {
        this.pushBase(place, next);
        pushLimb(this, limb);
        this.f.memory("i64.store", place.offset + 8 * index);
      });
      return;
    }
    this.pushBase(place, next);
    this.push(node);
    this.f.memory(storeName(node.width), place.offset);
  }

  /** The address to which a place's offset is added. */
  pushBase({ clock }: Place, next = false): void {
    if (clock === undefined) this.f.i32(0);
    else this.f.get(next ? this.#nextHalf(clock) : this.#presentHalf(clock));
  }

  load(place: Place, width: number, signed: boolean): void {
    this.pushBase(place);
    this.f.memory(loadName(width, signed), place.offset);
  }

  loadLimbs(place: Place, width: number): Limb[] {
    return Array.from({ length: Math.ceil(width / 64) }, (_, index) => {
      this.pushBase(place);
      this.f.memory("i64.load", place.offset + 8 * index);
      return this.toLocal();
    });
  }

  /** Moves the i64 on the stack into a local. */
  toLocal(): number {
    const local = this.f.local("i64");
    this.f.set(local);
    return local;
  }

  /** Drops the bits of a narrow value on the stack above `width`, or extends its sign. */
  normalize(type: "i32" | "i64", width: number, signed: boolean): void {
    normalize(this.f, type, width, signed);
  }

  #keep(what: Node | Net, width: number): void {
    const local = this.f.local(typeFor(width));
    this.f.tee(local);
    this.#locals.set(what, local);
  }

  #presentHalf(clock: number): number {
    const known = this.#present.get(clock);
    if (known !== undefined) return known;
    throw new Error(`the half of clock ${clock} is not at hand`);
  }

  #nextHalf(clock: number): number {
    return this.#next.get(clock)!;
  }

  /** Loads the addresses of the halves; the first thing that a function does. */
  begin(): void {
    this.homes.present.forEach((global, clock) => {
      const { base, size } = this.homes.layout.halves[clock]!;
      const [present, next] = [this.f.local("i32"), this.f.local("i32")];
      this.f.i32(2 * base + size);
      this.f.getGlobal(global);
      this.f.tee(present);
      this.f.op("i32.sub");
      this.f.set(next);
      this.#present.set(clock, present);
      this.#next.set(clock, next);
    });
  }

  #placeOf(net: Net): Place {
    return this.homes.layout.placeOf(net)!;
  }

  #computeNet(net: Net): void {
    const { driver, width, signed } = net;
    switch (driver?.kind) {
      case "comb":
        if (this.#stored(net)) this.load(this.#placeOf(net), width, signed);
        else this.push(driver.value);
        break;
      case "read":
        if (this.#stored(net)) return this.load(this.#placeOf(net), width, signed);
        this.pushWordOffset(driver.memory, driver.address);
        this.f.memory(loadName(width, signed), this.homes.memories.get(driver.memory)!);
        break;
      case "line":
        this.load(this.oldest(driver.line), width, false);
        if (signed) this.normalize(typeFor(width), width, true);
        break;
      case "input":
        this.#pushPacked(net);
        break;
      default:
        this.load(this.#placeOf(net), width, signed);
    }
  }

  #computeLimbs(net: Net): readonly Limb[] {
    const { driver, width } = net;
    switch (driver?.kind) {
      case "comb":
        return this.#stored(net) ? this.loadLimbs(this.#placeOf(net), width) : this.limbs(driver.value);
      case "read": {
        if (this.#stored(net)) return this.loadLimbs(this.#placeOf(net), width);
        this.pushWordOffset(driver.memory, driver.address);
        const base = this.f.local("i32");
        this.f.set(base);
        return Array.from({ length: Math.ceil(width / 64) }, (_, index) => {
          this.f.get(base);
          this.f.memory("i64.load", this.homes.memories.get(driver.memory)! + 8 * index);
          return this.toLocal();
        });
      }
      case "line":
        return this.#signedTop(this.loadLimbs(this.oldest(driver.line), width), net);
      case "input":
        return this.#signedTop(this.#packedLimbs(net), net);
      default:
        return this.loadLimbs(this.#placeOf(net), width);
    }
  }

  /** Lines and ports keep unsigned values. */
  #signedTop(limbs: Limb[], { width, signed }: Net): Limb[] {
    if (!signed || width % 64 === 0) return limbs;
    pushLimb(this, limbs.at(-1)!);
    this.normalize("i64", width % 64, true);
    return [...limbs.slice(0, -1), this.toLocal()];
  }

  oldest(line: Line): Place {
    const { clock, offset } = this.homes.lines.get(line)!;
    return { clock, offset: offset + (line.cycles - 1) * containerBytes(line.width) };
  }

  /** Bytes from a memory's first word to the one at an address. */
  pushWordOffset(memory: FlatMemory, address: Node): void {
    this.push(address);
    this.f.i32(containerBytes(memory.memory.element.width));
    this.f.op("i32.mul");
  }

  #pushPacked(net: Net): void {
    const { width, signed } = net;
    const { address, bit } = this.homes.layout.packedOf(net)!;
    const type = typeFor(width);
    const exact = bit === 0 && (width === 8 || width === 16 || width === 32 || width === 64);
    this.f.i32(0);
    if (exact) return this.f.memory(loadName(width, signed), address);
    if (width + bit <= 32) this.f.memory("i32.load", address);
    else this.f.memory("i64.load", address);
    const wide = width + bit > 32 ? "i64" : "i32";
    if (bit > 0) this.#shiftRight(wide, bit);
    if (width + bit > 64) {
      this.f.i32(0);
      this.f.memory("i32.load8_u", address + 8);
      this.f.op("i64.extend_i32_u");
      this.f.i64(BigInt(64 - bit));
      this.f.op("i64.shl");
      this.f.op("i64.or");
    }
    if (wide === "i64" && type === "i32") this.f.op("i32.wrap_i64");
    this.normalize(type, width, signed);
  }

  #shiftRight(type: "i32" | "i64", bits: number): void {
    if (type === "i32") this.f.i32(bits);
    else this.f.i64(BigInt(bits));
    this.f.op(`${type}.shr_u`);
  }

  #packedLimbs(net: Net): Limb[] {
    const { width } = net;
    const { address, bit } = this.homes.layout.packedOf(net)!;
    const count = Math.ceil(width / 64);
    return Array.from({ length: count }, (_, index) => {
      this.f.i32(0);
      this.f.memory("i64.load", address + 8 * index);
      if (bit > 0) {
        this.#shiftRight("i64", bit);
        this.f.i32(0);
        this.f.memory("i32.load8_u", address + 8 * index + 8);
        this.f.op("i64.extend_i32_u");
        this.f.i64(BigInt(64 - bit));
        this.f.op("i64.shl");
        this.f.op("i64.or");
      }
      if (index === count - 1) this.normalize("i64", ((width - 1) % 64) + 1, false);
      return this.toLocal();
    });
  }
}

export const storeName = (width: number): MemoryAccess => (width <= 8 ? "i32.store8" : width <= 16 ? "i32.store16" : width <= 32 ? "i32.store" : "i64.store");

export const loadName = (width: number, signed: boolean): MemoryAccess =>
  width <= 8 ? `i32.load8_${signed ? "s" : "u"}` : width <= 16 ? `i32.load16_${signed ? "s" : "u"}` : width <= 32 ? "i32.load" : "i64.load";

const signExtensions: Readonly<Record<string, Plain>> = {
  "i32 8": "i32.extend8_s",
  "i32 16": "i32.extend16_s",
  "i64 8": "i64.extend8_s",
  "i64 16": "i64.extend16_s",
  "i64 32": "i64.extend32_s",
};

export const normalize = (f: FunctionBuilder, type: "i32" | "i64", width: number, signed: boolean): void => {
  const bits = type === "i32" ? 32 : 64;
  if (width >= bits) return;
  const constant = (value: bigint): void => (type === "i32" ? f.i32(Number(BigInt.asIntN(32, value))) : f.i64(value));
  if (!signed) {
    constant((1n << BigInt(width)) - 1n);
    f.op(`${type}.and`);
    return;
  }
  const direct = signExtensions[`${type} ${width}`];
  if (direct !== undefined) return f.op(direct);
  constant(BigInt(bits - width));
  f.op(`${type}.shl`);
  constant(BigInt(bits - width));
  f.op(`${type}.shr_s`);
};
