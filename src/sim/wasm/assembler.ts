import { Bytes } from "./bytes.ts";

/** Encodings of the value types (core specification 2.0, section 5.3). */
export const valueType = { i32: 0x7f, i64: 0x7e, v128: 0x7b } as const;
export type ValueType = keyof typeof valueType;

/** Instructions without immediates (section 5.4.7). */
export const plain = {
  unreachable: 0x00,
  end: 0x0b,
  else: 0x05,
  return: 0x0f,
  drop: 0x1a,
  select: 0x1b,
  "i32.eqz": 0x45,
  "i32.eq": 0x46,
  "i32.ne": 0x47,
  "i32.lt_s": 0x48,
  "i32.lt_u": 0x49,
  "i32.gt_s": 0x4a,
  "i32.gt_u": 0x4b,
  "i32.le_s": 0x4c,
  "i32.le_u": 0x4d,
  "i32.ge_s": 0x4e,
  "i32.ge_u": 0x4f,
  "i64.eqz": 0x50,
  "i64.eq": 0x51,
  "i64.ne": 0x52,
  "i64.lt_s": 0x53,
  "i64.lt_u": 0x54,
  "i64.gt_s": 0x55,
  "i64.gt_u": 0x56,
  "i64.le_s": 0x57,
  "i64.le_u": 0x58,
  "i64.ge_s": 0x59,
  "i64.ge_u": 0x5a,
  "i32.popcnt": 0x69,
  "i32.add": 0x6a,
  "i32.sub": 0x6b,
  "i32.mul": 0x6c,
  "i32.and": 0x71,
  "i32.or": 0x72,
  "i32.xor": 0x73,
  "i32.shl": 0x74,
  "i32.shr_s": 0x75,
  "i32.shr_u": 0x76,
  "i64.popcnt": 0x7b,
  "i64.add": 0x7c,
  "i64.sub": 0x7d,
  "i64.mul": 0x7e,
  "i64.and": 0x83,
  "i64.or": 0x84,
  "i64.xor": 0x85,
  "i64.shl": 0x86,
  "i64.shr_s": 0x87,
  "i64.shr_u": 0x88,
  "i32.wrap_i64": 0xa7,
  "i64.extend_i32_s": 0xac,
  "i64.extend_i32_u": 0xad,
  "i32.extend8_s": 0xc0,
  "i32.extend16_s": 0xc1,
  "i64.extend8_s": 0xc2,
  "i64.extend16_s": 0xc3,
  "i64.extend32_s": 0xc4,
} as const;
export type Plain = keyof typeof plain;

/** Loads and stores: opcode and natural alignment as a power of two (section 5.4.6). */
const memoryAccess = {
  "i32.load": [0x28, 2],
  "i64.load": [0x29, 3],
  "i32.load8_s": [0x2c, 0],
  "i32.load8_u": [0x2d, 0],
  "i32.load16_s": [0x2e, 1],
  "i32.load16_u": [0x2f, 1],
  "i64.load32_s": [0x34, 2],
  "i64.load32_u": [0x35, 2],
  "i32.store": [0x36, 2],
  "i64.store": [0x37, 3],
  "i32.store8": [0x3a, 0],
  "i32.store16": [0x3b, 1],
  "i64.store8": [0x3c, 0],
  "i64.store16": [0x3d, 1],
  "i64.store32": [0x3e, 2],
} as const;
export type MemoryAccess = keyof typeof memoryAccess;

const none: readonly number[] = [];

/** A function under construction: parameters are the first locals. Jumps and operands are the caller's to balance. */
export class FunctionBuilder {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
  readonly code = new Bytes();
  readonly #locals: ValueType[] = [];
  readonly #free = new Map<ValueType, number[]>();

  constructor(parameters: readonly ValueType[] = [], results: readonly ValueType[] = []) {
    this.parameters = parameters;
    this.results = results;
  }

  /** A new local, 0 at the start. */
  local(type: ValueType): number {
    const reused = this.#free.get(type)?.pop();
    if (reused !== undefined) return reused;
    this.#locals.push(type);
    return this.parameters.length + this.#locals.length - 1;
  }

  /** Gives a local back for another use. */
  release(type: ValueType, local: number): void {
    const free = this.#free.get(type);
    if (free === undefined) this.#free.set(type, [local]);
    else free.push(local);
  }

  op(name: Plain): void {
    this.code.byte(plain[name]);
  }

  i32(value: number): void {
    this.code.byte(0x41);
    this.code.signed(value);
  }

  i64(value: bigint): void {
    this.code.byte(0x42);
    this.code.signedBig(value);
  }

  get(local: number): void {
    this.code.byte(0x20);
    this.code.unsigned(local);
  }

  set(local: number): void {
    this.code.byte(0x21);
    this.code.unsigned(local);
  }

  tee(local: number): void {
    this.code.byte(0x22);
    this.code.unsigned(local);
  }

  getGlobal(index: number): void {
    this.code.byte(0x23);
    this.code.unsigned(index);
  }

  setGlobal(index: number): void {
    this.code.byte(0x24);
    this.code.unsigned(index);
  }

  /** Load or store at the address on the stack plus `offset`. */
  memory(name: MemoryAccess, offset: number): void {
    const [opcode, align] = memoryAccess[name];
    this.code.byte(opcode);
    this.code.unsigned(align);
    this.code.unsigned(offset);
  }

  /** memory.copy: destination, source, length. */
  copy(): void {
    for (const byte of [0xfc, 0x0a, 0, 0]) this.code.byte(byte);
  }

