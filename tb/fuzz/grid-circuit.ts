import {
  Bool,
  bool,
  cat,
  comb,
  delay,
  discard,
  type Enum,
  grid,
  Index,
  input,
  instance,
  type Module,
  match,
  module,
  named,
  output,
  type PortShape,
  reg,
  repeat,
  SInt,
  sint,
  states,
  sync,
  type UInt,
  uint,
  vec,
  when,
  wire,
} from "../../src/hdl/index.ts";
import type { FeedRecipe, GridRecipe, GuardRecipe, LeafRecipe, NetRecipe, RegisterRecipe } from "./grid-recipe.ts";
import { Draws, Maker, type Value } from "./grid-values.ts";
import { cornerValue } from "./scope.ts";

/** A signal of any shape, as far as these circuits need it. */
interface Any {
  set(value: unknown): void;
  at(index: number | Index): Any;
  asUInt(): UInt;
}

const shapeOf = ({ kind, width }: LeafRecipe): PortShape => (kind === "bool" ? bool : kind === "sint" ? sint(width) : uint(width));

const literal = ({ kind, width }: LeafRecipe, n: number): number | bigint => (kind === "bool" ? n % 2 : cornerValue(n, width, kind === "sint"));

const startOf = (shape: LeafRecipe, start: number): object => ({
  ...(start % 2 === 1 ? { reset: literal(shape, start) } : {}),
  ...(start % 4 >= 2 ? { initial: literal(shape, start + 1) } : {}),
});

/** What a cell reads and drives, made outside of it. */
interface Surroundings {
  readonly sources: readonly Value[];
  /** Conditions that all cells share. */
  readonly shared: readonly Bool[];
  /** Where the registers of the nets go. */
  readonly targets: readonly Any[];
}

/** The statements of a guard around an assignment; expressions are made before the block begins. */
const guarded = ({ kind, logic }: GuardRecipe, shared: readonly Bool[], maker: Maker): ((then: () => void, other: () => void) => void) => {
  const given = new Draws(logic);
  const [a, b] = [shared[given.pick(shared.length)]!, shared[given.pick(shared.length)]!];
  switch (kind) {
    case 0:
      return (then) => then();
    case 1:
      return (then) => void when(a, then);
    case 2:
      return (then, other) => when(a, () => when(b, then).otherwise(other));
    case 3:
      return (then, other) => when(a.not(), then).otherwise(() => void when(b, other));
    case 4: {
      const inner = maker.condition(given);
      return (then, other) => void when(a, () => when(inner, then).otherwise(other));
    }
    case 5: {
      const inner = maker.condition(given);
      return (then, other) => void when(inner, then).elsewhen(b, other);
    }
    case 6: {
      const inner = maker.condition(given);
      return (then, other) => when(inner, then).otherwise(other);
    }
    default:
      return (then, other) => when(a.and(b.not()), then).otherwise(other);
  }
};

type Phase = Enum<string> & { set(value: string): void };

/** Registers first, so that everything may read them; then logic, then their next values. */
const cell = (recipe: GridRecipe, { sources, shared, targets }: Surroundings, prefix: string): void => {
  const declared = [...recipe.nets, ...recipe.registers].map(({ shape, start }, i) => ({
    shape,
    register: reg(`q${i}`, shapeOf(shape) as never, startOf(shape, start) as never) as unknown as Value & Any,
  }));
  const cases = recipe.phases.map((_, i) => `p${i}`);
  const phase = cases.length < 2 ? undefined : reg("phase", states(`${prefix}phase`, ...(cases as [string, string])), { reset: cases[0]! });
  const readable = [...sources, ...declared.map(({ register }) => register)];
  const maker = new Maker(readable, phase === undefined ? [] : [phase], "t");
  const child = recipe.child === null ? [] : childOutputs(recipe.child, readable, prefix, about(recipe));
  const wires = combWires(recipe, [...readable, ...child], shared, maker);
  const last = new Maker([...readable, ...child, ...wires], phase === undefined ? [] : [phase], "v");
  const statements = [...recipe.nets, ...recipe.registers].map((register, i) => assignment(register, declared[i]!.register, shared, last));
  sync(() => {
    for (const statement of statements) statement();
  });
  if (phase !== undefined) phases(recipe, phase, cases, shared, last);
  for (const [i, target] of targets.entries()) target.set(declared[i]!.register);
  const unread = [...readable, ...child, ...wires, ...maker.made, ...last.made, ...(phase === undefined ? [] : [phase.asUInt()])];
  discard("all", cat(...shared, ...unread));
};

