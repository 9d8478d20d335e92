/** A transfer that has the memory to itself: its port takes requests at once, and moves a beat every cycle after `latency` cycles. */
export interface Transfer {
  /** Beats on the bus, from a multiple of `burst` on. */
  readonly beats: number;
  readonly burst: number;
  readonly outstanding: number;
  /** Cycles from a request to its first data, for a write from the last data to the answer; at least 1. */
  readonly latency: number;
}

/** Edges from the first data of the bus to the last, where a place for a burst is free again `turn` cycles after its last beat. */
const dataCycles = ({ beats, burst, outstanding }: Transfer, turn: number): number => {
  const bursts = Math.ceil(beats / burst);
  const rounds = Math.floor((bursts - 1) / outstanding);
  const round = Math.max(outstanding * burst, burst + turn);
  return rounds * round + ((bursts - 1) % outstanding) * burst + beats - (bursts - 1) * burst - 1;
};

/**
 * Cycles of a read DMA, from the edge that takes the command to the edge that takes its last beat of data; not realigned.
 * Where `(outstanding - 1) * burst > latency` it is `beats + latency + 1`.
 */
export const readCycles = (transfer: Transfer): number => 2 + transfer.latency + dataCycles(transfer, transfer.latency + 1);

/**
 * Cycles of a write DMA, from the edge that takes the command to the edge that takes its report, with the data at hand.
 * Where `(outstanding - 1) * burst > latency + 1` it is `beats + latency + 3`.
 */
export const writeCycles = (transfer: Transfer): number => 4 + transfer.latency + dataCycles(transfer, transfer.latency + 2);
