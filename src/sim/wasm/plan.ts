import { type Node, operandsOf } from "../../hdl/node.ts";
import { netOf } from "./lower.ts";
import type { Net } from "./net.ts";

/** Something that a function computes and stores: the nodes that it needs, and how it does it. */
export interface Root<E> {
  readonly nodes: readonly Node[];
  emit(emitter: E): void;
}

/** Nets and roots in an order in which each comes after all that it needs. */
export type Step<E> = { readonly net: Net } | { readonly root: Root<E> };

/** Copies of copies are computed again where they are wanted; a longer chain of them is not. */
const cheapDepth = 6;

interface Visit {
  readonly net: Net;
  readonly needs: readonly Net[];
  readonly size: number;
  next: number;
}

/** Orders everything that a list of roots needs, and divides it into functions. */
export class Plan<E> {
  /** Steps of each function. */
  readonly chunks: (readonly Step<E>[])[] = [];
  /** Nets that one function computes and another needs. */
  readonly crossing = new Set<Net>();
  readonly #chunkOf = new Map<Net, number>();
  readonly #uses: Map<Node | Net, number>;
  readonly #needs = new Map<Net, readonly Net[]>();
  readonly #cheap = new Map<Net, number>();
  #current: Step<E>[] = [];
  #size = 0;
  readonly #limit: number;

  /**
   * @param uses counts the uses of shared nodes and nets, for all plans of a design
   * @param limit nodes that one function may hold
   */
  constructor(roots: readonly Root<E>[], uses: Map<Node | Net, number>, limit: number) {
    this.#uses = uses;
    this.#limit = limit;
    for (const root of roots) this.#visit(root);
    if (this.#current.length > 0) this.chunks.push(this.#current);
  }

  chunkOf(net: Net): number | undefined {
    return this.#chunkOf.get(net);
  }

  #visit(root: Root<E>): void {
    const { needs, size } = this.#scan(root.nodes);
    for (const net of needs) this.#visitNet(net);
    this.#add({ root }, needs, size);
  }

  /** Depth first without recursion: chains of nets are long. */
  #visitNet(start: Net): void {
    if (this.#done(start)) return;
    const stack: Visit[] = [this.#open(start)];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const need = top.needs[top.next++];
      if (need === undefined) {
        stack.pop();
        this.#close(top.net, top.needs, top.size);
      } else if (!this.#done(need)) stack.push(this.#open(need));
    }
  }

  #done(net: Net): boolean {
    return this.#chunkOf.has(net) || this.#cheap.has(net);
  }

  #open(net: Net): Visit {
    const { needs, size } = this.#scan(nodesOf(net));
    this.#needs.set(net, needs);
    return { net, needs, size, next: 0 };
  }

  #close(net: Net, needs: readonly Net[], size: number): void {
    if (this.#done(net)) return;
    const depth = isCopy(net) ? 1 + Math.max(0, ...needs.map((need) => this.#cheap.get(need) ?? 0)) : Number.POSITIVE_INFINITY;
    if (depth <= cheapDepth) {
      this.#cheap.set(net, depth);
      return;
    }
    this.#add({ net }, needs, size);
    this.#chunkOf.set(net, this.chunks.length);
  }

  #add(step: Step<E>, needs: readonly Net[], size: number): void {
    if (this.#size + size > this.#limit && this.#current.length > 0) {
      this.chunks.push(this.#current);
      this.#current = [];
      this.#size = 0;
    }
    this.#current.push(step);
    this.#size += size;
    this.#cross(needs);
  }

  #cross(needs: readonly Net[]): void {
    for (const need of needs) {
      if (this.#cheap.has(need)) this.#cross(this.#needs.get(need)!);
      else if (this.#chunkOf.get(need) !== this.chunks.length) this.crossing.add(need);
    }
  }

  /** Nets that have to be computed for some nodes, and the number of nodes. */
  #scan(nodes: readonly Node[]): { readonly needs: readonly Net[]; readonly size: number } {
    const needs = new Set<Net>();
    const seen = new Set<Node>();
    let size = 0;
    const stack = [...nodes];
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      this.#uses.set(node, (this.#uses.get(node) ?? 0) + 1);
      if (node.op === "ref") {
        const net = netOf(node);
        this.#uses.set(net, (this.#uses.get(net) ?? 0) + 1);
        if (net.driver?.kind === "comb" || net.driver?.kind === "read") needs.add(net);
      }
      if (seen.has(node)) continue;
      seen.add(node);
      size += costOf(node);
      stack.push(...operandsOf(node));
    }
    return { needs: [...needs], size };
  }
}

/** Roughly the instructions that a node takes, in those of a narrow one. */
const costOf = (node: Node): number => {
  if (node.width <= 64) return 1;
  const limbs = Math.ceil(node.width / 64);
  if (node.op === "mul") return 4 * limbs * limbs;
  return (node.op === "shl" || node.op === "shr") && typeof node.amount !== "number" ? 3 * limbs * node.amount.width : 2 * limbs;
};

const nodesOf = ({ driver }: Net): readonly Node[] => (driver?.kind === "comb" ? [driver.value] : driver?.kind === "read" ? [driver.address] : []);

/** A net that only gives another one, or a constant, a name. */
const isCopy = ({ driver, width }: Net): boolean => {
  if (driver?.kind !== "comb" || width > 64) return false;
  let node = driver.value;
  while (node.op === "cast" || node.op === "ext" || node.op === "slice" || node.op === "trunc") node = node.a;
  return node.op === "lit" || (node.op === "ref" && node.width <= 64 && netOf(node).width <= 64);
};
