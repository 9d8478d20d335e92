import { UserError } from "../base/error.ts";
import { Builder, building, refTo, variable } from "./builder.ts";
import { checkCircuit } from "./check/index.ts";
import type { About, Circuit, ClockDomain, FlatPort, Module, Scope, Signal } from "./circuit.ts";
import { callerLocation, Site } from "./location.ts";
import { verilogName } from "./names.ts";
import type { Inside, PortMap } from "./ports.ts";
import { isPort } from "./ports.ts";
import type { Shape } from "./shape.ts";
import { valueFrom } from "./value.ts";

const ownClockOf = (about: About): ClockDomain => {
  const { clock } = about;
  if (clock === undefined) return { key: "", clk: "clk", rst: "rst", reset: "sync", activeLow: false };
  const reset = clock.reset ?? (clock.rst === undefined ? "none" : "sync");
  return { key: "", clk: clock.clk, rst: reset === "none" ? undefined : clock.rst, reset, activeLow: clock.activeLow ?? false };
};

interface Flattened {
  readonly ports: FlatPort[];
  readonly clocks: ClockDomain[];
}
type Leaf = { readonly port: FlatPort } | { readonly clock: ClockDomain };
/** The port map with its flat ports and clock domains as leaves. */
interface Tree {
  readonly [key: string]: Leaf | Tree;
}

const isLeaf = (entry: Leaf | Tree): entry is Leaf =>
  typeof (entry as { port?: { name?: unknown } }).port?.name === "string" || typeof (entry as { clock?: { clk?: unknown } }).clock?.clk === "string";

/** Ports in the order they are written; bundle keys join with `_`. @throws UserError for keys that JavaScript would reorder. */
const flatten = (map: PortMap, prefix: readonly string[], into: Flattened): Tree => {
  const tree: Record<string, Leaf | Tree> = {};
  for (const [key, entry] of Object.entries(map)) {
    if (/^\d+$/.test(key))
      throw new UserError("bad-name", `port key ${key} is a number, which JavaScript moves to the front`, {
        where: callerLocation(),
        hint: "use vec() for arrays of ports",
      });
    const path = [...prefix, key];
    if (!isPort(entry)) {
      tree[key] = flatten(entry, path, into);
      continue;
    }
    const name = verilogName(path.join("_"), "a port");
    if (entry.port === "clock") {
      const rst = entry.reset === "none" ? undefined : `${name}_${entry.activeLow ? "rst_n" : "rst"}`;
      const domain: ClockDomain = { key: path.join("."), clk: `${name}_clk`, rst, reset: entry.reset, activeLow: entry.activeLow };
      into.clocks.push(domain);
      tree[key] = { clock: domain };
    } else {
      const port: FlatPort = { path, name, direction: entry.port, shape: entry.shape, doc: entry.doc, clock: entry.clock };
      into.ports.push(port);
      tree[key] = { port };
    }
  }
  return tree;
};

/** Signals of the ports and, over them, the view that the body sees. */
const declarePorts = (build: Builder, flattened: Flattened, tree: Tree): { readonly inside: unknown; readonly signals: Signal[] } => {
  const signals: Signal[] = [];
  for (const domain of [build.ownClock, ...flattened.clocks]) {
    build.claim(domain.clk, "a clock");
    if (domain.rst !== undefined) build.claim(domain.rst, "a reset");
  }
  const clockNamed = (port: FlatPort): ClockDomain => {
    if (port.clock === undefined) return build.ownClock;
    const found = flattened.clocks.find((domain) => domain.key === port.clock);
    if (found === undefined)
      throw new UserError("unknown-clock", `port \`${port.name}\` names clock \`${port.clock}\`, but no clock() port has that key`, {
        where: callerLocation(),
      });
    return found;
  };
  const view = (branch: Tree): unknown =>
    Object.fromEntries(
      Object.entries(branch).map(([key, entry]) => {
        if (!isLeaf(entry)) return [key, view(entry)];
        if ("clock" in entry) return [key, entry.clock];
        const { port } = entry;
        const signal = build.declare(port.name, "a port", port.shape, { role: port.direction, domain: clockNamed(port), doc: port.doc });
        signals.push(signal);
        return [key, port.direction === "input" ? valueFrom(refTo(signal), port.shape) : variable(refTo(signal), port.shape as Shape)];
      }),
    );
  return { inside: view(tree), signals };
};

