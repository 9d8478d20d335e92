import { clog2 } from "../../../base/clog2.ts";
import { bool, cat, constant, discard, input, type Module, memory, module, output, reg, sync, type UInt, uint, vec, when } from "../../../hdl/index.ts";
import { inLanes } from "./lanes.ts";
import type { PadGeometry } from "./parameters.ts";

const padPorts = ({ depth, wordsPerRow, beatsPerRow, row, word }: PadGeometry) => ({
  fill: {
    write: input(bool),
    row: input(uint(clog2(depth))),
    lane: input(uint(Math.max(1, clog2(beatsPerRow))), "beat of the row; 0 where a beat is a row"),
    data: input(uint(row / beatsPerRow)),
  },
  read: {
    enable: input(bool),
    word: input(uint(clog2(depth * wordsPerRow)), "row, and word of the row"),
    data: output(uint(word), "the word asked for last"),
  },
});

/**
 * Memory that is written a beat and read a word at a time; the wider of the two is a row. It keeps no count of what is in it: who writes knows that
 * nobody reads the row.
 */
export const padMemory = (geometry: PadGeometry): Module<ReturnType<typeof padPorts>> => {
  const { depth, row, word, wordsPerRow, beatsPerRow } = geometry;
  const beat = row / beatsPerRow;
  return module(
    `tender_pad_d${depth}_b${beat}_w${word}`,
    padPorts(geometry),
    ({ fill, read }) => {
      const rows = memory("rows", { depth, element: uint(row), ...(beatsPerRow > 1 ? { lane: beat } : {}) });
      sync(() => {
        when(fill.write, () => {
          if (beatsPerRow === 1) rows.write(fill.row, fill.data);
          else rows.write(fill.row, cat(...copies(fill.data, beatsPerRow)), constant(uint(beatsPerRow), 1).shl(fill.lane).wrap(beatsPerRow));
        });
      });
      if (beatsPerRow === 1) discard("lane", fill.lane);
      const low = clog2(wordsPerRow);
      // Rows that are read are not being written, so a collision can't be.
      const found = rows.read("found", low === 0 ? read.word : read.word.shr(low), { latency: 1, enable: read.enable, collision: "undefined" });
      if (low === 0) {
        read.data.set(found);
        return;
      }
      const place = reg("place", uint(low), { doc: "word of the row" });
      sync(() => when(read.enable, () => place.set(read.word.wrap(low))));
      read.data.set(inLanes("words", found, vec(wordsPerRow, uint(word))).at(place));
    },
    {
      doc: "Scratchpad memory: written a beat and read a word at a time, the wider of which is a row.",
      parameters: [
        { name: "depth", value: depth, legal: "rows, a power of two" },
        { name: "beat", value: beat, legal: "64, 128, 256 or 512 bits" },
        { name: "word", value: word, legal: "bits, a power of two" },
      ],
      latency: "a word shows one cycle after it is asked for.",
    },
  );
};

const copies = (beat: UInt, count: number): [UInt, ...UInt[]] => Array.from({ length: count }, () => beat) as [UInt, ...UInt[]];
