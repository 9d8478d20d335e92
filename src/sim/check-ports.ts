import { UserError } from "../base/error.ts";
import { describeShape } from "../hdl/shape.ts";
import type { PortPlace } from "./engine.ts";
import type { SimSource, SourcePort } from "./source.ts";

const describe = (place: PortPlace): string => `${place.direction} \`${place.name}\` of ${place.width} bit${place.width === 1 ? "" : "s"}`;

/** Existing Verilog may have names of any kind, so a port's keys as they are come before the language's rule. */
const nameIn = (places: ReadonlyMap<string, PortPlace>, port: SourcePort): string => {
  const verbatim = port.path.join("_");
  return places.has(verbatim) ? verbatim : port.name;
};

/**
 * The declared ports under the names that the simulator found, if nothing differs.
 * @throws UserError `port-mismatch` that names the first difference.
 */
export const matchPorts = (source: SimSource, places: ReadonlyMap<string, PortPlace>): readonly SourcePort[] => {
  const mismatch = (text: string): UserError => new UserError("port-mismatch", `${text} of module \`${source.top}\``);
  const declared = new Set<string>();
  const ports = source.ports.map((port) => ({ ...port, name: nameIn(places, port) }));
  for (const port of ports) {
    const place = places.get(port.name);
    const stated = `${port.direction} \`${port.name}\`, ${describeShape(port.shape)}, is declared`;
    if (place === undefined) throw mismatch(`${stated}, but it is no port`);
    if (place.direction !== port.direction) throw mismatch(`${stated}, but it is an ${place.direction}`);
    if (place.width !== port.shape.width) throw mismatch(`${stated}, but it is an ${describe(place)}`);
    declared.add(port.name);
  }
  for (const clock of source.clocks) {
    for (const name of [clock.clk, clock.rst]) {
      if (name === undefined) continue;
      const place = places.get(name);
      if (place?.direction !== "input" || place.width !== 1)
        throw mismatch(`\`${name}\` is declared as ${name === clock.clk ? "a clock" : "a reset"}, but it is no 1-bit input`);
      declared.add(name);
    }
  }
  for (const place of places.values()) if (!declared.has(place.name)) throw mismatch(`${describe(place)} is not declared, but it is a port`);
  return ports;
};
