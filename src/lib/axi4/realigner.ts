import { assert, bool, cat, constant, input, type Module, module, mux, named, output, reg, sync, type UInt, uint, when } from "../../hdl/index.ts";

/** A stream of a command's bytes as its producer sees it: byte 0 in lane 0, whole beats but for the last. */
export const dmaStream = (dataWidth: number) => ({
  tvalid: output(bool),
  tready: input(bool),
  tdata: output(uint(dataWidth)),
  tkeep: output(uint(dataWidth / 8), "bytes that are meant, from lane 0 on"),
  tlast: output(bool, "ends the command"),
  tuser: output(uint(2), "with the last beat: status of the command"),
});

/** Byte enables of a command's last beat, which lacks `missing` bytes. */
export const tailKeep = (missing: UInt, beatBytes: number): UInt => constant(uint(beatBytes), 2n ** BigInt(beatBytes) - 1n).shr(missing);

const realignerPorts = (dataWidth: number, offsetWidth: number) => {
  const laneWidth = Math.log2(dataWidth / 8);
  return {
    halt: input(bool, "forget what is held, offer nothing"),
    busy: output(bool, "something is held"),
    in: {
      valid: input(bool),
      ready: output(bool),
      data: input(uint(dataWidth)),
      last: input(bool, "ends the command"),
      none: input(bool, "the command has no byte; this is its only beat"),
      offset: input(uint(offsetWidth), "elements before the command's first byte"),
      missing: input(uint(laneWidth), "bytes that fill the command up to whole beats"),
      spill: input(bool, "the last beat has bytes for an output of its own"),
      status: input(uint(2)),
    },
    mAxis: dmaStream(dataWidth),
  };
};

/** The low half of `pair`, a value of two beats less an element, after a shift by whole elements: one multiplexer a bit of the offset. */
const shifted = (pair: UInt, offset: UInt, elementBits: number, dataWidth: number): UInt => {
  let value = pair;
  for (let bit = offset.width - 1; bit >= 0; bit -= 1) {
    const distance = elementBits * 2 ** bit;
    const width = dataWidth + distance - elementBits;
    value = named(`shift${bit}`, mux(offset.bit(bit), value.bits(distance + width - 1, distance), value.wrap(width)));
  }
  return value;
};

/**
 * Moves the bytes of each command to lane 0. It holds one beat; output i comes with beat i + 1, the last one alone where no beat follows.
 * A beat every cycle, across commands too. `alignment` is the element in bytes, smaller than a beat.
 */
export const realigner = ({ dataWidth, alignment }: { readonly dataWidth: number; readonly alignment: number }): Module<ReturnType<typeof realignerPorts>> => {
  const offsetWidth = Math.log2(dataWidth / 8 / alignment);
  const beatBytes = dataWidth / 8;
  return module(
    `axi4_realigner_d${dataWidth}_e${alignment}`,
    realignerPorts(dataWidth, offsetWidth),
    (io) => {
      const full = reg("full", bool, { reset: 0 });
      const final = reg("closing", bool, { doc: "no beat of the command follows" });
      const none = reg("none", bool);
      const data = reg("data", uint(dataWidth));
      const offset = reg("offset", uint(offsetWidth));
      const missing = reg("missing", uint(Math.log2(beatBytes)));
      const status = reg("status", uint(2));
      const { in: from, mAxis } = io;

      const room = named("room", full.not().or(mAxis.tready));
      const take = named("take", from.valid.and(room));
      const first = named("first", full.not().or(final), "the beat that comes is a command's first");
      const upper = named("upper", mux(final, 0, from.data.wrap(dataWidth - 8 * alignment)));
      const ends = named("ends", final.or(from.last.and(from.spill.not())));

      from.ready.set(room);
      io.busy.set(full);
      mAxis.tvalid.set(full.and(io.halt.not()).and(final.or(from.valid)));
      mAxis.tdata.set(shifted(named("pair", cat(upper, data)), offset, 8 * alignment, dataWidth));
      mAxis.tlast.set(ends);
      mAxis.tuser.set(mux(final, status, from.status));
      mAxis.tkeep.set(mux(ends, mux(final.and(none), 0, tailKeep(missing, beatBytes)), 2n ** BigInt(beatBytes) - 1n));

      sync(() => {
        when(io.halt, () => full.set(0))
          .elsewhen(take, () => full.set(first.or(from.last.not()).or(from.spill)))
          .elsewhen(mAxis.tready.and(final), () => full.set(0));
      });
      sync(() => {
        when(take, () => {
          final.set(from.last);
          none.set(from.none);
          data.set(from.data);
          offset.set(from.offset);
          missing.set(from.missing);
          status.set(from.status);
        });
      });

      assert("an_empty_command_is_one_beat", take.and(from.none).not().or(first.and(from.last)));
    },
    {
      doc: "Moves the bytes of each command to lane 0; a beat every cycle, across commands too.",
      parameters: [
        { name: "dataWidth", value: dataWidth, legal: "64, 128, 256 or 512" },
        { name: "alignment", value: alignment, legal: "a power of two smaller than a beat's bytes" },
      ],
      latency: "an output comes with the command's next beat, the last one a cycle after it.",
    },
  );
};
