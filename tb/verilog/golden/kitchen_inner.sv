// SPDX-License-Identifier: Apache-2.0
// Content hash: 76e565cdb17b30c1aa028bbe
// kitchen_inner
// Reset by an asynchronous active-low reset.
module kitchen_inner (
  input  logic       aclk,
  input  logic       aresetn,
  input  logic [7:0] d,          // vec(2, uint(4))
  input  logic       bus_valid,
  output logic       bus_ready,
  output logic [3:0] q,
  output logic       spare
);
  logic [7:0] kept;  // vec(2, uint(4))

  always_ff @(posedge aclk or negedge aresetn) begin
    if (!aresetn) begin
      kept <= 8'h21;
    end else begin
      if (bus_valid) begin
        kept[3:0] <= d[7:4];
      end
      kept[7:4] <= kept[3:0];
    end
  end

  assign q = kept[7:4];
  assign bus_ready = kept[7:4] == 4'd0;
  assign spare = ^d[3:0];
endmodule
