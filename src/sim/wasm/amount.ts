import type { Node } from "../../hdl/node.ts";
import type { Emitter } from "./emitter.ts";
import { pushLimb } from "./limb.ts";

/** Amount of a shift as an i32, at most `limit`. */
export const pushAmount = (e: Emitter, amount: Node, limit: number): void => {
  const { f } = e;
  if (amount.width <= 31 && 2 ** amount.width - 1 <= limit) return e.push(amount);
  const local = f.local("i32");
  if (amount.width <= 32) {
    e.push(amount);
    f.tee(local);
    f.i32(limit);
    f.get(local);
    f.i32(limit);
    f.op("i32.lt_u");
    f.op("select");
    return;
  }
  // From 33 bits on, anything in the high bits is more than enough.
  const limbs = amount.width > 64 ? e.limbs(amount) : undefined;
  const low = f.local("i64");
  if (limbs === undefined) e.push(amount);
  else pushLimb(e, limbs[0]!);
  f.tee(low);
  f.op("i32.wrap_i64");
  f.i32(limit);
  f.get(low);
  f.i64(BigInt(limit));
  f.op("i64.lt_u");
  for (const limb of limbs?.slice(1) ?? []) {
    pushLimb(e, limb);
    f.op("i64.eqz");
    f.op("i32.and");
  }
  f.op("select");
};
