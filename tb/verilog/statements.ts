import {
  comb,
  discard,
  type Enum,
  match,
  module,
  output,
  type PortMap,
  type SInt,
  sint,
  states,
  type UInt,
  uint,
  vec,
  when,
  wire,
} from "../../src/hdl/index.ts";
import { inputPorts, readAllInputs, sourceOf } from "./differential-module.ts";
import { build, type Source } from "./expression-build.ts";
import { evaluate, type Values } from "./expression-value.ts";
import { type Choices, type Expression, expression, fit } from "./expressions.ts";

/** Random programs of a comb() block: they set two scalars, elements of a vector and a state, under conditions and by state. */
export type Statement =
  | { readonly kind: "low" | "sum"; readonly value: Expression }
  | { readonly kind: "element"; readonly index: Expression; readonly value: Expression }
  | { readonly kind: "state"; readonly name: StateName }
  | { readonly kind: "if"; readonly condition: Expression; readonly body: readonly Statement[]; readonly otherwise: readonly Statement[] }
  | { readonly kind: "match"; readonly arms: Readonly<Record<StateName, readonly Statement[]>> };

const names = ["idle", "run", "stop"] as const;
type StateName = (typeof names)[number];
const phase = states("phase", ...names);

const sized = (given: Expression, width: number): Expression =>
  given.width === width ? given : { op: given.width > width ? "wrap" : "extend", width, signed: given.signed, parts: [given], numbers: [BigInt(width)] };

const bitOf = (given: Expression): Expression => ({ op: "any", width: 1, signed: false, parts: [given], numbers: [] });

const statement = (choices: Choices, depth: number): Statement => {
  const kind = choices.exhausted ? choices.pick(2) : choices.pick(depth > 3 ? 4 : 7);
  if (kind === 0) return { kind: "low", value: sized(expression(choices, false), 8) };
  if (kind === 1) return { kind: "sum", value: sized(expression(choices, true), 6) };
  if (kind === 2) return { kind: "element", index: sized(expression(choices, false), 2), value: sized(expression(choices, false), 4) };
  if (kind === 3) return { kind: "state", name: names[choices.pick(3)] ?? "idle" };
  if (kind === 4) return { kind: "match", arms: { idle: program(choices, depth + 1), run: program(choices, depth + 1), stop: program(choices, depth + 1) } };
  return {
    kind: "if",
    condition: bitOf(expression(choices, choices.pick(2) === 1)),
    body: program(choices, depth + 1),
    otherwise: kind === 5 ? [] : program(choices, depth + 1),
  };
};

export const program = (choices: Choices, depth = 0): Statement[] => Array.from({ length: choices.pick(4) }, () => statement(choices, depth));

interface Targets {
  readonly low: { set(value: UInt | number): void };
  readonly sum: { set(value: SInt | number): void };
  readonly file: { at(index: UInt): { set(value: UInt): void }; set(value: readonly number[]): void };
  readonly state: { set(value: StateName): void };
  /** What `match` looks at: decided by an input, in a block of its own. */
  readonly now: Enum<StateName>;
}

const emit = (statements: readonly Statement[], targets: Targets, source: Source): void => {
  for (const given of statements) {
    switch (given.kind) {
      case "low":
        targets.low.set(build(given.value, source) as UInt);
        break;
      case "sum":
        targets.sum.set(build(given.value, source) as SInt);
        break;
      case "element":
        targets.file.at(build(given.index, source) as UInt).set(build(given.value, source) as UInt);
        break;
      case "state":
        targets.state.set(given.name);
        break;
      case "if": {
        const chain = when((build(given.condition, source) as UInt).bit(0), () => emit(given.body, targets, source));
        // An alternative that is one condition becomes an elsewhen().
        const [only] = given.otherwise;
        if (given.otherwise.length === 1 && only?.kind === "if" && only.otherwise.length === 0)
          chain.elsewhen((build(only.condition, source) as UInt).bit(0), () => emit(only.body, targets, source));
        else if (given.otherwise.length > 0) chain.otherwise(() => emit(given.otherwise, targets, source));
        break;
      }
      case "match":
        match(targets.now, {
          idle: () => emit(given.arms.idle, targets, source),
          run: () => emit(given.arms.run, targets, source),
          stop: () => emit(given.arms.stop, targets, source),
        });
    }
  }
};

/** One comb() block a program, its targets as outputs. */
export const programsModule = (programs: readonly (readonly Statement[])[]) => {
  const outputs: PortMap = Object.fromEntries<PortMap[string]>(
    programs.flatMap((_, i) => [
      [`low${i}`, output(uint(8))] as const,
      [`sum${i}`, output(sint(6))] as const,
      [`file${i}`, output(vec(4, uint(4)))] as const,
      [`state${i}`, output(uint(2))] as const,
    ]),
  );
  return module(
    "programs",
    { ...inputPorts, ...outputs },
    (io) => {
      const seen = io as unknown as Record<string, never>;
      const source = sourceOf(io);
      const now = wire("now", phase);
      comb(() => {
        now.set("idle");
        when((source("u2") as UInt).eq(1), () => now.set("run")).elsewhen((source("u2") as UInt).gt(1), () => now.set("stop"));
      });
      programs.forEach((statements, i) => {
        const state = wire(`phase${i}`, phase);
        const targets: Targets = { low: seen[`low${i}`]!, sum: seen[`sum${i}`]!, file: seen[`file${i}`]!, state, now };
        comb(() => {
          targets.low.set(1);
          targets.sum.set(0);
          targets.file.set([1, 2, 3, 4]);
          state.set("idle");
          emit(statements, targets, source);
        });
        (seen[`state${i}`]! as { set(value: UInt): void }).set(state.asUInt());
      });
      discard("now", now.asUInt());
      readAllInputs(io);
    },
    "Random programs.",
  );
};

interface Outcome {
  low: bigint;
  sum: bigint;
  file: bigint;
  state: bigint;
}

const execute = (statements: readonly Statement[], now: Outcome, values: Values): void => {
  for (const given of statements) {
    switch (given.kind) {
      case "low":
      case "sum":
        now[given.kind] = evaluate(given.value, values);
        break;
      case "state":
        now.state = BigInt(names.indexOf(given.name));
        break;
      case "if":
        execute(evaluate(given.condition, values) === 1n ? given.body : given.otherwise, now, values);
        break;
      case "match":
        execute(given.arms[names[Number(values("u2"))] ?? "stop"], now, values);
        break;
      case "element": {
        const low = 4n * evaluate(given.index, values);
        now.file = (now.file & ~(15n << low)) | (evaluate(given.value, values) << low);
      }
    }
  }
};

/** What a program leaves in its targets, one statement after the other. */
export const outcome = (statements: readonly Statement[], values: Values): Outcome => {
  const now: Outcome = { low: 1n, sum: 0n, file: 0x4321n, state: 0n };
  execute(statements, now, values);
  return { ...now, sum: fit(now.sum, 6, true) };
};
