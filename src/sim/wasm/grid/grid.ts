import type { Item, Loop } from "../../../hdl/circuit.ts";
import type { Node, Select } from "../../../hdl/node.ts";
import type { Garbage } from "../../garbage.ts";
import type { Domain, FlatSignal, Net } from "../net.ts";

/** Register of every cell; its net stands for all of them. */
export interface LaneRegister {
  readonly net: Net;
  readonly next: Node;
  readonly domain: Domain;
  /** Instances from the cell down to it. */
  readonly path: readonly string[];
}

/** A part of a vector around the grid that each cell drives. */
export interface LaneOutput {
  readonly signal: FlatSignal;
  readonly select: Select;
  readonly value: Node;
}

/**
 * Cells of a loop or two that stay together: one expression for all cells. Nets of a cell stand for all cells' nets;
 * a net with `array` is a vector around the grid of which each cell reads its part.
 */
export interface Grid {
  readonly item: Item;
  readonly loops: readonly Loop[];
  /** Path and undefined state of the scope around the loops. */
  readonly path: readonly string[];
  readonly garbage: Garbage;
  readonly registers: LaneRegister[];
  readonly outputs: LaneOutput[];
}

/** These cells can't be held in vectors; they are opened one by one instead. */
export class GridRefusal extends Error {
  readonly item: Item;

  constructor(item: Item, reason: string) {
    super(reason);
    this.item = item;
  }
}
