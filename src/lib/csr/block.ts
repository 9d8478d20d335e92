import {
  assert,
  type Bool,
  type BoolShape,
  bool,
  cat,
  comb,
  constant,
  discard,
  type Flip,
  flip,
  type Inside,
  input,
  type Module,
  module,
  mux,
  named,
  output,
  reg,
  sync,
  type UInt,
  type UIntShape,
  uint,
  type VarOf,
  when,
  wire,
} from "../../hdl/index.ts";
import type { InputPort, OutputPort } from "../../hdl/ports.ts";
import { axiLite } from "../axi.ts";
import type { Field, FieldSpec, Register, RegisterMap, RegisterTable } from "./table.ts";

/** A field of one bit number is a bool, one with a range an unsigned number. */
type ShapeOf<F extends FieldSpec> = F["bits"] extends number ? BoolShape : UIntShape;

/** The hardware's side of a field, as ports of the register block. */
type FieldPorts<F extends FieldSpec> = F["access"] extends "RO"
  ? { readonly value: InputPort<ShapeOf<F>> }
  : F["access"] extends "W1C"
    ? { readonly value: OutputPort<ShapeOf<F>>; readonly set: InputPort<ShapeOf<F>> }
    : F extends { readonly pulse: true }
      ? { readonly value: OutputPort<ShapeOf<F>>; readonly written: OutputPort<BoolShape> }
      : { readonly value: OutputPort<ShapeOf<F>> };

/** The hardware's side of all registers: `hw.<register>.<field>`. */
export type HardwarePorts<T extends RegisterTable> = {
  readonly [R in keyof T["registers"]]: {
    readonly [F in keyof T["registers"][R]["fields"]]: FieldPorts<T["registers"][R]["fields"][F]>;
  };
};

/** Ports of a register block. */
export type RegisterPorts<T extends RegisterTable> = {
  readonly sAxil: Flip<ReturnType<typeof axiLite>>;
  readonly illegal: OutputPort<BoolShape>;
  readonly hw: HardwarePorts<T>;
};

/** Responses of AXI4-Lite. */
const okay = 0;
const subordinateError = 2;

const isStored = ({ access }: Field): boolean => access !== "RO";

const fieldPorts = (field: Field, { bits }: FieldSpec): Record<string, InputPort | OutputPort> => {
  const shape = typeof bits === "number" ? bool : uint(field.width);
  if (field.access === "RO") return { value: input(shape, field.doc) };
  const value = output(shape, field.doc);
  if (field.access === "W1C") return { value, set: input(shape, "sets bits, also while software clears them") };
  return field.pulse ? { value, written: output(bool, "value was written in the cycle before") } : { value };
};

const hardwarePorts = ({ table, registers }: RegisterMap): Record<string, Record<string, Record<string, InputPort | OutputPort>>> =>
  Object.fromEntries(
    Object.entries(table.registers).map(([register, { fields }]) => {
      const found = registers.find(({ key }) => key === register)?.fields ?? [];
      return [register, Object.fromEntries(found.map((field) => [field.key, fieldPorts(field, fields[field.key] as FieldSpec)]))];
    }),
  );

interface Request {
  /** A request is there. */
  readonly offered: Bool;
  readonly payload: UInt;
}

/** A channel of requests with a register behind it, which keeps a request that is not taken at once: ready comes from a register. */
const request = (name: string, valid: Bool, ready: VarOf<BoolShape>, payload: UInt, taken: Bool): Request => {
  const held = reg(`${name}Held`, bool, { reset: 0, doc: "a request waits" });
  const kept = reg(`${name}Kept`, uint(payload.width));
  ready.set(held.not());
  sync(() => {
    when(taken, () => held.set(0)).elsewhen(valid, () => held.set(1));
    when(held.not(), () => kept.set(payload));
  });
  return { offered: named(`${name}Offered`, held.or(valid)), payload: named(`${name}Payload`, mux(held, kept, payload)) };
};

