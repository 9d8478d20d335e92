import type { BlockPlan, PortPlace } from "../engine.ts";
import { bytesOf, columnBytes } from "../engine.ts";
import { FunctionBuilder, ModuleBuilder } from "./assembler.ts";
import { whole } from "./grid/vector-ops.ts";

/** Room for the columns of one call, both ways together. */
export const stageBytes = (places: Iterable<PortPlace>): number => Math.max(1 << 18, 4 * [...places].reduce((sum, { width }) => sum + bytesOf(width) + 32, 0));

/** The loop over the cycles of a block: takes the number of cycles and the address of each column, returns the number of records. */
export type BlockLoop = (...numbers: number[]) => number;

/** An address: what pushes its base, and the rest. */
interface Address {
  readonly push: () => void;
  readonly offset: number;
}

const steps = [
  { size: 8, load: "i64.load", store: "i64.store" },
  { size: 4, load: "i32.load", store: "i32.store" },
  { size: 2, load: "i32.load16_u", store: "i32.store16" },
  { size: 1, load: "i32.load8_u", store: "i32.store8" },
] as const;

/** Copies the value of a port in the largest steps. */
const copy = (f: FunctionBuilder, bytes: number, to: Address, from: Address): void => {
  let at = 0;
  while (at < bytes) {
    const rest = bytes - at;
    to.push();
    from.push();
    if (rest >= 16) {
      f.vectorMemory(whole.load, 0, from.offset + at);
      f.vectorMemory(whole.store, 0, to.offset + at);
      at += 16;
    } else {
      const { size, load, store } = steps.find((step) => step.size <= rest)!;
      f.memory(load, from.offset + at);
      f.memory(store, to.offset + at);
      at += size;
    }
  }
};

const advance = (f: FunctionBuilder, local: number, by: number): void => {
  f.get(local);
  f.i32(by);
  f.op("i32.add");
  f.set(local);
};

/** Records the outputs, where all conditions are 1. Column `first` and those after it are theirs. */
const record = (f: FunctionBuilder, { when, outputs }: BlockPlan, first: number, records: number): void => {
  f.i32(1);
  for (const { value } of when) {
    f.i32(0);
    f.memory("i32.load", 4 * value);
    f.op("i32.and");
  }
  f.if();
  outputs.forEach(({ value, width }, index) => {
    const [column, bytes] = [first + index, bytesOf(width)];
    const [to, from] = [() => f.get(column), () => f.i32(0)];
    copy(f, bytes, { push: to, offset: 0 }, { push: from, offset: 4 * value });
    advance(f, column, bytes);
  });
  advance(f, records, 1);
  f.op("end");
};

/** Module with the loop for blocks of certain ports: imports the design's memory and functions. */
export const blockModule = (plan: BlockPlan): Uint8Array => {
  const { inputs, outputs } = plan;
  const module = new ModuleBuilder();
  const [evaluate, edge, commit] = ["evaluate", "edge0", "commit0"].map((name) => module.import(name));
  const f = new FunctionBuilder(
    Array.from({ length: 1 + inputs.length + outputs.length }, () => "i32" as const),
    ["i32"],
  );
  const records = f.local("i32");
  f.block();
  f.loop();
  f.get(0);
  f.op("i32.eqz");
  f.branchIf(1);
  inputs.forEach(({ place }, index) => {
    const [column, bytes] = [1 + index, bytesOf(place.width)];
    const [to, from] = [() => f.i32(0), () => f.get(column)];
    copy(f, bytes, { push: to, offset: 4 * place.value }, { push: from, offset: 0 });
    advance(f, column, bytes);
  });
  f.call(evaluate!);
  record(f, plan, 1 + inputs.length, records);
  f.call(edge!);
  f.call(commit!);
  advance(f, 0, -1);
  f.branch(0);
  f.op("end");
  f.op("end");
  f.get(records);
  module.function(f, "block");
  return module.bytes();
};

/** Names the ports of a plan, for which one loop serves. */
export const blockKey = ({ inputs, when, outputs }: BlockPlan): string =>
  [inputs.map(({ place }) => place.index), when.map(({ index }) => index), outputs.map(({ index }) => index)].join(";");

const align = (at: number): number => 16 * Math.ceil(at / 16);

/** Runs a block in pieces that fit the stage. Returns the number of records, those before it included. */
export const runBlock = (plan: BlockPlan, memory: Uint8Array, stage: { readonly start: number; readonly size: number }, loop: BlockLoop): number => {
  const sizes = [...plan.inputs.map(({ place }) => bytesOf(place.width)), ...plan.outputs.map(({ width }) => bytesOf(width))];
  const most = Math.max(1, Math.floor((stage.size - 16 * (sizes.length + 1)) / sizes.reduce((sum, size) => sum + size, 1)));
  let { records } = plan;
  for (let done = 0; done < plan.cycles; done += most) {
    const cycles = Math.min(most, plan.cycles - done);
    let next = align(stage.start);
    const addresses = sizes.map((size) => {
      const here = next;
      next = align(here + size * cycles);
      return here;
    });
    plan.inputs.forEach(({ column }, index) => memory.set(column.subarray(done * sizes[index]!, (done + cycles) * sizes[index]!), addresses[index]));
    const made = loop(cycles, ...addresses);
    let start = 0;
    plan.outputs.forEach(({ width }, index) => {
      const at = plan.inputs.length + index;
      const size = sizes[at]!;
      plan.captured.set(memory.subarray(addresses[at], addresses[at]! + made * size), start + records * size);
      start += columnBytes(width, plan.room);
    });
    records += made;
  }
  return records;
};