const assignment = ({ shape, guard, next, other }: RegisterRecipe, register: Any, shared: readonly Bool[], maker: Maker): (() => void) => {
  const [first, second] = [maker.like(new Draws(next), shape), maker.like(new Draws(other), shape)];
  const around = guarded(guard, shared, maker);
  return () =>
    around(
      () => register.set(first),
      () => register.set(second),
    );
};

const phases = ({ phases: conditions }: GridRecipe, phase: Phase, cases: readonly string[], shared: readonly Bool[], maker: Maker): void => {
  const moves = conditions.map((logic, i) => ({ condition: i === 0 ? shared[0]! : maker.condition(new Draws(logic)), to: cases[(i + 1) % cases.length]! }));
  sync(() => match(phase, Object.fromEntries(moves.map(({ condition, to }, i) => [cases[i]!, () => void when(condition, () => phase.set(to))]))));
};

const combWires = ({ wires }: GridRecipe, sources: readonly Value[], shared: readonly Bool[], maker: Maker): Value[] => {
  if (wires.length === 0) return [];
  const made = wires.map(({ shape }, i) => wire(`w${i}`, shapeOf(shape)) as unknown as Value & Any);
  const statements = wires.map(({ shape, first, guard, later }) => ({
    first: maker.like(new Draws(first), shape),
    later: maker.like(new Draws(later), shape),
    around: guarded(guard, shared, maker),
    zero: literal(shape, first.seed % 500),
  }));
  comb(() => {
    for (const [i, { first, later, around, zero }] of statements.entries()) {
      // A block of constants is refused.
      when(sources[0]!.any(), () => made[i]!.set(first)).otherwise(() => made[i]!.set(zero));
      around(
        () => made[i]!.set(later),
        () => made[i]!.set(zero),
      );
    }
  });
  return made;
};

/** An instance with a register and logic of its own. */
const childOutputs = (
  { shape, next, result }: NonNullable<GridRecipe["child"]>,
  sources: readonly Value[],
  prefix: string,
  clock: ReturnType<typeof about>,
): Value[] => {
  const [a, b] = [sources[0]!, sources.at(-1)!];
  const inputs = { a: input(shapeFor(a)), b: input(shapeFor(b)) };
  const inner = module(
    `${prefix}child`,
    { ...inputs, held: output(shapeOf(shape)), now: output(shapeOf(shape)) },
    (io) => {
      const held = reg("held_q", shapeOf(shape) as never, startOf(shape, next.seed % 500) as never) as unknown as Value & Any;
      const maker = new Maker([io.a, io.b, held] as unknown as Value[], [], "t");
      const [following, present] = [maker.like(new Draws(next), shape), maker.like(new Draws(result), shape)];
      sync(() => held.set(following));
      (io.held as unknown as Any).set(held);
      (io.now as unknown as Any).set(present);
      discard("all", cat(io.a, io.b, held, ...maker.made));
    },
    clock,
  );
  const [held, now] = [wire("held", shapeOf(shape)), wire("now", shapeOf(shape))];
  instance("u_child", inner, { a, b, held, now });
  return [held, now] as unknown as Value[];
};

const shapeFor = (value: Value): PortShape => (value instanceof Bool ? bool : value instanceof SInt ? sint(value.width) : uint(value.width));

/** The cell as a module: what it reads comes through ports. */
const asModule = (recipe: GridRecipe, around: Surroundings, name: string): void => {
  const ins = Object.fromEntries(around.sources.map((source, i) => [`i${i}`, input(shapeFor(source))]));
  const conditions = Object.fromEntries(around.shared.map((_, i) => [`c${i}`, input(bool)]));
  const outs = Object.fromEntries(recipe.nets.map(({ shape }, i) => [`o${i}`, output(shapeOf(shape))]));
  const inner = module(
    name,
    { ...ins, ...conditions, ...outs },
    (io) => {
      const ports = io as unknown as Record<string, never>;
      const sources = around.sources.map((_, i) => ports[`i${i}`]!);
      cell(recipe, { sources, shared: around.shared.map((_, i) => ports[`c${i}`]!), targets: recipe.nets.map((_, i) => ports[`o${i}`]!) }, `${name}_`);
    },
    about(recipe),
  );
  const given = [...around.sources.map((source, i) => [`i${i}`, source]), ...around.shared.map((condition, i) => [`c${i}`, condition])];
  instance("u_cell", inner, Object.fromEntries([...given, ...around.targets.map((target, i) => [`o${i}`, target])]) as never);
};

