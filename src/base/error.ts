/** A place in a source file, as errors print it: `file:line:column`. */
export interface Location {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export const formatLocation = (where: Location): string => `${where.file}:${where.line}:${where.column}`;

/**
 * An error that the user can mend: the only class that the command line prints without a stack.
 *
 * `message` is one sentence that names the value and the constraint; `hint` says the way out.
 * `exitCode` follows design section 10: 1 for a failed run, 2 for wrong use, a missing tool or a refused overwrite.
 */
export class UserError extends Error {
  override readonly name = "UserError";
  readonly code: string;
  readonly where: Location | undefined;
  readonly hint: string | undefined;
  readonly exitCode: 1 | 2;

  constructor(code: string, message: string, options: { where?: Location | undefined; hint?: string | undefined; exitCode?: 1 | 2; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.where = options.where;
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? 2;
  }
}
