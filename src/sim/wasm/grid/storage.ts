import { containerBytes, type Layout } from "../layout.ts";
import type { FlatSignal } from "../net.ts";
import { type ArrayShape, shapeOf } from "./access.ts";
import type { LaneRegister } from "./grid.ts";
import type { GridPlan } from "./plan.ts";

/** Elements one after another: `rows` of `stride`, of which the first columns are in use. */
export interface Elements {
  /** In the half of the grid's clock. */
  readonly offset: number;
  readonly bytes: number;
}

export interface GridStorage {
  /** Elements from one row to the next, in all arrays: a vector's columns, and room for the lanes behind the last. */
  readonly stride: number;
  readonly arrays: ReadonlyMap<FlatSignal, Elements & { readonly shape: ArrayShape }>;
  /** Registers that no output shows. */
  readonly own: ReadonlyMap<LaneRegister, Elements>;
}

const vectorLanes = 16;

const padded = (columns: number): number => vectorLanes * Math.ceil(columns / vectorLanes) + vectorLanes;

/** Lays the state of grids out as arrays, and places the nets that they drive. */
export const storeGrids = (plans: readonly GridPlan[], layout: Layout): GridStorage => {
  const shapes = new Map(plans.flatMap(({ arrays, clock }) => [...arrays].map((signal) => [signal, { clock, shape: shapeOf(signal)! }])));
  const stride = padded(Math.max(0, ...plans.map(({ columns }) => columns), ...[...shapes.values()].map(({ shape }) => shape.columns)));
  const room = (clock: number, rows: number, bytes: number): number => layout.inHalf(clock, (rows * stride + vectorLanes) * bytes, 16).offset;
  const arrays = new Map(
    [...shapes].map(([signal, { clock, shape }]) => {
      const bytes = containerBytes(shape.width);
      return [signal, { offset: room(clock, shape.rows, bytes), bytes, shape }];
    }),
  );
  const own = new Map<LaneRegister, Elements>();
  for (const { grid, outputs, rows, clock } of plans) {
    for (const register of grid.registers) {
      const bytes = containerBytes(register.net.width);
      if (!outputs.has(register)) own.set(register, { offset: room(clock, rows, bytes), bytes });
    }
    for (const [signal, { offset, bytes, shape }] of arrays)
      signal.nets.forEach((net, index) => {
        if (net.driver?.kind !== "grid" || layout.placeOf(net) !== undefined) return;
        const row = Math.floor(index / shape.columns);
        layout.setPlace(net, { clock, offset: offset + bytes * (row * stride + (index % shape.columns)) });
      });
  }
  return { stride, arrays, own };
};
