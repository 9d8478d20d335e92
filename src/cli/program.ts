import { readFileSync } from "node:fs";
import { Command as Commander, CommanderError } from "commander";
import { UserError } from "../base/error.ts";
import { addLeaf, sentence } from "./command.ts";
import { benchSim } from "./commands/bench.ts";
import { checkFloat, checkModel, checkTender } from "./commands/check.ts";
import { clean } from "./commands/clean.ts";
import { demo } from "./commands/demo.ts";
import { doctor } from "./commands/doctor.ts";
import { generate } from "./commands/generate.ts";
import { list } from "./commands/list.ts";
import { runTenderCore } from "./commands/run.ts";
import { errorText, failureOf, toJson } from "./output.ts";

const versionOfPackage = (): string => {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };
  return version;
};

const GROUPS: Readonly<Record<string, string>> = {
  run: "run real models on a design",
  check: "compare results with files of known-good ones",
  bench: "measure",
};

const EXAMPLES = `
Examples:
  $ systole doctor
  $ systole demo
  $ systole generate tender-array --set rows=64 --set cols=64 --out build/array
  $ systole check tender --vectors vectors.json --engine verilator

Exit code: 0 done, 1 a check failed, 2 wrong use, missing tool or refused overwrite.
`;

/** The command line with all its commands, not run yet. */
export const createProgram = (): Commander => {
  const program = new Commander("systole")
    .description("Describe, verify and ship hardware for LLM inference.")
    .version(versionOfPackage(), "--version")
    .helpCommand("help [command]", "the same as --help")
    .addHelpText("after", EXAMPLES);
  // In the order in which `--help` lists them.
  addLeaf(program, list);
  addLeaf(program, doctor);
  addLeaf(program, clean);
  addLeaf(program, demo);
  addLeaf(program, generate);
  for (const [name, summary] of Object.entries(GROUPS)) program.command(name).summary(summary).description(sentence(summary)).helpCommand(false);
  addLeaf(program, runTenderCore);
  addLeaf(program, checkTender);
  addLeaf(program, checkFloat);
  addLeaf(program, checkModel);
  addLeaf(program, benchSim);
  return program;
};

/** The command that a command line names, as far as it names one. */
const commandName = (program: Commander, args: readonly string[]): string => {
  const names: string[] = [];
  let at: Commander | undefined = program;
  for (const word of args) {
    at = at.commands.find((command) => command.name() === word);
    if (at === undefined) break;
    names.push(word);
  }
  return names.join(" ");
};

/** Commander's own complaint as an error of ours: "error: unknown option '--sed'\n(Did you mean --seed?)". */
const wrongUse = ({ code, message }: CommanderError): UserError => {
  const [sentence = "", ...rest] = message.replace(/^error: /, "").split("\n");
  const hint = rest.join(" ").replace(/^\((.*)\)$/, "$1");
  return new UserError(
    code.replace("commander.", "").replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
    sentence,
    {
      hint: hint === "" ? "`--help` lists what there is" : hint,
    },
  );
};

const prepare = (command: Commander): void => {
  command.exitOverride().configureOutput({ outputError: () => undefined });
  for (const child of command.commands) prepare(child);
};

/** Runs one command line: prints its result or its error, and sets the exit code of the process. */
export const runCli = async (args: readonly string[]): Promise<void> => {
  // A reader that has seen enough (`| head`) is no error.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit();
  });
  const program = createProgram();
  prepare(program);
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (thrown) {
    if (thrown instanceof CommanderError && ["commander.helpDisplayed", "commander.version"].includes(thrown.code)) return;
    process.exitCode = 2;
    // Without a verb commander has printed the help by now.
    if (thrown instanceof CommanderError && thrown.code === "commander.help") return;
    const error = thrown instanceof CommanderError ? wrongUse(thrown) : thrown;
    process.exitCode = error instanceof UserError ? error.exitCode : 1;
    if (args.includes("--json")) process.stdout.write(`${toJson(failureOf(commandName(program, args), error))}\n`);
    else process.stderr.write(errorText(error));
  }
};
