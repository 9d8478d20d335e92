import { UserError } from "../base/error.ts";
import { assert, bool, input, type Module, memory, module, named, output, reg, sync, uint, when } from "../hdl/index.ts";

export interface FifoParameters {
  /** Bits of an entry. */
  readonly width: number;
  /** Entries; a power of two from 2. */
  readonly depth: number;
}

const fifoPorts = (width: number, countWidth: number) => ({
  inValid: input(bool),
  inReady: output(bool, "there is room"),
  inData: input(uint(width)),
  outValid: output(bool, "out_data is the oldest entry"),
  outReady: input(bool),
  outData: output(uint(width)),
  count: output(uint(countWidth), "entries held"),
});

/**
 * Synchronous FIFO with ready/valid on both sides; the oldest entry shows at the output at once (first word falls through).
 * @throws UserError for a depth that is no power of two from 2 to 65536
 */
export const fifo = ({ width, depth }: FifoParameters): Module<ReturnType<typeof fifoPorts>> => {
  const addressWidth = Math.log2(depth);
  if (!Number.isInteger(addressWidth) || depth < 2 || depth > 65536)
    throw new UserError("bad-parameter", `a fifo has a power of two from 2 to 65536 entries, not ${depth}`);
  return module(
    `fifo_w${width}_d${depth}`,
    fifoPorts(width, addressWidth + 1),
    (io) => {
      const entries = memory("entries", { depth, element: uint(width) });
      const head = reg("head", uint(addressWidth), { reset: 0, doc: "oldest entry" });
      const tail = reg("tail", uint(addressWidth), { reset: 0, doc: "next free entry" });
      const held = reg("held", uint(addressWidth + 1), { reset: 0 });
      const push = named("push", io.inValid.and(io.inReady));
      const pop = named("pop", io.outValid.and(io.outReady));

      io.inReady.set(held.ne(depth));
      io.outValid.set(held.ne(0));
      io.outData.set(entries.read("oldest", head, { latency: 0 }));
      io.count.set(held);

      sync(() => {
        when(push, () => {
          entries.write(tail, io.inData);
          tail.set(tail.addWrap(1));
        });
        when(pop, () => head.set(head.addWrap(1)));
        when(push.and(pop.not()), () => held.set(held.addWrap(1))).elsewhen(pop.and(push.not()), () => held.set(held.subWrap(1)));
      });

      assert("held_in_range", held.le(depth));
    },
    {
      doc: "Synchronous FIFO, ready/valid on both sides, first word falls through.",
      parameters: [
        { name: "width", value: width, legal: "1 to 1048576 bits" },
        { name: "depth", value: depth, legal: "a power of two, 2 to 65536" },
      ],
      latency: "an entry shows at the output one cycle after it is pushed.",
    },
  );
};
