import { hash } from "../../../base/hash.ts";
import { registerMap } from "../../../lib/csr/index.ts";
import { jobErrors } from "./descriptor.ts";
import type { CoreParameters } from "./parameters.ts";

const kinds = { int8: 0, int4: 1, composable: 2 } as const;

const read = (bits: number | readonly [number, number], doc: string) => ({ bits, access: "RO" as const, doc });
const word = (doc: string) => ({ doc, fields: { value: read([31, 0], doc) } });
const halves = (doc: string) => [word(`${doc} Low half.`), word(`${doc} High half.`)] as const;
const flag = (bit: number, doc: string) => ({ bits: bit, access: "W1C" as const, doc });

const [busyLow, busyHigh] = halves("Cycles in which there was something to do.");
const [activeLow, activeHigh] = halves("Beats that the array took.");
const [stallWeightsLow, stallWeightsHigh] = halves("Busy cycles in which the array waited for weights.");
const [stallActivationsLow, stallActivationsHigh] = halves("Busy cycles in which the array waited for activations, an index or a descriptor.");
const [stallDrainLow, stallDrainHigh] = halves("Busy cycles in which the array waited for its results to leave it.");
const [stallWriteBackLow, stallWriteBackHigh] = halves("Busy cycles in which results waited to be written.");
const [readBytesLow, readBytesHigh] = halves("Bytes read from memory.");
const [writeBytesLow, writeBytesHigh] = halves("Bytes written to memory.");

/** The core's registers, the same for all parameters. */
export const coreRegisters = registerMap({
  name: "tenderCore",
  doc: "Registers of the Tender core.",
  registers: {
    id: word("54454e44, TEND."),
    shape: {
      doc: "The array.",
      fields: {
        rows: read([3, 0], "Log2 of the rows."),
        cols: read([7, 4], "Log2 of the columns."),
        kind: read([11, 8], "Elements: 0 INT8, 1 INT4, 2 composable."),
        accWidth: read([19, 12], "Bits of the accumulators."),
        shiftBits: read([23, 20], "Bits of the shift code."),
        requantize: read(24, "Results can be codes."),
      },
    },
    memory: {
      doc: "Memory port and scratchpads.",
      fields: {
        beatBytes: read([3, 0], "Log2 of the bytes of a beat."),
        addressWidth: read([11, 4], "Bits of an address."),
        channels: read([15, 12], "Log2 of the most beats of a tile."),
        activationKib: read([19, 16], "Log2 of the KiB of the activation scratchpad."),
        weightKib: read([23, 20], "Log2 of the KiB of the weight scratchpad."),
      },
    },
    configuration: word("Hash of all parameters: a driver sees that it was made for this core."),
    control: {
      doc: "What the core does.",
      fields: {
        enable: { bits: 0, access: "RW", doc: "Descriptors are fetched." },
        softReset: { bits: 8, access: "WO", pulse: true, doc: "Writing 1 forgets all jobs, HEAD and TAIL, after the bus has come to rest." },
        clearCounters: { bits: 9, access: "WO", pulse: true, doc: "Writing 1 sets all counters to 0." },
      },
    },
    status: {
      doc: "What the core is doing.",
      fields: { busy: read(0, "There is something to do."), resetting: read(1, "A soft reset waits for the bus.") },
    },
    ringLow: { doc: "Address of slot 0 of the ring.", fields: { value: { bits: [31, 7], access: "RW", doc: "Low half; slots are 128 bytes." } } },
    ringHigh: {
      doc: "Address of slot 0 of the ring.",
      fields: { value: { bits: [31, 0], access: "RW", doc: "High half; bits beyond the address are ignored." } },
    },
    ringSize: { doc: "Slots of the ring.", fields: { value: { bits: [3, 0], access: "RW", reset: 1, doc: "Log2 of the slots, 1 to 15." } } },
    head: { doc: "Progress.", fields: { value: read([14, 0], "Jobs retired, modulo the slots.") } },
    tail: {
      doc: "The doorbell.",
      fields: { value: { bits: [14, 0], access: "RW", pulse: true, doc: "The slot that software fills next: jobs up to it are done." } },
    },
    interruptState: {
      doc: "Why the core interrupts.",
      fields: { done: flag(0, "A job that asks for an interrupt has its record."), error: flag(1, "A job has ended with an error, or an access was illegal.") },
    },
    interruptEnable: {
      doc: "What interrupts.",
      fields: {
        done: { bits: 0, access: "RW", doc: "Interrupt while done is set." },
        error: { bits: 1, access: "RW", doc: "Interrupt while error is set." },
      },
    },
    errors: {
      doc: "Errors since they were cleared.",
      fields: {
        badDescriptor: flag(jobErrors.badDescriptor.bit, jobErrors.badDescriptor.doc),
        readError: flag(jobErrors.readError.bit, jobErrors.readError.doc),
        writeError: flag(jobErrors.writeError.bit, jobErrors.writeError.doc),
        overflow: flag(jobErrors.overflow.bit, jobErrors.overflow.doc),
        nan: flag(jobErrors.nan.bit, jobErrors.nan.doc),
        badIndex: flag(jobErrors.badIndex.bit, jobErrors.badIndex.doc),
        illegalAccess: flag(8, "An access to the registers was answered with an error."),
      },
    },
    jobs: word("Jobs retired."),
    busyLow,
    busyHigh,
    activeLow,
    activeHigh,
    stallWeightsLow,
    stallWeightsHigh,
    stallActivationsLow,
    stallActivationsHigh,
    stallDrainLow,
    stallDrainHigh,
    stallWriteBackLow,
    stallWriteBackHigh,
    readBytesLow,
    readBytesHigh,
    writeBytesLow,
    writeBytesHigh,
  },
});

/** Values of the fields that say what core this is, by register and field. */
export const coreIdentity = (parameters: CoreParameters) => {
  const { rows, cols, kind, accWidth, shiftBits, requantize, dataWidth, addressWidth, channels, activationKib, weightKib } = parameters;
  const { log2 } = Math;
  const ordered = Object.entries(parameters).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    id: { value: 0x54454e44 },
    shape: { rows: log2(rows), cols: log2(cols), kind: kinds[kind], accWidth, shiftBits, requantize: requantize ? 1 : 0 },
    memory: { beatBytes: log2(dataWidth / 8), addressWidth, channels: log2(channels), activationKib: log2(activationKib), weightKib: log2(weightKib) },
    configuration: { value: Number.parseInt(hash([JSON.stringify(ordered)]).slice(0, 8), 16) },
  };
};
