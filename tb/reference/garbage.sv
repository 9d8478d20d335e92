// Registers and a memory without reset: what they show is the seed's.
module garbage (
    input  logic        clk,
    input  logic [3:0]  address,
    output logic [63:0] never_set,
    output logic [31:0] word
);
  logic [31:0] mem [0:15];
  assign word = mem[address];
  always_ff @(posedge clk) never_set <= never_set;
  always_ff @(posedge clk) mem[address] <= mem[address];
endmodule
