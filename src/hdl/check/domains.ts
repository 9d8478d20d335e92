import { UserError } from "../../base/error.ts";
import { alsoAt } from "../builder.ts";
import type { Circuit, ClockDomain, Instance, Item, Signal } from "../circuit.ts";
import type { Site } from "../location.ts";
import { type Node, operandsOf } from "../node.ts";
import { forEachItem, readsOf, writesOf } from "./traverse.ts";

/** A clock on which a value depends, and the signal through which it does. */
type Sources = Map<string, Signal>;

/** References that are not marked as a crossing. */
const uncrossedRefs = (root: Node): Signal[] => {
  const found: Signal[] = [];
  const stack = [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node.op === "cross") continue;
    if (node.op === "ref") found.push(node.signal);
    stack.push(...operandsOf(node));
  }
  return found;
};

const parentOf = (instance: Instance, clockKey: string | undefined): ClockDomain | undefined =>
  instance.clocks.find(({ child }) => child.key === (clockKey ?? ""))?.parent;

class DomainCheck {
  readonly #driversOf = new Map<Signal, Item[]>();
  readonly #known = new Map<Signal, Sources>();

  constructor(circuit: Circuit) {
    forEachItem(circuit.scope, (item) => {
      for (const { place } of writesOf(item)) {
        const drivers = this.#driversOf.get(place.signal);
        if (drivers === undefined) this.#driversOf.set(place.signal, [item]);
        else if (drivers.at(-1) !== item) drivers.push(item);
      }
    });
  }

  /** Clocks on which a signal depends; worked off with a stack, since chains of wires can be long. */
  sources(signal: Signal): Sources {
    const known = this.#known.get(signal);
    if (known !== undefined) return known;
    const sources: Sources = new Map();
    const seen = new Set<Signal>();
    // A comb() block may drive thousands of signals: what it reads counts once.
    const expanded = new Set<Item>();
    const stack = [signal];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      if (next.domain !== undefined && next.role !== "output") {
        sources.set(next.domain.key, next);
        continue;
      }
      for (const item of this.#driversOf.get(next) ?? []) {
        const clocked = item.kind === "instance" ? this.#instanceSource(item, next) : undefined;
        if (clocked !== undefined) sources.set(clocked.key, next);
        if (clocked !== undefined || expanded.has(item)) continue;
        expanded.add(item);
        for (const { expression } of readsOf(item)) for (const ref of uncrossedRefs(expression)) stack.push(ref);
      }
    }
    this.#known.set(signal, sources);
    return sources;
  }

  /** Clock of an instance's output; undefined where the child has no clock, so that its outputs depend on its inputs. */
  #instanceSource(item: Instance, signal: Signal): ClockDomain | undefined {
    const port = item.outputs.find(({ place }) => place.signal === signal)?.port;
    return item.clocks.length === 0 ? undefined : parentOf(item, port?.clock);
  }

  refuseForeign(expression: Node, domain: ClockDomain, site: Site, reader: string): void {
    for (const ref of uncrossedRefs(expression)) {
      for (const [key, origin] of this.sources(ref)) {
        if (key === domain.key) continue;
        throw new UserError(
          "clock-crossing",
          `${reader} on clock \`${domain.clk}\` reads \`${ref.name}\`, which changes with \`${origin.domain?.clk ?? key}\``,
          {
            where: site.location,
            hint: `synchronise it first (crossing() marks the place); ${alsoAt(`\`${origin.name}\` declared`, origin.site)}`,
          },
        );
      }
    }
  }
}

/** A register reads only what belongs to its own clock, except through crossing(). */
export const checkDomains = (circuit: Circuit): void => {
  if (circuit.clocks.every(({ key }) => key === "")) return;
  const check = new DomainCheck(circuit);
  forEachItem(circuit.scope, (item) => {
    if (item.kind === "sync" || item.kind === "assert" || item.kind === "assume" || item.kind === "cover")
      for (const { expression, site } of readsOf(item))
        check.refuseForeign(expression, item.domain, site, item.kind === "sync" ? "a block" : `property \`${item.name}\``);
    if (item.kind === "delay")
      for (const { expression, site } of readsOf(item)) check.refuseForeign(expression, item.domain, site, `delay \`${item.data.name}\``);
    if (item.kind === "read" && item.domain !== undefined)
      for (const { expression, site } of readsOf(item)) check.refuseForeign(expression, item.domain, site, "a memory port");
    if (item.kind === "instance") {
      const own = parentOf(item, undefined);
      if (item.reset !== undefined && own !== undefined) check.refuseForeign(item.reset, own, item.site, `the reset of \`${item.name}\``);
      for (const { port, value } of item.inputs) {
        const domain = parentOf(item, port.clock);
        if (domain !== undefined) check.refuseForeign(value, domain, item.site, `input \`${port.name}\` of \`${item.name}\``);
      }
    }
  });
  const outputs = circuit.portSignals.filter((signal) => signal.role === "output");
  for (const output of outputs) {
    for (const [key, origin] of check.sources(output)) {
      if (output.domain === undefined || key === output.domain.key) continue;
      throw new UserError(
        "clock-crossing",
        `output \`${output.name}\` belongs to clock \`${output.domain.clk}\`, but changes with \`${origin.domain?.clk ?? key}\``,
        {
          where: output.site.location,
          hint: `name its clock in output(shape, doc, { clock }); ${alsoAt(`\`${origin.name}\` declared`, origin.site)}`,
        },
      );
    }
  }
};
