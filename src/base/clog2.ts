/** Bits that number `count` things, 0 for one: SystemVerilog's `$clog2` (IEEE 1800, 20.8.1). */
export const clog2 = (count: number): number => Math.ceil(Math.log2(count));
