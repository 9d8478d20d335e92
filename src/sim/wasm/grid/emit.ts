import type { Node } from "../../../hdl/node.ts";
import type { Emitter } from "../emitter.ts";
import { typeFor } from "../emitter.ts";
import { netOf } from "../lower.ts";
import type { Net } from "../net.ts";
import type { Access } from "./access.ts";
import type { LaneRegister } from "./grid.ts";
import type { Vector } from "./lane-values.ts";
import { Lanes, type Surroundings } from "./lanes.ts";
import { conditionOf, conditionsOf, type GridPlan, type SharedCondition } from "./plan.ts";
import type { Elements, GridStorage } from "./storage.ts";
import { type LaneBits, laneOps, whole } from "./vector-ops.ts";

/** Conditions for whose outcomes the cells get code of their own. */
const mostConditions = 2;

/** Locals that lead through the arrays. */
interface Pointers {
  readonly row: number;
  readonly column: number;
  /** Elements of the rows before. */
  readonly before: number;
  /** By bytes of an element: the cell's place in the present half and in the next, and its column in the present half. */
  readonly cell: ReadonlyMap<number, number>;
  readonly next: ReadonlyMap<number, number>;
  readonly inRow: ReadonlyMap<number, number>;
}

/** Writes the function that computes the next state of all cells of a grid. */
export class GridEmitter implements Surroundings {
  readonly #e: Emitter;
  readonly #plan: GridPlan;
  readonly #storage: GridStorage;
  readonly #lanes: number;
  readonly #uniform = new Map<Node, number>();
  readonly #registers: ReadonlyMap<Net, LaneRegister>;
  readonly #pointers: Pointers;
  #known: ReadonlyMap<Node | Net, boolean> = new Map();

  constructor(e: Emitter, plan: GridPlan, storage: GridStorage) {
    this.#e = e;
    this.#plan = plan;
    this.#storage = storage;
    this.#lanes = plan.columns <= 4 ? 4 : plan.columns <= 8 ? 8 : 16;
    this.#registers = new Map(plan.grid.registers.map((register) => [register.net, register]));
    const local = (): number => e.f.local("i32");
    const perSize = (): Map<number, number> => new Map([1, 2, 4, 8].map((bytes) => [bytes, local()]));
    this.#pointers = { row: local(), column: local(), before: local(), cell: perSize(), next: perSize(), inRow: perSize() };
  }

