import { cacheFolder, cleanCache } from "../sim/verilator/cache.ts";
import type { FieldsOf } from "./results.ts";

/** Removes the cache of compiled simulations; the next simulation builds anew. */
export const clean = async (): Promise<FieldsOf<"clean">> => {
  const folder = cacheFolder();
  return { folder, bytes: await cleanCache(folder) };
};
