import { clog2 } from "../../base/clog2.ts";
import { type Bool, reg, sync, type UInt, uint, when } from "../../hdl/index.ts";

/** Beats of the array since `start`, counted down: `from` in the beat after it, then one less each beat, and 0 from there on. */
export const countdown = (name: string, from: number, start: Bool, advance: Bool, doc: string): UInt => {
  const left = reg(name, uint(clog2(from + 1)), { reset: 0, doc });
  sync(() => {
    when(advance, () => {
      when(start, () => left.set(from)).elsewhen(left.ne(0), () => left.set(left.subWrap(1)));
    });
  });
  return left;
};