  emit(): void {
    const { f } = this.#e;
    for (const node of this.#plan.uniform) {
      if (node.op === "lit") continue;
      const local = f.local(typeFor(node.width));
      this.#e.push(node);
      f.set(local);
      this.#uniform.set(node, local);
    }
    const conditions = conditionsOf(this.#plan).slice(0, mostConditions);
    this.#branch(conditions);
  }

  isUniform(node: Node): boolean {
    return this.#plan.isUniform(node);
  }

  known(node: Node): boolean | undefined {
    if (node.width !== 1 || !this.isUniform(node)) return undefined;
    const { key, inverted } = conditionOf(node);
    const value = this.#known.get(key);
    return value === undefined ? undefined : value !== inverted;
  }

  splat(node: Node, bits: LaneBits): number {
    const { f } = this.#e;
    const local = f.local("v128");
    f.get(this.#uniform.get(node)!);
    if (node.width <= 32 && bits === 64) f.op(node.signed ? "i64.extend_i32_s" : "i64.extend_i32_u");
    f.vector(laneOps[bits].splat);
    f.set(local);
    return local;
  }

  load(node: Node & { op: "ref" }): Vector {
    const net = netOf(node);
    if (net.array !== undefined) return this.#loadElements(this.#plan.accesses.get(node)!);
    const register = this.#registers.get(net)!;
    const [shown] = this.#plan.outputs.get(register) ?? [];
    if (shown !== undefined) return this.#loadElements(shown);
    const { offset, bytes } = this.#storage.own.get(register)!;
    return this.#loadFrom(() => this.#e.f.get(this.#pointers.cell.get(bytes)!), bytes, offset);
  }

  /** Code for each outcome of the conditions that all cells share. */
  #branch(conditions: readonly SharedCondition[]): void {
    const [first, ...rest] = conditions;
    if (first === undefined) return this.#loops();
    const { f } = this.#e;
    const before = this.#known;
    f.get(this.#uniform.get(first.node)!);
    if (first.inverted) f.op("i32.eqz");
    f.if();
    this.#known = new Map([...before, [first.key, true]]);
    this.#branch(rest);
    f.op("else");
    this.#known = new Map([...before, [first.key, false]]);
    this.#branch(rest);
    f.op("end");
    this.#known = before;
  }

  #loops(): void {
    const { f } = this.#e;
    const { row, column, before } = this.#pointers;
    const { rows, columns } = this.#plan;
    const advance = (local: number, by: number): void => {
      f.get(local);
      f.i32(by);
      f.op("i32.add");
      f.tee(local);
    };
    for (const local of [row, before]) {
      f.i32(0);
      f.set(local);
    }
    f.loop();
    f.i32(0);
    f.set(column);
    f.loop();
    this.#point();
    this.#cells();
    advance(column, this.#lanes);
    f.i32(columns);
    f.op("i32.lt_s");
    f.branchIf(0);
    f.op("end");
    advance(before, this.#storage.stride);
    f.op("drop");
    advance(row, 1);
    f.i32(rows);
    f.op("i32.lt_s");
    f.branchIf(0);
    f.op("end");
  }

  /** Sets the pointers to the present row and column. */
  #point(): void {
    const { f } = this.#e;
    const { column, before, cell, next, inRow } = this.#pointers;
    const set = (target: number, inNext: boolean, push: () => void, bytes: number): void => {
      this.#e.pushBase({ clock: this.#plan.clock, offset: 0 }, inNext);
      push();
      f.i32(Math.log2(bytes));
      f.op("i32.shl");
      f.op("i32.add");
      f.set(target);
    };
    const element = (): void => {
      f.get(before);
      f.get(column);
      f.op("i32.add");
    };
    for (const bytes of [1, 2, 4, 8]) {
      set(cell.get(bytes)!, false, element, bytes);
      set(next.get(bytes)!, true, element, bytes);
      set(inRow.get(bytes)!, false, () => f.get(column), bytes);
    }
  }

  #cells(): void {
    const { f } = this.#e;
    const lanes = new Lanes(f, this.#lanes, this);
    for (const register of this.#plan.grid.registers) {
      const shown = this.#plan.outputs.get(register) ?? [];
      const targets: Elements[] = shown.length > 0 ? shown.map((access) => this.#elements(access)) : [this.#storage.own.get(register)!];
      const { bytes } = targets[0]!;
      const vector = lanes.numbers(register.next, (8 * bytes) as LaneBits);
      for (const { offset } of targets)
        vector.locals.forEach((local, index) => {
          f.get(this.#pointers.next.get(bytes)!);
          f.get(local);
          f.vectorMemory(whole.store, 0, offset + 16 * index);
        });
    }
    lanes.end();
  }

  /** Where the element of the first row and column of an access is. */
  #elements({ signal, row, column }: Access): Elements {
    const { offset, bytes } = this.#storage.arrays.get(signal)!;
    return { offset: offset + bytes * (row * this.#storage.stride + column), bytes };
  }

  #loadElements(access: Access): Vector {
    const { f } = this.#e;
    const { cell, inRow, row } = this.#pointers;
    const { offset, bytes } = this.#elements(access);
    const { rowStep, skew, followsColumn } = access;
    const perRow = rowStep * this.#storage.stride + skew;
    const fromRow = (base: () => void): void => {
      base();
      if (perRow === 0) return;
      f.get(row);
      f.i32(perRow * bytes);
      f.op("i32.mul");
      f.op("i32.add");
    };
    if (!followsColumn) {
      fromRow(() => this.#e.pushBase({ clock: this.#plan.clock, offset: 0 }));
      const bits = (8 * bytes) as LaneBits;
      f.vectorMemory(laneOps[bits].loadSplat, 0, offset);
      const local = f.local("v128");
      f.set(local);
      return { bits, locals: Array.from({ length: this.#count(bytes) }, () => local) };
    }
    if (rowStep === 1) return this.#loadFrom(() => f.get(cell.get(bytes)!), bytes, offset);
    return this.#loadFrom(() => fromRow(() => f.get(inRow.get(bytes)!)), bytes, offset);
  }

  #count(bytes: number): number {
    return Math.max(1, (this.#lanes * bytes) / 16);
  }

  #loadFrom(pushAddress: () => void, bytes: number, offset: number): Vector {
    const { f } = this.#e;
    const locals = Array.from({ length: this.#count(bytes) }, (_, index) => {
      pushAddress();
      f.vectorMemory(whole.load, 0, offset + 16 * index);
      const local = f.local("v128");
      f.set(local);
      return local;
    });
    return { bits: (8 * bytes) as LaneBits, locals };
  }
}
