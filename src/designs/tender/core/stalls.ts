import { assert, type Bool, bool, type Inside, input, type Module, module, named, output, reg, sync, uint, when } from "../../../hdl/index.ts";

/** Counts of cycles, by what the array did or waited for. */
export const stallCounts = {
  busy: output(uint(64), "cycles"),
  active: output(uint(64), "beats that the array took"),
  weights: output(uint(64), "cycles in which the array waited for weights"),
  activations: output(uint(64), "for activations, an index or a descriptor"),
  drain: output(uint(64), "for results to leave the array"),
  writeBack: output(uint(64), "for results to be written"),
};

const stallPorts = {
  clear: input(bool),
  busy: input(bool, "there is something to do"),
  offered: input(bool, "a beat is at the array"),
  taken: input(bool, "the array takes it"),
  frozen: input(bool, "results that nobody takes freeze the array"),
  waitsActivations: input(bool, "the sequencer waits for an index or activations"),
  waitsWeights: input(bool, "for nothing but weights"),
  running: input(bool, "the sequencer has a job"),
  fetching: input(bool, "a descriptor is to come"),
  draining: input(bool, "tiles are in the array"),
  counts: stallCounts,
};

const build = (io: Inside<typeof stallPorts>): void => {
  const { busy, counts } = io;
  const forWeights = reg("forWeights", bool, { reset: 0, doc: "what the sequencer waited for last was weights" });
  const counter = (name: keyof typeof counts, happens: Bool): void => {
    const count = reg(`${name}Count`, uint(64), { reset: 0 });
    sync(() => when(io.clear, () => count.set(0)).elsewhen(happens, () => count.set(count.addWrap(1))));
    counts[name].set(count);
  };
  sync(() => when(io.waitsActivations.or(io.waitsWeights), () => forWeights.set(io.waitsWeights)));

  // In this order: what holds the array itself, then what keeps beats away from it.
  const active = named("active", busy.and(io.taken));
  const stalled = named("stalled", busy.and(io.taken.not()));
  const writeBack = named("writeBack", stalled.and(io.frozen));
  const full = named("full", stalled.and(io.frozen.not()).and(io.offered), "a tile's last beat waits for the results of the tile before");
  const empty = named("empty", stalled.and(io.frozen.not()).and(io.offered.not()));
  // The cycles in which a beat is on its way to the array belong to what it waited for.
  const weights = named("noWeights", empty.and(io.running).and(io.waitsWeights.or(io.waitsActivations.not().and(forWeights))));
  const activations = named("noActivations", empty.and(weights.not()).and(io.running.or(io.fetching)));
  const rest = named("rest", empty.and(io.running.or(io.fetching).not()), "all beats of all jobs are in the array, or through it");
  counter("busy", busy);
  counter("active", active);
  counter("weights", weights);
  counter("activations", activations);
  counter("drain", full.or(rest.and(io.draining)));
  counter("writeBack", writeBack.or(rest.and(io.draining.not())));
  const exactlyOne = active.add(weights).add(activations).add(full).add(rest).add(writeBack);
  assert("every_busy_cycle_has_one_cause", exactlyOne.eq(busy));
};

/** Counts the core's busy cycles: each is a beat that the array takes, or a stall with one cause. */
export const stallCounters = (): Module<typeof stallPorts> =>
  module("tender_stall_counters", stallPorts, build, "Counts the core's busy cycles: each is a beat that the array takes, or a stall with one cause.");
