import { UserError } from "../../base/error.ts";

/** One cycle of operands for a tile. */
export interface Beat {
  /** Channel whose activation and weight enter, or -1 for zero operands. */
  readonly channel: number;
  /** Left shift of the accumulator before this beat's product is added; 0 on the first beat. */
  readonly shift: number;
  readonly first: boolean;
  readonly last: boolean;
}

export interface TileSchedule {
  readonly beats: readonly Beat[];
  /** Shifts not done because trailing empty groups were trimmed: the host multiplies scale 0 by 2^trimmed. */
  readonly trimmed: number;
}

export interface ScheduleOptions {
  /** Width of the shift code: 1 bit shifts by 0..1 a beat, 2 bits by 0..3. */
  readonly shiftWidth: 1 | 2;
  /** Trailing empty groups: as zero-operand beats (accumulators equal the vectors' `acc_final`, the default) or trimmed. */
  readonly trailing?: "beats" | "trim" | undefined;
}

/**
 * Beats of one tile (contracts.md, Tender array): channels in `order`, one shift more at each group boundary.
 * Leading empty groups cost nothing; a boundary over interior empty groups takes zero-operand beats only where it needs more
 * than the shift code holds. `groupSizes` is largest scale first and sums to `order.length`.
 * @throws UserError `bad-groups` when the sizes don't sum to the channels or there is no channel.
 */
export const tileSchedule = (order: ArrayLike<number>, groupSizes: readonly number[], options: ScheduleOptions): TileSchedule => {
  const total = groupSizes.reduce((sum, size) => sum + size, 0);
  if (total !== order.length || total === 0)
    throw new UserError("bad-groups", `group sizes sum to ${total} where the order holds ${order.length} channels (at least one)`);
  const maxShift = 2 ** options.shiftWidth - 1;
  const beats: { channel: number; shift: number; first: boolean; last: boolean }[] = [];
  const push = (channel: number, shift: number): number => beats.push({ channel, shift, first: beats.length === 0, last: false });
  let position = 0;
  /** Group boundaries passed since the last beat: shifts not yet done. */
  let pending = 0;
  for (const [group, size] of groupSizes.entries()) {
    if (group > 0 && position > 0) pending++;
    for (let member = 0; member < size; member++) {
      for (; pending > maxShift; pending -= maxShift) push(-1, maxShift);
      push(order[position++]!, pending);
      pending = 0;
    }
  }
  if (options.trailing !== "trim") for (; pending > 0; pending -= Math.min(pending, maxShift)) push(-1, Math.min(pending, maxShift));
  beats.at(-1)!.last = true;
  return { beats, trimmed: pending };
};

/** Extra beats of a tile in closed form: the sum over interior boundaries plus the trailing beats (contracts.md, Tender array). */
export const extraBeats = (groupSizes: readonly number[], options: ScheduleOptions): number => {
  const maxShift = 2 ** options.shiftWidth - 1;
  const filled = groupSizes.flatMap((size, group) => (size > 0 ? [group] : []));
  const interior = filled.slice(1).reduce((sum, group, index) => sum + Math.ceil((group - filled[index]!) / maxShift) - 1, 0);
  const trailing = options.trailing === "trim" ? 0 : Math.ceil((groupSizes.length - 1 - filled.at(-1)!) / maxShift);
  return interior + trailing;
};
