// Stands for a vendor's memory: existing Verilog with parameters, instantiated by extern().
module vendor_ram #(
  parameter WIDTH = 4,
  parameter KIND = "auto"
) (
  input  logic             CLK,
  input  logic [3:0]       address,
  output logic [WIDTH-1:0] data
);
  logic [WIDTH-1:0] word;
  always_ff @(posedge CLK) word <= WIDTH'(address);
  assign data = (KIND == "block") ? word : ~word;
endmodule
