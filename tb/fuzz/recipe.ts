import fc from "fast-check";

/**
 * Random circuits as plain data. A recipe says nothing that can be wrong: names, widths and references are numbers that the
 * emitter takes modulo what is there, so that any part may be dropped and the rest still describes a legal module.
 */

/** An expression: an operator, its operands (used again from the first where they run out), and two numbers for widths, picks and values. */
export interface Expr {
  readonly op: string;
  readonly args: readonly Expr[];
  readonly n: readonly [number, number];
}

/** Bits, or a vector of bits where there are lengths (outermost first), or states where `cases` is at least 2. */
export interface ShapeRecipe {
  readonly kind: "uint" | "sint" | "bool";
  readonly width: number;
  readonly lengths: readonly number[];
  readonly cases: number;
}

export type StatementRecipe =
  | { readonly kind: "set"; readonly target: number; readonly indices: readonly Expr[]; readonly value: Expr }
  | {
      readonly kind: "if";
      readonly arms: readonly { readonly condition: Expr; readonly body: readonly StatementRecipe[] }[];
      readonly otherwise: readonly StatementRecipe[];
    }
  | { readonly kind: "match"; readonly pick: number; readonly arms: readonly (readonly StatementRecipe[])[] };

export interface RegisterRecipe {
  readonly shape: ShapeRecipe;
  readonly reset: number | null;
  readonly initial: number | null;
  readonly enable: Expr | null;
  readonly next: Expr;
}

export interface ReadRecipe {
  readonly latency: 0 | 1;
  readonly collision: "old" | "new" | "undefined";
  readonly address: Expr;
  readonly enable: Expr | null;
  readonly clock: number;
}

export interface WriteRecipe {
  readonly condition: Expr | null;
  readonly address: Expr;
  readonly data: Expr;
  readonly mask: Expr;
}

export interface CellRecipe {
  readonly inline: boolean;
  readonly registered: boolean;
  readonly reset: boolean;
  /** Derived reset of the cell's module. */
  readonly derived: Expr | null;
  readonly items: readonly ItemRecipe[];
  /** Next values towards the east and the south, and the cell's result. */
  readonly east: Expr;
  readonly south: Expr;
  readonly result: Expr;
}

export type ItemRecipe =
  | { readonly kind: "named"; readonly value: Expr; readonly late: boolean }
  | {
      readonly kind: "comb";
      readonly wires: readonly { readonly shape: ShapeRecipe; readonly value: Expr }[];
      readonly body: readonly StatementRecipe[];
      readonly late: boolean;
    }
  | { readonly kind: "sync"; readonly clock: number; readonly registers: readonly RegisterRecipe[]; readonly body: readonly StatementRecipe[] }
  | {
      readonly kind: "memory";
      readonly clock: number;
      readonly depth: number;
      readonly shape: ShapeRecipe;
      readonly lanes: number;
      /** Words with contents at power-up. */
      readonly initial: number;
      readonly reads: readonly ReadRecipe[];
      readonly writes: readonly WriteRecipe[];
    }
  | {
      readonly kind: "delay";
      readonly value: Expr;
      readonly cycles: number;
      readonly growing: boolean;
      readonly enable: Expr | null;
      readonly reset: boolean;
      readonly clock: number;
    }
  | { readonly kind: "instance"; readonly child: number; readonly inputs: readonly Expr[]; readonly placed: number; readonly derived: Expr | null }
  | {
      readonly kind: "repeat";
      readonly count: number;
      readonly shape: ShapeRecipe;
      readonly first: Expr;
      readonly next: Expr;
      readonly items: readonly ItemRecipe[];
    }
  | {
      readonly kind: "grid";
      readonly rows: number;
      readonly columns: number;
      readonly shapes: readonly [ShapeRecipe, ShapeRecipe, ShapeRecipe];
      readonly west: Expr;
      readonly north: Expr;
      readonly cell: CellRecipe;
    }
  | { readonly kind: "view"; readonly pick: number; readonly factor: number }
  | { readonly kind: "property"; readonly property: "assert" | "assume" | "cover"; readonly holds: boolean; readonly value: Expr; readonly clock: number };

export interface ClockRecipe {
  readonly reset: "sync" | "async" | "none";
  readonly activeLow: boolean;
}

export interface ModuleRecipe {
  /** Of the own clock. */
  readonly reset: "sync" | "async";
  readonly activeLow: boolean;
  readonly clocks: readonly ClockRecipe[];
  readonly inputs: readonly { readonly shape: ShapeRecipe; readonly clock: number }[];
  readonly items: readonly ItemRecipe[];
  readonly outputs: readonly { readonly shape: ShapeRecipe; readonly value: Expr; readonly clock: number }[];
}

