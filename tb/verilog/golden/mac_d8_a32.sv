// SPDX-License-Identifier: Apache-2.0
// Content hash: dcad92975fd1f27235bb31cc
// mac_d8_a32
// Multiply-accumulate cell: operands pass through, the partial sum stays.
module mac_d8_a32 (
  input  logic               clk,
  input  logic               rst,
  input  logic               valid,    // a and b hold a term
  input  logic               rescale,  // double the partial sum before this term
  input  logic               clear,    // start a new sum
  input  logic signed [7:0]  a,
  input  logic signed [7:0]  b,
  output logic signed [7:0]  a_out,    // to the cell on the right
  output logic signed [7:0]  b_out,    // to the cell below
  output logic signed [31:0] sum
);
  logic signed [7:0]  a_reg;
  logic signed [7:0]  b_reg;
  logic signed [31:0] acc;
  logic signed [15:0] product;
  logic signed [31:0] scaled;

  assign product = 16'(a) * 16'(b);
  assign scaled = rescale ? (acc << 1) : acc;

  always_ff @(posedge clk) begin
    if (rst) begin
      acc <= 32'sd0;
    end else if (clear) begin
      acc <= 32'sd0;
    end else if (valid) begin
      acc <= scaled + 32'(product);
    end
  end

  always_ff @(posedge clk) begin
    a_reg <= a;
    b_reg <= b;
  end

  assign a_out = a_reg;
  assign b_out = b_reg;
  assign sum = acc;
endmodule
