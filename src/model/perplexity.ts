import { setImmediate } from "node:timers/promises";
import type { Linear } from "./linear.ts";
import type { Model } from "./model.ts";
import type { Sequence } from "./tokens.ts";

/** Sum over rows of `log(sum exp(logits)) - logits[target]`, in double. */
export const negativeLogLikelihood = (logits: Float32Array, targets: Uint16Array): number => {
  const vocab = logits.length / targets.length;
  let total = 0;
  for (const [row, target] of targets.entries()) {
    const base = row * vocab;
    let largest = Number.NEGATIVE_INFINITY;
    for (let at = base; at < base + vocab; at++) if (logits[at]! > largest) largest = logits[at]!;
    let sum = 0;
    for (let at = base; at < base + vocab; at++) sum += Math.exp(logits[at]! - largest);
    total += largest + Math.log(sum) - logits[base + target]!;
  }
  return total;
};

export interface Perplexity {
  /** `exp` of the mean negative log-likelihood. */
  readonly value: number;
  /** Tokens predicted. */
  readonly tokens: number;
}

/** Perplexity of a model over sequences, each run from its own start; `onSequence` is told how many are done.
 * Between sequences other work of the process goes on, so that progress is seen and Ctrl-C works. */
export const perplexity = async (model: Model, sequences: readonly Sequence[], linear: Linear, onSequence?: (done: number) => void): Promise<Perplexity> => {
  let total = 0;
  let tokens = 0;
  for (const [index, { inputs, targets }] of sequences.entries()) {
    total += negativeLogLikelihood(model.logits(inputs, linear), targets);
    tokens += targets.length;
    onSequence?.(index + 1);
    await setImmediate();
  }
  return { value: Math.exp(total / tokens), tokens };
};
