import { clog2 } from "../../../base/clog2.ts";
import { assert, type Bool, bool, cat, constant, named, reg, sync, type UInt, uint, when } from "../../../hdl/index.ts";
import { recordBytes } from "./descriptor.ts";
import { slotWidth } from "./jobs.ts";
import type { CoreParameters } from "./parameters.ts";
import { statusOf, statusWidth } from "./status.ts";

/** A job that has ended but for its record. */
export interface EndedJob {
  readonly ends: Bool;
  readonly slot: UInt;
  readonly status: UInt;
  readonly tag: UInt;
  readonly interrupt: Bool;
  readonly address: UInt;
}

/** What the DMA is given and what it reports. */
export interface Traffic {
  /** A command for results begins to wait for the DMA. */
  readonly commanded: Bool;
  /** A command for results is given. */
  readonly passed: Bool;
  /** The record's command is given. */
  readonly recorded: Bool;
  /** A command's report comes. */
  readonly reported: Bool;
  readonly failed: Bool;
}

/** Commands that are not yet reported: all, and those of them that the DMA was given; after this cycle. */
const unreported = ({ commanded, passed, recorded, reported }: Traffic, width: number) => {
  const inFlight = reg("inFlight", uint(width), { reset: 0, doc: "commands not yet reported" });
  const inDma = reg("inDma", uint(width), { reset: 0, doc: "of these, the ones that the DMA was given" });
  const all = named("inFlightNow", inFlight.addWrap(commanded).addWrap(recorded).subWrap(reported));
  const given = named("inDmaNow", inDma.addWrap(passed.or(recorded)).subWrap(reported));
  sync(() => {
    inFlight.set(all);
    inDma.set(given);
  });
  assert("reports_are_of_commands", reported.not().or(inDma.ne(0)));
  return { all, given, any: inFlight.any() };
};

/** The record, taken when its command goes to the DMA. */
const recordWords = (recorded: Bool, errors: UInt, tag: UInt, busyCycles: UInt): UInt => {
  const words = reg("words", uint(8 * recordBytes), { doc: "the record" });
  const number = reg("number", uint(32), { reset: 0 });
  const last = reg("cyclesBefore", uint(32), { reset: 0 });
  sync(() => {
    when(recorded, () => {
      number.set(number.addWrap(1));
      last.set(busyCycles);
    });
  });
  sync(() => when(recorded, () => words.set(cat(number, busyCycles.subWrap(last), tag, constant(bool, 1), constant(uint(31 - statusWidth), 0), errors))));
  return words;
};

/**
 * The record of the job that ended last: it waits until all that was commanded before is reported, is written, and is reported itself.
 * Reports come in the order of the commands, so that counting tells whose they are.
 */
export const records = (job: EndedJob, traffic: Traffic, errorsOf: (slot: UInt) => UInt, busyCycles: UInt, parameters: CoreParameters) => {
  const { recorded, reported, failed } = traffic;
  // Commands in the DMA, and before it those of the queue of rows.
  const countWidth = clog2(parameters.outstanding + 2 * parameters.rows + 8);
  const awaited = reg("awaited", uint(countWidth), { reset: 0, doc: "commands not yet reported up to the job's last, or to its record" });
  const waits = reg("recordWaits", bool, { reset: 0, doc: "a job has ended and its record is not written" });
  const written = reg("recordWritten", bool, { reset: 0, doc: "the record's command is given" });
  const writeError = reg("writeError", bool, { reset: 0, doc: "of the job whose results are being written" });
  const endedError = reg("endedError", bool, { doc: "of the job that has ended" });
  const slot = reg("endedSlot", uint(slotWidth));
  const status = reg("endedStatus", uint(statusWidth));
  const tag = reg("endedTag", uint(32));
  const interrupt = reg("endedInterrupt", bool);
  const address = reg("endedAddress", uint(parameters.addressWidth));

  const counts = unreported(traffic, countWidth);
  const ofEnded = named("ofEnded", waits.and(written.not()).and(awaited.ne(0)), "a report now is of the job that has ended");
  const retires = named("retires", waits.and(written).and(reported).and(awaited.eq(1)));
  const fault = named("fault", reported.and(failed));
  const errors = named("errorsNow", status.or(errorsOf(slot)).or(statusOf({ writeError: endedError })));
  sync(() => {
    when(job.ends, () => {
      waits.set(1);
      written.set(0);
    }).elsewhen(retires, () => waits.set(0));
    when(job.ends, () => awaited.set(counts.all))
      .elsewhen(recorded, () => awaited.set(counts.given))
      .elsewhen(reported.and(awaited.ne(0)), () => awaited.set(awaited.subWrap(1)));
    when(recorded, () => written.set(1));
    when(job.ends, () => writeError.set(0)).elsewhen(fault.and(ofEnded.not()).and(retires.not()), () => writeError.set(1));
  });
  sync(() => {
    when(job.ends, () => {
      slot.set(job.slot);
      status.set(job.status);
      tag.set(job.tag);
      interrupt.set(job.interrupt);
      address.set(job.address);
      endedError.set(writeError.or(fault));
    }).elsewhen(fault.and(ofEnded), () => endedError.set(1));
    when(recorded, () => status.set(errors));
  });
  assert("one_record_waits", job.ends.not().or(waits.not()));
  return {
    /** No record waits: a job may end. */
    free: waits.not(),
    due: named("recordDue", waits.and(written.not()).and(awaited.eq(0))),
    address,
    words: recordWords(recorded, errors, tag, busyCycles),
    retired: { valid: retires, slot, interrupt, status: named("finalStatus", status.or(statusOf({ writeError: endedError.or(fault) }))) },
    active: named("recordActive", waits.or(counts.any)),
  };
};
