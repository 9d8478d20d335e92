// Ports of many widths, each copied to an output at once and through a register; signed ones are sign-extended by one bit.
module widths (
    input  logic               clk,
    input  logic               rst,
    input  logic               u1,
    input  logic [6:0]         u7,
    input  logic [15:0]        u16,
    input  logic [31:0]        u32,
    input  logic [32:0]        u33,
    input  logic [63:0]        u64,
    input  logic [64:0]        u65,
    input  logic [199:0]       u200,
    input  logic signed [0:0]  s1,
    input  logic signed [6:0]  s7,
    input  logic signed [15:0] s16,
    input  logic signed [31:0] s32,
    input  logic signed [32:0] s33,
    input  logic signed [63:0] s64,
    input  logic signed [64:0] s65,
    input  logic signed [199:0] s200,
    input  logic [44:0]        v9x5,
    input  logic [119:0]       v3x40,
    input  logic [127:0]       v16x8,
    input  logic [41:0]        v2x3x7,
    output logic               u1_now,
    output logic [6:0]         u7_now,
    output logic [15:0]        u16_now,
    output logic [31:0]        u32_now,
    output logic [32:0]        u33_now,
    output logic [63:0]        u64_now,
    output logic [64:0]        u65_now,
    output logic [199:0]       u200_now,
    output logic signed [1:0]  s1_wide,
    output logic signed [7:0]  s7_wide,
    output logic signed [16:0] s16_wide,
    output logic signed [32:0] s32_wide,
    output logic signed [33:0] s33_wide,
    output logic signed [64:0] s64_wide,
    output logic signed [65:0] s65_wide,
    output logic signed [200:0] s200_wide,
    output logic [44:0]        v9x5_now,
    output logic [119:0]       v3x40_now,
    output logic [127:0]       v16x8_now,
    output logic [41:0]        v2x3x7_now,
    output logic [199:0]       u200_reg,
    output logic [6:0]         u7_reg
);
  assign u1_now = u1;
  assign u7_now = u7;
  assign u16_now = u16;
  assign u32_now = u32;
  assign u33_now = u33;
  assign u64_now = u64;
  assign u65_now = u65;
  assign u200_now = u200;
  assign s1_wide = 2'(s1);
  assign s7_wide = 8'(s7);
  assign s16_wide = 17'(s16);
  assign s32_wide = 33'(s32);
  assign s33_wide = 34'(s33);
  assign s64_wide = 65'(s64);
  assign s65_wide = 66'(s65);
  assign s200_wide = 201'(s200);
  assign v9x5_now = v9x5;
  assign v3x40_now = v3x40;
  assign v16x8_now = v16x8;
  assign v2x3x7_now = v2x3x7;
  always_ff @(posedge clk) begin
    if (rst) begin
      u200_reg <= '0;
      u7_reg <= '0;
    end else begin
      u200_reg <= u200;
      u7_reg <= u7;
    end
  end
endmodule
