import {
  type BoolShape,
  bool,
  cat,
  type Flip,
  flip,
  input,
  instance,
  type Module,
  module,
  output,
  type UInt,
  type UIntShape,
  type VarOf,
} from "../hdl/index.ts";
import type { InputPort, OutputPort, PortMap } from "../hdl/ports.ts";
import { fifo } from "./fifo.ts";

/** What travels with a valid and a ready, as its producer sees it. */
export type Payload = Readonly<Record<string, OutputPort<UIntShape> | OutputPort<BoolShape>>>;

/** A stream of several values at once, as its producer sees it. */
export type BundleStream<P extends Payload> = { readonly valid: OutputPort<BoolShape>; readonly ready: InputPort<BoolShape> } & P;

export const bundleStream = <const P extends Payload>(payload: P): BundleStream<P> => ({ valid: output(bool), ready: input(bool), ...payload });

/**
 * FIFO of a stream of several values: first word falls through.
 * @param depth a power of two from 2
 * @throws UserError as `fifo` does
 */
export const bundleFifo = <const P extends Payload>(
  name: string,
  payload: P,
  depth: number,
): Module<{ readonly from: Flip<BundleStream<P>>; readonly to: BundleStream<P> }> => {
  const to: PortMap = bundleStream(payload);
  const keys = Object.keys(payload);
  type Side = Readonly<Record<string, VarOf<UIntShape>>> & { readonly valid: VarOf<BoolShape>; readonly ready: VarOf<BoolShape> };
  return module(
    name,
    { from: flip(to), to },
    (io) => {
      const { from, to: out } = io as unknown as { readonly from: Side; readonly to: Side };
      const entry = cat(...(keys.map((key) => from[key]!).toReversed() as unknown as [UInt, ...UInt[]]));
      const { outData } = instance("u_entries", fifo({ width: entry.width, depth }), {
        inValid: from.valid,
        inReady: from.ready,
        inData: entry,
        outValid: out.valid,
        outReady: out.ready,
        count: "unused",
      });
      let low = 0;
      for (const key of keys) {
        const { width } = payload[key]!.shape;
        if (payload[key]!.shape.kind === "bool") (out[key] as unknown as VarOf<BoolShape>).set(outData.bit(low));
        else out[key]!.set(outData.bits(low + width - 1, low));
        low += width;
      }
    },
    { doc: "FIFO of a stream of several values; first word falls through.", latency: "an entry shows at the output one cycle after it is pushed." },
  ) as unknown as Module<{ readonly from: Flip<BundleStream<P>>; readonly to: BundleStream<P> }>;
};
