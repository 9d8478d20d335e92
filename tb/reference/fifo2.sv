// Two-deep FIFO with ready/valid on both sides; `s_ready` depends on registers only.
module fifo2 #(parameter int WIDTH = 8) (
    input  logic             clk,
    input  logic             rst,
    input  logic             s_valid,
    input  logic [WIDTH-1:0] s_data,
    output logic             s_ready,
    output logic             m_valid,
    output logic [WIDTH-1:0] m_data,
    input  logic             m_ready
);
  logic [WIDTH-1:0] slots [0:1];
  logic       write_slot, read_slot;
  logic [1:0] level;
  logic       push, pop;
  assign s_ready = level != 2'd2;
  assign m_valid = level != 2'd0;
  assign m_data = slots[read_slot];
  assign push = s_valid & s_ready;
  assign pop = m_valid & m_ready;
  always_ff @(posedge clk) begin
    if (rst) begin
      write_slot <= 1'b0;
      read_slot <= 1'b0;
      level <= 2'd0;
    end else begin
      if (push) write_slot <= !write_slot;
      if (pop) read_slot <= !read_slot;
      level <= level + 2'(push) - 2'(pop);
    end
  end
  always_ff @(posedge clk) if (push) slots[write_slot] <= s_data;
endmodule
