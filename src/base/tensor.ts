/** Row-major array with its shape: the project's one array layout. `data.length` is the product of `shape`. */
export interface Tensor<A extends ArrayLike<number> = Float32Array> {
  readonly shape: readonly number[];
  readonly data: A;
}

/** Number of elements of a shape. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);

export const tensor = <A extends ArrayLike<number>>(shape: readonly number[], data: A): Tensor<A> => {
  if (data.length !== sizeOf(shape)) throw new RangeError(`tensor [${shape.join(", ")}] needs ${sizeOf(shape)} elements, not ${data.length}`);
  return { shape, data };
};
