import { UserError } from "../base/error.ts";

/**
 * Part of a test bench: a generator in which each `yield` waits for one edge of its clock. After a `yield`, reads give
 * what the design showed just before the edge, and what is poked takes effect just after it, so the order of tasks does not matter.
 */
export type Task = Generator<void, void, void>;

export interface TaskSpec {
  readonly task: Task | (() => Task);
  /** What the watchdog calls it. Default: the function's name. */
  readonly name?: string;
  /** Key of the clock that the task waits for. Default: the first clock. */
  readonly clock?: string;
  /** The run does not wait for it; it is ended when all others ended. */
  readonly background?: boolean;
}

export type TaskLike = Task | (() => Task) | TaskSpec;

/** A task that serves others, such as a memory or a monitor: the run ends without it. */
export const background = (task: Task | (() => Task), name?: string): TaskSpec => ({ task, background: true, ...(name === undefined ? {} : { name }) });

/** Waits for `count` edges. */
export const edges = function* (count: number): Task {
  for (let i = 0; i < count; i++) yield;
};

export interface RunningTask {
  readonly task: Task;
  readonly name: string;
  readonly clock: string | undefined;
  readonly background: boolean;
  done: boolean;
}

const start = (like: TaskLike, index: number): RunningTask => {
  const spec: TaskSpec = typeof like === "function" || !("task" in like) ? { task: like } : like;
  const { task } = spec;
  const functionName = typeof task === "function" && task.name !== "" ? task.name : undefined;
  return {
    task: typeof task === "function" ? task() : task,
    name: spec.name ?? functionName ?? `task ${index + 1}`,
    clock: spec.clock,
    background: spec.background ?? false,
    done: false,
  };
};

/** The tasks of one run. */
export class TaskGroup {
  readonly #tasks: readonly RunningTask[];
  #foreground: number;

  constructor(tasks: readonly TaskLike[]) {
    this.#tasks = tasks.map(start);
    this.#foreground = this.#tasks.filter((task) => !task.background).length;
  }

  /** Some task that the run waits for is not done. */
  get busy(): boolean {
    return this.#foreground > 0;
  }

  get all(): readonly RunningTask[] {
    return this.#tasks;
  }

  /** Lets tasks of the given list run to their next `yield`. */
  resume(tasks: readonly RunningTask[]): void {
    for (const task of tasks) {
      if (task.done || task.task.next().done !== true) continue;
      task.done = true;
      if (!task.background) this.#foreground--;
    }
  }

  /** Ends what still runs, so that `finally` blocks of tasks run. */
  end(): void {
    for (const task of this.#tasks) if (!task.done) task.task.return();
  }

  /** The watchdog's error. */
  timeout(maxCycles: number): UserError {
    const waiting = this.#tasks.filter((task) => !task.done && !task.background).map((task) => `\`${task.name}\``);
    return new UserError("watchdog", `after ${maxCycles} cycles ${waiting.join(", ")} ${waiting.length === 1 ? "is" : "are"} still waiting`, {
      hint: "raise `maxCycles` where the run is meant to be that long",
      exitCode: 1,
    });
  }
}
