// SPDX-License-Identifier: Apache-2.0
// Content hash: 9a3900afa5010e3069c33d05
// kitchen_ops
// ops
module kitchen_ops (
  input  logic signed [7:0]  a,
  input  logic signed [4:0]  b,
  input  logic        [7:0]  u,
  input  logic        [4:0]  v,
  input  logic        [1:0]  s,
  input  logic               c,
  output logic signed [8:0]  sum,
  output logic signed [8:0]  diff,
  output logic signed [8:0]  udiff,
  output logic signed [12:0] prod,
  output logic signed [10:0] sh,
  output logic signed [7:0]  shr,
  output logic signed [3:0]  satd,
  output logic        [3:0]  usat,
  output logic signed [8:0]  neg,
  output logic        [7:0]  inv,
  output logic               lt,
  output logic               ult,
  output logic        [2:0]  red,
  output logic        [12:0] cc,
  output logic signed [7:0]  m,
  output logic        [2:0]  sl,
  output logic signed [5:0]  w,
  output logic        [9:0]  shc,
  output logic signed [4:0]  shrc,
  output logic        [7:0]  xx,
  output logic        [69:0] big,
  output logic               fit,
  output logic signed [15:0] ext,
  output logic               e2,
  output logic signed [7:0]  mn,
  output logic        [4:0]  dyn
);
  logic [15:0] both;
  logic [19:0] tv;           // vec(4, uint(5))
  logic        unused_both;

  assign sum = 9'(a) + 9'(b);
  assign diff = 9'(a) - 9'(b);
  assign udiff = 9'(u) - 9'(v);
  assign prod = 13'(a) * 13'(b);
  assign sh = 11'(a) << s;
  assign shr = a >>> s;
  assign satd = (a < -8'sd8) ? -4'sd8 : (a > 8'sd7) ? 4'sd7 : $signed(a[3:0]);
  assign usat = (u > 8'd15) ? 4'd15 : u[3:0];
  assign neg = -(9'(a));
  assign inv = ~u;
  assign lt = a < 8'(b);
  assign ult = (u >= 8'(v)) || (c && (u == 8'd3));
  assign red = {|u, &u, ^u};
  assign cc = {a, v};
  assign m = c ? a : 8'(b);
  assign sl = 3'((9'(u) + 9'(v)) >> 4);
  assign w = $signed(a[5:0]) * 6'(b) + $signed(a[5:0]);
  assign shc = 10'(u) << 2;
  assign shrc = a[7:3];
  assign xx = ((u ^ 8'(v)) & (u | 8'd85)) | ~u;
  assign big = c ? 70'h3fffffffffffffffff : 70'(u);
  assign fit = (9'(a) + 9'(b) >= -9'sd128) && (9'(a) + 9'(b) <= 9'sd127);
  assign ext = 16'(a);
  assign e2 = (a == -8'sd128) && !c;
  assign mn = c ? a : -8'sd128;
  assign both = {u, ~u};
  assign tv = {5'd4, v, 5'd2, 5'd1};
  assign dyn = tv[5'(s) * 5'd5 +: 5];
  assign unused_both = ^both;
endmodule
