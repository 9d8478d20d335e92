import type { FieldsOf } from "../../experiments/results.ts";
import type { Leaf } from "../command.ts";
import { tableText } from "../table.ts";

const wordDesign = async ({ design, doc, parameters, verified }: FieldsOf<"list">["rows"][number]): Promise<string> => {
  const table = await tableText(
    ["  parameter", "default", "legal", "meaning"],
    parameters.map((parameter) => [`  ${parameter.name}`, String(parameter.default), parameter.range, parameter.doc]),
  );
  const configurations = verified.map((values) => Object.entries(values).map(([name, value]) => `${name}=${String(value)}`));
  const tested = configurations.length === 0 ? "" : `\n  tested: ${configurations.map((words) => words.join(" ")).join("\n          ")}`;
  return `${design}: ${doc}\n${table}${tested}\n`;
};

export const list: Leaf<"list"> = {
  name: "list",
  summary: "list the designs with their parameters, legal ranges and tested configurations",
  examples: ["list", "list --json"],
  run: async () => {
    const [{ listDesigns }, { designs }] = await Promise.all([import("../../experiments/list.ts"), import("../../designs/index.ts")]);
    const fields = listDesigns(designs);
    return { ok: true, fields, text: (await Promise.all(fields.rows.map(wordDesign))).join("\n").trimEnd() };
  },
};
