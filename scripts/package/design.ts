import { verilogFiles } from "systole";
import { simulate, verilog } from "systole/sim";
import runningSum, { ports } from "./running-sum.ts";

const printed = verilog({ top: "running_sum", files: verilogFiles(runningSum.circuit), ports });
for (const design of [runningSum, printed]) {
  const simulation = await simulate(design);
  simulation.reset();
  simulation.io.step.poke(5);
  simulation.step(7);
  process.stdout.write(`${simulation.engine}: ${simulation.io.total.peekNumber()}\n`);
  simulation.close();
}
