// Written by hand: AXI-Stream register slice with two entries. Compared with the printed one by tb/verilog/reference.test.ts.
module axis_slice #(
  parameter int DATA_WIDTH = 32
) (
  input  logic                  clk,
  input  logic                  rst,
  input  logic                  s_axis_tvalid,
  output logic                  s_axis_tready,
  input  logic [DATA_WIDTH-1:0] s_axis_tdata,
  input  logic                  s_axis_tlast,
  output logic                  m_axis_tvalid,
  input  logic                  m_axis_tready,
  output logic [DATA_WIDTH-1:0] m_axis_tdata,
  output logic                  m_axis_tlast
);
  logic                  skid_valid;
  logic [DATA_WIDTH-1:0] skid_data;
  logic                  skid_last;

  assign s_axis_tready = !skid_valid;

  always_ff @(posedge clk) begin
    if (rst) begin
      m_axis_tvalid <= 1'b0;
      skid_valid    <= 1'b0;
    end else if (m_axis_tready || !m_axis_tvalid) begin
      m_axis_tvalid <= s_axis_tvalid || skid_valid;
      skid_valid    <= 1'b0;
    end else if (s_axis_tvalid && s_axis_tready) begin
      skid_valid    <= 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (m_axis_tready || !m_axis_tvalid) begin
      m_axis_tdata <= skid_valid ? skid_data : s_axis_tdata;
      m_axis_tlast <= skid_valid ? skid_last : s_axis_tlast;
    end else if (s_axis_tvalid && s_axis_tready) begin
      skid_data <= s_axis_tdata;
      skid_last <= s_axis_tlast;
    end
  end
endmodule
