import { verilogFiles } from "systole";
import { simulate, verilog } from "systole/sim";
import runningSum, { ports } from "./running-sum.ts";

const simulation = await simulate(verilog({ top: "running_sum", files: verilogFiles(runningSum.circuit), ports }));
simulation.reset();
simulation.io.step.poke(5);
simulation.step(7);
process.stdout.write(`total ${simulation.io.total.peekNumber()}\n`);
simulation.close();
