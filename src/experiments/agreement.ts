import type { Quantization } from "../golden/tender/core-product.ts";
import type { Forward } from "../model/forward.ts";
import { linearOf } from "../model/linear.ts";
import type { Model } from "../model/model.ts";
import { negativeLogLikelihood } from "../model/perplexity.ts";
import { inSoftware, tenderForward } from "../model/tender-forward.ts";
import { sequencesOf } from "../model/tokens.ts";
import type { FieldsOf, PerplexityRow } from "./results.ts";

/** Column of the largest logit of each row; of equals the first. */
export const predictions = (logits: Float32Array, vocab: number): Uint32Array =>
  Uint32Array.from({ length: logits.length / vocab }, (_, row) => {
    let best = 0;
    for (let token = 1; token < vocab; token++) if (logits[row * vocab + token]! > logits[row * vocab + best]!) best = token;
    return best;
  });

/**
 * Perplexity of fp32, of Tender's linear layers, and of Tender with attention as the core computes it, in software, on sequences of the model's context; and how often
 * the last predicts the same next token as fp32.
 */
export const agreementOf = async (
  model: Model,
  forward: (tokens: Uint16Array) => Forward,
  tokens: Uint16Array,
  { parameters: { accWidth }, quantization }: { readonly parameters: { readonly accWidth: number }; readonly quantization: Quantization },
  sequences: number,
  say: (text: string) => void,
): Promise<Pick<FieldsOf<"run tender-core">, "perplexity" | "agreement">> => {
  const { vocab, context } = model.config;
  const fp32 = linearOf({ name: "fp32" });
  const linearOnly = linearOf({ name: "tender", ...quantization });
  const losses = [0, 0, 0];
  let total = 0;
  let agreed = 0;
  const texts = sequencesOf(tokens, context).slice(0, sequences);
  for (const [index, { inputs, targets }] of texts.entries()) {
    say(`perplexity: sequence ${index + 1} of ${texts.length}`);
    const exact = model.logits(inputs, fp32);
    const all = await tenderForward(forward(inputs), quantization, inSoftware(accWidth));
    for (const [at, logits] of [exact, model.logits(inputs, linearOnly), all].entries()) losses[at]! += negativeLogLikelihood(logits, targets);
    const [wanted, got] = [predictions(exact, vocab), predictions(all, vocab)];
    agreed += wanted.reduce((sum, token, at) => sum + (token === got[at] ? 1 : 0), 0);
    total += targets.length;
  }
  const { bits, groups, chunk } = quantization;
  const row = (scheme: string, at: number, settings: Pick<PerplexityRow, "bits" | "groups" | "chunk">): PerplexityRow => ({
    scheme,
    ...settings,
    tokens: total,
    value: Math.exp(losses[at]! / total),
  });
  const none = { bits: null, groups: null, chunk: null };
  const perplexity = [row("fp32", 0, none), row("tender", 1, { bits, groups, chunk }), row("tender-attention", 2, { bits, groups, chunk })];
  return { perplexity, agreement: { tokens: total, agreed } };
};