  /** memory.fill: destination, value, length. */
  fill(): void {
    for (const byte of [0xfc, 0x0b, 0]) this.code.byte(byte);
  }

  call(index: number): void {
    this.code.byte(0x10);
    this.code.unsigned(index);
  }

  /** `if` with a result where one is named. */
  if(result?: ValueType): void {
    this.code.byte(0x04);
    this.code.byte(result === undefined ? 0x40 : valueType[result]);
  }

  block(): void {
    this.code.byte(0x02);
    this.code.byte(0x40);
  }

  loop(): void {
    this.code.byte(0x03);
    this.code.byte(0x40);
  }

  branch(depth: number): void {
    this.code.byte(0x0c);
    this.code.unsigned(depth);
  }

  branchIf(depth: number): void {
    this.code.byte(0x0d);
    this.code.unsigned(depth);
  }

  /** Vector instruction by its opcode after the prefix 0xfd (section 5.4.8), immediates as bytes. */
  vector(opcode: number, immediates: readonly number[] = none): void {
    this.code.byte(0xfd);
    this.code.unsigned(opcode);
    for (const byte of immediates) this.code.byte(byte);
  }

  /** Vector load or store: alignment as a power of two. */
  vectorMemory(opcode: number, align: number, offset: number): void {
    this.vector(opcode);
    this.code.unsigned(align);
    this.code.unsigned(offset);
  }

  /** Body as section 5.5.13 has it: locals in runs, then code. */
  body(): Uint8Array {
    const runs: { type: ValueType; count: number }[] = [];
    for (const type of this.#locals) {
      const last = runs.at(-1);
      if (last?.type === type) last.count++;
      else runs.push({ type, count: 1 });
    }
    const bytes = new Bytes();
    bytes.unsigned(runs.length);
    for (const { type, count } of runs) {
      bytes.unsigned(count);
      bytes.byte(valueType[type]);
    }
    bytes.append(this.code.view());
    bytes.byte(plain.end);
    return bytes.view();
  }
}

interface Imported {
  readonly name: string;
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** A module with one imported memory (`env.memory`), imported functions (`env.*`), mutable i32 globals and functions. */
export class ModuleBuilder {
  readonly #imports: Imported[] = [];
  readonly #functions: FunctionBuilder[] = [];
  readonly #exports: { readonly name: string; readonly index: number }[] = [];
  readonly #globals: number[] = [];

  /** Imports come before functions. Returns its index. */
  import(name: string, parameters: readonly ValueType[] = [], results: readonly ValueType[] = []): number {
    this.#imports.push({ name, parameters, results });
    return this.#imports.length - 1;
  }

  /** A mutable global with its first value. */
  global(value: number): number {
    this.#globals.push(value);
    return this.#globals.length - 1;
  }

  /** Adds a function; with a name it is exported. Returns its index for calls. */
  function(body: FunctionBuilder, name?: string): number {
    this.#functions.push(body);
    const index = this.#imports.length + this.#functions.length - 1;
    if (name !== undefined) this.#exports.push({ name, index });
    return index;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const out = new Bytes();
    out.append(Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
    const all = [...this.#imports, ...this.#functions];
    const types = new Map<string, number>();
    const typeOf = ({ parameters, results }: Pick<Imported, "parameters" | "results">): number => {
      const key = `${parameters.join()}>${results.join()}`;
      if (!types.has(key)) types.set(key, types.size);
      return types.get(key)!;
    };
    const indices = all.map(typeOf);
    const encodeTypes = (list: Bytes): void => {
      for (const key of types.keys()) {
        list.byte(0x60);
        for (const half of key.split(">")) {
          const names = half === "" ? [] : (half.split(",") as ValueType[]);
          list.unsigned(names.length);
          for (const name of names) list.byte(valueType[name]);
        }
      }
    };
    section(out, 1, types.size, encodeTypes);
    section(out, 2, this.#imports.length + 1, (list) => this.#encodeImports(list, indices));
    section(out, 3, this.#functions.length, (list) => {
      for (const index of indices.slice(this.#imports.length)) list.unsigned(index);
    });
    section(out, 6, this.#globals.length, (list) => {
      for (const value of this.#globals) {
        for (const byte of [valueType.i32, 1, 0x41]) list.byte(byte);
        list.signed(value);
        list.byte(plain.end);
      }
    });
    section(out, 7, this.#exports.length + this.#globals.length, (list) => this.#encodeExports(list));
    section(out, 10, this.#functions.length, (list) => {
      for (const body of this.#functions) list.sized(body.body());
    });
    return out.view().slice();
  }

  #encodeImports(list: Bytes, indices: readonly number[]): void {
    list.name("env");
    list.name("memory");
    for (const byte of [2, 0, 1]) list.byte(byte);
    this.#imports.forEach(({ name }, at) => {
      list.name("env");
      list.name(name);
      list.byte(0);
      list.unsigned(indices[at]!);
    });
  }

  #encodeExports(list: Bytes): void {
    for (const { name, index } of this.#exports) {
      list.name(name);
      list.byte(0);
      list.unsigned(index);
    }
    this.#globals.forEach((_, index) => {
      list.name(`g${index}`);
      list.byte(3);
      list.unsigned(index);
    });
  }
}

const section = (out: Bytes, id: number, count: number, encode: (list: Bytes) => void): void => {
  const list = new Bytes();
  list.unsigned(count);
  encode(list);
  out.byte(id);
  out.sized(list.view());
};
