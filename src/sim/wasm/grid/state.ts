import type { Garbage } from "../../garbage.ts";
import type { Place } from "../layout.ts";
import type { LaneRegister } from "./grid.ts";
import type { GridPlan } from "./plan.ts";
import type { GridStorage } from "./storage.ts";

const rowOf = ({ columns }: GridPlan, lane: number): number => Math.floor(lane / columns);

/** All places of a register of cell `lane`, counted row by row: an element of each vector that shows it, or of its own array. */
export const placesOfLane = (plan: GridPlan, { stride, arrays, own }: GridStorage, register: LaneRegister, lane: number): Place[] => {
  const row = rowOf(plan, lane);
  const column = lane % plan.columns;
  const { clock } = plan;
  const mine = own.get(register);
  if (mine !== undefined) return [{ clock, offset: mine.offset + mine.bytes * (row * stride + column) }];
  return (plan.outputs.get(register) ?? []).map((access) => {
    const { offset, bytes } = arrays.get(access.signal)!;
    return { clock, offset: offset + bytes * ((access.row + access.rowStep * row) * stride + access.column + column) };
  });
};

/** Undefined state of the instances in cell `lane`, by their path from the cell. */
export const cellScopes = (plan: GridPlan, lane: number): ((path: readonly string[]) => Garbage) => {
  const { loops, garbage } = plan.grid;
  const indices = loops.length > 1 ? [rowOf(plan, lane), lane % plan.columns] : [lane];
  const cell = loops.reduce((scope, { label }, at) => scope.child(label, indices[at]), garbage);
  const known = new Map<readonly string[], Garbage>();
  return (path) => {
    const found = known.get(path);
    if (found !== undefined) return found;
    const scope = path.reduce((outer, name) => outer.child(name), cell);
    known.set(path, scope);
    return scope;
  };
};

/** The register at a path such as `cell_row[1].cell_col[2].u_cell.acc`, in its pieces, the lowest bits first. */
export const findLane = (
  plans: readonly GridPlan[],
  path: string,
): { readonly plan: GridPlan; readonly pieces: readonly LaneRegister[]; readonly lane: number } | undefined => {
  for (const plan of plans) {
    const { path: outside, loops, registers } = plan.grid;
    const prefix = outside.length === 0 ? "" : `${outside.join(".")}.`;
    if (!path.startsWith(prefix)) continue;
    const parts = path.slice(prefix.length).split(".");
    const indices = loops.map(({ label }, at) => (parts[at]?.startsWith(`${label}[`) === true ? Number(parts[at].slice(label.length + 1, -1)) : Number.NaN));
    if (!indices.every((index, at) => index >= 0 && index < loops[at]!.count)) continue;
    const rest = parts.slice(loops.length).join(".");
    const pieces = registers.filter((candidate) => [...candidate.path, candidate.net.name].join(".") === rest).toSorted((x, y) => x.net.low - y.net.low);
    if (pieces.length > 0) return { plan, pieces, lane: indices.reduce((sum, index, at) => sum * loops[at]!.count + index, 0) };
  }
  return undefined;
};
