import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ScheduleOptions } from "../../src/golden/tender/beats.ts";
import { extraBeats, tileSchedule } from "../../src/golden/tender/beats.ts";
import { products } from "./arbitraries.ts";

const options: fc.Arbitrary<ScheduleOptions> = fc.record({
  shiftWidth: fc.constantFrom(1 as const, 2 as const),
  trailing: fc.constantFrom("beats" as const, "trim" as const),
});

describe("beat schedule", () => {
  test("leading empties cost nothing, interior ones beats beyond the code's reach, trailing ones beats or a power of two", () => {
    const shifts = (sizes: number[], shiftWidth: 1 | 2, trailing?: "trim") =>
      tileSchedule([0, 1], sizes, { shiftWidth, trailing }).beats.map(({ channel, shift }) => `${channel}<<${shift}`);
    expect(shifts([0, 0, 2], 2)).toEqual(["0<<0", "1<<0"]);
    expect(shifts([1, 0, 0, 1], 2)).toEqual(["0<<0", "1<<3"]);
    expect(shifts([1, 0, 0, 0, 1], 2)).toEqual(["0<<0", "-1<<3", "1<<1"]);
    expect(shifts([1, 0, 1], 1)).toEqual(["0<<0", "-1<<1", "1<<1"]);
    expect(shifts([2, 0, 0, 0, 0], 2)).toEqual(["0<<0", "1<<0", "-1<<3", "-1<<1"]);
    expect(shifts([2, 0, 0], 1)).toEqual(["0<<0", "1<<0", "-1<<1", "-1<<1"]);
    expect(shifts([2, 0, 0], 1, "trim")).toEqual(["0<<0", "1<<0"]);
    expect(tileSchedule([0, 1], [0, 2, 0, 0], { shiftWidth: 2, trailing: "trim" }).trimmed).toBe(2);
  });

  test("every channel once in order, shifted by its group's index in all, with as many extra beats as the closed form", () => {
    fc.assert(
      fc.property(products({ groups: 20 }), options, ({ order, groupSizes, groupOf }, choice) => {
        const { beats, trimmed } = tileSchedule(order, groupSizes, choice);
        expect(beats.filter(({ channel }) => channel >= 0).map(({ channel }) => channel)).toEqual(Array.from(order));
        expect(beats.length).toBe(order.length + extraBeats(groupSizes, choice));
        let left = beats.reduce((sum, { shift }) => sum + shift, 0) + trimmed;
        for (const [at, { channel, shift, first, last }] of beats.entries()) {
          left -= shift;
          expect(shift).toBeLessThanOrEqual(2 ** choice.shiftWidth - 1);
          expect(first).toBe(at === 0);
          expect(last).toBe(at === beats.length - 1);
          if (channel >= 0) expect(left).toBe(groupOf[channel]);
        }
        expect(beats[0]!.shift).toBe(0);
        expect(choice.trailing === "beats" ? trimmed : 0).toBe(0);
      }),
    );
  });

  test("sizes that don't sum to the channels are refused", () => {
    expect(() => tileSchedule([0, 1], [1], { shiftWidth: 2 })).toThrow(/sum to 1/);
    expect(() => tileSchedule([], [0, 0], { shiftWidth: 2 })).toThrow(/at least one/);
  });
});