/** A channel of responses: `answered` starts one. Its payload stays until it is taken, as two assertions say. @returns a response can start */
const response = (name: string, valid: VarOf<BoolShape>, ready: Bool, answered: Bool, parts: readonly (readonly [string, VarOf<UIntShape>, UInt])[]): Bool => {
  const waiting = reg(`${name}Waiting`, bool, { reset: 0, doc: "a response is there" });
  const stalled = reg(`${name}Stalled`, bool, { reset: 0, doc: "the response was not taken in the cycle before" });
  valid.set(waiting);
  sync(() => {
    when(answered, () => waiting.set(1)).elsewhen(ready, () => waiting.set(0));
    stalled.set(waiting.and(ready.not()));
  });
  assert(`${name}_stays_until_taken`, stalled.not().or(waiting));
  for (const [part, port, next] of parts) {
    const value = reg(`${name}${part}`, uint(next.width));
    const before = reg(`${name}${part}Before`, uint(next.width));
    port.set(value);
    sync(() => {
      when(answered, () => value.set(next));
    });
    sync(() => before.set(value));
    assert(`${name}_${part}_stays`, stalled.not().or(value.eq(before)));
  }
  return waiting.not().or(ready);
};

type Bus = Inside<Flip<ReturnType<typeof axiLite>>>;

const answer = (mapped: Bool): UInt => mux(mapped, constant(uint(2), okay), subordinateError);

/** Address and data of a write, which happens in the cycle of `write`; `writeMapped` says then whether the address is a register's. */
const writeChannels = (bus: Bus) => {
  const write = wire("write", bool);
  const writeMapped = wire("writeMapped", bool);
  const aw = request("aw", bus.awvalid, bus.awready, bus.awaddr, write);
  const w = request("w", bus.wvalid, bus.wready, cat(bus.wstrb, bus.wdata), write);
  const free = response("b", bus.bvalid, bus.bready, write, [["Resp", bus.bresp, answer(writeMapped)]]);
  write.set(aw.offered.and(w.offered).and(free));
  return { write, aw, w, writeMapped };
};

/** Address of a read, which happens in the cycle of `read`; `readMapped` and `readData` answer it. */
const readChannels = (bus: Bus) => {
  const read = wire("read", bool);
  const readMapped = wire("readMapped", bool);
  const readData = wire("readData", uint(32));
  const ar = request("ar", bus.arvalid, bus.arready, bus.araddr, read);
  const free = response("r", bus.rvalid, bus.rready, read, [
    ["Resp", bus.rresp, answer(readMapped)],
    ["Data", bus.rdata, readData],
  ]);
  read.set(ar.offered.and(free));
  return { read, ar, readMapped, readData };
};

/** A write as the registers see it: `data` counts where `mask` has ones. */
interface Write {
  readonly now: Bool;
  readonly data: UInt;
  readonly mask: UInt;
}

interface FieldIo {
  readonly value: UInt & VarOf<UIntShape>;
  readonly set: UInt;
  readonly written: VarOf<BoolShape>;
}

/** Register of one field and its ports. @returns what software reads */
const buildField = (register: Register, field: Field, io: FieldIo, selected: Bool, { now, data, mask }: Write): UInt => {
  if (!isStored(field)) return io.value;
  const name = `${register.name}_${field.name}`;
  const value = reg(`field_${name}`, uint(field.width), { reset: field.reset });
  const bits = (word: UInt): UInt => word.bits(field.high, field.low);
  const write = now.and(selected);
  sync(() => {
    if (field.access === "W1C")
      when(write, () => value.set(value.and(bits(data).and(bits(mask)).not()).or(io.set))).otherwise(() => value.set(value.or(io.set)));
    else when(write, () => value.set(value.and(bits(mask).not()).or(bits(data).and(bits(mask)))));
  });
  io.value.set(value);
  if (field.pulse) {
    const pulse = reg(`pulse_${name}`, bool, { reset: 0 });
    sync(() => pulse.set(write.and(bits(mask).any())));
    io.written.set(pulse);
  }
  return field.access === "WO" ? constant(uint(field.width), 0) : value;
};

