import { lit } from "../../hdl/node.ts";
import type { Emitter } from "./emitter.ts";
import { storeName, typeFor } from "./emitter.ts";
import { whole } from "./grid/vector-ops.ts";
import { containerBytes, type Place } from "./layout.ts";
import { pushLimb } from "./limb.ts";
import type { Line } from "./net.ts";

/** Bytes of a line, with room for whole vectors at its end. */
export const lineBytes = ({ width, cycles }: Line): number => cycles * containerBytes(width) + 32;

/** From here on a call of memory.copy costs less than the instructions in a row. */
const inlineLimit = 512;

/** Copies `bytes` of a line from the present half to the next, `by` further on. */
const move = (e: Emitter, place: Place, bytes: number, by: number): void => {
  const { f } = e;
  if (bytes > inlineLimit) {
    for (const [next, offset] of [
      [true, place.offset + by],
      [false, place.offset],
    ] as const) {
      e.pushBase(place, next);
      f.i32(offset);
      f.op("i32.add");
    }
    f.i32(bytes);
    return f.copy();
  }
  for (let at = 0; at < bytes; at += 16) {
    e.pushBase(place, true);
    e.pushBase(place);
    f.vectorMemory(whole.load, 0, place.offset + at);
    f.vectorMemory(whole.store, 0, place.offset + at + by);
  }
};

const clear = (e: Emitter, place: Place, bytes: number, next: boolean): void => {
  const { f } = e;
  e.pushBase(place, next);
  f.i32(place.offset);
  f.op("i32.add");
  f.i32(0);
  f.i32(bytes);
  f.fill();
};

/** Moves a line by one element at its clock's edge. */
export const emitLine = (e: Emitter, line: Line): void => {
  const { f } = e;
  const place = e.homes.lines.get(line)!;
  const element = containerBytes(line.width);
  const bytes = element * line.cycles;
  // Before any branch: what is computed inside one is not there after it.
  const limbs = line.width > 64 ? e.limbs(line.value) : undefined;
  const value = limbs === undefined ? f.local(typeFor(line.width)) : 0;
  if (limbs === undefined) {
    e.push(line.value);
    f.set(value);
  }
  const enable = f.local("i32");
  e.push(line.enable ?? lit(1n, 1, false));
  f.set(enable);
  const reset = line.reset ? line.domain.active : undefined;
  if (reset !== undefined) {
    e.push(reset);
    f.if();
    clear(e, place, bytes, true);
    f.op("else");
  }
  f.get(enable);
  f.if();
  move(e, place, bytes - element, element);
  if (limbs === undefined) {
    e.pushBase(place, true);
    f.get(value);
    f.memory(storeName(line.width), place.offset);
  }
  limbs?.forEach((limb, index) => {
    e.pushBase(place, true);
    pushLimb(e, limb);
    f.memory("i64.store", place.offset + 8 * index);
  });
  f.op("else");
  move(e, place, bytes, 0);
  f.op("end");
  if (reset !== undefined) f.op("end");
};

/** Clears a line that an asynchronous reset holds. */
export const clearLine = (e: Emitter, line: Line): void => clear(e, e.homes.lines.get(line)!, containerBytes(line.width) * line.cycles, false);
