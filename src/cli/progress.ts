/**
 * Runs work under a progress line, which is gone when the work ends, however it ends. The line is for a person:
 * nothing is written where `stream` is no terminal. The library is loaded only where it is used.
 */
export const withProgress = async <T>(
  text: string,
  work: (update: (line: string) => void) => Promise<T>,
  stream: NodeJS.WriteStream = process.stderr,
): Promise<T> => {
  if (!stream.isTTY) return work(() => undefined);
  const { default: ora } = await import("ora");
  const line = ora({ text, stream, isEnabled: true }).start();
  try {
    return await work((update) => {
      line.text = update;
      // Work that holds the thread would leave no time for the line's own timer.
      line.render();
    });
  } finally {
    line.stop();
  }
};
