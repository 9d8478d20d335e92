import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Command as Commander } from "commander";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ZodError } from "zod";
import { createProgram } from "../../src/cli/program.ts";
import { type Command, checkResult, fieldsOf } from "../../src/experiments/results.ts";

const ROOT = resolve(import.meta.dirname, "../..");

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "systole-results-"));
  // Two tokens are the least that can be predicted.
  writeFileSync(join(folder, "tokens.u16"), Buffer.from(Uint16Array.of(5, 6, 7).buffer));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** The shortest run of each command; a new command needs a line here. */
const runs: Readonly<Partial<Record<Command, (folder: string) => readonly string[]>>> = {
  list: () => [],
  doctor: () => [],
  clean: () => [],
  generate: (at) => ["tender-cell", "--out", join(at, "cell")],
  demo: (at) => ["--set", "rows=4", "--set", "cols=4", "--tokens", "4", "--sequences", "0", "--out", join(at, "array")],
  "run tender-core": () => ["--tokens", "2", "--sequences", "0", "--explain"],
  "check tender": () => ["--vectors", "tb/vectors/tender.json.br"],
  "check float": () => ["--vectors", "tb/vectors/float/f32_to_bf16.u32"],
  "check model": (at) => ["opt-mini", "--tokens", join(at, "tokens.u16")],
  "bench sim": () => ["--sizes", "4", "--repetitions", "1", "--seconds", "0.01"],
};

const leaves = (command: Commander, path: readonly string[] = []): readonly string[] =>
  command.commands.flatMap((child) => (child.commands.length > 0 ? leaves(child, [...path, child.name()]) : [[...path, child.name()].join(" ")]));

test("the command line, the types of results and this test know the same commands", () => {
  const commands = leaves(createProgram());
  expect(Object.keys(fieldsOf)).toEqual(expect.arrayContaining([...commands]));
  expect(Object.keys(runs).toSorted()).toEqual(commands.toSorted());
});

const run = (words: readonly string[]) => {
  // A cache of its own, since `clean` empties it.
  const env = { ...process.env, ...(words[0] === "clean" ? { SYSTOLE_CACHE: join(folder, "cache") } : {}) };
  return spawnSync(process.execPath, ["--import", "tsx", join(ROOT, "src/cli/main.ts"), ...words], { cwd: ROOT, encoding: "utf8", env });
};

test.for(Object.entries(runs))("`%s --json` prints one object of its type and nothing else", { timeout: 240_000 }, ([command, argumentsIn]) => {
  const { status, signal, stdout, stderr } = run([...command.split(" "), ...argumentsIn(folder), "--json"]);
  expect({ status, signal, stderr, ...(status === 0 ? {} : { stdout }) }).toEqual({ status: 0, signal: null, stderr: "" });
  const printed: unknown = JSON.parse(stdout);
  checkResult(printed);
  expect(printed).toMatchObject({ command, ok: true });
  const { engine, tools } = printed as { engine: string | null; tools: Readonly<Record<string, string>> };
  expect("verilator" in tools).toBe(engine === "verilator" || command === "doctor");
});

test("what is not of its command's type is refused", () => {
  const good = { schema: 1, command: "clean", what: null, config: {}, seed: null, engine: null, tools: {}, ok: true, folder: "x", bytes: 1 };
  checkResult(good);
  for (const change of [
    { extra: 1 },
    { bytes: "many" },
    { bytes: 1.5 },
    { schema: 2 },
    { command: "cleam" },
    { seed: 0.5 },
    { engine: "spice" },
    { ok: null },
    { error: {} },
  ])
    expect(() => checkResult({ ...good, ...change }), JSON.stringify(change)).toThrow(ZodError);
  const { folder: _missing, ...without } = good;
  expect(() => checkResult(without)).toThrow(ZodError);
});
