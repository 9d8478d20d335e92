/** The part of the WebAssembly interface that the engine uses; the types of Node leave it out. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
  readonly Memory: new (size: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
};

/** Functions and globals of a compiled design. */
export interface Exports {
  evaluate(): void;
  cycles(count: number): void;
  readonly [name: string]: unknown;
}

export interface Instance {
  readonly buffer: ArrayBuffer;
  readonly exports: Exports;
  /** Another module over the same memory, which can call the design's functions. */
  readonly link: (module: Uint8Array) => Readonly<Record<string, unknown>>;
}

const pageBytes = 65_536;

/** @param bytes least size of its memory */
export const instantiate = (module: Uint8Array, bytes: number, fail: (check: number) => never): Instance => {
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / pageBytes) });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module), { env: { memory, fail } });
  const link = (other: Uint8Array): Readonly<Record<string, unknown>> => {
    const linked = new WebAssembly.Instance(new WebAssembly.Module(other), { env: { ...(exports as Exports), memory } });
    return linked.exports as Readonly<Record<string, unknown>>;
  };
  return { buffer: memory.buffer, exports: exports as Exports, link };
};
