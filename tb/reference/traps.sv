// What must not take the test runner down: a loop that does not end, a combinational loop that does not settle, a crash, an end of the process.
module traps (
    input  logic        clk,
    input  logic        hang,
    input  logic        oscillate,
    input  logic        crash,
    input  logic        abort,
    output logic [31:0] spun,
    output logic        ring,
    output logic [7:0]  count
);
  always_comb begin
    spun = 32'd0;
    while (hang) spun = spun + 32'd1;
  end
  assign ring = oscillate & !ring;
  initial count = 8'd0;
  always_ff @(posedge clk) begin
    if (crash) $c("*(volatile int*)8 = 1;");
    if (abort) $c("abort();");
    count <= count + 8'd1;
  end
endmodule
