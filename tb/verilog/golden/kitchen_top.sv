// SPDX-License-Identifier: Apache-2.0
// Content hash: 57880805d7d179f5b581205d
// kitchen_top
// Instances, loops and existing Verilog.
module kitchen_top (
  input  logic       aclk,
  input  logic       aresetn,
  input  logic [7:0] a,        // vec(2, uint(4))
  input  logic       go,
  input  logic [3:0] address,
  output logic [7:0] q,        // vec(2, uint(4))
  output logic       ready,
  output logic [7:0] ram,
  output logic [7:0] old       // vec(2, uint(4))
);
  logic        unused_first_spare;
  logic        first_bus_ready;
  logic        unused_second_spare;
  logic [3:0]  second_q;
  logic        second_bus_ready;
  logic [7:0]  store_data;
  logic [7:0]  late;
  logic [15:0] late_line;

  kitchen_inner first (
    .aclk      (aclk),
    .aresetn   (aresetn),
    .d         (a),
    .bus_valid (go),
    .bus_ready (first_bus_ready),
    .q         (q[3:0]),
    .spare     (unused_first_spare)
  );

  kitchen_inner second (
    .aclk      (aclk),
    .aresetn   (aresetn),
    .d         ({4'd3, a[7:4]}),
    .bus_valid (first_bus_ready),
    .bus_ready (second_bus_ready),
    .q         (second_q),
    .spare     (unused_second_spare)
  );

  assign q[7:4] = second_q;
  assign ready = second_bus_ready;

  vendor_ram #(.WIDTH(8), .KIND("block")) store (
    .CLK     (aclk),
    .address (address),
    .data    (store_data)
  );

  always_ff @(posedge aclk) begin
    late_line <= {late_line[7:0], store_data};
  end
  assign late = late_line[15:8];

  assign ram = late;

  for (genvar i = 0; i < 2; i = i + 1) begin : lane
    logic [1:0] tail;
    logic [3:0] oldest;
    logic [3:0] bank [0:3];

    always_ff @(posedge aclk or negedge aresetn) begin
      if (!aresetn) begin
        tail <= 2'd0;
      end else begin
        tail <= tail + 2'd1;
      end
    end

    always_ff @(posedge aclk) begin
      if (go) begin
        bank[tail] <= a[4*i +: 4];
      end
    end

    always_ff @(posedge aclk) begin
      oldest <= bank[tail];
    end

    assign old[4*i +: 4] = oldest;
  end

`ifndef SYNTHESIS
`ifndef __ICARUS__
  always @(posedge aclk) begin
    if (aresetn) begin : both_ready
      cover (first_bus_ready && second_bus_ready);
    end
  end
`endif
`endif
endmodule
