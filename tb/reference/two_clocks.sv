// Two counters on two clocks, the second with an active-low asynchronous reset; each reads the other, so that the order of edges shows.
module two_clocks (
    input  logic       clk,
    input  logic       rst,
    input  logic       mem_clk,
    input  logic       mem_rst_n,
    input  logic       en,
    output logic [7:0] count,
    output logic [7:0] mem_count,
    output logic [7:0] seen,
    output logic [7:0] mem_seen
);
  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
      seen <= '0;
    end else begin
      if (en) count <= count + 8'd1;
      seen <= mem_count;
    end
  end
  always_ff @(posedge mem_clk or negedge mem_rst_n) begin
    if (!mem_rst_n) begin
      mem_count <= '0;
      mem_seen <= '0;
    end else begin
      mem_count <= mem_count + 8'd1;
      mem_seen <= count;
    end
  end
endmodule
