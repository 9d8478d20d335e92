import fc from "fast-check";
import { expect, test } from "vitest";
import { Garbage } from "../../src/sim/garbage.ts";

test("values fill their width, and a wider one begins with the bits of a narrower one", () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 200 }), fc.integer({ min: -1, max: 70 }), (seed, a, b, index) => {
      const scope = new Garbage(seed);
      const narrow = Math.min(a, b);
      const wide = scope.bits("name", Math.max(a, b), index);
      expect(wide >= 0n && wide >> BigInt(Math.max(a, b)) === 0n).toBe(true);
      expect(BigInt.asUintN(narrow, wide)).toBe(scope.bits("name", narrow, index));
    }),
  );
});

test("seed, scope, index and name each matter, and every bit is 1 about half of the time", () => {
  const scope = new Garbage(1);
  const all = [
    scope.bits("a", 64),
    new Garbage(2).bits("a", 64),
    scope.bits("b", 64),
    scope.bits("a", 64, 0),
    scope.bits("a", 64, 1),
    scope.child("u").bits("a", 64),
    scope.child("u", 0).bits("a", 64),
    scope.child("u").child("u").bits("a", 64),
    scope.bits("ab", 64),
    scope.bits("ba", 64),
  ];
  expect(new Set(all).size).toBe(all.length);
  expect(all[0]! >> 32n).not.toBe(BigInt.asUintN(32, all[0]!));
  const count = 4000;
  const ones = Array.from({ length: 70 }, () => 0);
  for (let i = 0; i < count; i++) {
    const value = new Garbage(i % 63).child("lane", i).bits("r", 70);
    for (let bit = 0; bit < 70; bit++) ones[bit]! += Number((value >> BigInt(bit)) & 1n);
  }
  // Six standard deviations of a fair coin are 190.
  for (const sum of ones) expect(Math.abs(sum - count / 2)).toBeLessThan(190);
});