export interface CircuitRecipe {
  /** Each may have instances of those before it; the last one is the top. */
  readonly modules: readonly ModuleRecipe[];
  /** All that the top declares goes to an output, so that every difference shows; otherwise it is discarded. */
  readonly observed: boolean;
  /** From which the stimulus follows. */
  readonly seed: number;
  readonly cycles: number;
}

const corners = [1, 2, 7, 8, 9, 16, 31, 32, 33, 63, 64, 65, 127, 128, 129, 200] as const;

/** Small widths half of the time, else corners, else anything. */
const widthArbitrary = fc.oneof(
  { arbitrary: fc.integer({ min: 1, max: 12 }), weight: 5 },
  { arbitrary: fc.constantFrom(...corners), weight: 4 },
  { arbitrary: fc.integer({ min: 1, max: 200 }), weight: 1 },
);

const number = fc.nat({ max: 0xffff });

/** Operators of an expression; leaves are "ref", "lit" and, in an index, "at". Those of interest beyond their share stand twice. */
export const operators =
  `add sub mul and or xor eq ne lt le gt ge mux mux cat addWrap subWrap shl shr shlBy shrBy not neg any all parity cross asUInt asSInt toSInt extend
  wrap sat fits bits bit is at at`.split(/\s+/);

const pair = fc.tuple(number, number);

const { expr, statement } = fc.letrec<{ leaf: Expr; node: Expr; expr: Expr; set: StatementRecipe; nested: StatementRecipe; statement: StatementRecipe }>(
  (tie) => ({
    leaf: fc.record({ op: fc.constantFrom("ref", "ref", "ref", "lit"), args: fc.constant([]), n: pair }),
    node: fc.record({ op: fc.constantFrom(...operators), args: fc.array(tie("expr"), { minLength: 1, maxLength: 3, depthIdentifier: "expr" }), n: pair }),
    expr: fc.oneof({ depthSize: "small", withCrossShrink: true, depthIdentifier: "expr" }, tie("leaf"), tie("node")),
    set: fc.record({ kind: fc.constant("set" as const), target: number, indices: fc.array(tie("expr"), { maxLength: 2 }), value: tie("expr") }),
    nested: fc.oneof(
      fc.record({
        kind: fc.constant("if" as const),
        arms: fc.array(fc.record({ condition: tie("expr"), body: fc.array(tie("statement"), { maxLength: 2 }) }), { minLength: 1, maxLength: 3 }),
        otherwise: fc.array(tie("statement"), { maxLength: 2 }),
      }),
      fc.record({
        kind: fc.constant("match" as const),
        pick: number,
        arms: fc.array(fc.array(tie("statement"), { maxLength: 2 }), { minLength: 1, maxLength: 4 }),
      }),
    ),
    statement: fc.oneof({ depthSize: "small", withCrossShrink: true, depthIdentifier: "statement" }, tie("set"), tie("nested")),
  }),
);

const maybe = <T>(arbitrary: fc.Arbitrary<T>, freq = 2): fc.Arbitrary<T | null> => fc.option(arbitrary, { freq });

const scalarShape: fc.Arbitrary<ShapeRecipe> = fc
  .tuple(fc.constantFrom("uint" as const, "uint" as const, "sint" as const, "sint" as const, "bool" as const), widthArbitrary)
  .map(([kind, width]) => ({ kind, width, lengths: [], cases: 0 }));

/** What a port may carry. */
const portShape: fc.Arbitrary<ShapeRecipe> = fc.oneof(
  { arbitrary: scalarShape, weight: 4 },
  {
    arbitrary: fc
      .tuple(scalarShape, fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 2 }))
      .map(([shape, lengths]) => ({ ...shape, width: shape.width > 70 ? 9 : shape.width, lengths })),
    weight: 1,
  },
);

const anyShape: fc.Arbitrary<ShapeRecipe> = fc.oneof(
  { arbitrary: portShape, weight: 5 },
  { arbitrary: fc.integer({ min: 2, max: 5 }).map((cases): ShapeRecipe => ({ kind: "uint", width: 1, lengths: [], cases })), weight: 1 },
);

const clockPick = fc.nat({ max: 2 });
const register: fc.Arbitrary<RegisterRecipe> = fc.record({
  shape: anyShape,
  reset: maybe(number, 3),
  initial: maybe(number, 2),
  enable: maybe(expr),
  next: expr,
});
const body = fc.array(statement, { maxLength: 3 });

