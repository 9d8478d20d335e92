import { type Command as Commander, InvalidArgumentError, Option } from "commander";
import type { Command } from "../experiments/results.ts";
import type { EngineChoice } from "../sim/index.ts";
import { envelope, type Report, toJson } from "./output.ts";

/** Options that every command has, beside its own. */
export interface CommonOptions {
  readonly json?: boolean;
  readonly seed?: number;
}

export interface DesignOptions extends CommonOptions {
  readonly set: readonly string[];
  readonly config?: string;
}

/** A command of the table: how it looks, and the function that does it and words the result. */
export interface Leaf<C extends Command, O extends CommonOptions = CommonOptions, A extends readonly unknown[] = []> {
  readonly name: C;
  readonly summary: string;
  /** Command lines that work, for `--help`. */
  readonly examples: readonly string[];
  readonly configure?: (command: Commander) => void;
  readonly run: (options: O, ...args: A) => Promise<Report<C>>;
}

/** Parser of an integer option in a closed range. */
export const integerIn =
  (low: number, high: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^-?\d+$/.test(text) || value < low || value > high) throw new InvalidArgumentError(`It is an integer from ${low} to ${high}.`);
    return value;
  };

/** Parser of a decimal option above 0, up to a limit. */
export const decimalUpTo =
  (high: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d*\.?\d+$/.test(text) || value <= 0 || value > high) throw new InvalidArgumentError(`It is a decimal number above 0, at most ${high}.`);
    return value;
  };

const engines: readonly EngineChoice[] = ["auto", "verilator", "wasm", "reference"];

/** `--engine`, for commands that simulate. Without a default, so that `$SYSTOLE_ENGINE` can be one. */
export const engineOption = (...others: readonly string[]): Option =>
  new Option("--engine <name>", `what ${others.length === 0 ? "simulates" : "computes"} (default: ${others[0] ?? "$SYSTOLE_ENGINE, or auto"})`).choices([
    ...others,
    ...engines,
  ]);

/** `--set` and `--config`, for commands that take a design's parameters. */
export const addDesignOptions = (command: Commander): void => {
  command
    .option("--set <key=value>", "set a parameter of the design; may be repeated", (text: string, before: readonly string[]) => [...before, text], [])
    .option("--config <file>", "JSON file of parameters; --set wins over it");
};

/** A summary as a sentence of its own. */
export const sentence = (summary: string): string => `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;

const exampleText = (examples: readonly string[]): string => `\nExamples:\n${examples.map((line) => `  $ systole ${line}\n`).join("")}`;

/** A result of Verilator's says which tools made it. */
const withTools = async <C extends Command>(report: Report<C>): Promise<Report<C>> => {
  if (report.engine !== "verilator") return report;
  const { simulationTools } = await import("../experiments/doctor.ts");
  return { ...report, tools: { ...(await simulationTools()), ...report.tools } };
};

/** Puts a leaf into the program, making the group it belongs to ("check tender" belongs to "check"). */
export const addLeaf = <C extends Command, O extends CommonOptions, A extends readonly unknown[]>(program: Commander, leaf: Leaf<C, O, A>): void => {
  const [first = "", second] = leaf.name.split(" ");
  const group = second === undefined ? program : (program.commands.find((command) => command.name() === first) ?? program.command(first));
  const command = group.command(second ?? first).summary(leaf.summary);
  command.description(sentence(leaf.summary));
  leaf.configure?.(command);
  command
    .option("--json", "print one JSON object and nothing else on standard output")
    .option("--seed <integer>", "root of all random choices", integerIn(0, 2 ** 32 - 1))
    .addHelpText("after", exampleText(leaf.examples))
    .action(async (...given: readonly unknown[]) => {
      // Commander hands over the arguments, the options and the command itself.
      const args = given.slice(0, -2) as unknown as A;
      const options = command.opts<O>();
      const report = await leaf.run(options, ...args);
      process.stdout.write(options.json === true ? `${toJson(envelope(leaf.name, await withTools(report)))}\n` : `${report.text}\n`);
      process.exitCode = report.exitCode ?? (report.ok ? 0 : 1);
    });
};
