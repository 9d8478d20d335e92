import { UserError } from "../base/error.ts";
import { type Builder, builder, placeOf, refTo, variable } from "./builder.ts";
import type { Circuit, ClockDomain, FlatPort, Instance, Module, Place, Scope, Signal } from "./circuit.ts";
import { callerLocation } from "./location.ts";
import type { Node } from "./node.ts";
import type { Connections, Outputs, PortMap, Wires } from "./ports.ts";
import { isPort } from "./ports.ts";
import { nodeFor, valueFrom } from "./value.ts";

interface Output {
  readonly port: FlatPort;
  readonly place: Place;
}

const lookUp = (connections: unknown, path: readonly string[]): unknown => {
  let found = connections;
  for (const key of path) found = (found as Record<string, unknown> | undefined)?.[key];
  return found;
};

const clockPairs = (child: Circuit, connections: unknown, own: ClockDomain, name: string): Instance["clocks"] =>
  child.clocks.map((domain) => {
    const parent = domain.key === "" ? own : (lookUp(connections, domain.key.split(".")) as ClockDomain | undefined);
    if (parent === undefined)
      throw new UserError("unconnected", `clock \`${domain.key}\` of instance \`${name}\` is not connected`, { where: callerLocation() });
    if (domain.rst !== undefined && parent.rst === undefined)
      throw new UserError("no-reset", `instance \`${name}\` needs a reset on \`${domain.clk}\`, but \`${parent.clk}\` has none`, { where: callerLocation() });
    if (domain.rst !== undefined && domain.activeLow !== parent.activeLow)
      throw new UserError(
        "reset-polarity",
        `instance \`${name}\` needs a reset that is active ${domain.activeLow ? "low" : "high"}, \`${parent.rst}\` is active ${parent.activeLow ? "low" : "high"}`,
        { where: callerLocation() },
      );
    return { child: domain, parent };
  });

const outputWire = (build: Builder, scope: Scope, name: string, { shape }: FlatPort): Signal => build.declare(name, "an instance's output", shape, { scope });

const placeValue = ({ signal, select }: Place, port: FlatPort): unknown => {
  const node: Node = { ...refTo(signal), ...(select === undefined ? {} : { select }), width: port.shape.width };
  return valueFrom(node, port.shape);
};

/** View of the outputs. Where the parent reads one that it has not placed, a wire named after instance and port is made on first use. */
const outputViews = (name: string, circuit: Circuit, outputs: Output[]): Record<string, unknown> => {
  const build = builder("instance()");
  const { scope } = build;
  const view: Record<string, unknown> = {};
  for (const port of circuit.ports) {
    if (port.direction === "input") continue;
    let holder = view;
    for (const key of port.path.slice(0, -1)) {
      holder[key] ??= {};
      holder = holder[key] as Record<string, unknown>;
    }
    const get = (): unknown => {
      let found = outputs.find((output) => output.port === port);
      if (found === undefined) {
        found = { port, place: { signal: outputWire(build, scope, `${name}_${port.name}`, port) } };
        outputs.push(found);
      }
      return placeValue(found.place, port);
    };
    Object.defineProperty(holder, port.path.at(-1) ?? "", { get, enumerable: true });
  }
  return view;
};

/**
 * Instance of a module. `connections` gives a value for each input and, where the parent wants to place an output itself, a target for it;
 * the result reads the other outputs. Clocks connect by themselves, further ones by their key.
 * @throws UserError for an input without a value or a connection that doesn't fit.
 */
export const instance = <P extends PortMap>(name: string, of: Module<P>, connections: Connections<P>): Outputs<P> => {
  const build = builder("instance()");
  const { circuit } = of;
  const claimed = build.claim(name, "an instance");
  const inputs: { port: FlatPort; value: Node }[] = [];
  const outputs: Output[] = [];
  for (const port of circuit.ports) {
    const given = lookUp(connections, port.path);
    const what = `\`${port.name}\` of instance \`${claimed.name}\``;
    if (port.direction === "output") {
      if (given === "unused") outputs.push({ port, place: { signal: outputWire(build, build.scope, `unused_${name}_${port.name}`, port) } });
      else if (given !== undefined) outputs.push({ port, place: placeOf(given, port.shape, what) });
    } else if (given === undefined) {
      throw new UserError("unconnected", `${what} is an input and has no value`, { where: callerLocation() });
    } else {
      inputs.push({ port, value: nodeFor(given, port.shape, what) });
    }
  }
  const clocks = clockPairs(circuit, connections, build.ownClock, claimed.name);
  build.add({ kind: "instance", name: claimed.name, child: circuit, inputs, outputs, clocks, site: claimed.site }, "instance()");
  return outputViews(claimed.name, circuit, outputs) as Outputs<P>;
};

/** A bundle of wires between two instances; names are `name` and the bundle's keys. */
export const wires = <const P extends PortMap>(name: string, bundle: P): Wires<P> => {
  const build = builder("wires()");
  const make = (map: PortMap, prefix: string): unknown =>
    Object.fromEntries(
      Object.entries(map).flatMap(([key, entry]) => {
        const full = `${prefix}_${key}`;
        if (!isPort(entry)) return [[key, make(entry, full)]];
        if (entry.port === "clock") return [];
        return [[key, variable(refTo(build.declare(full, "a wire", entry.shape, { doc: entry.doc })), entry.shape)]];
      }),
    );
  return make(bundle, name) as Wires<P>;
};
