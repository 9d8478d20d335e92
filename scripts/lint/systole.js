/**
 * The project's own lint rules, loaded by oxlint (`jsPlugins` in .oxlintrc.json).
 *
 * - `systole/layers`: an import may only point to a layer above (docs/decisions.md has the list), the hardware
 *   layers and the golden layers never see each other, and nothing in src/ imports tb/.
 * - `systole/function-length`: the limit of lines of a function. A callback in tb/ is exempt, because a test's body
 *   is a list of cases and not a unit of thought.
 */
import { dirname, relative, resolve, sep } from "node:path";

/** Top to bottom: a layer imports itself and the layers before it. */
export const LAYERS = ["base", "hdl", "verilog", "sim", "lib", "agents", "designs", "golden", "model", "driver", "flow", "experiments", "report", "cli"];
const HARDWARE = new Set(["hdl", "verilog", "sim", "lib", "agents", "designs"]);
const GOLDEN = new Set(["golden", "model"]);

/**
 * Why `importer` must not import `target`, or undefined if it may. Both are paths relative to the project's root, with `/`.
 *
 * @param {string} importer
 * @param {string} target
 * @returns {string | undefined}
 */
export const layerViolation = (importer, target) => {
  const [root, layer] = importer.split("/");
  if (root !== "src") return undefined;
  const [targetRoot, targetLayer] = target.split("/");
  if (targetRoot !== "src") return targetRoot === "tb" ? "src never imports tb" : undefined;
  const from = LAYERS.indexOf(layer);
  const to = LAYERS.indexOf(targetLayer);
  // Files directly in src/ are the package's entry points: they gather all layers, and no layer imports them.
  if (to < 0) return from < 0 ? undefined : `\`${layer}\` imports \`${target}\`, which is in no layer`;
  if (from < 0) return undefined;
  if (to > from) return `\`${layer}\` is above \`${targetLayer}\` and must not import it`;
  if (GOLDEN.has(layer) && HARDWARE.has(targetLayer)) return `\`${layer}\` must not import \`${targetLayer}\`: an error in one could hide in both`;
  return undefined;
};

const layers = {
  meta: { type: "problem", docs: { description: "imports follow the project's layers" } },
  create(context) {
    const file = context.filename;
    const toProject = (path) => relative(context.cwd, path).split(sep).join("/");
    const check = (node) => {
      const source = node.source;
      if (source?.type !== "Literal" || typeof source.value !== "string" || !source.value.startsWith(".")) return;
      const message = layerViolation(toProject(file), toProject(resolve(dirname(file), source.value)));
      if (message !== undefined) context.report({ node: source, message });
    };
    return { ImportDeclaration: check, ExportNamedDeclaration: check, ExportAllDeclaration: check, ImportExpression: check };
  },
};

const functionLength = {
  meta: { type: "suggestion", docs: { description: "functions stay short" }, schema: [{ type: "object", properties: { max: { type: "integer" } } }] },
  create(context) {
    const max = context.options[0]?.max ?? 60;
    const inBench = relative(context.cwd, context.filename).startsWith(`tb${sep}`);
    const check = (node) => {
      if (inBench && node.parent?.type === "CallExpression" && node.parent.arguments.includes(node)) return;
      const lines = node.loc.end.line - node.loc.start.line + 1;
      if (lines > max) context.report({ node, message: `this function has ${lines} lines, the limit is ${max}: split it by concept` });
    };
    return { FunctionDeclaration: check, FunctionExpression: check, ArrowFunctionExpression: check };
  },
};

export default { meta: { name: "systole" }, rules: { layers, "function-length": functionLength } };
