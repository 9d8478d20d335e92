// Everything that a design can say to its simulator, each on its own input, inside an instance.
module alarm (
    input logic clk,
    input logic fail_assert, fail_error, fail_fatal, call_stop, call_finish, call_display,
    input logic [7:0] value
);
  always_ff @(posedge clk) begin
    below_ten: assert (!fail_assert) else $error("value is %0d", value);
    assert (value != 8'd77);
    if (fail_error) $error("plain error");
    if (fail_fatal) $fatal(1, "fatal with %0d", value);
    if (call_stop) $stop;
    if (call_finish) $finish;
    if (call_display) $display("value=%0d", value);
  end
endmodule

module alarms (
    input  logic       clk,
    input  logic       fail_assert, fail_error, fail_fatal, call_stop, call_finish, call_display,
    input  logic [7:0] value,
    output logic [7:0] count
);
  alarm u_alarm (.*);
  initial count = 8'd0;
  always_ff @(posedge clk) count <= count + 8'd1;
endmodule
