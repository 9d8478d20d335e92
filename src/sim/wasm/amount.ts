import type { Node } from "../../hdl/node.ts";
import type { Emitter } from "./emitter.ts";

/** Amount of a shift as an i32, at most `limit`. The language keeps amounts and offsets below 31 bits. */
export const pushAmount = (e: Emitter, amount: Node, limit: number): void => {
  const { f } = e;
  e.push(amount);
  if (2 ** amount.width - 1 <= limit) return;
  const local = f.local("i32");
  f.tee(local);
  f.i32(limit);
  f.get(local);
  f.i32(limit);
  f.op("i32.lt_u");
  f.op("select");
};
