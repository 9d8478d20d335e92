// SPDX-License-Identifier: Apache-2.0
// Content hash: 5b88225a0412da539173b75b
// axi_lite_registers_n3
// Register file on AXI4-Lite: 32-bit registers with byte strobes, register i at byte address 4*i. Addresses beyond the
// last one answer SLVERR.
//
// Parameters:
//   registers = 3  (2 to 256)
//
// Latency: a response comes one cycle after its request; one write and one read a cycle.
//
// Assertions: write_needs_address_and_data.
module axi_lite_registers_n3 (
  input  logic        clk,
  input  logic        rst,
  input  logic        s_axil_awvalid,
  output logic        s_axil_awready,
  input  logic [3:0]  s_axil_awaddr,
  input  logic [2:0]  s_axil_awprot,
  input  logic        s_axil_wvalid,
  output logic        s_axil_wready,
  input  logic [31:0] s_axil_wdata,
  input  logic [3:0]  s_axil_wstrb,
  output logic        s_axil_bvalid,
  input  logic        s_axil_bready,
  output logic [1:0]  s_axil_bresp,
  input  logic        s_axil_arvalid,
  output logic        s_axil_arready,
  input  logic [3:0]  s_axil_araddr,
  input  logic [2:0]  s_axil_arprot,
  output logic        s_axil_rvalid,
  input  logic        s_axil_rready,
  output logic [31:0] s_axil_rdata,
  output logic [1:0]  s_axil_rresp,
  output logic [95:0] values           // vec(3, uint(32)): what software wrote last
);
  logic [95:0] file;            // vec(3, vec(4, uint(8)))
  logic        b_valid;
  logic [1:0]  b_resp;
  logic        r_valid;
  logic [1:0]  r_resp;
  logic [31:0] r_data;
  logic        write;
  logic        read;
  logic        unused_address;

  assign write = s_axil_awvalid && s_axil_wvalid && (!b_valid || s_axil_bready);
  assign read = s_axil_arvalid && (!r_valid || s_axil_rready);
  assign s_axil_awready = write;
  assign s_axil_wready = write;
  assign s_axil_bvalid = b_valid;
  assign s_axil_bresp = b_resp;
  assign s_axil_arready = read;
  assign s_axil_rvalid = r_valid;
  assign s_axil_rresp = r_resp;
  assign s_axil_rdata = r_data;
  assign values = file;

  always_ff @(posedge clk) begin
    if (rst) begin
      file <= 96'd0;
      b_valid <= 1'b0;
    end else begin
      if (write) begin
        b_valid <= 1'b1;
      end else if (s_axil_bready) begin
        b_valid <= 1'b0;
      end
      if (write && (s_axil_awaddr[3:2] < 2'd3)) begin
        if (s_axil_wstrb[0]) begin
          file[{s_axil_awaddr[3:2], 5'd0} +: 8] <= s_axil_wdata[7:0];
        end
        if (s_axil_wstrb[1]) begin
          file[{s_axil_awaddr[3:2], 5'd8} +: 8] <= s_axil_wdata[15:8];
        end
        if (s_axil_wstrb[2]) begin
          file[{s_axil_awaddr[3:2], 5'd16} +: 8] <= s_axil_wdata[23:16];
        end
        if (s_axil_wstrb[3]) begin
          file[{s_axil_awaddr[3:2], 5'd24} +: 8] <= s_axil_wdata[31:24];
        end
      end
    end
  end

  always_ff @(posedge clk) begin
    if (write) begin
      b_resp <= (s_axil_awaddr[3:2] < 2'd3) ? 2'd0 : 2'd2;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      r_valid <= 1'b0;
    end else if (read) begin
      r_valid <= 1'b1;
    end else if (s_axil_rready) begin
      r_valid <= 1'b0;
    end
  end

  always_ff @(posedge clk) begin
    if (read) begin
      r_resp <= (s_axil_araddr[3:2] < 2'd3) ? 2'd0 : 2'd2;
      r_data <= file[{s_axil_araddr[3:2], 5'd0} +: 32];
    end
  end

  assign unused_address = ^{s_axil_awaddr[1:0], s_axil_awprot, s_axil_araddr[1:0], s_axil_arprot};

`ifndef SYNTHESIS
  always @(posedge clk) begin
    if (!rst) begin : write_needs_address_and_data
      assert (!write || (s_axil_awvalid && s_axil_wvalid));
    end
  end
`endif
endmodule
