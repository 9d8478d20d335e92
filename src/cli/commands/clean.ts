import type { Leaf } from "../command.ts";

export const clean: Leaf<"clean"> = {
  name: "clean",
  summary: "remove the cache of compiled simulations",
  examples: ["clean"],
  run: async () => {
    const experiment = await import("../../experiments/clean.ts");
    const fields = await experiment.clean();
    return { ok: true, fields, text: `removed ${(Number(fields.bytes) / 2 ** 20).toFixed(1)} MiB from ${fields.folder}` };
  },
};
