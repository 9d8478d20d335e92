import { UserError } from "../../../base/error.ts";
import { descriptorBytes, indexEntry, recordBytes } from "../../../designs/tender/core/descriptor.ts";
import { type CoreParameters, compensationSlots, geometryOf } from "../../../designs/tender/core/parameters.ts";
import { vectorLatency } from "../../../designs/tender/vector-parameters.ts";
import { beatBytesOf, type CoreJob, checkJob, type JobShape, type ResultLayout, resultLayout, shapeOf } from "./job.ts";

/** What a plan has to know of the memory; as the options of `AxiMemory`, with a latency that is fixed. */
export interface MemoryTiming {
  readonly latency: number;
  readonly beatsPerCycle: number;
  /** Reads and writes share the beats. */
  readonly shared: boolean;
}

/** Predicted cycles of a job by itself, with so many rows of tiles resident. */
export interface Estimate {
  readonly block: number;
  /** From descriptor to record. */
  readonly cycles: number;
  /** What array, reads and writes would need by themselves. */
  readonly array: number;
  readonly reads: number;
  readonly writes: number;
  readonly readBytes: number;
  readonly writeBytes: number;
  /** Useful products of cells, of those that all cells could do in these cycles. */
  readonly utilisation: number;
}

export interface CorePlan extends Estimate {
  readonly job: CoreJob;
  readonly shape: JobShape;
  readonly layout: ResultLayout;
  /** The best first; this plan's is the first. */
  readonly alternatives: readonly Estimate[];
}

/** Cycles between a tile's start and the next one's: its results leave a row a cycle while the next one's operands enter. */
const tilePeriod = ({ rows }: CoreParameters, { beats }: JobShape): number => Math.max(beats, rows);

/** Stages between parts that a descriptor, operand or result passes, beyond those that the parts' latencies name. */
const passage = 24;

/**
 * Cycles of a job in closed form. A block's first column of tiles waits for its panels of activations, the others only for their weights, which are loaded a column ahead
 * where the scratchpad holds two panels; the next block's first panel comes while the last column passes.
 */
export const estimate = (parameters: CoreParameters, job: CoreJob, block: number, memory: MemoryTiming): Estimate => {
  const shape = shapeOf(parameters, job);
  const { rowTiles, columnTiles, activationPanel, weightPanel, constantBytes, compensationBytes, indexBytes, activationRows, weightRows, wide } = shape;
  const { activations, weights } = geometryOf(parameters);
  const rate = memory.beatsPerCycle * beatBytesOf(parameters);
  const blocks = Math.ceil(rowTiles / block);
  const rowBytes = activationPanel + compensationBytes;
  const columnBytes = constantBytes + weightPanel;
  const period = tilePeriod(parameters, shape);
  const readBytes = indexBytes + rowTiles * rowBytes + blocks * columnTiles * columnBytes + descriptorBytes;
  const writeBytes = resultLayout(parameters, shape, job).written + recordBytes;
  const alone = 2 * weightRows > weights.depth;
  const blockCycles = (tiles: number): number => {
    const pass = tiles * period;
    const waits = alone ? columnBytes / rate + memory.latency : 0;
    const column = alone ? pass + waits : Math.max(pass, columnBytes / rate);
    return Math.max(pass, (tiles * rowBytes + columnBytes) / rate) + waits + (columnTiles - 1) * column;
  };
  // Room for the next block comes tile by tile as the last column passes.
  const turn = (block + 1) * activationRows > activations.depth ? Math.max(0, activationPanel / rate + memory.latency - (block - 1) * period) : 0;
  const last = rowTiles - (blocks - 1) * block;
  const streams = (blocks - 1) * (blockCycles(block) + turn) + blockCycles(last);
  const begin = 2 * memory.latency + (descriptorBytes + indexBytes + rowBytes + columnBytes) / rate;
  const end = 2 * parameters.rows + parameters.cols + vectorLatency(parameters) + 2 * memory.latency;
  const traffic = memory.shared ? (readBytes + writeBytes) / rate : Math.max(readBytes, writeBytes) / rate;
  const cycles = Math.ceil(Math.max(streams, traffic) + begin + end + passage);
  const cells = (parameters.rows * parameters.cols) / (wide ? 4 : 1);
  const { rows, columns, channels } = job.product;
  return {
    block,
    cycles,
    array: rowTiles * columnTiles * period,
    reads: Math.ceil(readBytes / rate),
    writes: Math.ceil(writeBytes / rate),
    readBytes,
    writeBytes,
    utilisation: (rows * columns * channels) / (cells * cycles),
  };
};

