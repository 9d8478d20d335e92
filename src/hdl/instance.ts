import { UserError } from "../base/error.ts";
import { type Builder, builder, placeOf, refTo, variable } from "./builder.ts";
import { forEachItem } from "./check/traverse.ts";
import type { Circuit, ClockDomain, FlatPort, Instance, Module, Place, Scope, Signal } from "./circuit.ts";
import { callerLocation } from "./location.ts";
import { castSign, type Node } from "./node.ts";
import type { Connections, Outputs, PortMap, Wires } from "./ports.ts";
import { isPort } from "./ports.ts";
import type { BoolShape } from "./shape.ts";
import type { Like } from "./value.ts";
import { conditionNode, nodeFor, valueFrom } from "./value.ts";

interface Output {
  readonly port: FlatPort;
  readonly place: Place;
}

const lookUp = (connections: unknown, path: readonly string[]): unknown => {
  let found = connections;
  for (const key of path) found = (found as Record<string, unknown> | undefined)?.[key];
  return found;
};

/** Clock domains of a child with those of its parent. With a derived reset, the child's own domain needs none of the parent's. */
const clockPairs = (child: Circuit, connections: unknown, own: ClockDomain, name: string, isDerived: boolean): Instance["clocks"] =>
  child.clocks.map((domain) => {
    const parent = domain.key === "" ? own : (lookUp(connections, domain.key.split(".")) as ClockDomain | undefined);
    if (parent === undefined)
      throw new UserError("unconnected", `clock \`${domain.key}\` of instance \`${name}\` is not connected`, { where: callerLocation() });
    if (domain.rst !== undefined && parent.rst === undefined && !(isDerived && domain.key === ""))
      throw new UserError("no-reset", `instance \`${name}\` needs a reset on \`${domain.clk}\`, but \`${parent.clk}\` has none`, { where: callerLocation() });
    return { child: domain, parent };
  });

/** A module in which the reset of a clock acts at once, this one or one below it that gets the same reset. */
const asynchronousIn = (circuit: Circuit, key: string): Circuit | undefined => {
  const domain = circuit.clocks.find((clock) => clock.key === key);
  if (domain?.rst === undefined) return undefined;
  if (domain.reset === "async") return circuit;
  let found: Circuit | undefined;
  forEachItem(circuit.scope, (item) => {
    if (item.kind !== "instance") return;
    for (const { child, parent } of item.clocks) if (parent.key === key) found ??= asynchronousIn(item.child, child.key);
  });
  return found;
};

/** Node of a derived reset; one that is never active is none. */
const resetNode = ({ reset }: InstanceOptions, child: Circuit, name: string): Node | undefined => {
  const node = reset === undefined ? undefined : castSign(conditionNode(reset), false);
  if (node === undefined || (node.op === "lit" && node.value === 0n)) return undefined;
  if (!child.clocks.some(({ key, rst }) => key === "" && rst !== undefined))
    throw new UserError("no-reset", `instance \`${name}\` is given a reset, but nothing in module \`${child.name}\` is reset with its own clock`, {
      where: callerLocation(),
    });
  const asynchronous = asynchronousIn(child, "");
  if (asynchronous !== undefined)
    throw new UserError(
      "async-reset",
      `the reset given to instance \`${name}\` comes from logic, and module \`${asynchronous.name}\` has an asynchronous reset`,
      {
        where: callerLocation(),
        hint: "make that reset synchronous: a glitch would clear registers at any time",
      },
    );
  return node;
};

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

export interface InstanceOptions {
  /** Resets the child, and all that it resets, while it is 1, beside the parent's own reset. It belongs to the parent's own clock. */
  readonly reset?: Like<BoolShape> | undefined;
}

/**
 * Instance of a module. `connections` gives a value for each input and, where the parent wants to place an output itself, a target for it;
 * the result reads the other outputs. Clocks and resets connect by themselves, further ones by their key, whatever the polarities of the resets.
 * @throws UserError for an input without a value, a connection that doesn't fit, or a reset that nothing or something asynchronous takes.
 */
export const instance = <P extends PortMap>(name: string, of: Module<P>, connections: Connections<P>, options: InstanceOptions = {}): Outputs<P> => {
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
  const reset = resetNode(options, circuit, claimed.name);
  const clocks = clockPairs(circuit, connections, build.ownClock, claimed.name, reset !== undefined);
  build.add({ kind: "instance", name: claimed.name, child: circuit, inputs, outputs, clocks, reset, site: claimed.site }, "instance()");
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
