import { clog2 } from "../base/clog2.ts";
import { UserError } from "../base/error.ts";
import type { UInt } from "./bits.ts";
import { builder, refTo } from "./builder.ts";
import type { ClockDomain, Memory, MemoryRead, Signal } from "./circuit.ts";
import { callerLocation, Site } from "./location.ts";
import type { BitsShape, BoolShape, UIntShape } from "./shape.ts";
import { isSigned, uint } from "./shape.ts";
import type { Like, ValueOf } from "./value.ts";
import { conditionNode, nodeFor, valueFrom } from "./value.ts";

export interface MemoryOptions<S extends BitsShape> {
  /** Number of words, at least 2. */
  readonly depth: number;
  readonly element: S;
  /** Bits of one write lane; divides the width. Default: the whole word. */
  readonly lane?: number;
  /** Contents at power-up, one value a word from address 0; words left out are undefined. */
  readonly initial?: readonly (number | bigint)[];
  readonly doc?: string;
}

export interface ReadOptions {
  /** 1 registers the word (block memory), 0 reads at once (distributed memory). */
  readonly latency: 0 | 1;
  /** Latency 1: the register keeps its word while this is 0. */
  readonly enable?: Like<BoolShape>;
  /**
   * Latency 1: what a read of a word gives in the cycle in which it is written. `undefined` lets the technology choose, and simulators give rubbish.
   * `new` keeps the address instead of the word, so the output follows later writes to that word until the next read.
   */
  readonly collision?: "old" | "new" | "undefined";
  readonly clock?: ClockDomain;
}

export interface MemoryPorts<S extends BitsShape> {
  /** A read port; `name` names its output. */
  read(name: string, address: UInt, options: ReadOptions): ValueOf<S>;
  /** Writes a word inside sync(); `mask` has one bit a lane, lane 0 in the low bits. */
  write(address: Like<UIntShape>, data: Like<S>, mask?: UInt): void;
}

const maxInitial = 4096;

const checkOptions = (name: string, { depth, element, lane, initial }: MemoryOptions<BitsShape>): void => {
  if (!Number.isInteger(depth) || depth < 2)
    throw new UserError("bad-depth", `memory \`${name}\` needs at least 2 words, not ${depth}`, { where: callerLocation() });
  if (lane !== undefined && (!Number.isInteger(lane) || lane < 1 || element.width % lane !== 0))
    throw new UserError("bad-lane", `lanes of ${lane} bits don't divide the ${element.width}-bit words of memory \`${name}\``, { where: callerLocation() });
  if (initial !== undefined && initial.length > Math.min(depth, maxInitial))
    throw new UserError(
      "bad-contents",
      `memory \`${name}\` is given ${initial.length} initial words; it has ${depth}, and at most ${maxInitial} can be given`,
      { where: callerLocation() },
    );
};

/** Memory of `depth` words. How it reads and what a collision gives is said at each port. */
export const memory = <S extends BitsShape>(name: string, options: MemoryOptions<S>): MemoryPorts<S> => {
  const build = builder("memory()");
  checkOptions(name, options);
  const { depth, element, doc } = options;
  const claimed = build.claim(name, "a memory");
  const initial = options.initial?.map((value) => {
    const node = nodeFor(value, element, `an initial word of \`${name}\``);
    return node.op === "lit" ? node.value : 0n;
  });
  const made: Memory = {
    name: claimed.name,
    depth,
    element: { width: element.width, signed: isSigned(element) },
    lane: options.lane ?? element.width,
    initial,
    doc,
    scope: build.scope,
    site: claimed.site,
  };
  build.scope.memories.push(made);
  const addressShape = uint(clog2(depth));
  return {
    read: (port, address, read) => readPort(made, element, port, nodeFor(address, addressShape, `the address of \`${port}\``), read),
    write(address, data, mask) {
      const lanes = made.element.width / made.lane;
      const site = new Site();
      if (lanes > 1 !== (mask !== undefined))
        throw new UserError(
          "bad-mask",
          `memory \`${name}\` has ${lanes} lane${lanes === 1 ? "" : "s"}, so a write ${lanes > 1 ? "needs a" : "takes no"} mask`,
          {
            where: site.location,
          },
        );
      const build = builder("write()");
      if (build.block?.kind !== "sync") throw new UserError("misplaced", `memory \`${name}\` is written inside sync()`, { where: site.location });
      build.addStatement(
        {
          kind: "write",
          memory: made,
          address: nodeFor(address, addressShape, `the write address of \`${name}\``),
          data: nodeFor(data, element, `a word of \`${name}\``),
          mask: mask === undefined ? undefined : nodeFor(mask, uint(lanes), `the write mask of \`${name}\``),
          site,
        },
        "write()",
      );
    },
  };
};

const readPort = <S extends BitsShape>(made: Memory, element: S, name: string, address: MemoryRead["address"], options: ReadOptions): ValueOf<S> => {
  const build = builder("read()");
  const { latency } = options;
  const domain = latency === 1 ? (options.clock ?? build.ownClock) : undefined;
  if (latency === 0 && (options.enable !== undefined || options.collision !== undefined))
    throw new UserError("bad-read", `\`${name}\` reads with latency 0, so it has no enable and no collision`, { where: callerLocation() });
  if (latency === 1 && options.collision === undefined)
    throw new UserError("bad-read", `\`${name}\` doesn't say what reading a word while it is written gives`, {
      where: callerLocation(),
      hint: 'say collision: "old", "new" or "undefined"',
    });
  const collision = options.collision ?? "undefined";
  const declare = (signalName: string, role: "reg" | "wire", shape: BitsShape): Signal =>
    build.declare(signalName, "a read port", shape, { role, domain: role === "reg" ? domain : undefined });
  const held = latency === 1 && collision === "new" ? declare(`${name}_address`, "reg", uint(address.width)) : undefined;
  const data = declare(name, latency === 1 && collision !== "new" ? "reg" : "wire", element);
  const enable = options.enable === undefined ? undefined : conditionNode(options.enable);
  build.add({ kind: "read", memory: made, data, address, enable, latency, collision, heldAddress: held, domain, site: new Site() }, "read()");
  return valueFrom(refTo(data), element) as ValueOf<S>;
};
