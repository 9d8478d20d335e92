import { type Node, operandsOf } from "../../../hdl/node.ts";
import { netOf } from "../lower.ts";
import type { FlatSignal, Net } from "../net.ts";
import { type Access, accessOf, shapeOf } from "./access.ts";
import { type Grid, GridRefusal, type LaneRegister } from "./grid.ts";

/** A grid whose cells vectors can hold. */
export interface GridPlan {
  readonly grid: Grid;
  readonly rows: number;
  readonly columns: number;
  readonly clock: number;
  /** Vectors around it that its cells read or drive. */
  readonly arrays: ReadonlySet<FlatSignal>;
  /** Where the present value of a register is, outside; a register that no output shows is in an array of its own. */
  readonly outputs: ReadonlyMap<LaneRegister, readonly Access[]>;
  /** Element of each reference to a vector around it. */
  readonly accesses: ReadonlyMap<Node, Access>;
  /** Nodes that are the same in all cells, and that vectors need. */
  readonly uniform: readonly Node[];
  readonly isUniform: (node: Node) => boolean;
}

/** The node that a cell's wire stands for, through any number of them. */
export const follow = (node: Node): Node => {
  let at = node;
  while (at.op === "ref" && at.select === undefined) {
    const { cell, driver } = netOf(at);
    if (!cell || driver?.kind !== "comb") break;
    at = driver.value;
  }
  return at;
};

/** The net whose bits a node has, through wires and changes of sign. */
const source = (node: Node): Net | undefined => {
  let at = node;
  while (at.op === "cast" || at.op === "cross" || follow(at) !== at) at = at.op === "cast" || at.op === "cross" ? at.a : follow(at);
  return at.op === "ref" && at.select === undefined ? netOf(at) : undefined;
};

/** Looks through everything that the cells of a grid compute. */
class Survey {
  readonly arrays = new Set<FlatSignal>();
  readonly accesses = new Map<Node, Access>();
  readonly uniformNodes: Node[] = [];
  readonly #grid: Grid;
  readonly #uniform = new Map<Node, boolean>();
  readonly #seen = new Set<Node>();

  constructor(grid: Grid) {
    this.#grid = grid;
  }

