import { z } from "zod";

/** A count, or any integer from a design: from 2^53 on it is a decimal string, so that no reader rounds it. */
const count = z.union([z.int(), z.string().regex(/^-?\d{16,}$/)]);
const optionalNumber = z.number().nullable();

/** The one type of a difference: the first element where two results disagree. */
const mismatch = z.strictObject({
  /** What was compared: a product of a layer, or the path of an element of a vector file. */
  product: z.string(),
  row: z.int().nullable(),
  column: z.int().nullable(),
  expected: z.union([z.number(), z.string()]),
  got: z.union([z.number(), z.string()]).nullable(),
  /** Cycle at which the value left the hardware; null where no hardware ran. */
  cycle: z.int().nullable(),
});

const engine = z.enum(["auto", "verilator", "wasm", "reference", "golden"]);

/** A line of the table of quantisation schemes. `bits` is null for fp32; `value` is the perplexity. */
const perplexityRow = z.strictObject({
  scheme: z.string(),
  bits: z.int().nullable(),
  groups: z.int().nullable(),
  chunk: z.int().nullable(),
  tokens: z.int(),
  value: z.number(),
});

const comparison = { compared: count, mismatches: count, first: mismatch.nullable() };

/** A product of a layer that ran through the hardware. */
const productRow = z.strictObject({
  product: z.string(),
  bits: z.int(),
  rows: z.int(),
  columns: z.int(),
  channels: z.int(),
  compared: count,
  mismatches: count,
  cycles: count,
  utilization: z.number(),
  expected: optionalNumber,
  met: z.boolean().nullable(),
});

/** A layer of a model on the core. `cycles` and `utilization` are null where no core ran; `predicted` adds up its products' cycles, each by itself. */
const coreLayerRow = z.strictObject({
  layer: z.int(),
  products: z.int(),
  multiplications: count,
  compared: count,
  mismatches: count,
  cycles: count.nullable(),
  predicted: count,
  utilization: optionalNumber,
});

const benchSimRow = z.strictObject({
  design: z.string(),
  engine: z.enum(["verilator", "wasm", "cpp"]),
  mode: z.enum(["step", "block"]),
  cyclesPerSecond: z.number(),
  ratioToCpp: optionalNumber,
  ratioToVerilator: optionalNumber,
  startupMs: optionalNumber,
  buildSecondsCold: optionalNumber,
  buildSecondsCached: optionalNumber,
  hash: z.string(),
  expected: optionalNumber,
  expectedStartupMs: optionalNumber,
  met: z.boolean().nullable(),
});

const parameterRow = z.strictObject({ name: z.string(), doc: z.string(), default: z.union([z.number(), z.string(), z.boolean()]), range: z.string() });

const toolRow = z.strictObject({
  tool: z.string(),
  tier: z.enum(["node", "core", "test", "full"]),
  package: z.string().nullable(),
  for: z.string(),
  state: z.enum(["ok", "missing", "too old"]),
  version: z.string().nullable(),
  minimum: z.string().nullable(),
});

/** Fields of each command's result, beside those that every result has. */
export const fieldsOf = {
  "check tender": z.strictObject({
    ...comparison,
    maxAbsDiff: optionalNumber,
    level: z.string(),
    cases: z.int(),
    rows: z.array(z.strictObject({ name: z.string(), compared: count, mismatches: count, maxAbsDiff: z.number() })),
  }),
  "check float": z.strictObject({
    ...comparison,
    maxAbsDiff: optionalNumber,
    level: z.string(),
    rows: z.array(z.strictObject({ name: z.string(), compared: count, mismatches: count, maxAbsDiff: z.number() })),
  }),
  "check model": z.strictObject({ ...comparison, maxAbsDiff: optionalNumber, level: z.string(), tokens: z.int(), perplexity: z.array(perplexityRow) }),
  demo: z.strictObject({
    ...comparison,
    cycles: count,
    utilization: z.number(),
    rows: z.array(productRow),
    perplexity: z.array(perplexityRow),
    files: z.array(z.string()),
  }),
  "run tender-core": z.strictObject({
    ...comparison,
    cycles: count.nullable(),
    utilization: optionalNumber,
    rows: z.array(coreLayerRow),
    perplexity: z.array(perplexityRow),
    /** Next tokens that are the same as those of fp32, of so many. */
    agreement: z.strictObject({ tokens: z.int(), agreed: z.int() }).nullable(),
    plans: z.array(z.string()).nullable(),
  }),
  generate: z.strictObject({ out: z.string(), files: z.array(z.string()) }),
  "bench sim": z.strictObject({ rows: z.array(benchSimRow) }),
  list: z.strictObject({
    rows: z.array(
      z.strictObject({
        design: z.string(),
        doc: z.string(),
        parameters: z.array(parameterRow),
        verified: z.array(z.record(z.string(), z.union([z.number(), z.string(), z.boolean()]))),
      }),
    ),
  }),
  doctor: z.strictObject({ rows: z.array(toolRow), cache: z.string(), install: z.string().nullable() }),
  clean: z.strictObject({ folder: z.string(), bytes: count }),
};

export type Command = keyof typeof fieldsOf;

/** What an experiment of this name returns, before the envelope is put around it. */
export type FieldsOf<C extends Command> = z.infer<(typeof fieldsOf)[C]>;

export type Engine = z.infer<typeof engine>;
export type Mismatch = z.infer<typeof mismatch>;
export type PerplexityRow = z.infer<typeof perplexityRow>;
export type ProductRow = z.infer<typeof productRow>;
export type CoreLayerRow = z.infer<typeof coreLayerRow>;
export type BenchSimRow = z.infer<typeof benchSimRow>;
export type ToolRow = z.infer<typeof toolRow>;

/** Fields that every result has. `seed`, `engine` and `what` are null where they mean nothing. */
const envelope = {
  schema: z.literal(1),
  command: z.string(),
  what: z.string().nullable(),
  config: z.record(z.string(), z.json()),
  seed: z.int().nullable(),
  engine: engine.nullable(),
  tools: z.record(z.string(), z.string()),
};

/** What is printed where a command could not do its work. */
const failure = z.strictObject({
  schema: z.literal(1),
  command: z.string(),
  ok: z.literal(false),
  error: z.strictObject({
    code: z.string(),
    message: z.string(),
    file: z.string().nullable(),
    line: z.int().nullable(),
    hint: z.string().nullable(),
  }),
});

export type Failure = z.infer<typeof failure>;

/**
 * Checks one printed object against its command's type.
 * @throws ZodError naming the field.
 */
export const checkResult = (printed: unknown): void => {
  const { command, error } = z.looseObject({ command: z.string(), error: z.unknown().optional() }).parse(printed);
  if (error !== undefined) {
    failure.parse(printed);
    return;
  }
  const name = z.enum(Object.keys(fieldsOf) as [Command, ...Command[]]).parse(command);
  z.strictObject({ ...envelope, ok: z.boolean(), ...fieldsOf[name].shape }).parse(printed);
};
