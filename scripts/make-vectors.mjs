/**
 * Writes the compact subset of Tender's reference vectors that the tests use: `node scripts/make-vectors.mjs FILE [OUT]`,
 * FILE being the whole `vectors/tender.json` (default out: `tb/vectors/tender.json.br`). Values are unchanged; only cases are left out.
 * All six single products, and of the decoder layers one dynamic and one static with quantised attention, and one with groups rounded down.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";

const [source, out = fileURLToPath(new URL("../tb/vectors/tender.json.br", import.meta.url))] = process.argv.slice(2);
if (source === undefined) {
  console.error("usage: node scripts/make-vectors.mjs vectors/tender.json [OUT]");
  process.exit(2);
}

const layers = ["opt_int4_g8_c4_all_dyn", "opt_int4_g8_c4_linear_static_rdn", "opt_int8_g4_c4_all_static_rup"];
const vectors = JSON.parse(readFileSync(source, "utf8"));
const cases = vectors.cases.filter(({ kind, name }) => kind !== "opt_decoder_layer" || layers.includes(name));
const text = Buffer.from(JSON.stringify({ ...vectors, cases }));
const packed = brotliCompressSync(text, {
  params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: text.length },
});
writeFileSync(out, packed);
console.log(`${out}: ${cases.length} cases, ${text.length} bytes packed into ${packed.length}`);
