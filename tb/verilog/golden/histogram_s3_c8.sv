// SPDX-License-Identifier: Apache-2.0
// Content hash: ccae929fbf28d1f0c825a4d3
// histogram_s3_c8
// Histogram: clears its bins, counts samples until told to stop, then reports the bins in order.
//
// Parameters:
//   sampleWidth = 3  (1 to 16)
//   countWidth = 8   (1 to 64; counts stop at the largest value)
//
// Assertions: counting_starts_at_bin_0.
module histogram_s3_c8 (
  input  logic       clk,
  input  logic       rst,
  input  logic       sample_valid,
  output logic       sample_ready,
  input  logic [2:0] sample,
  input  logic       stop,          // no more samples: report
  output logic       bin_valid,
  input  logic       bin_ready,
  output logic [7:0] bin            // count of the next sample value, from 0 up
);
  typedef enum logic [1:0] {CLEAR = 2'd0, COUNT = 2'd1, REPORT = 2'd2} phase_t;

  phase_t       state;
  logic   [2:0] index;           // bin to clear or to report
  logic   [7:0] old;
  logic   [7:0] reported;
  logic   [7:0] counters [0:7];

  assign old = counters[sample];
  assign sample_ready = state == COUNT;
  assign bin_valid = state == REPORT;
  assign reported = counters[index];
  assign bin = reported;

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= CLEAR;
      index <= 3'd0;
    end else begin
      case (state)
        CLEAR: begin
          index <= index + 3'd1;
          if (&index) begin
            state <= COUNT;
          end
        end
        COUNT: begin
          if (stop) begin
            state <= REPORT;
          end
        end
        default: begin  // REPORT
          if (bin_ready) begin
            index <= index + 3'd1;
            if (&index) begin
              state <= CLEAR;
            end
          end
        end
      endcase
    end
  end

  always_ff @(posedge clk) begin
    case (state)
      CLEAR: begin
        counters[index] <= 8'd0;
      end
      COUNT: begin
        if (sample_valid) begin
          counters[sample] <= (9'(old) + 9'd1 > 9'd255) ? 8'd255 : (old + 8'd1);
        end
      end
      default: ;  // REPORT
    endcase
  end

`ifndef SYNTHESIS
  always @(posedge clk) begin
    if (!rst) begin : counting_starts_at_bin_0
      assert ((state != COUNT) || (index == 3'd0));
    end
  end
`endif
endmodule
