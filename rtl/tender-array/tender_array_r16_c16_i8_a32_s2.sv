// SPDX-License-Identifier: Apache-2.0
// Content hash: 9de039b4bbf668c7121adf6b
// tender_array_r16_c16_i8_a32_s2
// Tender's multi-scale systolic array: 16 x 16 INT8 cells, output stationary, with zero-bubble shift-accumulate
// between channel groups.
//
// Parameters:
//   rows = 16      (an integer from 1 to 64)
//   cols = 16      (an integer from 1 to 64)
//   kind = int8    (one of int8, int4, composable)
//   accWidth = 32  (an integer from 24 to 48)
//   shiftBits = 2  (an integer from 1 to 2)
//
// Latency: a tile of B beats alone takes B + 2 * rows + cols - 2 cycles from its first beat to its last result; tiles
// back to back start every max(B, rows) cycles.
//
// A beat is taken when x and w are both valid. Where none is taken, zeros enter, which change no sum. A result that
// waits for y_ready freezes the whole array.
// y brings a tile's rows from the last to row 0; y_last is on row 0.
//
// Assertions: first_starts_tile, no_shift_on_first.
module tender_array_r16_c16_i8_a32_s2 (
  input  logic         clk,
  input  logic         rst,
  input  logic         x_valid,
  output logic         x_ready,
  input  logic [127:0] x_data,      // vec(16, uint(8)): one channel of the activations, an element a row
  input  logic         x_unsigned,  // the activations are unsigned; the same on all beats of a tile
  input  logic [1:0]   x_shift,     // places that the partial sums move up before this beat; 0 on first
  input  logic         x_first,     // first beat of a tile
  input  logic         x_last,      // last beat of a tile
  input  logic         w_valid,
  output logic         w_ready,
  input  logic [127:0] w_data,      // vec(16, sint(8)): one channel of the weights, an element a column
  output logic         y_valid,
  input  logic         y_ready,
  output logic [511:0] y_data,      // vec(16, sint(32)): one row of results; the tile's last row comes first
  output logic         y_last,      // row 0, the tile's last beat
  output logic         y_overflow   // a sum of this row left the accumulator's range
);
  logic          advance;           // a result that nobody takes freezes everything
  logic          taken;             // a beat of x and one of w enter
  logic          ends;
  logic [3:0]    drain_wait;        // beats until a tile may end
  logic          may_take;
  logic [143:0]  x_in;              // vec(16, sint(9))
  logic [1:0]    shift_in;
  logic          first_in;
  logic          last_in;
  logic [2447:0] x_net;             // vec(16, vec(17, sint(9)))
  logic [543:0]  shift_net;         // vec(16, vec(17, uint(2)))
  logic [271:0]  first_net;         // vec(16, vec(17, bool))
  logic [271:0]  last_net;          // vec(16, vec(17, bool))
  logic [2175:0] w_net;             // vec(17, vec(16, sint(8)))
  logic [8703:0] result_net;        // vec(17, vec(16, sint(32)))
  logic [271:0]  overflow_net;      // vec(17, vec(16, bool))
  logic          unused_edge_col;
  logic          drain_start;
  logic [511:0]  row_data;          // vec(16, sint(32))
  logic [15:0]   row_overflow;      // vec(16, bool)
  logic [3:0]    rows_left;         // rows of the tile still to come after the first beat
  logic          sending;
  logic          in_tile;           // for the assertions: a tile has begun and not ended
  logic [30:0]   drain_start_line;

  assign ends = taken && x_last;

  always_ff @(posedge clk) begin
    if (rst) begin
      drain_wait <= 4'd0;
    end else if (advance) begin
      if (ends) begin
        drain_wait <= 4'd15;
      end else if (drain_wait != 4'd0) begin
        drain_wait <= drain_wait - 4'd1;
      end
    end
  end

  assign may_take = advance && (!x_last || (drain_wait == 4'd0));
  assign taken = may_take && x_valid && w_valid;
  assign x_ready = may_take && w_valid;
  assign w_ready = may_take && x_valid;

  for (genvar r = 0; r < 16; r = r + 1) begin : x_row
    assign x_in[9*r +: 9] = taken ? $signed({x_data[8*r + 7] && !x_unsigned, x_data[8*r +: 8]}) : 9'sd0;
  end

  assign shift_in = taken ? x_shift : 2'd0;
  assign first_in = taken && x_first;
  assign last_in = taken && x_last;
  assign x_net[8:0] = x_in[8:0];
  assign shift_net[1:0] = shift_in;
  assign first_net[0] = first_in;
  assign last_net[0] = last_in;
  assign w_net[7:0] = w_data[7:0];

  for (genvar i = 0; i < 15; i = i + 1) begin : skew_row
    logic signed [8:0]           x;
    logic        [1:0]           shift;
    logic                        first;
    logic                        last;
    logic        [9*(i + 1)-1:0] x_line;
    logic        [2*(i + 1)-1:0] shift_line;
    logic        [i:0]           first_line;
    logic        [i:0]           last_line;

    always_ff @(posedge clk) begin
      if (advance) begin
        x_line <= x_line << 9;
        x_line[8:0] <= x_in[9*(i + 1) +: 9];
      end
    end
    assign x = x_line[9*i +: 9];

    assign x_net[9*(17*i + 17) +: 9] = x;

    always_ff @(posedge clk) begin
      if (advance) begin
        shift_line <= shift_line << 2;
        shift_line[1:0] <= shift_in;
      end
    end
    assign shift = shift_line[2*i +: 2];

    assign shift_net[2*(17*i + 17) +: 2] = shift;

    always_ff @(posedge clk) begin
      if (advance) begin
        first_line <= first_line << 1;
        first_line[0] <= first_in;
      end
    end
    assign first = first_line[i];

    assign first_net[17*i + 17] = first;

    always_ff @(posedge clk) begin
      if (rst) begin
        last_line <= '0;
      end else if (advance) begin
        last_line <= last_line << 1;
        last_line[0] <= last_in;
      end
    end
    assign last = last_line[i];

    assign last_net[17*i + 17] = last;
  end

  for (genvar i = 0; i < 15; i = i + 1) begin : skew_col
    logic signed [7:0]           w;
    logic        [8*(i + 1)-1:0] w_line;

    always_ff @(posedge clk) begin
      if (advance) begin
        w_line <= w_line << 8;
        w_line[7:0] <= w_data[8*(i + 1) +: 8];
      end
    end
    assign w = w_line[8*i +: 8];

    assign w_net[8*(i + 1) +: 8] = w;
  end

  assign result_net[511:0] = 512'd0;
  assign overflow_net[15:0] = 16'd0;

  for (genvar r = 0; r < 16; r = r + 1) begin : cell_row
    for (genvar c = 0; c < 16; c = c + 1) begin : cell_col
      tender_cell_i8_a32_s2 u_cell (
        .clk            (clk),
        .rst            (rst),
        .enable         (advance),
        .x              (x_net[9*(17*r + c) +: 9]),
        .w              (w_net[8*(16*r + c) +: 8]),
        .shift          (shift_net[2*(17*r + c) +: 2]),
        .first          (first_net[17*r + c]),
        .last           (last_net[17*r + c]),
        .complete       (last_net[c + 255]),
        .result_above   (result_net[32*(16*r + c) +: 32]),
        .overflow_above (overflow_net[16*r + c]),
        .x_out          (x_net[9*(17*r + c + 1) +: 9]),
        .w_out          (w_net[8*(16*r + c + 16) +: 8]),
        .shift_out      (shift_net[2*(17*r + c + 1) +: 2]),
        .first_out      (first_net[17*r + c + 1]),
        .last_out       (last_net[17*r + c + 1]),
        .result         (result_net[32*(16*r + c + 16) +: 32]),
        .overflow       (overflow_net[16*r + c + 16])
      );
    end
  end

  for (genvar r = 0; r < 16; r = r + 1) begin : edge_row
    logic unused_edge;

    assign unused_edge = ^{x_net[9*(17*r + 16) +: 9], shift_net[2*(17*r + 16) +: 2], first_net[17*r + 16], last_net[17*r + 16]};
  end

  assign unused_edge_col = ^w_net[2175:2048];

  always_ff @(posedge clk) begin
    if (rst) begin
      drain_start_line <= '0;
    end else if (advance) begin
      drain_start_line <= {drain_start_line[29:0], last_in};
    end
  end
  assign drain_start = drain_start_line[30];

  assign advance = y_ready || !y_valid;
  assign row_data[511:480] = result_net[8703:8672];
  assign row_overflow[15] = overflow_net[271];

  for (genvar i = 0; i < 15; i = i + 1) begin : align_col
    logic [32:0]            leaving;
    logic [32:0]            lane;
    logic [33*(15 - i)-1:0] lane_line;

    assign leaving = {overflow_net[i + 256], result_net[32*(i + 256) +: 32]};

    always_ff @(posedge clk) begin
      if (advance) begin
        lane_line <= lane_line << 33;
        lane_line[32:0] <= leaving;
      end
    end
    assign lane = lane_line[33*(14 - i) +: 33];

    assign row_data[32*i +: 32] = lane[31:0];
    assign row_overflow[i] = lane[32];
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      rows_left <= 4'd0;
    end else if (advance) begin
      if (drain_start) begin
        rows_left <= 4'd15;
      end else if (rows_left != 4'd0) begin
        rows_left <= rows_left - 4'd1;
      end
    end
  end

  assign sending = drain_start || (rows_left != 4'd0);
  assign y_valid = sending;
  assign y_data = row_data;
  assign y_last = rows_left == 4'd1;
  assign y_overflow = |row_overflow;

  always_ff @(posedge clk) begin
    if (rst) begin
      in_tile <= 1'b0;
    end else if (taken) begin
      in_tile <= !ends;
    end
  end

`ifndef SYNTHESIS
  always @(posedge clk) begin
    if (!rst) begin : first_starts_tile
      assert (!taken || (x_first ^ in_tile));
    end
  end

  always @(posedge clk) begin
    if (!rst) begin : no_shift_on_first
      assert (!taken || !x_first || (x_shift == 2'd0));
    end
  end
`endif
endmodule
