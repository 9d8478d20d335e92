import type { Node } from "../../../hdl/node.ts";
import type { FunctionBuilder } from "../assembler.ts";
import { containerBytes } from "../layout.ts";
import { constantBytes, extend, type LaneBits, laneOps, lowHalves, narrowMask, whole } from "./vector-ops.ts";

/** A value of every lane: locals of type v128. Of one bit: a mask, 0 or all ones; else sign or zero extended, as its sign says. */
export interface Vector {
  readonly bits: LaneBits;
  readonly locals: readonly number[];
}

type Bits = Pick<Node, "width" | "signed">;

export const laneBitsFor = (width: number): LaneBits => (8 * Math.min(8, containerBytes(width))) as LaneBits;

export const allOnes = (width: number): bigint => (1n << BigInt(width)) - 1n;

/** Vectors in the locals of a function, and what can be done with them whatever they stand for. */
export class LaneValues {
  readonly f: FunctionBuilder;
  readonly lanes: number;
  readonly #locals: number[] = [];
  /** One vector may be read with and without a sign, which makes two of it in wider lanes. */
  readonly #resizedSigned = new Map<Vector, Map<LaneBits, Vector>>();
  readonly #resizedUnsigned = new Map<Vector, Map<LaneBits, Vector>>();

  /** @param lanes 4, 8 or 16 */
  constructor(f: FunctionBuilder, lanes: number) {
    this.f = f;
    this.lanes = lanes;
  }

  /** Vectors that a value takes. */
  count(bits: LaneBits): number {
    return Math.max(1, (this.lanes * bits) / 128);
  }

  /** One instruction, or a few, on each vector. */
  map(bits: LaneBits, a: Vector, emit: (index: number) => void): Vector {
    return {
      bits,
      locals: a.locals.map((local, index) => {
        this.f.get(local);
        emit(index);
        return this.keep();
      }),
    };
  }

  /** Makes lanes wider, extending their value, or narrower, dropping their high bits. */
  resized(vector: Vector, bits: LaneBits, signed: boolean): Vector {
    if (vector.bits === bits) return vector;
    const all = signed ? this.#resizedSigned : this.#resizedUnsigned;
    const made = all.get(vector) ?? new Map<LaneBits, Vector>();
    all.set(vector, made);
    const known = made.get(bits);
    if (known !== undefined) return known;
    const next = vector.bits < bits ? this.#widened(vector, signed) : this.#narrowed(vector);
    const result = this.resized(next, bits, signed);
    made.set(bits, result);
    return result;
  }

  /** Gives all locals back; no vector is valid afterwards. */
  end(): void {
    for (const local of this.#locals) this.f.release("v128", local);
  }

  protected keep(): number {
    const local = this.f.local("v128");
    this.#locals.push(local);
    this.f.set(local);
    return local;
  }

  protected constant(bits: LaneBits, value: bigint): Vector {
    this.f.vector(whole.const, constantBytes(bits, value));
    return this.spread(bits, this.keep());
  }

  protected spread(bits: LaneBits, local: number): Vector {
    return { bits, locals: Array.from({ length: this.count(bits) }, () => local) };
  }

  protected withConstant(bits: LaneBits, value: bigint, opcode: number): void {
    this.f.vector(whole.const, constantBytes(bits, value));
    this.f.vector(opcode);
  }

  #widened({ bits, locals }: Vector, signed: boolean): Vector {
    const { low_s, low_u, high_s, high_u } = extend[bits as 8 | 16 | 32];
    const wide = (2 * bits) as LaneBits;
    return { bits: wide, locals: this.halves(wide, locals, signed ? low_s : low_u, signed ? high_s : high_u) };
  }

  /** Applies an instruction for the low and one for the high half of each vector's lanes, as many as there are lanes for. */
  protected halves(wide: LaneBits, locals: readonly number[], low: number, high: number, others: readonly number[] = []): number[] {
    return Array.from({ length: this.count(wide) }, (_, index) => {
      const from = Math.floor(index / 2);
      this.f.get(locals[from]!);
      if (others[from] !== undefined) this.f.get(others[from]);
      this.f.vector(index % 2 === 0 ? low : high);
      return this.keep();
    });
  }

