/**
 * The inner loops of the matrix product as a WebAssembly module with 128-bit vectors, assembled here from opcodes
 * (WebAssembly core specification 2.0, section 5.4), because vectors can't be reached from JavaScript. `gemm.ts` has the layouts.
 */
const I32 = 0x7f;
const V128 = 0x7b;
const noResult = 0x40;

type Code = readonly number[];

/** Unsigned LEB128. */
const leb = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)]);
const sized = (bytes: Code): number[] => [...leb(bytes.length), ...bytes];
const section = (id: number, content: Code): number[] => [id, ...sized(content)];
const name = (value: string): number[] => sized([...Buffer.from(value)]);

const get = (local: number): Code => [0x20, local];
const set = (local: number, value: Code): Code => [...value, 0x21, local];
/** Only 0 to 63: one byte of signed LEB128. */
const constant = (value: number): Code => [0x41, value];
const add = (left: Code, right: Code): Code => [...left, ...right, 0x6a];
const subtract = (left: Code, right: Code): Code => [...left, ...right, 0x6b];
const below = (left: Code, right: Code): Code => [...left, ...right, 0x49];
const shiftLeft = (value: Code, by: number): Code => [...value, ...constant(by), 0x74];
const zeroLanes: Code = [...constant(0), 0xfd, 0x11];
const loadLanes = (address: Code, offset: number): Code => [...address, 0xfd, 0x00, 0, offset];
/** One float in all four lanes. */
const loadSplat = (address: Code): Code => [...address, 0xfd, 0x09, 0, 0];
const storeLanes = (address: Code, offset: number, value: Code): Code => [...address, ...value, 0xfd, 0x0b, 0, offset];
const addLanes = (left: Code, right: Code): Code => [...left, ...right, 0xfd, ...leb(0xe4)];
const multiplyLanes = (left: Code, right: Code): Code => [...left, ...right, 0xfd, ...leb(0xe6)];
/** Runs `body`, and again as long as `condition` is not zero. */
const repeatWhile = (body: readonly Code[], condition: Code): Code => [0x03, noResult, ...body.flat(), ...condition, 0x0d, 0, 0x0b];

/** Rows of x and columns of the result that one pass of the inner loop holds in registers. */
export const tileRows = 4;
export const panelColumns = 8;

const parameter = { x: 0, panel: 1, result: 2, rows: 3, columns: 4, depth: 5 };
const pointer = { row: 6, panel: 10, panelEnd: 11 };
const lanes = { sum: 12, left: 20, right: 21, value: 22 };
const rows = Array.from({ length: tileRows }, (_, row) => row);

/** For one channel k: sum[r][0..7] += x[r][k] * panel[k][0..7], for the four rows of a tile. */
const channelStep: readonly Code[] = [
  set(lanes.left, loadLanes(get(pointer.panel), 0)),
  set(lanes.right, loadLanes(get(pointer.panel), 16)),
  ...rows.flatMap((row) => [
    set(lanes.value, loadSplat(get(pointer.row + row))),
    set(lanes.sum + 2 * row, addLanes(get(lanes.sum + 2 * row), multiplyLanes(get(lanes.value), get(lanes.left)))),
    set(lanes.sum + 2 * row + 1, addLanes(get(lanes.sum + 2 * row + 1), multiplyLanes(get(lanes.value), get(lanes.right)))),
    set(pointer.row + row, add(get(pointer.row + row), constant(4))),
  ]),
  set(pointer.panel, add(get(pointer.panel), constant(32))),
];

/** All tiles of one panel. The last row pointer ends where the next tile starts. */
const panelBody: readonly Code[] = [
  set(pointer.panelEnd, add(get(parameter.panel), shiftLeft(get(parameter.depth), 5))),
  repeatWhile(
    [
      set(pointer.row, get(parameter.x)),
      ...rows.slice(1).map((row) => set(pointer.row + row, add(get(pointer.row + row - 1), shiftLeft(get(parameter.depth), 2)))),
      ...rows.flatMap((row) => [set(lanes.sum + 2 * row, zeroLanes), set(lanes.sum + 2 * row + 1, zeroLanes)]),
      set(pointer.panel, get(parameter.panel)),
      repeatWhile(channelStep, below(get(pointer.panel), get(pointer.panelEnd))),
      ...rows.flatMap((row) => [
        storeLanes(get(parameter.result), 0, get(lanes.sum + 2 * row)),
        storeLanes(get(parameter.result), 16, get(lanes.sum + 2 * row + 1)),
        set(parameter.result, add(get(parameter.result), shiftLeft(get(parameter.columns), 2))),
      ]),
      set(parameter.x, get(pointer.row + tileRows - 1)),
      set(parameter.rows, subtract(get(parameter.rows), constant(tileRows))),
    ],
    get(parameter.rows),
  ),
];

const moduleBytes = (): Uint8Array => {
  const locals = [2, 6, I32, 11, V128];
  const sections = [
    section(1, [1, 0x60, ...sized([I32, I32, I32, I32, I32, I32]), 0]),
    section(3, [1, 0]),
    section(5, [1, 0, 1]),
    section(7, [2, ...name("memory"), 2, 0, ...name("panel"), 0, 0]),
    section(10, [1, ...sized([...locals, ...panelBody.flat(), 0x0b])]),
  ];
  return Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections.flat()]);
};

/**
 * `panel(x, panel, result, rows, columns, depth)`: byte addresses of x [rows, depth], of one panel [depth, 8] and of the
 * first of its eight columns in a result [rows, columns]; `rows` a positive multiple of 4, `depth` at least 1.
 * Products and sums are binary32, channels ascending.
 */
export interface GemmKernel {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly panel: (x: number, panel: number, result: number, rows: number, columns: number, depth: number) => void;
}

/** TypeScript declares this only with the browser's types. */
declare const WebAssembly: { readonly Module: new (bytes: Uint8Array) => object; readonly Instance: new (module: object) => { readonly exports: unknown } };

export const gemmKernel = (): GemmKernel => new WebAssembly.Instance(new WebAssembly.Module(moduleBytes())).exports as GemmKernel;
