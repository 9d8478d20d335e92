/** What must not compile of registers; see hdl.ts. */
import { timerMap } from "../../docs/examples/timer.ts";
import { module, wires } from "../../src/hdl/index.ts";
import { packFields, registerBlock, registerConstants, registerMap, unpackFields } from "../../src/lib/csr/index.ts";

export const user = module(
  "user",
  {},
  () => {
    const hw = wires("hw", registerBlock(timerMap).ports.hw);
    hw.control.start.written.and(hw.control.start.value);
    hw.length.cycles.value.add(1);
    hw.status.done.set.set(true);
    // @ts-expect-error a register that the table doesn't have
    void hw.mode;
    // @ts-expect-error a field of another register
    void hw.control.cycles;
    // @ts-expect-error a field without a pulse
    void hw.control.interruptEnable.written;
    // @ts-expect-error hardware gives the value of an RO field and sets nothing
    void hw.status.running.set.node;
    // @ts-expect-error a field of 16 bits is no condition
    hw.length.cycles.value.set(true);
  },
  "",
);

const { control, status } = registerConstants(timerMap);
packFields(control, { start: 1 });
// @ts-expect-error a field of another register
packFields(control, { done: 1 });
// @ts-expect-error nor does a word of it have one
void unpackFields(status, 0).start;
// @ts-expect-error no kind of access
registerMap({ name: "block", doc: "", registers: { control: { doc: "", fields: { start: { bits: 0, access: "RC", doc: "" } } } } });
