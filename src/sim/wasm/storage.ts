import { placePorts } from "../embedded.ts";
import type { PortPlace } from "../engine.ts";
import type { Flat } from "./flatten.ts";
import { type GridStorage, storeGrids } from "./grid/storage.ts";
import { containerBytes, Layout, type Place } from "./layout.ts";
import { lineBytes } from "./lines.ts";
import type { FlatMemory, FlatWrite, Line, Net } from "./net.ts";

/** Values of a write between the moment in which they are computed and the one in which the word changes. */
export interface WritePlaces {
  readonly condition: Place;
  readonly address: Place;
  readonly data: Place;
  readonly mask: Place | undefined;
}

/** Where everything of a design is in the module's memory. */
export interface Storage {
  readonly layout: Layout;
  readonly places: ReadonlyMap<string, PortPlace>;
  /** Words of all ports together. */
  readonly portWords: number;
  /** Word with a bit for each clock that rises at the moment. */
  readonly risingAddress: number;
  /** 64-bit count of the edges of clock 0. */
  readonly cycleAddress: number;
  readonly memories: ReadonlyMap<FlatMemory, number>;
  readonly lines: ReadonlyMap<Line, Place>;
  readonly writes: ReadonlyMap<FlatWrite, WritePlaces>;
  readonly grids: GridStorage;
}

const pack = (layout: Layout, nets: readonly Net[], word: number): void => {
  for (const net of nets) layout.setPacked(net, 4 * word, net.low);
};

/** Decides where everything is, apart from nets that only the code needs. */
export const store = (flat: Flat): Storage => {
  const { circuit } = flat;
  const { places, size } = placePorts(circuit);
  const layout = new Layout(circuit.clocks.length, 4 * size + 16);
  circuit.ports.forEach(({ name, direction }, index) => {
    if (direction === "input") pack(layout, flat.ports[index]!.nets, places.get(name)!.value);
  });
  for (const net of flat.resets.values()) pack(layout, [net], places.get(net.name)!.value);
  const risingAddress = layout.fixed(4);
  for (const [clock, net] of flat.rising) layout.setPacked(net, risingAddress, clock);
  const cycleAddress = layout.fixed(8);
  for (const net of flat.garbage) layout.setPlace(net, { clock: undefined, offset: layout.fixed(containerBytes(net.width)) });
  const memories = new Map(flat.memories.map((memory) => [memory, layout.fixed(containerBytes(memory.memory.element.width) * memory.words)]));
  const fixed = (width: number): Place => ({ clock: undefined, offset: layout.fixed(containerBytes(width)) });
  const writes = new Map(
    flat.memories.flatMap((memory) =>
      memory.writes.map((write): [FlatWrite, WritePlaces] => [
        write,
        {
          condition: fixed(1),
          address: fixed(write.address.width),
          data: fixed(write.data.width),
          mask: write.mask === undefined ? undefined : fixed(write.mask.width),
        },
      ]),
    ),
  );
  const lines = new Map(flat.lines.map((line) => [line, layout.inHalf(line.domain.clock, lineBytes(line), 16)]));
  for (const net of flat.registers)
    if (net.driver?.kind === "register") layout.setPlace(net, layout.inHalf(net.driver.domain.clock, containerBytes(net.width)));
  return { layout, places, portWords: size, risingAddress, cycleAddress, memories, lines, writes, grids: storeGrids(flat.grids, layout) };
};
