import { UserError } from "../base/error.ts";
import type { SInt, UInt } from "./bits.ts";
import { builder, refTo } from "./builder.ts";
import type { ClockDomain } from "./circuit.ts";
import { Index } from "./index-expression.ts";
import { callerLocation } from "./location.ts";
import type { BoolShape } from "./shape.ts";
import { bool, sint, uint } from "./shape.ts";
import type { Like } from "./value.ts";
import { conditionNode, valueFrom } from "./value.ts";

export interface DelayOptions {
  /** The line moves only while this is 1. */
  readonly enable?: Like<BoolShape>;
  /** Clears the line during reset. Default: the line has no reset. */
  readonly reset?: boolean;
  readonly clock?: ClockDomain;
}

/**
 * `value` as it was `cycles` clock edges ago. The number may depend on loop variables, which is how systolic arrays
 * skew their edges: one line in the text, as many registers as each row needs.
 * @throws UserError where the number of cycles is, or can become, less than 1
 */
export const delay = <T extends UInt | SInt>(name: string, value: T, cycles: number | Index, options: DelayOptions = {}): T => {
  const build = builder("delay()");
  const count = typeof cycles === "number" ? new Index(cycles, []) : cycles;
  if (!Number.isInteger(count.least) || count.least < 1)
    throw new UserError("bad-delay", `delay \`${name}\` is by at least one whole cycle, not by ${count.least}`, { where: callerLocation() });
  const domain = options.clock ?? build.ownClock;
  if (options.reset === true && domain.reset === "none")
    throw new UserError("no-reset", `delay \`${name}\` is to be reset, but clock \`${domain.clk}\` has no reset`, { where: callerLocation() });
  const shape = value.kind === "bool" ? bool : value.kind === "sint" ? sint(value.width) : uint(value.width);
  const data = build.declare(name, "a delay", shape, { domain });
  build.claim(`${name}_line`, "a delay's registers");
  const enable = options.enable === undefined ? undefined : conditionNode(options.enable);
  build.add({ kind: "delay", data, value: value.node, cycles: count, enable, reset: options.reset ?? false, domain, site: data.site }, "delay()");
  return valueFrom(refTo(data), shape) as unknown as T;
};
