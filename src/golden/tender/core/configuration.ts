/** What a tensor core is built with, as far as its results depend on it (docs/tender-core.md). */
export interface CoreConfiguration {
  /** Rows and columns of cells, powers of two from 2 on. */
  readonly rows: number;
  readonly cols: number;
  readonly kind: "int8" | "int4" | "composable";
  readonly accWidth: number;
  readonly shiftBits: number;
  readonly requantize: boolean;
  /** Bits of a beat of the memory port. */
  readonly dataWidth: number;
  readonly addressWidth: number;
  readonly activationKib: number;
  readonly weightKib: number;
  /** Most beats of a tile. */
  readonly channels: number;
}

/** How a matrix lies in memory and in its scratchpad: words of one channel of a tile in rows, which are the wider of a word and a beat. */
export interface PanelLayout {
  readonly wordBytes: number;
  readonly rowBytes: number;
  readonly wordsPerRow: number;
  /** Rows of the scratchpad. */
  readonly depth: number;
}

const panelLayout = (kib: number, lanes: number, cell: number, dataWidth: number): PanelLayout => {
  const wordBytes = (lanes * cell) / 8;
  const rowBytes = Math.max(wordBytes, dataWidth / 8);
  return { wordBytes, rowBytes, wordsPerRow: rowBytes / wordBytes, depth: (kib * 1024) / rowBytes };
};

/** Bits of a lane: what one cell multiplies. */
const cellBits = ({ kind }: CoreConfiguration): number => (kind === "int8" ? 8 : 4);

export const activationLayout = (configuration: CoreConfiguration): PanelLayout =>
  panelLayout(configuration.activationKib, configuration.rows, cellBits(configuration), configuration.dataWidth);

export const weightLayout = (configuration: CoreConfiguration): PanelLayout =>
  panelLayout(configuration.weightKib, configuration.cols, cellBits(configuration), configuration.dataWidth);

/** Rows of the scratchpad that a panel of `channels` words takes. */
export const panelRows = ({ wordsPerRow }: PanelLayout, channels: number): number => Math.ceil(channels / wordsPerRow);

/** Rows and columns of a tile, and the bits of its elements; an INT8 product on composable cells takes 2x2 of them for one. */
export const tileShape = (configuration: CoreConfiguration, wide: boolean): { readonly rows: number; readonly columns: number; readonly bits: 4 | 8 } => {
  const { rows, cols, kind } = configuration;
  if (wide) return { rows: rows / 2, columns: cols / 2, bits: 8 };
  return { rows, columns: cols, bits: kind === "int8" ? 8 : 4 };
};

/** Constants of a column of tiles: bytes of each kind, and of all, which fill whole beats. */
export const constantBytes = ({ cols, requantize, dataWidth }: CoreConfiguration): { readonly each: number; readonly all: number } => {
  const beat = dataWidth / 8;
  return { each: 4 * cols, all: Math.ceil((4 * cols * (requantize ? 4 : 2)) / beat) * beat };
};
