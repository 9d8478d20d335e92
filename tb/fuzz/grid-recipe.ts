import fc from "fast-check";
import { cornerWidths } from "./grid-values.ts";

/** An expression of at most so many operators; the seed says which. */
export interface LogicRecipe {
  readonly seed: number;
  readonly size: number;
}

export interface LeafRecipe {
  readonly kind: "uint" | "sint" | "bool";
  readonly width: number;
}

/** Condition under which a register changes, by number, and the logic in it. */
export interface GuardRecipe {
  readonly kind: number;
  readonly logic: LogicRecipe;
}

export interface RegisterRecipe {
  readonly shape: LeafRecipe;
  /** Neither, a reset value, an initial value, or both. */
  readonly start: number;
  readonly guard: GuardRecipe;
  readonly next: LogicRecipe;
  readonly other: LogicRecipe;
}

export const directions = ["east", "west", "south", "north", "southeast", "own"] as const;

/** A vector of which each cell drives one element and reads the one beside it; `edge` says what drives the elements that no cell does. */
export interface NetRecipe extends RegisterRecipe {
  readonly direction: (typeof directions)[number];
  readonly edge: number;
  /** Elements to spare at the far end of a row, which belong to the edge. */
  readonly spare: number;
}

export const feedKinds = ["column", "row", "rowOfPlane", "plane", "shared", "scalar", "lastRow", "condition"] as const;

/** A value that comes from around the grid. */
export interface FeedRecipe {
  readonly kind: (typeof feedKinds)[number];
  readonly shape: LeafRecipe;
  readonly source: number;
  /** Cells read these bits of an element only. */
  readonly part: number;
}

export interface GridRecipe {
  readonly rows: number;
  readonly columns: number;
  readonly isPlane: boolean;
  /** The cell is a module of its own. */
  readonly isModule: boolean;
  readonly reset: "sync" | "async";
  readonly nets: readonly NetRecipe[];
  readonly feeds: readonly FeedRecipe[];
  readonly registers: readonly RegisterRecipe[];
  /** Statements of a combinational block. */
  readonly wires: readonly { readonly shape: LeafRecipe; readonly first: LogicRecipe; readonly guard: GuardRecipe; readonly later: LogicRecipe }[];
  /** States of the cell, each going on to the next where its condition holds. */
  readonly phases: readonly LogicRecipe[];
  /** A cell has an instance in it. */
  readonly child: { readonly shape: LeafRecipe; readonly next: LogicRecipe; readonly result: LogicRecipe } | null;
  readonly seed: number;
  readonly cycles: number;
}

const width = fc.oneof({ arbitrary: fc.constantFrom(...cornerWidths), weight: 3 }, { arbitrary: fc.integer({ min: 1, max: 20 }), weight: 2 });

const leaf: fc.Arbitrary<LeafRecipe> = fc
  .tuple(fc.constantFrom("uint" as const, "sint" as const, "uint" as const, "sint" as const, "bool" as const), width)
  .map(([kind, bits]) => ({ kind, width: kind === "bool" ? 1 : bits }));

const logic = (size: number): fc.Arbitrary<LogicRecipe> => fc.record({ seed: fc.nat({ max: 0x7fffffff }), size: fc.nat({ max: size }) });
const large = logic(14);
const small = logic(5);
const guard: fc.Arbitrary<GuardRecipe> = fc.record({ kind: fc.nat({ max: 7 }), logic: small });

const registerFields = { shape: leaf, start: fc.nat({ max: 9 }), guard, next: large, other: small };
const net: fc.Arbitrary<NetRecipe> = fc.record({
  ...registerFields,
  direction: fc.constantFrom(...directions),
  edge: fc.nat({ max: 5 }),
  spare: fc.constantFrom(0, 0, 0, 1, 3),
});
const feed: fc.Arbitrary<FeedRecipe> = fc.record({ kind: fc.constantFrom(...feedKinds), shape: leaf, source: fc.nat({ max: 5 }), part: fc.nat({ max: 300 }) });

/** A dimension: corners of the vectors' 4, 8 and 16 lanes. */
const columns = fc.oneof(
  { arbitrary: fc.constantFrom(4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33), weight: 3 },
  { arbitrary: fc.integer({ min: 4, max: 35 }), weight: 1 },
);

/** As many cells as a grid needs, and not so many that the reference engine takes long. */
const sizeOf = ({ rows, columns: wanted, isPlane, seed }: Pick<GridRecipe, "rows" | "columns" | "isPlane" | "seed">): Pick<GridRecipe, "rows" | "columns"> => {
  const most = seed % 8 === 7 ? 99 : 30;
  const columns = isPlane && rows > 1 ? wanted : Math.max(16, wanted);
  return { columns, rows: Math.max(Math.min(rows, Math.ceil(most / columns)), Math.ceil(16 / columns)) };
};

export const gridArbitrary: fc.Arbitrary<GridRecipe> = fc
  .record({
    rows: fc.integer({ min: 1, max: 6 }),
    columns,
    isPlane: fc.boolean(),
    isModule: fc.boolean(),
    reset: fc.constantFrom("sync" as const, "sync" as const, "sync" as const, "sync" as const, "sync" as const, "sync" as const, "async" as const),
    nets: fc.array(net, { minLength: 1, maxLength: 3 }),
    feeds: fc.array(feed, { maxLength: 3 }),
    registers: fc.array(fc.record(registerFields), { maxLength: 3 }),
    wires: fc.array(fc.record({ shape: leaf, first: small, guard, later: small }), { maxLength: 2 }),
    phases: fc.oneof(fc.constant([]), fc.array(small, { minLength: 2, maxLength: 5 })),
    child: fc.option(fc.record({ shape: leaf, next: small, result: small }), { freq: 2 }),
    seed: fc.nat({ max: 0x7fffffff }),
    cycles: fc.integer({ min: 3, max: 7 }),
  })
  .map((recipe) => ({ ...recipe, ...sizeOf(recipe) }));
