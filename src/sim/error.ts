import type { Location } from "../base/error.ts";
import { UserError } from "../base/error.ts";

/** What ended a simulation: a failed assertion ($error and $fatal count as such), $stop, $finish, no convergence, an evaluation that hangs, or a crash of the compiled model. */
export type SimulationFailure = "assertion" | "stop" | "finish" | "fatal" | "hang" | "crash";

export interface ModelEvent {
  readonly kind: string;
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/** Verilator's line for a failed assertion, `$error` and `$fatal`. */
const assertionLine = /^\[\d+\] %(?:Error|Fatal): ([^\n]*?):(\d+): (?:Assertion failed in )?([\w.$[\]]*[\w$\]])(?:: ([^\n]*))?$/;

/** The design under test said that something is wrong, at a place in the Verilog and in a cycle. */
export class SimulationError extends UserError {
  readonly failure: SimulationFailure;
  /** Instance path of what failed, where the model says so. */
  readonly hierarchy: string | undefined;
  /** Edges of the first clock that were complete. */
  readonly cycle: number;

  constructor(
    failure: SimulationFailure,
    message: string,
    options: { cycle: number; hierarchy?: string | undefined; where?: Location | undefined; hint?: string },
  ) {
    super(`simulation-${failure}`, message, { where: options.where, exitCode: 1, ...(options.hint === undefined ? {} : { hint: options.hint }) });
    this.failure = failure;
    this.hierarchy = options.hierarchy;
    this.cycle = options.cycle;
  }

  /** From what the model called and what it printed before; other lines that it printed go to `print`. */
  static fromEvent(event: ModelEvent, printed: string, cycle: number, print: (text: string) => void): SimulationError {
    const lines = printed.split("\n");
    const last = lines.findLastIndex((line) => line !== "");
    const match = assertionLine.exec(lines[last] ?? "");
    const where = { file: event.file, line: event.line, column: 1 };
    const others =
      match === null
        ? printed
        : lines
            .slice(0, last)
            .map((line) => `${line}\n`)
            .join("");
    if (others !== "") print(others);
    if (match !== null)
      return new SimulationError("assertion", `assertion failed in ${match[3]} in cycle ${cycle}: ${match[4] ?? "no message"}`, {
        cycle,
        hierarchy: match[3],
        where,
      });
    if (event.kind === "fatal") return new SimulationError("fatal", `the model gave up in cycle ${cycle}: ${event.text}`, { cycle, where });
    const failure = event.kind === "finish" ? "finish" : "stop";
    return new SimulationError(failure, `the design called $${failure} in cycle ${cycle}`, { cycle, where });
  }

  /** Of an embedded engine: an assertion of the language, or an assumption, does not hold. */
  static property(hierarchy: string, cycle: number, where: Location | undefined): SimulationError {
    return new SimulationError("assertion", `assertion failed in ${hierarchy} in cycle ${cycle}`, { cycle, hierarchy, where });
  }

  /** `limit` in milliseconds. */
  static hang(top: string, cycle: number, limit: number): SimulationError {
    const hint = "look for a loop that does not end, or raise `hangTimeout`";
    return new SimulationError("hang", `one evaluation of \`${top}\` did not end within ${limit} ms, in cycle ${cycle}`, { cycle, hint });
  }

  static crash(top: string, cycle: number): SimulationError {
    return new SimulationError("crash", `the compiled model of \`${top}\` crashed in cycle ${cycle}`, { cycle });
  }

  /** A call after a hang or a crash. */
  static givenUp(top: string, cycle: number): SimulationError {
    return new SimulationError("crash", `this simulation of \`${top}\` hung or crashed in cycle ${cycle} and can't go on`, { cycle });
  }
}
