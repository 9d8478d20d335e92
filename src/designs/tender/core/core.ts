import {
  type Bool,
  type BoolShape,
  bool,
  cat,
  constant,
  discard,
  flip,
  type Inside,
  instance,
  type Module,
  module,
  mux,
  named,
  type Outputs,
  output,
  reg,
  sync,
  type UInt,
  uint,
  type VarOf,
  type Wires,
  when,
  wire,
  wires,
} from "../../../hdl/index.ts";
import { axiLite } from "../../../lib/axi.ts";
import { axi4 } from "../../../lib/axi4/bundle.ts";
import { readDma } from "../../../lib/axi4/read-dma.ts";
import { writeDma } from "../../../lib/axi4/write-dma.ts";
import { type HardwarePorts, registerBlock } from "../../../lib/csr/index.ts";
import { describeParameters } from "../../design.ts";
import { jobErrors } from "./descriptor.ts";
import { coreEngine } from "./engine.ts";
import { ringWidth } from "./fetch.ts";
import { type CoreParameters, checkCore, coreSchema, coreSuffix, lengthWidth } from "./parameters.ts";
import { coreIdentity, coreRegisters } from "./registers.ts";

const corePorts = (parameters: CoreParameters) => ({
  sAxil: flip(axiLite(coreRegisters.addressWidth, 32)),
  mAxi: axi4(parameters),
  irq: output(bool, "a cause that is enabled is set"),
});

export type CorePorts = ReturnType<typeof corePorts>;

/** Sums in pairs, until one is left; each sum has a name. */
const sumOf = (name: string, values: readonly UInt[]): UInt => {
  if (values.length === 1) return values[0]!;
  const pairs = Array.from({ length: values.length / 2 }, (_, at) => named(`${name}${values.length / 2}_${at}`, values[2 * at]!.add(values[2 * at + 1]!)));
  return sumOf(name, pairs);
};

/** Ones of a word of 2^n bits. */
const ones = (word: UInt): UInt =>
  sumOf(
    "ones",
    Array.from({ length: word.width }, (_, bit) => word.bit(bit)),
  );

const total = (name: string, clear: UInt, amount: UInt): UInt => {
  const sum = reg(name, uint(64), { reset: 0 });
  sync(() => when(clear.bit(0), () => sum.set(0)).otherwise(() => sum.set(sum.addWrap(amount))));
  return sum;
};

type Hardware = Wires<HardwarePorts<typeof coreRegisters.table>>;
type Engine = Outputs<ReturnType<typeof coreEngine>["ports"]>;

/** Registers that say what core this is. */
const identify = (hw: Hardware, parameters: CoreParameters): void => {
  const { id, shape, memory, configuration } = coreIdentity(parameters);
  hw.id.value.value.set(id.value);
  hw.configuration.value.value.set(configuration.value);
  const { rows, cols, kind, accWidth, shiftBits, requantize } = hw.shape;
  rows.value.set(shape.rows);
  cols.value.set(shape.cols);
  kind.value.set(shape.kind);
  accWidth.value.set(shape.accWidth);
  shiftBits.value.set(shape.shiftBits);
  requantize.value.set(shape.requantize);
  const { beatBytes, addressWidth, channels, activationKib, weightKib } = hw.memory;
  beatBytes.value.set(memory.beatBytes);
  addressWidth.value.set(memory.addressWidth);
  channels.value.set(memory.channels);
  activationKib.value.set(memory.activationKib);
  weightKib.value.set(memory.weightKib);
};

/** What the core does and did, and its interrupt. */
const report = (hw: Hardware, engine: Engine, resetting: Bool, illegal: Bool, irq: VarOf<BoolShape>): void => {
  hw.status.busy.value.set(engine.busy);
  hw.status.resetting.value.set(resetting);
  const mask = named("ringMask", constant(uint(16), 1).shl(hw.ringSize.value.value).wrap(16).subWrap(1).wrap(15));
  hw.head.value.value.set(engine.jobs.wrap(15).and(mask));
  hw.jobs.value.value.set(engine.jobs);

  const failed = named("failed", engine.retired.valid.and(engine.retired.status.any()));
  for (const name of Object.keys(jobErrors) as (keyof typeof jobErrors)[])
    hw.errors[name].set.set(engine.retired.valid.and(engine.retired.status.bit(jobErrors[name].bit)));
  hw.errors.illegalAccess.set.set(illegal);
  const { badDescriptor, readError, writeError, overflow, nan, badIndex, illegalAccess } = hw.errors;
  discard("errorsRead", cat(badDescriptor.value, readError.value, writeError.value, overflow.value, nan.value, badIndex.value, illegalAccess.value));
  hw.interruptState.done.set.set(engine.retired.valid.and(engine.retired.interrupt));
  hw.interruptState.error.set.set(failed.or(illegal));
  irq.set(hw.interruptState.done.value.and(hw.interruptEnable.done.value).or(hw.interruptState.error.value.and(hw.interruptEnable.error.value)));
};

