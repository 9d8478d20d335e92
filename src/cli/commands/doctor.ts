import type { FieldsOf } from "../../experiments/results.ts";
import type { Leaf } from "../command.ts";
import { tableText } from "../table.ts";

const wordDiagnosis = async ({ rows, cache, install }: FieldsOf<"doctor">, ok: boolean): Promise<string> => {
  const table = await tableText(
    ["", "tool", "tier", "version", "for"],
    rows.map(({ tool, tier, state, version, minimum, for: purpose }) => [
      state,
      tool,
      tier,
      `${version ?? ""}${state === "too old" ? ` (needs ${minimum ?? ""})` : ""}`,
      purpose,
    ]),
  );
  const advice = install === null ? [] : [`To install what simulation and tests need:\n  ${install}`];
  return [
    table,
    `cache: ${cache}`,
    ok ? "Everything that a simulation needs is there." : "Something that a simulation in Verilator needs is missing; the engine `wasm` needs no tool.",
    ...advice,
  ].join("\n");
};

export const doctor: Leaf<"doctor"> = {
  name: "doctor",
  summary: "say which tools are there, which are missing and how to install them",
  examples: ["doctor", "doctor --json"],
  run: async () => {
    const experiment = await import("../../experiments/doctor.ts");
    const { ok, fields } = await experiment.doctor();
    const tools = fields.rows.flatMap(({ tool, version }) => (version === null ? [] : [[tool, version] as const]));
    return { ok, fields, tools: Object.fromEntries(tools), text: await wordDiagnosis(fields, ok), exitCode: ok ? 0 : 2 };
  },
};
