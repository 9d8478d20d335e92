// Output-stationary systolic array with shift-accumulate cells, written by hand: the design under test of `bench sim`.
//
// Row r of activations enters from the left r cycles late, column c of weights from the top c cycles late; both delays
// are inside. `first` starts a sum, `shift` doubles it before the product is added; both travel with the activations.
// While `drain` is high the sums move down one row a cycle and leave at the bottom.

module systolic_cell #(
    parameter int ACC = 32
) (
    input  logic                  clk,
    input  logic                  rst,
    input  logic                  drain,
    input  logic signed [7:0]     a_in,
    input  logic        [2:0]     tag_in,   // valid, first, shift
    input  logic signed [7:0]     b_in,
    input  logic signed [ACC-1:0] sum_in,
    output logic signed [7:0]     a_out,
    output logic        [2:0]     tag_out,
    output logic signed [7:0]     b_out,
    output logic signed [ACC-1:0] sum_out
);
  logic signed [15:0] product;
  logic signed [ACC-1:0] scaled;
  assign product = a_in * b_in;
  assign scaled = tag_in[1] ? '0 : tag_in[0] ? sum_out <<< 1 : sum_out;

  always_ff @(posedge clk) begin
    if (rst) begin
      tag_out <= '0;
      sum_out <= '0;
    end else begin
      tag_out <= tag_in;
      if (drain) sum_out <= sum_in;
      else if (tag_in[2]) sum_out <= scaled + ACC'(product);
    end
  end

  always_ff @(posedge clk) begin
    a_out <= a_in;
    b_out <= b_in;
  end
endmodule

module systolic_delay #(
    parameter int WIDTH = 8,
    parameter int DEPTH = 1
) (
    input  logic             clk,
    input  logic [WIDTH-1:0] d,
    output logic [WIDTH-1:0] q
);
  generate
    if (DEPTH == 0) begin : g_wire
      assign q = d;
    end else begin : g_line
      logic [WIDTH-1:0] line [0:DEPTH-1];
      always_ff @(posedge clk) line[0] <= d;
      for (genvar i = 1; i < DEPTH; i++) begin : g_stage
        always_ff @(posedge clk) line[i] <= line[i-1];
      end
      assign q = line[DEPTH-1];
    end
  endgenerate
endmodule

module systolic_array #(
    parameter int N   = 8,
    parameter int ACC = 32
) (
    input  logic             clk,
    input  logic             rst,
    input  logic             valid,
    input  logic             first,
    input  logic             shift,
    input  logic             drain,
    input  logic [N*8-1:0]   a,
    input  logic [N*8-1:0]   b,
    output logic             out_valid,
    output logic [N*ACC-1:0] out
);
  logic [7:0] across [0:N-1][0:N];
  logic [2:0] tag [0:N-1][0:N];
  logic [7:0] down [0:N][0:N-1];
  logic [ACC-1:0] sum [0:N][0:N-1];

  generate
    for (genvar r = 0; r < N; r++) begin : g_left
      systolic_delay #(.WIDTH(11), .DEPTH(r)) u_skew (.clk, .d({valid, first, shift, a[r*8+:8]}), .q({tag[r][0], across[r][0]}));
    end
    for (genvar c = 0; c < N; c++) begin : g_top
      systolic_delay #(.WIDTH(8), .DEPTH(c)) u_skew (.clk, .d(b[c*8+:8]), .q(down[0][c]));
      assign sum[0][c] = '0;
      always_ff @(posedge clk) if (drain) out[c*ACC+:ACC] <= sum[N][c];
    end
    for (genvar r = 0; r < N; r++) begin : g_row
      for (genvar c = 0; c < N; c++) begin : g_col
        systolic_cell #(.ACC(ACC)) u_cell (
            .clk, .rst, .drain,
            .a_in(across[r][c]), .tag_in(tag[r][c]), .b_in(down[r][c]), .sum_in(sum[r][c]),
            .a_out(across[r][c+1]), .tag_out(tag[r][c+1]), .b_out(down[r+1][c]), .sum_out(sum[r+1][c])
        );
      end
    end
  endgenerate

  always_ff @(posedge clk) out_valid <= drain & !rst;
endmodule
