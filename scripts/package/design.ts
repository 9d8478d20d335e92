import { bool, input, module, output, reg, sync, uint, verilogFiles, when } from "systole";
import { simulate, verilog } from "systole/sim";

const ports = { step: input(uint(4)), clear: input(bool), total: output(uint(16)) };

const runningSum = module(
  "running_sum",
  ports,
  (io) => {
    const sum = reg("sum", uint(16), { reset: 0 });
    sync(() => {
      when(io.clear, () => sum.set(0)).otherwise(() => sum.set(sum.add(io.step).wrap(16)));
    });
    io.total.set(sum);
  },
  "Running sum: the first design of a newcomer.",
);

const simulation = await simulate(verilog({ top: "running_sum", files: verilogFiles(runningSum.circuit), ports }));
simulation.reset();
simulation.io.step.poke(5);
simulation.step(7);
process.stdout.write(`total ${simulation.io.total.peekNumber()}\n`);
simulation.close();
