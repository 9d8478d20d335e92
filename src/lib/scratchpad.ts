import { UserError } from "../base/error.ts";
import { assert, bool, cat, input, type Module, memory, module, named, output, reg, sync, uint, when } from "../hdl/index.ts";

export interface ScratchpadParameters {
  /** Bits of a word. */
  readonly width: number;
  /** Words of a half; a power of two from 2 to 65536. */
  readonly depth: number;
}

const scratchpadPorts = (width: number, addressWidth: number) => ({
  fill: {
    ready: output(bool, "a half is the writer's; without it write and done do nothing"),
    write: input(bool),
    address: input(uint(addressWidth)),
    data: input(uint(width)),
    done: input(bool, "the half goes to the reader, with what is written in this cycle"),
  },
  drain: {
    ready: output(bool, "a half is the reader's; without it read and done do nothing"),
    read: input(bool),
    address: input(uint(addressWidth)),
    done: input(bool, "the half goes back to the writer, after what is read in this cycle"),
    data: output(uint(width), "the word read last"),
  },
  filled: output(uint(2), "halves filled and not yet given back"),
});

/**
 * Double-buffered scratchpad: a writer fills one half by address while a reader reads the other. Each gives its half away with `done`, taken where its
 * `ready` is high, and has the next one a cycle later if that is free. Words that are not written keep what their half had two fills earlier.
 * @throws UserError `bad-parameter` for a depth that is no power of two from 2 to 65536
 */
export const scratchpad = ({ width, depth }: ScratchpadParameters): Module<ReturnType<typeof scratchpadPorts>> => {
  const addressWidth = Math.log2(depth);
  if (!Number.isInteger(addressWidth) || depth < 2 || depth > 65536)
    throw new UserError("bad-parameter", `half a scratchpad has a power of two from 2 to 65536 words, not ${depth}`);
  return module(
    `scratchpad_w${width}_d${depth}`,
    scratchpadPorts(width, addressWidth),
    ({ fill, drain, filled }) => {
      const words = memory("words", { depth: 2 * depth, element: uint(width), doc: "one half after the other" });
      const fillHalf = reg("fillHalf", bool, { reset: 0, doc: "the writer's half, or the next it gets" });
      const drainHalf = reg("drainHalf", bool, { reset: 0, doc: "the reader's half, or the next it gets" });
      const held = reg("held", uint(2), { reset: 0, doc: "halves filled" });
      const write = named("write", fill.write.and(fill.ready));
      const read = named("read", drain.read.and(drain.ready));
      const handOver = named("handOver", fill.done.and(fill.ready));
      const giveBack = named("giveBack", drain.done.and(drain.ready));

      fill.ready.set(held.ne(2));
      drain.ready.set(held.ne(0));
      filled.set(held);
      // Writer and reader are never in the same half, so a collision can't be.
      drain.data.set(words.read("word", cat(drainHalf, drain.address), { latency: 1, enable: read, collision: "undefined" }));

      sync(() => {
        when(write, () => words.write(cat(fillHalf, fill.address), fill.data));
        when(handOver, () => fillHalf.set(fillHalf.not()));
        when(giveBack, () => drainHalf.set(drainHalf.not()));
        when(handOver.and(giveBack.not()), () => held.set(held.addWrap(1))).elsewhen(giveBack.and(handOver.not()), () => held.set(held.subWrap(1)));
      });

      const apart = fillHalf.xor(drainHalf);
      assert("filled_in_range", held.le(2));
      assert("no_write_to_what_the_reader_needs", write.not().or(held.eq(0)).or(apart));
      assert("no_read_of_what_is_being_filled", read.not().or(held.eq(2)).or(apart));
    },
    {
      doc: "Double-buffered scratchpad: one half is filled while the other is read.",
      parameters: [
        { name: "width", value: width, legal: "1 to 1048576 bits" },
        { name: "depth", value: depth, legal: "a power of two, 2 to 65536" },
      ],
      latency: "a word shows one cycle after it is read; a half changes hands in one cycle.",
    },
  );
};
