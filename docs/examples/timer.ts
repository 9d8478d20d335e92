import { bool, flip, instance, module, output, reg, sync, uint, when, wire, wires } from "../../src/hdl/index.ts";
import { axiLite } from "../../src/lib/axi.ts";
import { registerBlock, registerMap } from "../../src/lib/csr/index.ts";

export const timerMap = registerMap({
  name: "timer",
  doc: "A timer that counts down and interrupts.",
  registers: {
    control: {
      doc: "What the timer does.",
      fields: {
        start: { bits: 0, access: "WO", pulse: true, doc: "Writing 1 starts the timer anew, writing 0 stops it." },
        interruptEnable: { bits: 8, access: "RW", doc: "Interrupt while done or illegal is set." },
      },
    },
    length: {
      doc: "Cycles from the start to the end.",
      fields: { cycles: { bits: [15, 0], access: "RW", reset: 1000, doc: "Taken when the timer starts; 0 does not start it." } },
    },
    status: {
      offset: 0x10,
      doc: "What the timer did.",
      fields: {
        running: { bits: 0, access: "RO", doc: "It counts." },
        done: { bits: 8, access: "W1C", doc: "It came to its end." },
        illegal: { bits: 9, access: "W1C", doc: "An access was answered with an error." },
      },
    },
  },
});

export const timer = module(
  "timer",
  { sAxil: flip(axiLite(timerMap.addressWidth, 32)), irq: output(bool) },
  ({ sAxil, irq }) => {
    const registers = registerBlock(timerMap);
    const hw = wires("hw", registers.ports.hw);
    const illegal = wire("illegal", bool);
    instance("u_registers", registers, { sAxil, illegal, hw });

    const left = reg("left", uint(16), { reset: 0 });
    sync(() => {
      when(hw.control.start.written, () => {
        left.set(0);
        when(hw.control.start.value, () => left.set(hw.length.cycles.value));
      }).elsewhen(left.ne(0), () => left.set(left.subWrap(1)));
    });

    hw.status.running.value.set(left.ne(0));
    hw.status.done.set.set(left.eq(1));
    hw.status.illegal.set.set(illegal);
    irq.set(hw.control.interruptEnable.value.and(hw.status.done.value.or(hw.status.illegal.value)));
  },
  "Timer on AXI4-Lite: counts down and interrupts.",
);
