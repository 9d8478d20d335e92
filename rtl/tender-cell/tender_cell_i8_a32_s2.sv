// SPDX-License-Identifier: Apache-2.0
// Content hash: 70f0f57ca422a9e41730374d
// tender_cell_i8_a32_s2
// Multi-scale cell of Tender's output-stationary array: acc <= first ? p : (acc << shift) + p, with p = x * w.
// Operands and tags move one cell a beat.
//
// Parameters:
//   kind = int8    (one of int8, int4, composable)
//   accWidth = 32  (an integer from 24 to 48)
//   shiftBits = 2  (an integer from 1 to 2)
//
// Latency: one beat to the neighbours; a result is at the port the beat after its last product.
//
// The accumulator wraps; overflow says that some exact (acc << shift) + p of the tile was out of its range.
module tender_cell_i8_a32_s2 (
  input  logic               clk,
  input  logic               rst,
  input  logic               enable,          // 0 freezes the cell
  input  logic signed [8:0]  x,               // activation, from the left
  input  logic signed [7:0]  w,               // weight, from above
  input  logic        [1:0]  shift,           // places that the partial sum moves up before this beat's product
  input  logic               first,           // this beat starts a tile: the partial sum is forgotten
  input  logic               last,            // this beat ends a tile: the sum becomes its result
  input  logic               complete,        // the column's last result is there: results move down from the next beat on
  input  logic signed [31:0] result_above,
  input  logic               overflow_above,
  output logic signed [8:0]  x_out,           // to the cell on the right
  output logic signed [7:0]  w_out,           // to the cell below
  output logic        [1:0]  shift_out,
  output logic               first_out,
  output logic               last_out,
  output logic signed [31:0] result,          // result on its way down
  output logic               overflow         // the exact sum of that result left the accumulator's range
);
  logic signed [8:0]  x_reg;
  logic signed [7:0]  w_reg;
  logic        [1:0]  shift_reg;
  logic               first_reg;
  logic               last_reg;
  logic signed [31:0] acc;              // partial sum of the tile in progress
  logic               overflowed;       // some beat of the tile left the range of acc
  logic signed [31:0] shadow;           // result of the tile before, or of a cell above
  logic               shadow_overflow;
  logic               held;             // the result waits for the cells below
  logic signed [34:0] moved;            // partial sum at the scale of this beat
  logic signed [35:0] exact;
  logic signed [31:0] sum;
  logic               leaves;

  assign moved = first ? 35'sd0 : (35'(acc) << shift);
  assign exact = 36'(moved) + 36'(17'(x) * 17'(w));
  assign sum = exact[31:0];
  assign leaves = !((exact >= -36'sd2147483648) && (exact <= 36'sd2147483647)) || (overflowed && !first);

  always_ff @(posedge clk) begin
    if (rst) begin
      last_reg <= 1'b0;
    end else if (enable) begin
      last_reg <= last;
    end
  end

  always_ff @(posedge clk) begin
    if (enable) begin
      x_reg <= x;
      w_reg <= w;
      shift_reg <= shift;
      first_reg <= first;
      acc <= sum;
      overflowed <= leaves;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      held <= 1'b0;
    end else if (enable) begin
      if (complete) begin
        held <= 1'b0;
      end else if (last) begin
        held <= 1'b1;
      end
    end
  end

  always_ff @(posedge clk) begin
    if (enable) begin
      if (last) begin
        shadow <= sum;
        shadow_overflow <= leaves;
      end else if (!held) begin
        shadow <= result_above;
        shadow_overflow <= overflow_above;
      end
    end
  end

  assign x_out = x_reg;
  assign w_out = w_reg;
  assign shift_out = shift_reg;
  assign first_out = first_reg;
  assign last_out = last_reg;
  assign result = shadow;
  assign overflow = shadow_overflow;
endmodule
