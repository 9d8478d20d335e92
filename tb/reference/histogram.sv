// Written by hand: histogram of a stream of samples. Compared with the printed one by tb/verilog/reference.test.ts.
module histogram #(
  parameter int SAMPLE_WIDTH = 4,
  parameter int COUNT_WIDTH  = 12
) (
  input  logic                    clk,
  input  logic                    rst,
  input  logic                    sample_valid,
  output logic                    sample_ready,
  input  logic [SAMPLE_WIDTH-1:0] sample,
  input  logic                    stop,
  output logic                    bin_valid,
  input  logic                    bin_ready,
  output logic [COUNT_WIDTH-1:0]  bin
);
  typedef enum logic [1:0] {CLEAR, COUNT, REPORT} phase_t;

  phase_t                  state;
  logic [SAMPLE_WIDTH-1:0] index;
  logic [COUNT_WIDTH-1:0]  counters [0:2**SAMPLE_WIDTH-1];

  wire [COUNT_WIDTH-1:0] old = counters[sample];

  assign sample_ready = state == COUNT;
  assign bin_valid    = state == REPORT;
  assign bin          = counters[index];

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= CLEAR;
      index <= 0;
    end else begin
      case (state)
        CLEAR: begin
          index <= index + 1;
          if (&index) state <= COUNT;
        end
        COUNT: if (stop) state <= REPORT;
        default: if (bin_ready) begin
          index <= index + 1;
          if (&index) state <= CLEAR;
        end
      endcase
    end
  end

  always_ff @(posedge clk) begin
    if (state == CLEAR) counters[index] <= 0;
    else if (state == COUNT && sample_valid && !(&old)) counters[sample] <= old + 1;
  end
endmodule
