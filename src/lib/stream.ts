import { assert, bool, flip, input, type Module, module, mux, output, reg, sync, uint, when } from "../hdl/index.ts";

/** An AXI-Stream (AMBA 4 AXI4-Stream) as its producer sees it: `tvalid` never waits for `tready`, and a beat stays until it is taken. */
export const axis = (dataWidth: number) => ({
  tvalid: output(bool),
  tready: input(bool),
  tdata: output(uint(dataWidth)),
  tlast: output(bool),
});

const slicePorts = (dataWidth: number) => ({ sAxis: flip(axis(dataWidth)), mAxis: axis(dataWidth) });

/** AXI-Stream register slice: registers both directions, so that no combinational path crosses it, and still passes a beat every cycle. */
export const axisSlice = ({ dataWidth }: { readonly dataWidth: number }): Module<ReturnType<typeof slicePorts>> =>
  module(
    `axis_slice_w${dataWidth}`,
    slicePorts(dataWidth),
    ({ sAxis, mAxis }) => {
      const outValid = reg("outValid", bool, { reset: 0 });
      const outData = reg("outData", uint(dataWidth));
      const outLast = reg("outLast", bool);
      const skidValid = reg("skidValid", bool, { reset: 0, doc: "a beat waits behind the output" });
      const skidData = reg("skidData", uint(dataWidth));
      const skidLast = reg("skidLast", bool);

      sAxis.tready.set(skidValid.not());
      mAxis.tvalid.set(outValid);
      mAxis.tdata.set(outData);
      mAxis.tlast.set(outLast);

      sync(() => {
        when(mAxis.tready.or(outValid.not()), () => {
          outValid.set(sAxis.tvalid.or(skidValid));
          outData.set(mux(skidValid, skidData, sAxis.tdata));
          outLast.set(mux(skidValid, skidLast, sAxis.tlast));
          skidValid.set(0);
        }).elsewhen(sAxis.tvalid.and(skidValid.not()), () => {
          skidValid.set(1);
          skidData.set(sAxis.tdata);
          skidLast.set(sAxis.tlast);
        });
      });

      assert("skid_needs_out", skidValid.not().or(outValid));
    },
    {
      doc: "AXI-Stream register slice: two entries, full throughput, ready comes from a register.",
      parameters: [{ name: "dataWidth", value: dataWidth, legal: "1 to 1048576 bits" }],
      latency: "one cycle when empty.",
    },
  );
