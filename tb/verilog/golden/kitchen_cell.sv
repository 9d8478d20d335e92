// SPDX-License-Identifier: Apache-2.0
// Content hash: 95f3159dc1f6b56b430c82db
// kitchen_cell
// cell
module kitchen_cell (
  input  logic               clk,
  input  logic               rst,
  input  logic signed [7:0]  a,
  input  logic signed [7:0]  b,
  output logic signed [7:0]  a_out,
  output logic signed [7:0]  b_out,
  output logic signed [31:0] acc
);
  logic signed [7:0]  a_reg;
  logic signed [7:0]  b_reg;
  logic signed [31:0] sum;

  always_ff @(posedge clk) begin
    if (rst) begin
      sum <= 32'sd0;
    end else begin
      sum <= sum + 32'(16'(a) * 16'(b));
    end
  end

  always_ff @(posedge clk) begin
    a_reg <= a;
    b_reg <= b;
  end

  assign a_out = a_reg;
  assign b_out = b_reg;
  assign acc = sum;
endmodule
