import { bool, input, module, output, reg, sync, uint, when } from "systole";

export const ports = { step: input(uint(4)), clear: input(bool), total: output(uint(16)) };

export default module(
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
