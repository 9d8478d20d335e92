import { createHash } from "node:crypto";
import { UserError } from "./error.ts";

/** The seed that everything random starts from: `$SYSTOLE_SEED`, or 1. */
export const rootSeed = (): number => {
  const stated = process.env["SYSTOLE_SEED"];
  if (stated === undefined || stated === "") return 1;
  if (!/^\d+$/.test(stated) || Number(stated) > 0xffffffff)
    throw new UserError("bad-seed", `SYSTOLE_SEED must be a whole number below 2^32, not \`${stated}\``);
  return Number(stated);
};

/** A seed of its own for each test or instance, so that re-running one does not change another's stimulus. */
export const deriveSeed = (root: number, id: string): number => createHash("sha256").update(`${root}:${id}`).digest().readUInt32LE(0);

/**
 * Seeded generator (SplitMix32): the only random source of the project.
 * Same seed, same sequence, on every machine.
 */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** 32 uniform bits, as an unsigned number. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  }

  /** Uniform integer in [low, high], both included; the span must fit 32 bits. */
  integer(low: number, high: number): number {
    return low + Math.floor((this.next() / 2 ** 32) * (high - low + 1));
  }

  /** Uniform in [0, 1). */
  float(): number {
    return this.next() / 2 ** 32;
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.float() < probability;
  }
}
