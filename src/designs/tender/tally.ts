import { clog2 } from "../../base/clog2.ts";
import { assert, type Bool, reg, sync, type UInt, uint, when } from "../../hdl/index.ts";

/** How many of at most `most` things are here: one more in the cycle after one comes, one less after one goes. */
export const tally = (name: string, most: number, comes: Bool, goes: Bool): UInt => {
  const width = clog2(most + 1);
  const here = reg(name, uint(width), { reset: 0 });
  sync(() => {
    when(comes.and(goes.not()), () => here.set(here.addWrap(1))).elsewhen(goes.and(comes.not()), () => here.set(here.subWrap(1)));
  });
  const some = goes.not().or(here.ne(0));
  const full = comes.not().or(goes).or(here.ne(most));
  assert(`${name}_in_range`, some.and(full));
  return here;
};
