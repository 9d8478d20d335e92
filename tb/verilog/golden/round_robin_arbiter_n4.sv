// SPDX-License-Identifier: Apache-2.0
// Content hash: 5abee574c8e40fc74bb3dd41
// round_robin_arbiter_n4
// Round-robin arbiter: the requester served last has the lowest priority.
//
// Parameters:
//   requesters = 4  (2 to 64)
//
// Latency: none: the grant follows the requests in the same cycle.
//
// Assertions: grant_is_one_hot, grant_was_asked_for, grant_when_asked.
module round_robin_arbiter_n4 (
  input  logic       clk,
  input  logic       rst,
  input  logic [3:0] request,
  input  logic       taken,    // the grant is used: the next one starts after it
  output logic [3:0] grant     // one-hot, zero without a request
);
  logic [3:0] after;    // requesters above the one served last
  logic [3:0] waiting;
  logic [3:0] pool;

  assign waiting = request & after;
  assign pool = (|waiting) ? waiting : request;
  assign grant = pool & (~pool + 4'd1);

  always_ff @(posedge clk) begin
    if (rst) begin
      after <= 4'd0;
    end else if (taken && (|grant)) begin
      after <= ~(grant | (grant - 4'd1));
    end
  end

`ifndef SYNTHESIS
  always @(posedge clk) begin
    if (!rst) begin : grant_is_one_hot
      assert ((grant & (grant - 4'd1)) == 4'd0);
    end
  end

  always @(posedge clk) begin
    if (!rst) begin : grant_was_asked_for
      assert ((grant & ~request) == 4'd0);
    end
  end

  always @(posedge clk) begin
    if (!rst) begin : grant_when_asked
      assert ((|grant) || !(|request));
    end
  end
`endif
endmodule
