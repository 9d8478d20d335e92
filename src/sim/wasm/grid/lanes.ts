import type { CompareOp, Node, Select } from "../../../hdl/node.ts";
import type { FunctionBuilder } from "../assembler.ts";
import { netOf } from "../lower.ts";
import type { Net } from "../net.ts";
import { type ArrayShape, shapeOf } from "./access.ts";
import { allOnes, LaneValues, laneBitsFor, type Vector } from "./lane-values.ts";
import { extendedMultiply, type LaneBits, laneOps, whole } from "./vector-ops.ts";

/** What surrounds the cells: how to get what is not computed in them. */
export interface Surroundings {
  /** Loads the elements of a reference to a vector or of a cell's register: numbers, bits 0 or 1 as they are stored. */
  load(node: Node & { op: "ref" }): Vector;
  /** A node that is the same in all cells, in every lane of one vector. */
  splat(node: Node, bits: LaneBits): number;
  isUniform(node: Node): boolean;
  /** The outcome of a condition, where this copy of the code is for one of them. */
  known(node: Node): boolean | undefined;
}

/** Writes the instructions that compute nodes for `lanes` cells at once. */
export class Lanes extends LaneValues {
  readonly #around: Surroundings;
  readonly #powersOf = new Map<Node, Vector>();
  readonly #memo = new Map<Node | Net, Vector>();

  /** @param lanes 4, 8 or 16 */
  constructor(f: FunctionBuilder, lanes: number, around: Surroundings) {
    super(f, lanes);
    this.#around = around;
  }

  /** The value as numbers in lanes of exactly `bits`, a bit as 0 and 1 or, signed, 0 and -1. */
  numbers(node: Node, bits: LaneBits): Vector {
    if (node.op === "lit") return this.constant(bits, node.value);
    if (this.#around.isUniform(node)) return this.spread(bits, this.#around.splat(node, bits));
    const vector = this.value(node);
    if (node.width > 1) return this.resized(vector, bits, node.signed);
    const mask = this.resized(vector, bits, true);
    return node.signed ? mask : this.map(bits, mask, () => this.withConstant(bits, 1n, whole.and));
  }

  /** A condition as a mask in lanes of `bits`. */
  mask(node: Node, bits: LaneBits): Vector {
    const known = this.#around.known(node);
    if (known !== undefined) return this.constant(bits, known ? -1n : 0n);
    if (node.op === "lit") return this.constant(bits, node.value === 0n ? 0n : -1n);
    if (this.#around.isUniform(node)) {
      const spread = this.spread(bits, this.#around.splat(node, bits));
      return node.signed ? spread : this.map(bits, spread, () => this.f.vector(laneOps[bits].neg));
    }
    return this.resized(this.value(node), bits, true);
  }

  /** The value in whatever lanes it came; each node once. */
  value(node: Node): Vector {
    const key = node.op === "ref" && node.select === undefined ? netOf(node) : node;
    const known = this.#memo.get(key);
    if (known !== undefined) return known;
    const made = this.#make(node);
    this.#memo.set(key, made);
    return made;
  }

  #make(node: Node): Vector {
    const bits = laneBitsFor(node.width);
    if (node.op === "lit" || this.#around.isUniform(node)) return node.width === 1 ? this.mask(node, 8) : this.numbers(node, bits);
    if (node.op === "ref") return this.#ref(node);
    return node.width === 1 ? this.#condition(node) : this.#number(node, bits);
  }

  #ref(node: Node & { op: "ref" }): Vector {
    const net = netOf(node);
    const { select } = node;
    if (net.array !== undefined) return this.#element(node, shapeOf(net.array)!, select!);
    if (select !== undefined) return this.part(this.value({ op: "ref", signal: net, width: net.width, signed: net.signed }), net, select.constant, node);
    return net.driver?.kind === "comb" ? this.value(net.driver.value) : this.stored(this.#around.load(node), net);
  }

  /** An element of a vector around the grid, or some bits of it; it is kept with the vector's sign. */
  #element(node: Node & { op: "ref" }, element: ArrayShape, { constant }: Select): Vector {
    return this.part(this.stored(this.#around.load(node), element), element, constant % element.width, node);
  }

  #condition(node: Node): Vector {
    switch (node.op) {
      case "and":
        return this.#inRange(node.a, node.b) ?? this.#logic(node.a, node.b, "and");
      case "or":
      case "xor":
      case "add":
      case "sub":
        return this.#logic(node.a, node.b, node.op === "or" ? node.op : "xor");
      case "mul":
        return this.#logic(node.a, node.b, "and");
      case "not":
        return this.map(this.value(node.a).bits, this.value(node.a), () => this.f.vector(whole.not));
      case "neg":
      case "cast":
      case "cross":
      case "ext":
        return node.a.width === 1 ? this.value(node.a) : this.bit(this.value(node.a), 0);
      case "trunc":
        return node.a.width === 1 ? this.value(node.a) : this.bit(this.value(node.a), 0);
      case "slice":
        return this.part(this.value(node.a), node.a, node.low, node);
      case "mux":
        return this.#choice(node, 8);
      case "any":
      case "all":
      case "parity":
        return this.#reduction(node);
      case "shl":
      case "shr":
      case "cat":
        return this.bit(this.#number(node, 8), 0);
      default:
        return this.#comparison(node as Node & { op: CompareOp });
    }
  }

  /** Masks meet in the narrower of their lanes. */
  #logic(a: Node, b: Node, op: "and" | "or" | "xor"): Vector {
    const low = (node: Node): Vector => (node.width === 1 ? this.value(node) : this.bit(this.value(node), 0));
    const [x, y] = [low(a), low(b)];
    const bits = Math.min(x.bits, y.bits) as LaneBits;
    return this.pair(bits, this.narrowedMask(x, bits), this.narrowedMask(y, bits), whole[op]);
  }

  /** Whether a signed value fits a number of bits, as `fits()` of the language asks it: lower bound, then upper bound. */
  #inRange(low: Node, high: Node): Vector | undefined {
    if (low.op !== "ge" || high.op !== "le" || low.b.op !== "lit" || high.b.op !== "lit" || !low.a.signed) return undefined;
    const span = high.b.value + 1n;
    const width = span.toString(2).length;
    const isSame = low.a === high.a || (low.a.op === "ref" && high.a.op === "ref" && low.a.signal === high.a.signal && low.a.select === high.a.select);
    if (!isSame || low.b.value !== -span || span !== 1n << BigInt(width - 1)) return undefined;
    const value = this.value(low.a);
    const { bits } = value;
    if (width >= bits || this.#around.isUniform(low.a)) return undefined;
    const moved = this.map(bits, value, () => this.withConstant(bits, span, laneOps[bits].add));
    // In range, nothing is left above.
    if (bits === 64 && width === 32) return this.#isZero(this.highHalves(moved));
    return this.#isZero(
      this.map(bits, moved, () => {
        this.f.i32(width);
        this.f.vector(laneOps[bits].shr_u);
      }),
    );
  }

  #isZero(vector: Vector): Vector {
    return this.map(vector.bits, vector, () => this.withConstant(vector.bits, 0n, laneOps[vector.bits].eq));
  }