/** What keeps a product as a whole from this core: a sentence, or undefined. More parts than one may mend it. */
export const misfit = (parameters: CoreParameters, { name }: { readonly name: string }, shape: JobShape): string | undefined => {
  const { activations, weights } = geometryOf(parameters);
  const { channels, beats, activationRows, weightRows } = shape;
  const most = Math.min(parameters.channels, indexEntry.zero);
  if (beats > most) return `${name} needs ${beats} beats a tile, for ${channels} channels and empty groups, and the core's index holds ${most}`;
  if (activationRows > activations.depth) return `a panel of activations of ${name} takes ${activationRows} rows of a scratchpad of ${activations.depth}`;
  if (weightRows > weights.depth) return `a panel of weights of ${name} takes ${weightRows} rows of a scratchpad of ${weights.depth}`;
  return undefined;
};

/** Numbers of rows of tiles to choose from: for each number of blocks the least that gives it. */
const blocksOf = (parameters: CoreParameters, job: CoreJob, { rowTiles, activationRows }: JobShape): number[] => {
  const room = Math.floor(geometryOf(parameters).activations.depth / activationRows);
  const most = Math.min(rowTiles, room, job.product.rowCompensation === undefined ? room : compensationSlots);
  const blocks = new Set<number>();
  for (let count = Math.ceil(rowTiles / most); count <= rowTiles; count += 1) blocks.add(Math.ceil(rowTiles / count));
  return [...blocks];
};

/**
 * The block of a product that takes the fewest predicted cycles; of equals the one that reads least.
 * @throws UserError `bad-product`, or `too-large` for a product that the scratchpads or the index can't hold
 */
export const plan = (parameters: CoreParameters, job: CoreJob, memory: MemoryTiming): CorePlan => {
  const shape = checkJob(parameters, job);
  const reason = misfit(parameters, job.product, shape);
  if (reason !== undefined)
    throw new UserError("too-large", reason, { hint: "splitK: true cuts it into products of fewer channels; or build a core with more" });
  const alternatives = blocksOf(parameters, job, shape)
    .map((block) => estimate(parameters, job, block, memory))
    .toSorted((a, b) => (a.cycles === b.cycles ? a.readBytes - b.readBytes : a.cycles - b.cycles));
  const [best] = alternatives;
  if (best === undefined) throw new Error("a product has at least one block");
  return { ...best, job, shape, layout: resultLayout(parameters, shape, job), alternatives };
};

const bound = ({ array, reads, writes }: Estimate): string => {
  const most = Math.max(array, reads, writes);
  return most === array ? "array" : most === reads ? "reads" : "writes";
};

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** A plan in words, for `--explain`. */
export const explain = (chosen: CorePlan): string[] => {
  const { job, shape, block, cycles, array, reads, writes, readBytes, writeBytes, utilisation, alternatives } = chosen;
  const { name, rows, channels, columns } = job.product;
  const others = alternatives.slice(1, 4).map((other) => `block ${other.block}: ${other.cycles} cycles, ${other.readBytes} bytes read`);
  return [
    `${name}: [${rows}, ${channels}] x [${channels}, ${columns}], ${shape.rowTiles} x ${shape.columnTiles} tiles of ${shape.beats} beats`,
    `  block ${block}: ${Math.ceil(shape.rowTiles / block)} passes of all weights, ${readBytes} bytes read, ${writeBytes} written`,
    `  predicted ${cycles} cycles, ${percent(utilisation)} of the cells; bound by ${bound(chosen)} (array ${array}, reads ${reads}, writes ${writes})`,
    ...(others.length === 0 ? [] : [`  instead of ${others.join("; ")}`]),
  ];
};