const named = fc.record({ kind: fc.constant("named" as const), value: expr, late: fc.boolean() });
const sync = fc.record({ kind: fc.constant("sync" as const), clock: clockPick, registers: fc.array(register, { minLength: 1, maxLength: 3 }), body });
const comb = fc.record({
  kind: fc.constant("comb" as const),
  wires: fc.array(fc.record({ shape: anyShape, value: expr }), { minLength: 1, maxLength: 3 }),
  body,
  late: fc.boolean(),
});
const memory = fc.record({
  kind: fc.constant("memory" as const),
  clock: clockPick,
  depth: fc.oneof(fc.constantFrom(2, 4, 8, 16), fc.integer({ min: 2, max: 20 })),
  shape: scalarShape,
  lanes: fc.constantFrom(1, 1, 2, 4),
  initial: fc.oneof(fc.constantFrom(0, 20), fc.nat({ max: 20 })),
  reads: fc.array(
    fc.record({
      latency: fc.constantFrom(0 as const, 1 as const),
      collision: fc.constantFrom("old" as const, "new" as const, "undefined" as const),
      address: expr,
      enable: maybe(expr),
      clock: clockPick,
    }),
    { minLength: 1, maxLength: 3 },
  ),
  writes: fc.array(fc.record({ condition: maybe(expr, 3), address: expr, data: expr, mask: expr }), { maxLength: 2 }),
});
const delay = fc.record({
  kind: fc.constant("delay" as const),
  value: expr,
  cycles: fc.integer({ min: 1, max: 6 }),
  growing: fc.boolean(),
  enable: maybe(expr),
  reset: fc.boolean(),
  clock: clockPick,
});
const instance = fc.record({
  kind: fc.constant("instance" as const),
  child: number,
  inputs: fc.array(expr, { minLength: 1, maxLength: 4 }),
  placed: number,
  derived: maybe(expr, 4),
});
const view = fc.record({ kind: fc.constant("view" as const), pick: number, factor: number });
const property = fc.record({
  kind: fc.constant("property" as const),
  property: fc.constantFrom("assert" as const, "assume" as const, "cover" as const),
  holds: fc.integer({ min: 0, max: 7 }).map((choice) => choice > 0),
  value: expr,
  clock: clockPick,
});

const plain: readonly fc.WeightedArbitrary<ItemRecipe>[] = [
  { arbitrary: named, weight: 4 },
  { arbitrary: sync, weight: 4 },
  { arbitrary: comb, weight: 3 },
  { arbitrary: memory, weight: 1 },
  { arbitrary: delay, weight: 1 },
  { arbitrary: instance, weight: 3 },
  { arbitrary: view, weight: 1 },
  { arbitrary: property, weight: 1 },
];

const itemsOf = (weighted: readonly fc.WeightedArbitrary<ItemRecipe>[], maxLength: number): fc.Arbitrary<ItemRecipe[]> =>
  fc.array(fc.oneof(...weighted), { maxLength });

const repeatOf = (inner: fc.Arbitrary<ItemRecipe[]>): fc.Arbitrary<ItemRecipe> =>
  fc.record({ kind: fc.constant("repeat" as const), count: fc.integer({ min: 1, max: 4 }), shape: scalarShape, first: expr, next: expr, items: inner });

const inner = itemsOf([...plain, { arbitrary: repeatOf(itemsOf(plain, 2)), weight: 1 }], 3);

const grid: fc.Arbitrary<ItemRecipe> = fc.record({
  kind: fc.constant("grid" as const),
  rows: fc.integer({ min: 1, max: 4 }),
  columns: fc.integer({ min: 1, max: 5 }),
  shapes: fc.tuple(scalarShape, scalarShape, scalarShape),
  west: expr,
  north: expr,
  cell: fc.record({
    inline: fc.boolean(),
    registered: fc.boolean(),
    reset: fc.boolean(),
    derived: maybe(expr, 4),
    items: itemsOf(plain, 2),
    east: expr,
    south: expr,
    result: expr,
  }),
});

const items = itemsOf([...plain, { arbitrary: repeatOf(inner), weight: 1 }, { arbitrary: grid, weight: 1 }], 6);

const moduleArbitrary: fc.Arbitrary<ModuleRecipe> = fc.record({
  reset: fc.constantFrom("sync" as const, "sync" as const, "async" as const),
  activeLow: fc.boolean(),
  clocks: fc.oneof(
    { arbitrary: fc.constant([]), weight: 2 },
    {
      arbitrary: fc.array(fc.record({ reset: fc.constantFrom("sync" as const, "async" as const, "none" as const), activeLow: fc.boolean() }), { maxLength: 2 }),
      weight: 1,
    },
  ),
  inputs: fc.array(fc.record({ shape: portShape, clock: clockPick }), { minLength: 1, maxLength: 4 }),
  items,
  outputs: fc.array(fc.record({ shape: portShape, value: expr, clock: clockPick }), { minLength: 1, maxLength: 4 }),
});

export const circuitArbitrary: fc.Arbitrary<CircuitRecipe> = fc.record({
  modules: fc.array(moduleArbitrary, { minLength: 1, maxLength: 3 }),
  observed: fc.integer({ min: 0, max: 4 }).map((choice) => choice > 0),
  seed: fc.nat({ max: 0x7fffffff }),
  cycles: fc.integer({ min: 1, max: 30 }),
});