/** Clocks that something in the scope uses, and of these the ones whose reset is used. */
const usedClocks = (scope: Scope, clocks: Set<string>, resets: Set<string>): void => {
  for (const signal of scope.signals) {
    if (signal.role !== "reg" || signal.domain === undefined) continue;
    clocks.add(signal.domain.key);
    if (signal.reset !== undefined) resets.add(signal.domain.key);
  }
  for (const item of scope.items) {
    if (item.kind === "repeat") usedClocks(item.scope, clocks, resets);
    else if (item.kind === "instance") {
      for (const { child, parent } of item.clocks) {
        clocks.add(parent.key);
        if (child.rst !== undefined) resets.add(parent.key);
      }
    } else if ("domain" in item && item.domain !== undefined) {
      clocks.add(item.domain.key);
      if (item.kind === "delay" && item.reset) resets.add(item.domain.key);
    }
  }
};

const about = (given: About | string): About => (typeof given === "string" ? { doc: given } : given);

/**
 * A hardware module. `ports` maps names to `input()`, `output()`, `clock()` or bundles of these; `body` builds the circuit from its inside view.
 * The module's own clock and reset appear as ports where something is clocked, or reset.
 * @throws UserError with the line at fault for everything that the language refuses.
 */
export const module = <const P extends PortMap>(name: string, ports: P, body: (io: Inside<P>) => void, describe: About | string): Module<P> => {
  const verilog = verilogName(name, "a module");
  const site = new Site();
  const said = about(describe);
  const build = new Builder(verilog, ownClockOf(said));
  const flattened: Flattened = { ports: [], clocks: [] };
  const tree = flatten(ports, [], flattened);
  const { inside, signals } = declarePorts(build, flattened, tree);
  building(build, () => body(inside as Inside<P>));
  const clockKeys = new Set<string>();
  const resetKeys = new Set<string>();
  usedClocks(build.scope, clockKeys, resetKeys);
  const shown = [build.ownClock, ...flattened.clocks].filter((domain) => domain.key !== "" || clockKeys.has(""));
  const clocks = shown.map((domain) => (resetKeys.has(domain.key) ? domain : { ...domain, rst: undefined }));
  const circuit: Circuit = { name: verilog, about: said, ports: flattened.ports, portSignals: signals, clocks, scope: build.scope, site };
  checkCircuit(circuit);
  return { name: verilog, ports, circuit };
};

export interface ExternOptions extends About {
  /** File that holds the Verilog; it is delivered and simulated with the generated ones. */
  readonly file: string;
  /** Verilog parameters to set. */
  readonly values?: Readonly<Record<string, number | string>>;
}

/** A module that exists as Verilog: its ports are typed, its text stays in `file`. Without `clock` it has no clock of its own. */
export const extern = <const P extends PortMap>(name: string, ports: P, options: ExternOptions): Module<P> => {
  const flattened: Flattened = { ports: [], clocks: [] };
  flatten(ports, [], flattened);
  const clocks = [...(options.clock === undefined ? [] : [ownClockOf(options)]), ...flattened.clocks];
  const scope: Scope = { parent: undefined, signals: [], memories: [], items: [] };
  const external = { parameters: options.values ?? {}, file: options.file };
  // The name of existing Verilog is kept as it is: it was not ours to give.
  return { name, ports, circuit: { name, about: options, ports: flattened.ports, portSignals: [], clocks, scope, external, site: new Site() } };
};
