import { dirname, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Location } from "../base/error.ts";

/** Folder of the language; frames inside it are never the user's. */
const ownFolder = dirname(fileURLToPath(import.meta.url));

/**
 * Where a node was made. The stack is captured at once (about 3 microseconds) and read only when an error
 * or a source map asks for it, so that large arrays elaborate quickly.
 */
export class Site {
  readonly #holder: { stack?: string } = {};

  constructor() {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 16;
    Error.captureStackTrace(this.#holder, Site);
    Error.stackTraceLimit = limit;
  }

  /** The first frame outside the language, or undefined where no user code is on the stack. */
  get location(): Location | undefined {
    for (const line of (this.#holder.stack ?? "").split("\n")) {
      const match = /\(?((?:file:\/\/)?\/[^()]*):(\d+):(\d+)\)?$/.exec(line);
      if (match === null) continue;
      const path = match[1]?.startsWith("file://") === true ? fileURLToPath(match[1]) : (match[1] ?? "");
      if (path.startsWith(`${ownFolder}/`)) continue;
      return { file: relative(process.cwd(), path), line: Number(match[2]), column: Number(match[3]) };
    }
    return undefined;
  }
}

export const callerLocation = (): Location | undefined => new Site().location;
