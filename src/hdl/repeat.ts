import { UserError } from "../base/error.ts";
import { builder } from "./builder.ts";
import type { Loop, Scope } from "./circuit.ts";
import { Index } from "./index-expression.ts";
import { callerLocation } from "./location.ts";

const loopNames = ["i", "j", "k", "l"];

/**
 * Repeats `body` for an index from 0 to `count - 1`: one generate loop, whatever the count.
 * What is declared inside belongs to one iteration.
 * @param name label of the generate block
 * @param variable name of the genvar; default i, j, k by depth
 */
export const repeat = (name: string, count: number, body: (index: Index) => void, variable?: string): void => {
  const build = builder("repeat()");
  if (!Number.isInteger(count) || count < 1)
    throw new UserError("bad-count", `repeat() needs a positive whole number of iterations, not ${count}`, { where: callerLocation() });
  if (build.block !== undefined) throw new UserError("misplaced", "repeat() stands outside sync() and comb()", { where: callerLocation() });
  const label = build.claim(name, "a generate block");
  const outer = build.scope;
  const scope: Scope = { parent: outer, signals: [], memories: [], items: [] };
  build.scope = scope;
  const genvar = build.claim(variable ?? loopNames[build.loops.length] ?? `i${build.loops.length}`, "a loop variable");
  const loop: Loop = { name: genvar.name, label: label.name, count, site: label.site };
  build.loops.push(loop);
  try {
    body(new Index(0, [{ loop, factor: 1 }]));
  } finally {
    build.loops.pop();
    build.scope = outer;
  }
  build.add({ kind: "repeat", loop, scope }, "repeat()");
};

/**
 * Cells in rows and columns: two nested generate loops `<name>_row` and `<name>_col` around one body,
 * so the text is as long for 64x64 as for 4x4 and engines know that the cells are alike.
 */
export const grid = (name: string, rows: number, columns: number, body: (row: Index, column: Index) => void): void =>
  repeat(`${name}_row`, rows, (row) => repeat(`${name}_col`, columns, (column) => body(row, column), "c"), "r");
