import { relative, resolve } from "node:path";
import { argv } from "node:process";
import { type BinaryExpression, type Node, SyntaxKind } from "typescript/unstable/ast";
import { isBinaryExpression } from "typescript/unstable/ast/is";
import { API, type Project } from "typescript/unstable/sync";

/** A place where JavaScript's identity is used on a signal, which would be true or false while the circuit is built. */
export interface SignalComparison {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

const IDENTITY = new Set([
  SyntaxKind.EqualsEqualsEqualsToken,
  SyntaxKind.ExclamationEqualsEqualsToken,
  SyntaxKind.EqualsEqualsToken,
  SyntaxKind.ExclamationEqualsToken,
]);

/** The language's own passes and the engines walk the graph and do mean identity. */
const EXEMPT = ["src/hdl/", "src/verilog/", "src/sim/"];

const identityComparisons = (root: Node): readonly BinaryExpression[] => {
  const found: BinaryExpression[] = [];
  const visit = (node: Node): void => {
    if (isBinaryExpression(node) && IDENTITY.has(node.operatorToken.kind)) found.push(node);
    node.forEachChild(visit);
  };
  root.forEachChild(visit);
  return found;
};

const inProject = ({ program, checker }: Project, root: string, file: string): readonly SignalComparison[] => {
  const source = program.getSourceFile(file);
  if (source === undefined) return [];
  // What has a hardware comparison of its own (`eq`) is a signal; comparing with `undefined` is no comparison of signals.
  const isSignal = (operand: Node): boolean => {
    const type = checker.getTypeAtLocation(operand);
    const present = type && checker.getNonNullableType(type);
    return present !== undefined && checker.getPropertyOfType(present, "eq") !== undefined;
  };
  const comparisons = identityComparisons(source).filter(({ left, right }) => isSignal(left) && isSignal(right));
  return comparisons.map((comparison) => {
    const before = source.text.slice(0, comparison.getStart(source)).split("\n");
    return { file: relative(root, file), line: before.length, column: (before.at(-1) ?? "").length + 1 };
  });
};

/**
 * Finds `===`, `!==`, `==` and `!=` on signals in the project whose tsconfig.json is in `root`.
 * `if (signal)` and `signal && x` are found by oxlint's `strict-boolean-expressions`; no stock rule knows this one.
 */
export const signalComparisons = (root: string): readonly SignalComparison[] => {
  const api = new API({ cwd: root });
  try {
    const config = resolve(root, "tsconfig.json");
    const project = api.updateSnapshot({ openProjects: [config] }).getProject(config);
    if (project === undefined) throw new Error(`${config} opens no project`);
    const files = project.program.getSourceFileNames().filter((file) => !relative(root, file).startsWith("..") && !file.includes("/node_modules/"));
    const checked = files.filter((file) => !EXEMPT.some((folder) => relative(root, file).startsWith(folder)));
    return checked.flatMap((file) => inProject(project, root, file));
  } finally {
    api.close();
  }
};

if (argv[1] === import.meta.filename) {
  const found = signalComparisons(process.cwd());
  for (const { file, line, column } of found)
    console.error(`${file}:${line}:${column}: \`===\` on a signal compares objects while the circuit is built: use \`.eq()\``);
  process.exitCode = found.length > 0 ? 1 : 0;
}
