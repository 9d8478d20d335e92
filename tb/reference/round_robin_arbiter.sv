// Written by hand: round-robin arbiter. Compared with the printed one by tb/verilog/reference.test.ts.
module round_robin_arbiter #(
  parameter int REQUESTERS = 4
) (
  input  logic                  clk,
  input  logic                  rst,
  input  logic [REQUESTERS-1:0] request,
  input  logic                  taken,
  output logic [REQUESTERS-1:0] grant
);
  logic [REQUESTERS-1:0] after;  // requesters above the one served last

  wire [REQUESTERS-1:0] waiting = request & after;
  wire [REQUESTERS-1:0] pool    = (waiting != 0) ? waiting : request;

  assign grant = pool & -pool;

  always_ff @(posedge clk) begin
    if (rst) after <= 0;
    else if (taken && grant != 0) after <= ~(grant | (grant - 1'b1));
  end
endmodule
