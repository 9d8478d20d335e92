/** The language: everything that a design needs, on one page. */
export { Bool, SInt, UInt } from "./bits.ts";
export type { About, Circuit, ClockDomain, FlatPort, Module } from "./circuit.ts";
export { delay, type DelayOptions } from "./delay.ts";
export { Index } from "./index-expression.ts";
export { instance, wires } from "./instance.ts";
export { memory, type MemoryOptions, type MemoryPorts, type ReadOptions } from "./memory.ts";
export { extern, type ExternOptions, module } from "./module.ts";
export { clock, type Connections, flip, type Flip, input, type Inside, output, type Outputs, type PortMap, type Wires } from "./ports.ts";
export { grid, repeat } from "./repeat.ts";
export {
  bool,
  type BoolShape,
  type EnumShape,
  type PortShape,
  type Shape,
  sint,
  type SIntShape,
  states,
  uint,
  type UIntShape,
  vec,
  type VecShape,
} from "./shape.ts";
export { assert, assume, cat, comb, constant, cover, crossing, discard, match, mux, named, reg, type RegOptions, sync, when, wire } from "./statements.ts";
export { Enum, type Like, type Target, type ValueOf, type VarOf, Vec } from "./value.ts";