  #comparison({ op, a, b }: Node & { op: CompareOp }): Vector {
    const width = Math.max(a.width, b.width);
    const bits = this.#lanesOf(width, [a, b]);
    const ops = laneOps[bits];
    if (width === 1 && !a.signed && (op === "eq" || op === "ne")) {
      const differs = this.#logic(a, b, "xor");
      return op === "ne" ? differs : this.map(differs.bits, differs, () => this.f.vector(whole.not));
    }
    // Zero-extended values with a bit to spare compare alike with and without a sign.
    const signed = a.signed || width < bits;
    if (op === "eq" || op === "ne") return this.pair(bits, this.numbers(a, bits), this.numbers(b, bits), ops[op]);
    const opcode = ops[`${op}_${signed ? "s" : "u"}`];
    if (opcode !== undefined) return this.pair(bits, this.numbers(a, bits), this.numbers(b, bits), opcode);
    // With the highest bit inverted, unsigned values have the order of signed ones.
    const [x, y] = [a, b].map((operand) => this.map(bits, this.numbers(operand, bits), () => this.withConstant(bits, 1n << 63n, whole.xor)));
    return this.pair(bits, x!, y!, ops[`${op}_s`]);
  }

  /** Lanes that hold a width, wider where an operand comes in wider ones anyway. */
  #lanesOf(width: number, operands: readonly Node[]): LaneBits {
    const least = laneBitsFor(width);
    const come = operands
      .filter((operand) => operand.op !== "lit" && operand.width > 1 && !this.#around.isUniform(operand))
      .map((operand) => this.value(operand).bits);
    return Math.max(least, ...(come.length > 0 ? [Math.min(...come)] : [])) as LaneBits;
  }

  #number(node: Node, bits: LaneBits): Vector {
    switch (node.op) {
      case "add":
      case "sub":
        return this.#sum(node, bits);
      case "mul":
        return this.#product(node);
      case "and":
      case "or":
      case "xor":
        return this.pair(bits, this.numbers(node.a, bits), this.numbers(node.b, bits), whole[node.op]);
      case "not": {
        const inverted = this.map(bits, this.numbers(node.a, bits), () => this.f.vector(whole.not));
        return node.signed ? inverted : this.normalized(inverted, node.width, false);
      }
      case "neg": {
        const negated = this.map(bits, this.numbers(node.a, bits), () => this.f.vector(laneOps[bits].neg));
        return node.signed && node.width > node.a.width ? negated : this.normalized(negated, node.width, node.signed);
      }
      case "shl":
      case "shr":
        return this.#shift(node, bits);
      case "ext":
      case "cross":
        return this.numbers(node.a, bits);
      case "cast":
        return this.normalized(this.numbers(node.a, bits), node.width, node.signed);
      case "trunc":
        return this.part(this.value(node.a), node.a, 0, node);
      case "slice":
        return this.part(this.value(node.a), node.a, node.low, node);
      case "mux":
        return this.#choice(node, bits);
      case "cat":
        return this.#joined(node, bits);
      default:
        throw new Error(`\`${node.op}\` has no form in lanes`);
    }
  }

  #sum(node: Node & { op: "add" | "sub" | "mul" | "and" | "or" | "xor" }, bits: LaneBits): Vector {
    const exact = (node.op === "add" || node.signed) && node.width > Math.max(node.a.width, node.b.width);
    const sum = this.pair(bits, this.numbers(node.a, bits), this.numbers(node.b, bits), laneOps[bits][node.op as "add" | "sub"]);
    return exact ? sum : this.normalized(sum, node.width, node.signed);
  }

  #product(node: Node & { op: "add" | "sub" | "mul" | "and" | "or" | "xor" }): Vector {
    const { a, b, signed, width } = node;
    // Products of 8-bit lanes need 16 in any case.
    const bits = Math.max(16, laneBitsFor(width)) as 16 | 32 | 64;
    const half = (bits / 2) as 8 | 16 | 32;
    const exact = width >= a.width + b.width;
    const fits = Math.max(laneBitsFor(a.width), laneBitsFor(b.width)) <= half;
    const product = fits
      ? this.#wideProduct(half, this.numbers(a, half), this.numbers(b, half), signed)
      : this.pair(bits, this.numbers(a, bits), this.numbers(b, bits), laneOps[bits].mul!);
    return exact ? product : this.normalized(product, width, signed);
  }

  /**
   * A shift left by few amounts as a product with a power of two, or undefined where lanes have no such product: one multiplication instead of
   * a choice for each bit of the amount. `kept` says in which lanes the result is not 0.
   */
  #scaled(node: Node, kept?: { readonly sel: Node; readonly when: boolean }): Vector | undefined {
    if (node.op !== "shl" || typeof node.amount === "number" || node.amount.width > 3 || this.#around.isUniform(node.amount)) return undefined;
    const { a, amount, width } = node;
    const bits = laneBitsFor(width);
    const half = bits / 2;
    const isHalf = half >= 16 && laneBitsFor(a.width) <= half;
    if (!isHalf && bits !== 16 && bits !== 32) return undefined;
    const powers = this.#powers(amount);
    const factors = kept === undefined ? powers : this.pair(8, powers, this.#selector(kept.sel, 8), kept.when ? whole.and : whole.andnot);
    const product = isHalf
      ? this.#wideProduct(half as 16 | 32, this.numbers(a, half as 16 | 32), this.resized(factors, half as 16 | 32, false), a.signed)
      : this.pair(bits, this.numbers(a, bits), this.resized(factors, bits, false), laneOps[bits].mul!);
    return width < a.width + 2 ** amount.width - 1 ? this.normalized(product, width, node.signed) : product;
  }

  /** 2 to the amount, in 8-bit lanes. */
  #powers(amount: Node): Vector {
    const known = this.#powersOf.get(amount);
    if (known !== undefined) return known;
    const amounts = this.numbers(amount, 8);
    const table = Array.from({ length: 16 }, (_, at) => (at < 8 ? 1 << at : 0));
    const powers: Vector = {
      bits: 8,
      locals: amounts.locals.map((local) => {
        this.f.vector(whole.const, table);
        this.f.get(local);
        this.f.vector(whole.swizzle);
        return this.keep();
      }),
    };
    this.#powersOf.set(amount, powers);
    return powers;
  }

  #wideProduct(half: 8 | 16 | 32, a: Vector, b: Vector, signed: boolean): Vector {
    const { low_s, high_s, low_u, high_u } = extendedMultiply[half];
    const bits = (2 * half) as LaneBits;
    return { bits, locals: this.halves(bits, a.locals, signed ? low_s : low_u, signed ? high_s : high_u, b.locals) };
  }

  #shift(node: Node & { op: "shl" | "shr" }, bits: LaneBits): Vector {
    const product = this.#scaled(node);
    if (product !== undefined) return product;
    const { amount } = node;
    const wide = node.op === "shr" ? (Math.max(bits, laneBitsFor(node.a.width)) as LaneBits) : bits;
    const opcode = laneOps[wide][node.op === "shl" ? "shl" : node.a.signed ? "shr_s" : "shr_u"];
    const left = node.op === "shl";
    let vector = this.numbers(node.a, wide);
    // The machine takes amounts modulo the lane: what moves everything out is done in steps that do not.
    const moved = (from: Vector, by: number): Vector => {
      let at = from;
      for (let rest = Math.min(by, 2 * wide); rest > 0; rest -= wide - 1) {
        const step = Math.min(rest, wide - 1);
        at = this.map(wide, at, () => {
          this.f.i32(step);
          this.f.vector(opcode);
        });
      }
      return at;
    };
    if (typeof amount === "number") vector = moved(vector, amount);
    else {
      for (let at = 0; at < amount.width; at++) {
        const sel = amount.width === 1 ? this.mask(amount, wide) : this.resized(this.#amountBit(amount, at), wide, true);
        const shifted = moved(vector, 2 ** at);
        vector = this.select(sel, shifted, vector);
      }
    }
    const most = typeof amount === "number" ? amount : 2 ** amount.width - 1;
    return left && node.width < node.a.width + most ? this.normalized(vector, node.width, node.signed) : vector;
  }

  #amountBit(amount: Node, at: number): Vector {
    return this.bit(this.numbers(amount, laneBitsFor(amount.width)), at);
  }

  #choice(node: Node & { op: "mux" }, least: LaneBits): Vector {
    const known = this.#around.known(node.sel);
    if (known !== undefined) return this.value(known ? node.a : node.b);
    const one = node.width === 1;
    const bits = one ? least : this.#lanesOf(node.width, [node.a, node.b]);
    const arm = (inner: Node): Vector => (one ? this.mask(inner, bits) : this.numbers(inner, bits));
    const isZero = (inner: Node): boolean => inner.op === "lit" && inner.value === 0n;
    const scaled = isZero(node.b)
      ? this.#scaled(node.a, { sel: node.sel, when: true })
      : isZero(node.a)
        ? this.#scaled(node.b, { sel: node.sel, when: false })
        : undefined;
    if (scaled !== undefined && scaled.bits === bits) return scaled;
    if (isZero(node.b)) return this.pair(bits, arm(node.a), this.#selector(node.sel, bits), whole.and);
    if (isZero(node.a)) return this.pair(bits, arm(node.b), this.#selector(node.sel, bits), whole.andnot);
    return this.select(this.#selector(node.sel, bits), arm(node.a), arm(node.b));
  }

  #selector(sel: Node, bits: LaneBits): Vector {
    if (sel.op === "lit" || this.#around.isUniform(sel)) return this.mask(sel, bits);
    return this.narrowedMask(this.value(sel), bits);
  }

  #reduction({ op, a }: Node & { op: "any" | "all" | "parity" }): Vector {
    const vector = this.value(a);
    const { bits } = vector;
    if (op === "any") return this.map(bits, vector, () => this.withConstant(bits, 0n, laneOps[bits].ne));
    if (op === "all") return this.map(bits, vector, () => this.withConstant(bits, a.signed ? -1n : allOnes(a.width), laneOps[bits].eq));
    let folded = a.signed ? this.normalized(vector, a.width, false) : vector;
    for (let by = bits / 2; by >= 1; by /= 2) {
      const before = folded;
      const shifted = this.map(bits, folded, () => {
        this.f.i32(by);
        this.f.vector(laneOps[bits].shr_u);
      });
      folded = this.pair(bits, before, shifted, whole.xor);
    }
    return this.bit(folded, 0);
  }

  #joined({ parts, width }: Node & { op: "cat" }, bits: LaneBits): Vector {
    let low = width;
    let joined: Vector | undefined;
    for (const part of parts) {
      low -= part.width;
      const own = part.signed ? this.normalized(this.numbers(part, bits), part.width, false) : this.numbers(part, bits);
      const by = low;
      const shifted =
        by === 0
          ? own
          : this.map(bits, own, () => {
              this.f.i32(by);
              this.f.vector(laneOps[bits].shl);
            });
      joined = joined === undefined ? shifted : this.pair(bits, joined, shifted, whole.or);
    }
    return joined!;
  }
}
