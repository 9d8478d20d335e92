import { readFileSync } from "node:fs";
import { formatLocation, UserError } from "../../src/base/error.ts";
import { type About, type Inside, module, type PortMap } from "../../src/hdl/index.ts";

const sources = new Map<string, string[]>();

/** The source line at a location, so that snapshots don't change when lines move. */
const lineAt = (file: string, line: number): string => {
  const lines = sources.get(file) ?? readFileSync(file, "utf8").split("\n");
  sources.set(file, lines);
  return (lines[line - 1] ?? "").trim();
};

const withSource = (text: string): string => text.replaceAll(/(\S+\.ts):(\d+):\d+/g, (_, file: string, line: string) => `\`${lineAt(file, Number(line))}\``);

/** An error as a user sees it, with source lines in the place of positions. */
export const refusal = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { code, message, where, hint } = error;
    return [
      `${code}: ${message}`,
      `  at ${where === undefined ? "no line" : withSource(formatLocation(where))}`,
      ...(hint === undefined ? [] : [`  hint: ${withSource(hint)}`]),
    ].join("\n");
  }
  throw new Error("nothing was refused");
};

/** A module of the ports given, around the body under test. */
export const build = <const P extends PortMap>(ports: P, body: (io: Inside<P>) => void, about: About | string = "") => module("under_test", ports, body, about);
