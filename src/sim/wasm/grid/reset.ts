import type { Node } from "../../../hdl/node.ts";
import type { Emitter } from "../emitter.ts";
import type { LaneRegister } from "./grid.ts";
import type { GridPlan } from "./plan.ts";
import type { Elements, GridStorage } from "./storage.ts";
import { constantBytes, type LaneBits, whole } from "./vector-ops.ts";

/** Registers whose reset acts at once, each with the condition that it is active. */
export const actingResets = ({ grid }: GridPlan): { readonly register: LaneRegister; readonly active: Node; readonly value: bigint }[] =>
  grid.registers.flatMap((register) => {
    const { domain, net } = register;
    if (domain.reset !== "async" || domain.active === undefined || net.reset === undefined) return [];
    return [{ register, active: domain.active, value: net.signed ? BigInt.asIntN(net.width, net.reset) : net.reset }];
  });

/**
 * Writes the instructions that give these registers their values in all cells. Arrays are filled as a whole: what no cell drives in them is
 * written anew at each edge, before cells read it.
 */
export const emitResets = (e: Emitter, plan: GridPlan, { stride, arrays, own }: GridStorage): void => {
  const { f } = e;
  const at = f.local("i32");
  const fill = ({ offset, bytes }: Elements, rows: number, value: bigint): void => {
    f.i32(0);
    f.set(at);
    f.loop();
    e.pushBase({ clock: plan.clock, offset: 0 });
    f.get(at);
    f.op("i32.add");
    f.vector(whole.const, constantBytes((8 * bytes) as LaneBits, value));
    f.vectorMemory(whole.store, 0, offset);
    f.get(at);
    f.i32(16);
    f.op("i32.add");
    f.tee(at);
    f.i32(rows * stride * bytes);
    f.op("i32.lt_s");
    f.branchIf(0);
    f.op("end");
  };
  for (const { register, active, value } of actingResets(plan)) {
    e.push(active);
    f.if();
    const mine = own.get(register);
    if (mine !== undefined) fill(mine, plan.rows, value);
    for (const { signal } of plan.outputs.get(register) ?? []) {
      const array = arrays.get(signal)!;
      fill(array, array.shape.rows, value);
    }
    f.op("end");
  }
};
