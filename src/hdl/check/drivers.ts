import { UserError } from "../../base/error.ts";
import { alsoAt } from "../builder.ts";
import type { Circuit, Signal } from "../circuit.ts";
import type { Site } from "../location.ts";
import { depthOf, describeBits, encloses, firstGap, forEachItem, type Range, rangesOf, signalsOf, writesOf } from "./traverse.ts";

interface Driver extends Range {
  /** Number of the item in one iteration of the loops around it: what drives a bit twice from there is one driver. */
  readonly owner: number;
  readonly site: Site;
}

const collect = (circuit: Circuit): Map<Signal, Driver[]> => {
  const drivers = new Map<Signal, Driver[]>();
  let owners = 0;
  forEachItem(circuit.scope, (item, loops, scope) => {
    for (const { place, site } of writesOf(item)) {
      const { signal, select } = place;
      if (!encloses(signal.scope, scope))
        throw new UserError("out-of-scope", `\`${signal.name}\` can't be driven here: it belongs to another module or to one iteration of a repeat()`, {
          where: site.location,
          hint: alsoAt("declared", signal.site),
        });
      const list = drivers.get(signal) ?? [];
      drivers.set(signal, list);
      rangesOf(signal, select, loops.slice(depthOf(signal.scope))).forEach((range, iteration) => {
        list.push({ low: range.low, high: range.high, owner: owners + iteration, site });
      });
    }
    owners += loops.reduce((product, loop) => product * loop.count, 1);
  });
  return drivers;
};

const refuseTwoDrivers = (signal: Signal, drivers: readonly Driver[]): void => {
  const sorted = drivers.toSorted((a, b) => (a.low === b.low ? a.high - b.high : a.low - b.low));
  let reaching: Driver | undefined;
  for (const driver of sorted) {
    if (reaching !== undefined && driver.low < reaching.high && driver.owner !== reaching.owner) {
      const overlap = { low: driver.low, high: Math.min(driver.high, reaching.high) };
      throw new UserError(
        "two-drivers",
        `${describeBits(signal, overlap)} driven ${driver.site === reaching.site ? "in several iterations of a repeat()" : "twice"}`,
        {
          where: driver.site.location,
          hint: alsoAt("first driven", reaching.site),
        },
      );
    }
    if (reaching === undefined || driver.high >= reaching.high) reaching = driver;
  }
};

/** Every bit of every output, wire and register is driven, from one place. */
export const checkDrivers = (circuit: Circuit): void => {
  const drivers = collect(circuit);
  for (const signal of signalsOf(circuit)) {
    const list = drivers.get(signal) ?? [];
    if (signal.role === "input") {
      if (list[0] !== undefined)
        throw new UserError("drives-input", `\`${signal.name}\` is an input and can't be driven here`, {
          where: list[0].site.location,
          hint: alsoAt("declared", signal.site),
        });
      continue;
    }
    refuseTwoDrivers(signal, list);
    const gap = firstGap(list, signal.shape.width);
    if (gap !== undefined) {
      const verb = signal.role === "reg" ? "set" : "driven";
      throw new UserError("undriven", `${describeBits(signal, gap)} never ${verb}`, { where: signal.site.location });
    }
  }
};
