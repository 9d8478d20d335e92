// SPDX-License-Identifier: Apache-2.0
// Content hash: 64d6f47288cf96dac7ccf774
// axis_slice_w32
// AXI-Stream register slice: two entries, full throughput, ready comes from a register.
//
// Parameters:
//   dataWidth = 32  (1 to 1048576 bits)
//
// Latency: one cycle when empty.
//
// Assertions: skid_needs_out.
module axis_slice_w32 (
  input  logic        clk,
  input  logic        rst,
  input  logic        s_axis_tvalid,
  output logic        s_axis_tready,
  input  logic [31:0] s_axis_tdata,
  input  logic        s_axis_tlast,
  output logic        m_axis_tvalid,
  input  logic        m_axis_tready,
  output logic [31:0] m_axis_tdata,
  output logic        m_axis_tlast
);
  logic        out_valid;
  logic [31:0] out_data;
  logic        out_last;
  logic        skid_valid;  // a beat waits behind the output
  logic [31:0] skid_data;
  logic        skid_last;

  assign s_axis_tready = !skid_valid;
  assign m_axis_tvalid = out_valid;
  assign m_axis_tdata = out_data;
  assign m_axis_tlast = out_last;

  always_ff @(posedge clk) begin
    if (rst) begin
      out_valid <= 1'b0;
      skid_valid <= 1'b0;
    end else if (m_axis_tready || !out_valid) begin
      out_valid <= s_axis_tvalid || skid_valid;
      skid_valid <= 1'b0;
    end else if (s_axis_tvalid && !skid_valid) begin
      skid_valid <= 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (m_axis_tready || !out_valid) begin
      out_data <= skid_valid ? skid_data : s_axis_tdata;
      out_last <= skid_valid ? skid_last : s_axis_tlast;
    end else if (s_axis_tvalid && !skid_valid) begin
      skid_data <= s_axis_tdata;
      skid_last <= s_axis_tlast;
    end
  end

`ifndef SYNTHESIS
  always @(posedge clk) begin
    if (!rst) begin : skid_needs_out
      assert (!skid_valid || out_valid);
    end
  end
`endif
endmodule
