// SPDX-License-Identifier: Apache-2.0
// Content hash: 0003f4e62272724619256e5a
// kitchen_array
// array
module kitchen_array (
  input  logic         clk,
  input  logic         rst,
  input  logic [23:0]  a,    // vec(3, sint(8))
  input  logic [31:0]  b,    // vec(4, sint(8))
  output logic [383:0] acc   // vec(3, vec(4, sint(32)))
);
  logic [119:0] a_net;          // vec(3, vec(5, sint(8)))
  logic [127:0] b_net;          // vec(4, vec(4, sint(8)))
  logic         unused_b_edge;

  assign b_net[31:0] = b;

  for (genvar r = 0; r < 3; r = r + 1) begin : feed
    assign a_net[40*r +: 8] = a[8*r +: 8];
  end

  for (genvar r = 0; r < 3; r = r + 1) begin : cell_row
    for (genvar c = 0; c < 4; c = c + 1) begin : cell_col
      kitchen_cell u_cell (
        .clk   (clk),
        .rst   (rst),
        .a     (a_net[8*(5*r + c) +: 8]),
        .b     (b_net[8*(4*r + c) +: 8]),
        .a_out (a_net[8*(5*r + c + 1) +: 8]),
        .b_out (b_net[8*(4*r + c + 4) +: 8]),
        .acc   (acc[32*(4*r + c) +: 32])
      );
    end
  end

  for (genvar r = 0; r < 3; r = r + 1) begin : east
    logic unused_a_edge;

    assign unused_a_edge = ^a_net[8*(5*r + 4) +: 8];
  end

  assign unused_b_edge = ^b_net[127:96];
endmodule
