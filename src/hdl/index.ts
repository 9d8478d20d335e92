/** The language: everything that a design needs, on one page. */
export { Bool, SInt, UInt } from "./bits.ts";
export type { About, Circuit, ClockDomain, FlatPort, Module } from "./circuit.ts";
export { type DelayOptions, delay } from "./delay.ts";
export { Index } from "./index-expression.ts";
export { type InstanceOptions, instance, wires } from "./instance.ts";
export { type MemoryOptions, type MemoryPorts, memory, type ReadOptions } from "./memory.ts";
export { type ExternOptions, extern, module } from "./module.ts";
export { type Connections, clock, type Flip, flip, type Inside, input, type Outputs, output, type PortMap, type Wires } from "./ports.ts";
export { grid, repeat } from "./repeat.ts";
export {
  type BoolShape,
  bool,
  type EnumShape,
  type PortShape,
  type Shape,
  type SIntShape,
  sint,
  states,
  type UIntShape,
  uint,
  type VecShape,
  vec,
} from "./shape.ts";
export { assert, assume, cat, comb, constant, cover, crossing, discard, match, mux, named, type RegOptions, reg, sync, when, wire } from "./statements.ts";
export { Enum, type Like, type Target, type ValueOf, type VarOf, Vec } from "./value.ts";
