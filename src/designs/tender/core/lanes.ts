import { type BoolShape, type SIntShape, type UInt, type UIntShape, uint, type ValueOf, type VecShape, vec, wire } from "../../../hdl/index.ts";

/** A word seen as a vector, element 0 in its low bits. */
export const inLanes = <E extends UIntShape | SIntShape | BoolShape>(name: string, word: UInt, shape: VecShape<E>): ValueOf<VecShape<E>> => {
  const whole = wire(name, vec(1, uint(word.width)));
  whole.at(0).set(word);
  return whole.reshape(shape);
};