const about = ({ reset }: GridRecipe) => ({ doc: "Random cells.", clock: { clk: "clk", rst: "rst", reset } }) as const;

/** Elements of a vector of one or two dimensions. */
interface Plane {
  readonly signal: Any;
  readonly rows: number;
  readonly columns: number;
  readonly at: (row: number | Index, column: number | Index) => Any;
}

const planeShape = (shape: LeafRecipe, rows: number, columns: number, isPlane: boolean): PortShape => {
  const line = vec(columns, shapeOf(shape) as never);
  return isPlane ? vec(rows, line) : line;
};

const plane = (signal: unknown, rows: number, columns: number, isPlane: boolean): Plane => {
  const any = signal as Any;
  return { signal: any, rows, columns, at: (row, column) => (isPlane ? any.at(row).at(column) : any.at(column)) };
};

/** Rows and columns that a net has beyond the cells, where the cells write, and where they read. */
const geometry = ({ direction, spare }: NetRecipe, isPlane: boolean) => {
  const down = isPlane && (direction === "south" || direction === "north" || direction === "southeast");
  const across = direction === "east" || direction === "west" || direction === "southeast" || (!isPlane && direction !== "own");
  const back = direction === "west" || direction === "north";
  const [row, column] = [down ? 1 : 0, across ? 1 : 0];
  const zero = [0, 0] as const;
  return { row, column, spare, write: back ? zero : ([row, column] as const), read: back ? ([row, column] as const) : zero };
};

interface Io {
  readonly shared: readonly Bool[];
  readonly number: UInt;
  readonly amount: SInt;
}

const fitted = <T extends UInt | SInt>(value: T, width: number): T => (width < value.width ? value.wrap(width) : value.extend(width)) as T;

/** Something for an element that no cell drives: a constant, an input, a register, a delayed input, or logic. */
const edgeValue = (shape: LeafRecipe, kind: number, name: string, { shared, number, amount }: Io): unknown => {
  const value = shape.kind === "bool" ? number.bit(kind) : shape.kind === "sint" ? fitted(amount, shape.width) : fitted(number, shape.width);
  if (kind === 0) return literal(shape, name.length);
  if (kind < 3) return value;
  if (kind === 3) {
    const held = reg(`${name}_q`, shapeOf(shape) as never) as unknown as Any;
    sync(() => void when(shared[0]!, () => held.set(value)));
    return held;
  }
  return delay(`${name}_d`, value as UInt, kind - 2, kind === 4 ? { enable: shared[1]! } : {});
};

const driveEdges = (net: NetRecipe, { rows, columns, at }: Plane, cells: { rows: number; columns: number }, name: string, io: Io, isPlane: boolean): void => {
  const { write } = geometry(net, isPlane);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) {
      const isCell = r >= write[0] && r < write[0] + cells.rows && c >= write[1] && c < write[1] + cells.columns;
      if (!isCell) at(r, c).set(edgeValue(net.shape, (net.edge + r + c) % 6, `${name}_${r}_${c}`, io));
    }
};

const partOf = (value: Value, part: number): Value => {
  if (part % 3 !== 0 || value.width === 1) return value;
  const low = part % value.width;
  return value.bits(low + ((part >> 2) % (value.width - low)), low);
};