/** The register's 32 bits: fields with zeros between them. */
const wordOf = (register: Register, values: readonly UInt[]): UInt => {
  const parts: UInt[] = [];
  let at = 0;
  register.fields.forEach((field, index) => {
    if (field.low > at) parts.unshift(constant(uint(field.low - at), 0));
    parts.unshift(values[index]!);
    at = field.high + 1;
  });
  if (at < 32) parts.unshift(constant(uint(32 - at), 0));
  return cat(...(parts as [UInt, ...UInt[]]));
};

/** Bits of a word that no register takes from software, in runs. */
const unwritten = ({ registers }: RegisterMap, word: UInt): UInt[] => {
  const stored = registers.flatMap(({ fields }) => fields.filter(isStored)).toSorted((a, b) => a.low - b.low);
  const runs: UInt[] = [];
  let at = 0;
  for (const { low, high } of stored) {
    if (low > at) runs.push(word.bits(low - 1, at));
    at = Math.max(at, high + 1);
  }
  return at < 32 ? [...runs, word.bits(31, at)] : runs;
};

/**
 * Registers on AXI4-Lite, 32 bits of data, as `map` has them; `hw.<register>.<field>` is the hardware's side.
 *
 * - RW and WO: `value` is what software wrote last, strobe by strobe; with `pulse`, `written` is high in the cycle in which a written value first shows, equal or not.
 * - RO: software reads what `value` is in the cycle before the answer shows.
 * - W1C: software clears the bits where it writes ones, `set` sets bits; where both happen at one edge, `set` wins.
 * - An address of no register, or no multiple of 4, is answered with SLVERR, reads as 0 and changes nothing; `illegal` is high for the cycle in which
 *   such an answer first shows. Writes to RO fields and to bits of no field are ignored, WO fields and bits of no field read as 0.
 * - A write and a read every cycle; the answer comes one cycle after the request. While one answer waits, one more request of each channel is taken and kept.
 *   All outputs come from registers, and no path leads from an input to an output. Reads and writes are independent: a read taken together with a write of the
 *   same register gives the value before it.
 */
export const registerBlock = <T extends RegisterTable>(map: RegisterMap<T>): Module<RegisterPorts<T>> => {
  const ports = {
    sAxil: flip(axiLite(map.addressWidth, 32)),
    illegal: output(bool, "an access was answered with an error"),
    hw: hardwarePorts(map),
  };
  return module(
    `${map.name}_registers`,
    ports,
    ({ sAxil: bus, illegal, hw }) => {
      const { write, aw, w, writeMapped } = writeChannels(bus);
      const { read, ar, readMapped, readData } = readChannels(bus);

      const lane = (byte: number): UInt => mux(w.payload.bit(32 + byte), constant(uint(8), 255), 0);
      const data = named("data", w.payload.bits(31, 0));
      const mask = named("mask", cat(lane(3), lane(2), lane(1), lane(0)), "bits that the strobes name");
      const readable = map.registers.map((register) => {
        const selected = named(`select_${register.name}`, aw.payload.eq(register.offset));
        const values = register.fields.map((field) =>
          buildField(register, field, hw[register.key]![field.key]! as unknown as FieldIo, selected, { now: write, data, mask }),
        );
        return { register, selected, values };
      });
      comb(() => {
        writeMapped.set(0);
        for (const { selected } of readable) when(selected, () => writeMapped.set(1));
      });
      comb(() => {
        readMapped.set(0);
        readData.set(0);
        for (const { register, values } of readable)
          when(ar.payload.eq(register.offset), () => {
            readMapped.set(1);
            readData.set(wordOf(register, values));
          });
      });
      const refused = reg("refused", bool, { reset: 0 });
      sync(() => refused.set(write.and(writeMapped.not()).or(read.and(readMapped.not()))));
      illegal.set(refused);
      discard("ignored", cat(bus.awprot, bus.arprot, ...unwritten(map, data), ...unwritten(map, mask)));
    },
    {
      doc: `${map.doc.replace(/\.$/, "")}. Registers on AXI4-Lite, 32 bits of data.`,
      latency: "an answer comes one cycle after its request; one write and one read a cycle.",
    },
  ) as unknown as Module<RegisterPorts<T>>;
};
