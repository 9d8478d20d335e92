import type { Place, Statement } from "../../hdl/circuit.ts";
import type { Node } from "../../hdl/node.ts";
import type { Cell, Environment, Words } from "./elaborate.ts";

/** New values of signals, aside from those that they have. */
export type Changes = Map<Cell, bigint>;

/** A memory write that waits for the edge. */
export interface Write {
  readonly words: Words;
  readonly address: bigint;
  readonly data: bigint;
  readonly mask: bigint;
}

const ones = (width: number): bigint => (1n << BigInt(width)) - 1n;

/** What an operator gives where nothing limits its width; `from` is the width of `a`. */
const operators: Record<Exclude<Node["op"], "lit" | "ref" | "mux" | "cat" | "slice">, (a: bigint, b: bigint, from: number) => bigint> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  eq: (a, b) => BigInt(a === b),
  ne: (a, b) => BigInt(a !== b),
  lt: (a, b) => BigInt(a < b),
  le: (a, b) => BigInt(a <= b),
  gt: (a, b) => BigInt(a > b),
  ge: (a, b) => BigInt(a >= b),
  shl: (a, b) => a << b,
  shr: (a, b) => a >> b,
  neg: (a) => -a,
  not: (a) => ~a,
  ext: (a) => a,
  trunc: (a) => a,
  cast: (a) => a,
  cross: (a) => a,
  any: (a) => BigInt(a !== 0n),
  all: (a, _, from) => BigInt(BigInt.asUintN(from, a) === ones(from)),
  parity: (a, _, from) => BigInt(BigInt.asUintN(from, a).toString(2).replaceAll("0", "").length % 2),
};

/** Values in an environment; `seen` are changes that count already, as those of earlier statements in a combinational block. */
export class Evaluator {
  readonly #env: Environment;
  readonly #seen: Changes | undefined;

  constructor(env: Environment, seen?: Changes) {
    this.#env = env;
    this.#seen = seen;
  }

  /** The bits of a node, unsigned. */
  bits(node: Node): bigint {
    return BigInt.asUintN(node.width, this.#exact(node));
  }

  /** The low bits of what the operator gives, read with the node's sign. */
  #value(node: Node): bigint {
    return node.signed ? BigInt.asIntN(node.width, this.#exact(node)) : this.bits(node);
  }

  #exact(node: Node): bigint {
    if (node.op === "lit") return node.value;
    if (node.op === "ref") return this.#read(node);
    if (node.op === "mux") return this.#value(this.bits(node.sel) === 1n ? node.a : node.b);
    if (node.op === "cat") return node.parts.reduce((high, part) => (high << BigInt(part.width)) | this.bits(part), 0n);
    if (node.op === "slice") return this.bits(node.a) >> BigInt(node.low);
    if (node.op !== "shl" && node.op !== "shr") return operators[node.op](this.#value(node.a), "b" in node ? this.#value(node.b) : 0n, node.a.width);
    return operators[node.op](this.#value(node.a), typeof node.amount === "number" ? BigInt(node.amount) : this.bits(node.amount), node.a.width);
  }

  #lowest({ constant, loops, dynamic }: NonNullable<Place["select"]>): number {
    const fixed = loops.reduce((sum, { loop, stride }) => sum + stride * this.#env.loops.get(loop)!, constant);
    return dynamic.reduce((sum, { index, stride }) => sum + stride * Number(this.bits(index)), fixed);
  }

  /** A signal or a part of it; above the signal's top bit there is garbage. */
  #read({ signal, select, width }: Node & { op: "ref" }): bigint {
    const cell = this.#env.cells.get(signal)!;
    const low = select === undefined ? 0 : this.#lowest(select);
    const reach = low + width - signal.shape.width;
    const beyond = reach > 0 ? cell.garbage.bits(`${signal.name} beyond`, reach) << BigInt(signal.shape.width) : 0n;
    return (beyond | (this.#seen?.get(cell) ?? cell.value)) >> BigInt(low);
  }

  /** Sets a signal or a part of it among the changes; bits above the signal's top bit are lost. */
  set({ signal, select }: Place, bits: bigint, into: Changes): void {
    const cell = this.#env.cells.get(signal)!;
    const low = BigInt(select === undefined ? 0 : this.#lowest(select));
    const mask = (ones(select?.width ?? signal.shape.width) << low) & ones(signal.shape.width);
    into.set(cell, ((into.get(cell) ?? cell.value) & ~mask) | ((bits << low) & mask));
  }

  /** Statements in order; the last one that sets a bit wins. */
  run(body: readonly Statement[], into: Changes, writes: Write[]): void {
    for (const statement of body) {
      if (statement.kind === "set") this.set(statement.place, this.bits(statement.value), into);
      else if (statement.kind === "if") this.run(this.bits(statement.condition) === 1n ? statement.body : statement.otherwise, into, writes);
      else if (statement.kind === "write") writes.push(this.#write(statement));
      else {
        const subject = this.bits(statement.subject);
        // The last arm also takes the encodings that no state has.
        this.run((statement.arms.find(({ value }) => value === subject) ?? statement.arms.at(-1))!.body, into, writes);
      }
    }
  }

  #write({ memory, address, data, mask }: Statement & { kind: "write" }): Write {
    const { width } = memory.element;
    const lanes = mask === undefined ? ones(width / memory.lane) : this.bits(mask);
    let bits = 0n;
    for (let bit = 0; bit < width; bit++) bits |= ((lanes >> BigInt(Math.floor(bit / memory.lane))) & 1n) << BigInt(bit);
    return { words: this.#env.memories.get(memory)!, address: this.bits(address), data: this.bits(data), mask: bits };
  }
}

/** A word at any address that the address's bits can say; from the depth on it is garbage that stays. */
export const wordAt = ({ memory, garbage, written }: Words, address: bigint): bigint => {
  const { width } = memory.element;
  return BigInt.asUintN(width, written.get(address) ?? memory.initial?.[Number(address)] ?? garbage.bits(memory.name, width, Number(address)));
};