  refuse(reason: string): never {
    throw new GridRefusal(this.#grid.item, reason);
  }

  access(signal: FlatSignal, select: NonNullable<(Node & { op: "ref" })["select"]>): Access {
    if (signal.nets[0]!.cell) this.refuse("a cell takes another part of its own vector than its neighbours");
    const found = accessOf(signal, select, this.#grid.loops) ?? this.refuse("a vector is read in an order that lanes don't have");
    this.arrays.add(signal);
    return found;
  }

  /** True where a node is the same in all cells. */
  isUniform(node: Node): boolean {
    const known = this.#uniform.get(node);
    if (known !== undefined) return known;
    let uniform: boolean;
    if (node.op === "ref") {
      const net = netOf(node);
      uniform = net.array === undefined && (!net.cell || (net.driver?.kind === "comb" && this.isUniform(net.driver.value)));
    } else uniform = operandsOf(node).every((operand) => this.isUniform(operand));
    this.#uniform.set(node, uniform);
    return uniform;
  }

  visit(node: Node): void {
    if (this.#seen.has(node)) return;
    this.#seen.add(node);
    if (node.width > 64) this.refuse("a value is wider than 64 bits");
    if (this.isUniform(node)) {
      this.uniformNodes.push(node);
      return;
    }
    if (node.op === "ref") return this.#visitRef(node);
    for (const operand of operandsOf(node)) this.visit(operand);
  }

  #visitRef(node: Node & { op: "ref" }): void {
    const net = netOf(node);
    if (net.array !== undefined) {
      this.accesses.set(node, this.access(net.array, node.select!));
      return;
    }
    if (net.driver?.kind === "comb") this.visit(net.driver.value);
    else if (net.driver?.kind !== "register") this.refuse("a cell has something else than registers and logic");
  }
}

/** @throws GridRefusal where vectors can't hold the cells */
export const planGrid = (grid: Grid): GridPlan => {
  const survey = new Survey(grid);
  const [first] = grid.registers;
  if (first === undefined) return survey.refuse("a cell has no register");
  for (const { domain, net } of grid.registers) {
    if (domain.clock !== first.domain.clock) survey.refuse("a cell has several clocks");
    if (net.width > 64) survey.refuse("a register is wider than 64 bits");
  }
  const outputs = new Map<LaneRegister, Access[]>();
  const driven = new Set<FlatSignal>();
  for (const { signal, select, value } of grid.outputs) {
    const shown = source(value);
    const register = grid.registers.find(({ net }) => net === shown);
    const access = survey.access(signal, select);
    if (access.rowStep !== 1 && grid.loops.length > 1 && grid.loops[0]!.count > 1) survey.refuse("cells drive rows apart from each other");
    if (register === undefined || !access.followsColumn) return survey.refuse("an output of a cell is no register of it");
    if (signal.nets[0]!.signed !== register.net.signed) survey.refuse("an output is read with another sign than its register");
    if (driven.has(signal)) survey.refuse("two outputs of a cell are in one vector");
    driven.add(signal);
    outputs.set(register, [...(outputs.get(register) ?? []), access]);
  }
  for (const { next } of grid.registers) survey.visit(next);
  const { arrays, accesses, uniformNodes } = survey;
  const rows = grid.loops.length > 1 ? grid.loops[0]!.count : 1;
  return {
    grid,
    rows,
    columns: grid.loops.at(-1)!.count,
    clock: first.domain.clock,
    arrays,
    outputs,
    accesses,
    uniform: uniformNodes,
    isUniform: (node) => survey.isUniform(node),
  };
};

/** What a condition comes down to, through wires and negations. */
export const conditionOf = (node: Node): { readonly key: Node | Net; readonly inverted: boolean } => {
  let at = node;
  let inverted = false;
  for (;;) {
    if (at.op === "not") {
      at = at.a;
      inverted = !inverted;
    } else if (at.op === "cross" || (at.op === "cast" && at.width === 1)) at = at.a;
    else if (at.op === "ref" && at.select === undefined) {
      const { driver } = netOf(at);
      const value = driver?.kind === "comb" ? driver.value : undefined;
      if (value === undefined || value.width !== 1 || !["ref", "not", "cross", "cast"].includes(value.op)) return { key: netOf(at), inverted };
      at = value;
    } else return { key: at, inverted };
  }
};

/** A condition that all cells share, with a node that has its outcome, or its opposite. */
export interface SharedCondition {
  readonly key: Node | Net;
  readonly node: Node;
  readonly inverted: boolean;
}

/** Conditions that choose for several registers, the most frequent first. */
export const conditionsOf = ({ grid, isUniform }: GridPlan): SharedCondition[] => {
  const counts = new Map<Node | Net, { count: number; readonly condition: SharedCondition }>();
  for (const { next } of grid.registers) {
    let at = follow(next);
    // A choice that is the same in all cells as a whole is computed outside of them.
    while (at.op === "mux" && isUniform(at.sel) && !isUniform(at)) {
      const { key, inverted } = conditionOf(at.sel);
      const known = counts.get(key);
      if (known !== undefined) known.count++;
      else if (at.sel.op !== "lit") counts.set(key, { count: 1, condition: { key, node: at.sel, inverted } });
      // The other arm of a choice is what is there already.
      const arm: Node = follow(at.a).op === "mux" ? follow(at.a) : follow(at.b);
      at = arm;
    }
  }
  // A condition of few registers costs less as a choice in their lanes than as another copy of all code.
  const frequent = [...counts.values()].filter(({ count }) => 4 * count > grid.registers.length);
  return frequent.toSorted((a, b) => b.count - a.count).map(({ condition }) => condition);
};

/** Nets of a vector that a grid drives. */
export const drivenNets = ({ outputs, rows, columns }: GridPlan): Net[] =>
  [...outputs.values()].flat().flatMap(({ signal, row, rowStep, column }) => {
    const { columns: width } = shapeOf(signal)!;
    return Array.from({ length: rows * columns }, (_, lane) => {
      const r = Math.floor(lane / columns);
      return signal.nets[(row + rowStep * r) * width + column + (lane % columns)]!;
    });
  });
