import type { Beat } from "./beats.ts";
import { checkAccWidth, runBeats } from "./matmul.ts";

/** An 8-bit code as 16 * high + low; high keeps the sign (of a signed code), low is 0..15. */
export const splitCode = (code: number): { readonly high: number; readonly low: number } => ({ high: code >> 4, low: code & 15 });

/** The four partial products of a 2x2 cluster: activation half first, weight half second. */
export const planes = ["hh", "hl", "lh", "ll"] as const;

export interface ComposableResult {
  /** Merged accumulator, signed, modulo 2^accWidth. */
  readonly value: number;
  /** Set by any plane or by the merge. */
  readonly overflow: boolean;
  readonly planeValues: Readonly<Record<(typeof planes)[number], number>>;
}

/** `(hh << 8) + ((hl + lh) << 4) + ll` modulo 2^accWidth, and whether the exact sum was representable. */
export const mergePlanes = ({ hh, hl, lh, ll }: ComposableResult["planeValues"], accWidth: number): { value: number; overflow: boolean } => {
  const exact = (BigInt(hh) << 8n) + (BigInt(hl + lh) << 4n) + BigInt(ll);
  const value = BigInt.asIntN(accWidth, exact);
  return { value: Number(value), overflow: value !== exact };
};

/**
 * The composable kind in INT8 mode: four INT4-cell accumulators take the same beats and shifts and merge at the drain (contracts.md, Composable kind).
 * `activations` and `weights` are one row and one column of 8-bit codes, indexed by channel; unsigned activations need no other rule,
 * because their high half is 0..15 as it stands.
 * @throws UserError `bad-acc-width`.
 */
export const composableAccumulate = (
  beats: readonly Beat[],
  activations: ArrayLike<number>,
  weights: ArrayLike<number>,
  accWidth: number,
): ComposableResult => {
  checkAccWidth(accWidth);
  const half = { h: (code: number) => splitCode(code).high, l: (code: number) => splitCode(code).low };
  const plane = (x: "h" | "l", w: "h" | "l") => runBeats(beats, (channel) => half[x](activations[channel]!) * half[w](weights[channel]!), accWidth);
  const cells = { hh: plane("h", "h"), hl: plane("h", "l"), lh: plane("l", "h"), ll: plane("l", "l") };
  const planeValues = { hh: cells.hh.value, hl: cells.hl.value, lh: cells.lh.value, ll: cells.ll.value };
  const merged = mergePlanes(planeValues, accWidth);
  return { value: merged.value, overflow: merged.overflow || planes.some((name) => cells[name].overflow), planeValues };
};
