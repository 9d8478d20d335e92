// Registers and memories below the top, in generate loops: what access by path must find.
module lane (
    input  logic        clk,
    input  logic        we,
    input  logic [3:0]  address,
    input  logic [39:0] data,
    output logic [39:0] q
);
  logic [39:0] words [4:15];
  logic [99:0] history;
  logic [2:0]  state;
  assign q = words[address] ^ {37'd0, state};
  initial state = 3'd0;
  always_ff @(posedge clk) begin
    if (we) words[address] <= data;
    history <= {history[59:0], data};
    state <= state + 3'd1;
  end
endmodule

module lanes (
    input  logic        clk,
    input  logic        we,
    input  logic [3:0]  address,
    input  logic [39:0] data,
    output logic [39:0] q0,
    output logic [39:0] q1
);
  logic [39:0] q [0:1];
  for (genvar i = 0; i < 2; i++) begin : g_lane
    lane u_lane (.clk, .we, .address, .data(data + 40'(i)), .q(q[i]));
  end
  assign q0 = q[0];
  assign q1 = q[1];
endmodule
