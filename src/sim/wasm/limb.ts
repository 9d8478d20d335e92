import type { FunctionBuilder } from "./assembler.ts";

/** 64 bits of a wide value: a local of type i64, or a constant. */
export type Limb = number | bigint;

export const pushLimb = ({ f }: { readonly f: FunctionBuilder }, limb: Limb): void => {
  if (typeof limb === "bigint") f.i64(limb);
  else f.get(limb);
};

export const limbCount = (width: number): number => Math.ceil(width / 64);
