// SPDX-License-Identifier: Apache-2.0
// Content hash: 286840aa60f1b7e87873a322
// kitchen_fsm
// fsm
//
// Assertions: never_wild.
module kitchen_fsm (
  input  logic               clk,
  input  logic               rst,
  input  logic               go,
  input  logic        [3:0]  addr,
  input  logic               we,
  input  logic        [1:0]  be,
  input  logic        [15:0] wdata,
  output logic        [15:0] rd,
  output logic        [15:0] rn,
  output logic signed [7:0]  r0,
  output logic               busy,
  output logic               idle,
  output logic        [3:0]  y
);
  typedef enum logic [1:0] {IDLE = 2'd0, RUN = 2'd1, DONE = 2'd2} state_t;

  state_t             state;
  logic        [3:0]  n;
  logic        [15:0] word;
  logic        [3:0]  fresh_address;
  logic        [15:0] fresh;
  logic signed [7:0]  coefficient;
  logic        [15:0] bank [0:15];
  logic signed [7:0]  rom [0:9];

  initial begin
    n = 4'd1;
    rom[0] = 8'sd1;
    rom[1] = -8'sd2;
    rom[2] = -8'sd128;
    rom[3] = 8'sd127;
    rom[4] = 8'sd0;
    rom[5] = 8'sd5;
    rom[6] = 8'sd6;
    rom[7] = 8'sd7;
    rom[8] = 8'sd8;
    rom[9] = 8'sd9;
  end

  always_ff @(posedge clk) begin
    if (go) word <= bank[addr];
  end

  assign rd = word;

  always_ff @(posedge clk) begin
    fresh_address <= addr;
  end
  assign fresh = bank[fresh_address];

  assign rn = fresh;
  assign coefficient = rom[addr];
  assign r0 = coefficient;

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      n <= 4'd3;
    end else begin
      case (state)
        IDLE: begin
          if (go) begin
            state <= RUN;
          end
        end
        RUN: begin
          n <= n - 4'd1;
          if (n == 4'd0) begin
            state <= DONE;
          end
        end
        default: begin  // DONE
          state <= IDLE;
        end
      endcase
    end
  end

  always_ff @(posedge clk) begin
    if (we) begin
      if (be[0]) bank[addr][7:0] <= wdata[7:0];
      if (be[1]) bank[addr][15:8] <= wdata[15:8];
    end
    if (we) begin
      rom[addr] <= 8'sd3;
    end
  end

  assign busy = state != IDLE;
  assign idle = state == IDLE;

  always_comb begin
    y = 4'd0;
    case (state)
      IDLE: ;
      RUN: begin
        y = 4'd1;
      end
      default: begin  // DONE
        if (go) begin
          y = n;
        end else begin
          y = 4'd3;
        end
      end
    endcase
  end

`ifndef SYNTHESIS
  always @(posedge clk) begin
    if (!rst) begin : never_wild
      assert (1'b1);
    end
  end

`ifndef __ICARUS__
  always @(posedge clk) begin
    if (!rst) begin : reach_done
      cover (state == DONE);
    end
  end
`endif

  always @(posedge clk) begin
    if (!rst) begin : polite
      assume (!go || we);
    end
  end
`endif
endmodule
