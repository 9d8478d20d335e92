// Written by hand: multiply-accumulate cell. Compared with the printed one by tb/verilog/reference.test.ts.
module mac #(
  parameter int DATA_WIDTH = 8,
  parameter int ACC_WIDTH  = 32
) (
  input  logic                         clk,
  input  logic                         rst,
  input  logic                         valid,
  input  logic                         rescale,
  input  logic                         clear,
  input  logic signed [DATA_WIDTH-1:0] a,
  input  logic signed [DATA_WIDTH-1:0] b,
  output logic signed [DATA_WIDTH-1:0] a_out,
  output logic signed [DATA_WIDTH-1:0] b_out,
  output logic signed [ACC_WIDTH-1:0]  sum
);
  wire signed [2*DATA_WIDTH-1:0] product = a * b;
  wire signed [ACC_WIDTH-1:0]    scaled  = rescale ? sum <<< 1 : sum;

  always_ff @(posedge clk) begin
    if (rst || clear) sum <= 0;
    else if (valid) sum <= scaled + product;
  end

  always_ff @(posedge clk) begin
    a_out <= a;
    b_out <= b;
  end
endmodule
