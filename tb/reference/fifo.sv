// Written by hand: synchronous FIFO, first word falls through. Compared with the printed one by tb/verilog/reference.test.ts.
module fifo #(
  parameter int WIDTH = 8,
  parameter int DEPTH = 16
) (
  input  logic                   clk,
  input  logic                   rst,
  input  logic                   in_valid,
  output logic                   in_ready,
  input  logic [WIDTH-1:0]       in_data,
  output logic                   out_valid,
  input  logic                   out_ready,
  output logic [WIDTH-1:0]       out_data,
  output logic [$clog2(DEPTH):0] count
);
  logic [WIDTH-1:0]         entries [0:DEPTH-1];
  logic [$clog2(DEPTH)-1:0] head;
  logic [$clog2(DEPTH)-1:0] tail;

  wire push = in_valid && in_ready;
  wire pop  = out_valid && out_ready;

  assign in_ready  = count != DEPTH;
  assign out_valid = count != 0;
  assign out_data  = entries[head];

  always_ff @(posedge clk) begin
    if (rst) begin
      head  <= 0;
      tail  <= 0;
      count <= 0;
    end else begin
      if (push) tail <= tail + 1;
      if (pop) head <= head + 1;
      if (push && !pop) count <= count + 1;
      else if (pop && !push) count <= count - 1;
    end
  end

  always_ff @(posedge clk) begin
    if (push) entries[tail] <= in_data;
  end
endmodule