/** Vectors straight from inputs, or from wires that an input drives. */
const feedSignal = (
  { kind, source }: FeedRecipe,
  port: unknown,
  rows: number,
  columns: number,
  name: string,
): { read: (r: Index, c: Index) => Value; all: UInt } => {
  const any = port as Any & Value;
  const held = source % 2 === 0 ? any : (named(name, any as never) as unknown as Any & Value);
  const read = (r: Index, c: Index): Value => {
    const found: Record<FeedRecipe["kind"], () => Any> = {
      column: () => held.at(c),
      row: () => held.at(r),
      rowOfPlane: () => held.at(r).at(source % columns),
      plane: () => held.at(r).at(c),
      shared: () => held.at(source % rows).at(c),
      lastRow: () => held.at(rows - 1).at(c),
      scalar: () => held,
      condition: () => held,
    };
    return found[kind]() as unknown as Value;
  };
  return { read, all: kind === "scalar" || kind === "condition" ? (held as unknown as UInt) : held.asUInt() };
};

const feedShape = ({ kind, shape }: FeedRecipe, rows: number, columns: number): PortShape => {
  if (kind === "scalar" || kind === "condition") return shapeOf(shape);
  if (kind === "column") return vec(columns, shapeOf(shape) as never);
  if (kind === "row") return vec(rows, shapeOf(shape) as never);
  return vec(rows, vec(columns, shapeOf(shape) as never) as never);
};

/** A grid of random cells with everything around it: nets that cells drive and read, values from outside, results for scalar logic. */
export const gridModule = (recipe: GridRecipe, name: string): Module => {
  const { columns, isPlane, nets, feeds } = recipe;
  const rows = isPlane ? recipe.rows : 1;
  const sizes = nets.map((net) => {
    const { row, column, spare } = geometry(net, isPlane);
    return [rows + row, columns + column + spare] as const;
  });
  const ports = {
    enable: input(bool),
    go: input(bool),
    number: input(uint(40)),
    amount: input(sint(9)),
    ...Object.fromEntries(feeds.map((feed, i) => [`feed${i}`, input(feedShape(feed, rows, columns))])),
    ...Object.fromEntries(nets.map(({ shape }, i) => [`net${i}`, output(planeShape(shape, ...sizes[i]!, isPlane))])),
    seen: output(bool),
  };
  const body = (io: unknown): void => {
    const own = io as Record<string, never> & Io & { enable: Bool; go: Bool; seen: Any };
    const planes = nets.map(({ shape }, i) => {
      // Every other net is an output port itself.
      const target = i % 2 === 0 ? wire(`n${i}`, planeShape(shape, ...sizes[i]!, isPlane)) : own[`net${i}`];
      return plane(target, ...sizes[i]!, isPlane);
    });
    const tally = reg("tally", uint(5), { reset: 0 });
    const busy = named("busy", own.enable.or(tally.bit(2)));
    const around: Io = { number: own.number, amount: own.amount, shared: [own.enable, own.go, busy] };
    for (const [i, net] of nets.entries()) driveEdges(net, planes[i]!, { rows, columns }, `e${i}`, around, isPlane);
    const values = feeds.map((feed, i) => feedSignal(feed, own[`feed${i}`], rows, columns, `f${i}`));
    const contents = (r: Index, c: Index): void => {
      const reads = nets.map((net, i) => {
        const [row, column] = geometry(net, isPlane).read;
        return planes[i]!.at(r.plus(row), c.plus(column)) as unknown as Value;
      });
      const targets = nets.map((net, i) => {
        const [row, column] = geometry(net, isPlane).write;
        return planes[i]!.at(r.plus(row), c.plus(column));
      });
      const fed = values.map(({ read }, i) => partOf(read(r, c), feeds[i]!.part));
      const surroundings = { sources: [...reads, ...fed, own.number], shared: around.shared, targets };
      if (recipe.isModule) asModule(recipe, surroundings, `${name}_cell`);
      else cell(recipe, surroundings, `${name}_`);
    };
    if (isPlane) grid("mesh", rows, columns, contents);
    else repeat("mesh", columns, (c) => contents(new Index(0, []), c));
    const results = planes.map(({ at, rows: r, columns: c }) => at(r - 1, c - 1) as unknown as Value);
    sync(() =>
      tally.set(
        tally.addWrap(1).xor(
          cat(...results)
            .wrap(1)
            .bits(0, 0),
        ),
      ),
    );
    for (const [i, { signal }] of planes.entries()) if (i % 2 === 0) (own[`net${i}`] as unknown as Any).set(signal);
    own.seen.set(cat(tally, ...results, ...values.map(({ all }) => all), own.number, own.amount).parity());
  };
  return module(name, ports, body as never, about(recipe));
};
