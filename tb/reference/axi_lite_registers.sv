// Written by hand: register file on AXI4-Lite. Compared with the printed one by tb/verilog/reference.test.ts.
module axi_lite_registers #(
  parameter int REGISTERS = 5
) (
  input  logic                           clk,
  input  logic                           rst,
  input  logic                           s_axil_awvalid,
  output logic                           s_axil_awready,
  input  logic [$clog2(REGISTERS)+1:0]   s_axil_awaddr,
  input  logic [2:0]                     s_axil_awprot,
  input  logic                           s_axil_wvalid,
  output logic                           s_axil_wready,
  input  logic [31:0]                    s_axil_wdata,
  input  logic [3:0]                     s_axil_wstrb,
  output logic                           s_axil_bvalid,
  input  logic                           s_axil_bready,
  output logic [1:0]                     s_axil_bresp,
  input  logic                           s_axil_arvalid,
  output logic                           s_axil_arready,
  input  logic [$clog2(REGISTERS)+1:0]   s_axil_araddr,
  input  logic [2:0]                     s_axil_arprot,
  output logic                           s_axil_rvalid,
  input  logic                           s_axil_rready,
  output logic [31:0]                    s_axil_rdata,
  output logic [1:0]                     s_axil_rresp,
  output logic [32*REGISTERS-1:0]        values
);
  localparam logic [1:0] OKAY   = 2'b00;
  localparam logic [1:0] SLVERR = 2'b10;

  wire [$clog2(REGISTERS)-1:0] write_index = s_axil_awaddr[$clog2(REGISTERS)+1:2];
  wire [$clog2(REGISTERS)-1:0] read_index  = s_axil_araddr[$clog2(REGISTERS)+1:2];

  wire write = s_axil_awvalid && s_axil_wvalid && (!s_axil_bvalid || s_axil_bready);
  wire read  = s_axil_arvalid && (!s_axil_rvalid || s_axil_rready);

  assign s_axil_awready = write;
  assign s_axil_wready  = write;
  assign s_axil_arready = read;

  always_ff @(posedge clk) begin
    if (rst) begin
      s_axil_bvalid <= 1'b0;
      values        <= '0;
    end else begin
      if (write) s_axil_bvalid <= 1'b1;
      else if (s_axil_bready) s_axil_bvalid <= 1'b0;

      if (write && write_index < REGISTERS)
        for (int b = 0; b < 4; b = b + 1)
          if (s_axil_wstrb[b]) values[32*write_index + 8*b +: 8] <= s_axil_wdata[8*b +: 8];
    end
  end

  always_ff @(posedge clk) begin
    if (write) s_axil_bresp <= (write_index < REGISTERS) ? OKAY : SLVERR;
  end

  always_ff @(posedge clk) begin
    if (rst) s_axil_rvalid <= 1'b0;
    else if (read) s_axil_rvalid <= 1'b1;
    else if (s_axil_rready) s_axil_rvalid <= 1'b0;
  end

  always_ff @(posedge clk) begin
    if (read) begin
      s_axil_rdata <= values[32*read_index +: 32];
      s_axil_rresp <= (read_index < REGISTERS) ? OKAY : SLVERR;
    end
  end
endmodule