const countTraffic = (hw: Hardware, { counts }: Engine, mAxi: Inside<CorePorts>["mAxi"], clear: Bool, { dataWidth }: CoreParameters): void => {
  const beat = dataWidth / 8;
  const split = (low: { readonly value: { readonly value: { set(v: UInt): void } } }, high: typeof low, count: UInt): void => {
    low.value.value.set(count.bits(31, 0));
    high.value.value.set(count.bits(63, 32));
  };
  split(hw.busyLow, hw.busyHigh, counts.busy);
  split(hw.activeLow, hw.activeHigh, counts.active);
  split(hw.stallWeightsLow, hw.stallWeightsHigh, counts.weights);
  split(hw.stallActivationsLow, hw.stallActivationsHigh, counts.activations);
  split(hw.stallDrainLow, hw.stallDrainHigh, counts.drain);
  split(hw.stallWriteBackLow, hw.stallWriteBackHigh, counts.writeBack);
  split(hw.readBytesLow, hw.readBytesHigh, total("readBytes", clear, mux(mAxi.rvalid.and(mAxi.rready), constant(uint(7), beat), 0)));
  split(hw.writeBytesLow, hw.writeBytesHigh, total("writeBytes", clear, mux(mAxi.wvalid.and(mAxi.wready), ones(mAxi.wstrb), 0)));
};

const build = ({ sAxil, mAxi, irq }: Inside<CorePorts>, parameters: CoreParameters): void => {
  const { addressWidth, dataWidth, idWidth, burst, outstanding } = parameters;
  const block = registerBlock(coreRegisters);
  const hw = wires("hw", block.ports.hw);
  const illegal = wire("illegal", bool);
  instance("u_registers", block, { sAxil, illegal, hw });

  const resetting = reg("resetting", bool, { reset: 0, doc: "a soft reset waits for the bus" });
  const softReset = named("softReset", hw.control.softReset.written.and(hw.control.softReset.value));
  const forget = named("forget", softReset.or(resetting), "the engine is in reset");
  const tail = reg("tail", uint(ringWidth), { reset: 0 });
  const clear = named("clear", hw.control.clearCounters.written.and(hw.control.clearCounters.value));

  const engineModule = coreEngine(parameters);
  const read = wires("read", engineModule.ports.read);
  const write = wires("write", engineModule.ports.write);
  const ringAddress = cat(hw.ringHigh.value.value, hw.ringLow.value.value, constant(uint(7), 0)).wrap(addressWidth);
  discard("ringHighRead", hw.ringHigh.value.value);
  const engine = instance(
    "u_engine",
    engineModule,
    {
      enable: hw.control.enable.value,
      ring: ringAddress,
      ringSize: hw.ringSize.value.value,
      tail,
      retired: {},
      clearCounters: clear,
      counts: {},
      read,
      write,
    },
    { reset: forget },
  );
  const dma = { addressWidth, dataWidth, idWidth, burst, outstanding, lengthWidth };
  const reader = instance("u_read_dma", readDma({ ...dma, alignment: dataWidth / 8 }), { command: read.command, mAxis: read.sAxis, stop: softReset, mAxi });
  const writer = instance("u_write_dma", writeDma(dma), { command: write.command, sAxis: write.mAxis, done: write.done, stop: softReset, mAxi });
  sync(() => {
    when(softReset, () => resetting.set(1)).elsewhen(reader.idle.and(writer.idle), () => resetting.set(0));
    when(forget, () => tail.set(0)).elsewhen(hw.tail.value.written, () => tail.set(hw.tail.value.value));
  });
  identify(hw, parameters);
  report(hw, engine, resetting, illegal, irq);
  countTraffic(hw, engine, mAxi, clear, parameters);
};

/**
 * Tender's tensor core (ISCA 2024; docs/tender-core.md): products from memory to memory, by descriptors in a ring.
 * @throws UserError naming the constraint that the parameters break
 */
export const tenderCore = (parameters: CoreParameters): Module<CorePorts> => {
  checkCore(parameters);
  return module(`tender_core_${coreSuffix(parameters)}`, corePorts(parameters), (io) => build(io, parameters), {
    doc: "Tender's tensor core: products of matrices from memory to memory, named by descriptors in a ring; registers on AXI4-Lite, memory on AXI4.",
    parameters: describeParameters(coreSchema, parameters),
    clock: { clk: "aclk", rst: "aresetn", activeLow: true },
  });
};
