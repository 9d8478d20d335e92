// SPDX-License-Identifier: Apache-2.0
// Content hash: 611ba1dfcb8d867dbaa95ce8
// fifo_w8_d16
// Synchronous FIFO, ready/valid on both sides, first word falls through.
//
// Parameters:
//   width = 8   (1 to 1048576 bits)
//   depth = 16  (a power of two, 2 to 65536)
//
// Latency: an entry shows at the output one cycle after it is pushed.
//
// Assertions: held_in_range.
module fifo_w8_d16 (
  input  logic       clk,
  input  logic       rst,
  input  logic       in_valid,
  output logic       in_ready,   // there is room
  input  logic [7:0] in_data,
  output logic       out_valid,  // out_data is the oldest entry
  input  logic       out_ready,
  output logic [7:0] out_data,
  output logic [4:0] count       // entries held
);
  logic [3:0] head;            // oldest entry
  logic [3:0] tail;            // next free entry
  logic [4:0] held;
  logic       push;
  logic       pop;
  logic [7:0] oldest;
  logic [7:0] entries [0:15];

  assign push = in_valid && in_ready;
  assign pop = out_valid && out_ready;
  assign in_ready = held != 5'd16;
  assign out_valid = held != 5'd0;
  assign oldest = entries[head];
  assign out_data = oldest;
  assign count = held;

  always_ff @(posedge clk) begin
    if (rst) begin
      head <= 4'd0;
      tail <= 4'd0;
      held <= 5'd0;
    end else begin
      if (push) begin
        tail <= tail + 4'd1;
      end
      if (pop) begin
        head <= head + 4'd1;
      end
      if (push && !pop) begin
        held <= held + 5'd1;
      end else if (pop && !push) begin
        held <= held - 5'd1;
      end
    end
  end

  always_ff @(posedge clk) begin
    if (push) begin
      entries[tail] <= in_data;
    end
  end

`ifndef SYNTHESIS
  always @(posedge clk) begin
    if (!rst) begin : held_in_range
      assert (held <= 5'd16);
    end
  end
`endif
endmodule
