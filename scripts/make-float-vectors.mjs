/**
 * Writes the compact subset of the Berkeley TestFloat cases that the tests use: `node scripts/make-float-vectors.mjs FOLDER [OUT]`,
 * FOLDER being the whole `vectors/float` (default out: `tb/vectors/float`). Cases are unchanged; of each file about 1,000 are kept, evenly spread.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const [source, out = fileURLToPath(new URL("../tb/vectors/float", import.meta.url))] = process.argv.slice(2);
if (source === undefined) {
  console.error("usage: node scripts/make-float-vectors.mjs vectors/float [OUT]");
  process.exit(2);
}

/** Words of a case: operands, result, flags. */
const files = { f32_add: 4, f32_mul: 4, i32_to_f32: 3, f32_to_i32: 3, f32_to_bf16: 3 };

mkdirSync(out, { recursive: true });
for (const [name, words] of Object.entries(files)) {
  const bytes = readFileSync(join(source, `${name}.u32`));
  const size = 4 * words;
  const count = bytes.length / size;
  // A prime step, so that the pattern in which TestFloat varies its operands doesn't fall together with it.
  const step = [7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47].findLast((prime) => count / prime >= 1000) ?? 1;
  const kept = [];
  for (let at = 0; at < count; at += step) kept.push(bytes.subarray(at * size, (at + 1) * size));
  writeFileSync(join(out, `${name}.u32`), Buffer.concat(kept));
  console.log(`${name}: ${kept.length} of ${count} cases`);
}
