// Up-counter with enable: the smallest design with a clock, a reset and an output that depends on an input at once.
module counter #(parameter int WIDTH = 8) (
    input  logic             clk,
    input  logic             rst,
    input  logic             en,
    output logic [WIDTH-1:0] count,
    output logic             wrap
);
  always_ff @(posedge clk) begin
    if (rst) count <= '0;
    else if (en) count <= count + 1'b1;
  end
  assign wrap = en & (count == '1);
endmodule
