import { assert, bool, input, match, memory, module, output, reg, states, sync, uint, when } from "../../src/hdl/index.ts";

const phase = states("phase", "clear", "count", "report");

/** Histogram of a stream of samples: clears its bins, counts until told to stop, then hands the bins out in order. */
export const histogram = ({ sampleWidth, countWidth }: { readonly sampleWidth: number; readonly countWidth: number }) =>
  module(
    `histogram_s${sampleWidth}_c${countWidth}`,
    {
      sampleValid: input(bool),
      sampleReady: output(bool),
      sample: input(uint(sampleWidth)),
      stop: input(bool, "no more samples: report"),
      binValid: output(bool),
      binReady: input(bool),
      bin: output(uint(countWidth), "count of the next sample value, from 0 up"),
    },
    (io) => {
      const state = reg("state", phase, { reset: "clear" });
      const index = reg("index", uint(sampleWidth), { reset: 0, doc: "bin to clear or to report" });
      const counters = memory("counters", { depth: 2 ** sampleWidth, element: uint(countWidth) });
      const old = counters.read("old", io.sample, { latency: 0 });

      io.sampleReady.set(state.is("count"));
      io.binValid.set(state.is("report"));
      io.bin.set(counters.read("reported", index, { latency: 0 }));

      sync(() => {
        match(state, {
          clear() {
            counters.write(index, 0);
            index.set(index.addWrap(1));
            when(index.all(), () => state.set("count"));
          },
          count() {
            when(io.sampleValid, () => counters.write(io.sample, old.add(1).sat(countWidth)));
            when(io.stop, () => state.set("report"));
          },
          report() {
            when(io.binReady, () => {
              index.set(index.addWrap(1));
              when(index.all(), () => state.set("clear"));
            });
          },
        });
      });

      assert("counting_starts_at_bin_0", state.is("count").not().or(index.eq(0)));
    },
    {
      doc: "Histogram: clears its bins, counts samples until told to stop, then reports the bins in order.",
      parameters: [
        { name: "sampleWidth", value: sampleWidth, legal: "1 to 16" },
        { name: "countWidth", value: countWidth, legal: "1 to 64; counts stop at the largest value" },
      ],
    },
  );
