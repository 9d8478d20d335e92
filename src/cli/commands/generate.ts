import { parseAssignments, readConfig } from "../../base/parameters.ts";
import { addDesignOptions, type DesignOptions, type Leaf } from "../command.ts";

interface GenerateOptions extends DesignOptions {
  readonly out?: string;
  readonly force?: boolean;
}

export const generate: Leaf<"generate", GenerateOptions, [design: string]> = {
  name: "generate",
  summary: "write a design as SystemVerilog, with its file list and FuseSoC description",
  examples: ["generate tender-array", "generate tender-array --set rows=64 --set cols=64 --out build/array", "generate ./my-design.ts --out build"],
  configure: (command) => {
    command.argument("<design>", "name of a design (see `systole list`), or a file whose default export is a module");
    addDesignOptions(command);
    command.option("--out <folder>", "where to write (default: rtl/<design>)").option("--force", "replace files that were edited");
  },
  run: async ({ set, config, out, force }, design) => {
    const experiment = await import("../../experiments/generate.ts");
    const parameters = { ...(config === undefined ? {} : readConfig(config)), ...parseAssignments(set) };
    const { config: values, ...fields } = await experiment.generate({ design, parameters, out, force });
    return { ok: true, fields, what: design, config: values, text: fields.files.map((file) => `${fields.out}/${file}`).join("\n") };
  },
};
