import type { Place, Statement } from "../../hdl/circuit.ts";
import type { Node } from "../../hdl/node.ts";
import type { Cell, Environment } from "./elaborate.ts";

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

/**
 * Expressions and statements in an environment. New values are put aside in `changes`; reading sees them at once where `blocking`
 * says so, as in a combinational block, and not before they are given out otherwise.
 */
export class Evaluator {
  readonly env: Environment;
  readonly changes: Map<Cell, bigint>;
  readonly #blocking: boolean;

  constructor(env: Environment, changes: Map<Cell, bigint>, blocking: boolean) {
    this.env = env;
    this.changes = changes;
    this.#blocking = blocking;
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
    const b = "b" in node ? this.#value(node.b) : "amount" in node ? (typeof node.amount === "number" ? BigInt(node.amount) : this.bits(node.amount)) : 0n;
    return operators[node.op](this.#value(node.a), b, node.a.width);
  }

  #lowest(select: Place["select"]): number {
    const fixed = (select?.loops ?? []).reduce((sum, { loop, stride }) => sum + stride * this.env.loops.get(loop)!, select?.constant ?? 0);
    return (select?.dynamic ?? []).reduce((sum, { index, stride }) => sum + stride * Number(this.bits(index)), fixed);
  }

  /** A signal or a part of it; above the signal's top bit there is garbage. */
  #read({ signal, select, width }: Node & { op: "ref" }): bigint {
    const cell = this.env.cells.get(signal)!;
    const low = this.#lowest(select);
    const beyond = low + width <= cell.width ? 0n : cell.garbage.bits(`${cell.name} beyond`, low + width - cell.width) << BigInt(cell.width);
    return (beyond | ((this.#blocking ? this.changes.get(cell) : undefined) ?? cell.value)) >> BigInt(low);
  }

  /** Changes bits of a cell; those above its top bit are lost. */
  put(cell: Cell, bits: bigint, low = 0, width = cell.width): void {
    const mask = (ones(width) << BigInt(low)) & ones(cell.width);
    this.changes.set(cell, ((this.changes.get(cell) ?? cell.value) & ~mask) | ((bits << BigInt(low)) & mask));
  }

  set({ signal, select }: Place, bits: bigint): void {
    this.put(this.env.cells.get(signal)!, bits, this.#lowest(select), select?.width);
  }

  /** Statements in order; the last one that sets a bit wins. */
  run(body: readonly Statement[]): void {
    for (const statement of body) {
      if (statement.kind === "set") this.set(statement.place, this.bits(statement.value));
      else if (statement.kind === "if") this.run(this.bits(statement.condition) === 1n ? statement.body : statement.otherwise);
      else if (statement.kind === "write") this.#write(statement);
      else {
        const subject = this.bits(statement.subject);
        // The last arm also takes the encodings that no state has.
        this.run((statement.arms.find(({ value }) => value === subject) ?? statement.arms.at(-1))!.body);
      }
    }
  }

  #write({ memory, address, data, mask }: Statement & { kind: "write" }): void {
    const at = Number(this.bits(address));
    for (let lane = 0; lane < memory.element.width / memory.lane && at < memory.depth; lane++) {
      if (mask !== undefined && ((this.bits(mask) >> BigInt(lane)) & 1n) === 0n) continue;
      this.put(this.env.memories.get(memory)![at]!, this.bits(data) >> BigInt(lane * memory.lane), lane * memory.lane, memory.lane);
    }
  }
}
