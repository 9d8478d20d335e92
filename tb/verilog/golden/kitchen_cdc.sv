// SPDX-License-Identifier: Apache-2.0
// Content hash: 545007b1efbb04ed5d977fa6
// kitchen_cdc
// two clocks
module kitchen_cdc (
  input  logic rd_clk,
  input  logic rd_rst,
  input  logic wr_clk,
  input  logic wr_rst_n,
  input  logic d,
  output logic q
);
  logic src;
  logic s1;
  logic s2;

  always_ff @(posedge wr_clk or negedge wr_rst_n) begin
    if (!wr_rst_n) begin
      src <= 1'b0;
    end else begin
      src <= d;
    end
  end

  always_ff @(posedge rd_clk) begin
    if (rd_rst) begin
      s2 <= 1'b0;
    end else begin
      s2 <= s1;
    end
  end

  always_ff @(posedge rd_clk) begin
    s1 <= src;
  end

  assign q = s2;
endmodule
