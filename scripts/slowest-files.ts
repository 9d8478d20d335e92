import type { Reporter, TestModule } from "vitest/node";

/** One test file with the milliseconds it took, imports and hooks included. */
export interface FileTime {
  readonly file: string;
  readonly milliseconds: number;
}

/** The `count` slowest files as lines of text, slowest first. */
export const slowestLines = (times: readonly FileTime[], count: number): readonly string[] =>
  times
    .toSorted((a, b) => b.milliseconds - a.milliseconds)
    .slice(0, count)
    .map(({ file, milliseconds }) => `${(milliseconds / 1000).toFixed(1).padStart(8)} s  ${file}`);

/** Vitest reporter: after a run of several files it prints the ten slowest, so that the test budget of design section 11 is seen to be kept. */
export class SlowestFiles implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    if (modules.length < 2) return;
    const times = modules.map((module) => {
      const { collectDuration, setupDuration, duration } = module.diagnostic();
      return { file: module.relativeModuleId, milliseconds: collectDuration + setupDuration + duration };
    });
    process.stdout.write(`Slowest files:\n${slowestLines(times, 10).join("\n")}\n`);
  }
}
