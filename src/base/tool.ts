import { createWriteStream } from "node:fs";
import { execa } from "execa";
import { UserError } from "./error.ts";

export interface ToolOptions {
  readonly cwd?: string | undefined;
  readonly input?: string | Uint8Array | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Milliseconds; the tool is killed afterwards. */
  readonly timeout?: number | undefined;
  /** File that receives standard output and error as they come. */
  readonly logFile?: string | undefined;
  /** Exit codes that are an answer, not a failure; others throw. Default: only 0. */
  readonly accept?: readonly number[] | undefined;
}

export interface ToolResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/**
 * Runs an external tool with an argument array, never through a shell: the only place that spawns one.
 * @throws UserError `missing-tool` when it is not installed, `tool-timeout`, or `tool-failed` with the last lines it printed.
 */
export const runTool = async (tool: string, args: readonly string[], options: ToolOptions = {}): Promise<ToolResult> => {
  const child = execa(tool, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.input === undefined ? { stdin: "ignore" as const } : { input: options.input }),
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
    reject: false,
    maxBuffer: 256 * 1024 * 1024,
  });
  if (options.logFile !== undefined) {
    const log = createWriteStream(options.logFile);
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    void child.finally(() => log.end());
  }
  const result = await child;
  if (result.code === "ENOENT")
    throw new UserError("missing-tool", `\`${tool}\` is not installed`, { hint: "`systole doctor` prints the line that installs it" });
  const exitCode = result.exitCode ?? -1;
  if (result.timedOut) throw new UserError("tool-timeout", `\`${tool}\` did not finish within ${options.timeout} ms`, { exitCode: 1 });
  if (!(options.accept ?? [0]).includes(exitCode)) {
    const tail = `${result.stdout}\n${result.stderr}`.trim().split("\n").slice(-12).join("\n");
    throw new UserError("tool-failed", `\`${tool}\` ended with ${result.signal ?? exitCode}`, { hint: tail, exitCode: 1 });
  }
  return { stdout: result.stdout, stderr: result.stderr, exitCode };
};