  #narrowed(vector: Vector): Vector {
    return this.#halved(vector, lowHalves);
  }

  /** The high half of each lane. */
  protected highHalves(vector: Vector): Vector {
    return this.#halved(vector, (bits) => lowHalves(bits).map((byte) => byte + bits / 16));
  }

  #halved({ bits, locals }: Vector, immediate: (bits: 16 | 32 | 64) => readonly number[]): Vector {
    const half = (bits / 2) as LaneBits;
    return {
      bits: half,
      locals: Array.from({ length: this.count(half) }, (_, index) => {
        this.f.get(locals[2 * index]!);
        this.f.get(locals[2 * index + 1] ?? locals[2 * index]!);
        this.f.vector(whole.shuffle, immediate(bits as 16 | 32 | 64));
        return this.keep();
      }),
    };
  }

  /** Masks have a cheaper way to become narrower. */
  protected narrowedMask(mask: Vector, bits: LaneBits): Vector {
    if (mask.bits <= bits) return this.resized(mask, bits, true);
    if (mask.bits === 64) return this.narrowedMask(this.resized(mask, 32, true), bits);
    const half = (mask.bits / 2) as LaneBits;
    const locals = Array.from({ length: this.count(half) }, (_, index) => {
      this.f.get(mask.locals[2 * index]!);
      this.f.get(mask.locals[2 * index + 1] ?? mask.locals[2 * index]!);
      this.f.vector(narrowMask[mask.bits as 16 | 32]);
      return this.keep();
    });
    return this.narrowedMask({ bits: half, locals }, bits);
  }

  protected pair(bits: LaneBits, a: Vector, b: Vector, opcode: number): Vector {
    return this.map(bits, a, (index) => {
      this.f.get(b.locals[index]!);
      this.f.vector(opcode);
    });
  }

  /** Drops the bits of lanes above `width`, or extends the sign from there. */
  protected normalized(vector: Vector, width: number, signed: boolean): Vector {
    const { bits } = vector;
    if (width >= bits) return vector;
    if (!signed) return this.map(bits, vector, () => this.withConstant(bits, allOnes(width), whole.and));
    return this.map(bits, vector, () => {
      this.f.i32(bits - width);
      this.f.vector(laneOps[bits].shl);
      this.f.i32(bits - width);
      this.f.vector(laneOps[bits].shr_s);
    });
  }

  /** Bit `low` of numbers, as a mask. */
  protected bit(vector: Vector, low: number): Vector {
    const { bits } = vector;
    const ops = laneOps[bits];
    if (low === bits - 1)
      return this.map(bits, vector, () => {
        this.f.i32(bits - 1);
        this.f.vector(ops.shr_s);
      });
    return this.map(bits, vector, () => {
      this.f.i32(bits - 1 - low);
      this.f.vector(ops.shl);
      this.f.i32(bits - 1);
      this.f.vector(ops.shr_s);
    });
  }

  /** From the way that arrays keep a value, which has no masks: a bit is 1 where it is unsigned, -1 where it is signed. */
  protected stored(loaded: Vector, { width, signed }: Bits): Vector {
    return width > 1 || signed ? loaded : this.map(loaded.bits, loaded, () => this.f.vector(laneOps[loaded.bits].neg));
  }

  /** Bits from `low` up of a vector. */
  protected part(vector: Vector, from: Bits, low: number, { width, signed }: Bits): Vector {
    if (from.width === 1) return vector;
    if (width === 1) return this.bit(vector, low);
    const shifted =
      low === 0
        ? vector
        : this.map(vector.bits, vector, () => {
            this.f.i32(low);
            this.f.vector(laneOps[vector.bits][from.signed ? "shr_s" : "shr_u"]);
          });
    const cut = this.resized(shifted, laneBitsFor(width), from.signed);
    return low + width === from.width && signed === from.signed ? cut : this.normalized(cut, width, signed);
  }

  protected select(mask: Vector, a: Vector, b: Vector): Vector {
    return this.map(a.bits, a, (index) => {
      this.f.get(b.locals[index]!);
      this.f.get(mask.locals[index]!);
      this.f.vector(whole.bitselect);
    });
  }
}
