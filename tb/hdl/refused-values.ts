import { bool, cat, discard, input, mux, named, output, reg, repeat, sint, states, sync, type UInt, uint, vec, wire } from "../../src/hdl/index.ts";
import { build } from "./refused.ts";

// oxlint-disable-next-line eslint/eqeqeq -- the trap under test
const looselyEqual = (a: unknown, b: unknown): boolean => a == b;

const io8 = { a: input(uint(8)), y: output(uint(8)) };

/** What a JavaScript caller without types may pass. */
const wrong = (value: unknown): never => value as never;

const wrongVector = (vector: { readonly shape: unknown }, other: { readonly node: unknown }): { at(index: UInt): UInt } =>
  Object.assign(Object.create(Object.getPrototypeOf(vector) as object) as object, {
    shape: vector.shape,
    node: { op: "cross", a: other.node, width: 8, signed: false },
    kind: "vec",
  }) as unknown as { at(index: UInt): UInt };

/** Refusals of shapes, constants, expressions and assignments. */
export const valueCases: Record<string, Record<string, () => unknown>> = {
  shapes: {
    "a width of 0": () => uint(0),
    "a width that is no whole number": () => sint(2.5),
    "a width beyond the limit": () => uint(2 ** 20 + 1),
    "an empty vector": () => vec(0, bool),
    "a vector beyond the limit": () => vec(2 ** 15, uint(64)),
    "a state name that is none": () => states("state", "idle", "two words"),
    "two states of one name": () => states("state", "idle", "idle"),
  },
  constants: {
    "a fraction": () => build(io8, (io) => io.y.set(1.5)),
    "beyond 2^53": () => build(io8, (io) => io.y.set(2 ** 60)),
    "negative where unsigned": () => build(io8, (io) => io.y.set(io.a.addWrap(-1))),
    "too wide": () => build(io8, (io) => io.y.set(256)),
  },
  expressions: {
    "a comparison by the host language": () => build(io8, (io) => io.y.set(wrong((io.a as unknown as number) < 3))),
    "a signal in a text": () => build(io8, (io) => io.y.set(wrong(`value ${io.a as unknown as string}`))),
    "equality by the host language": () => build(io8, (io) => io.y.set(wrong(looselyEqual(io.a, 1)))),
    "a vector as a number": () => build({ v: input(vec(2, bool)), y: output(uint(8)) }, (io) => io.y.set(wrong(Number(io.v)))),
    "mixed signs in arithmetic": () => build({ a: input(uint(8)), s: input(sint(8)), y: output(sint(9)) }, (io) => io.y.set(io.s.add(wrong(io.a)))),
    "bits beyond the width": () => build(io8, (io) => io.y.set(io.a.bits(8, 1))),
    "a negative shift": () => build(io8, (io) => io.y.set(io.a.shr(-1))),
    "a shift by too many bits": () => build(io8, (io) => io.y.set(io.a.shl(io.a).wrap(8))),
    "a width beyond the limit": () => build(io8, (io) => io.y.set(io.a.shl(2 ** 20).wrap(8))),
    "extending to less": () => build(io8, (io) => io.y.set(io.a.extend(4))),
    "wrapping to more": () => build(io8, (io) => io.y.set(io.a.wrap(9))),
    "a chain without names": () =>
      build(io8, (io) => {
        let sum: UInt = io.a;
        for (let link = 0; link < 20_000; link += 1) sum = sum.addWrap(1);
        io.y.set(sum);
      }),
    "an expression doubled twelve times": () =>
      build(io8, (io) => {
        let x: UInt = io.a;
        for (let i = 0; i < 12; i += 1) x = x.add(x).wrap(8);
        io.y.set(x);
      }),
    "a long expression used again": () =>
      build({ a: input(uint(8)), y: output(vec(3, uint(8))) }, (io) => {
        let x: UInt = io.a;
        for (let i = 0; i < 20; i += 1) x = x.xor(i + 1);
        io.y.at(0).set(x);
        io.y.at(1).set(x);
        io.y.at(2).set(x.not());
      }),
    "a mux() without a width": () => build(io8, (io) => io.y.set(mux(io.a.any(), wrong(1), wrong(2)))),
    "a mux() of two signs": () => build({ a: input(uint(8)), s: input(sint(8)), y: output(uint(8)) }, (io) => io.y.set(mux(io.a.any(), io.a, wrong(io.s)))),
    "an empty cat()": () => build(io8, (io) => io.y.set(cat())),
    "a condition of several bits": () => build(io8, (io) => io.y.set(mux(wrong(io.a), io.a, 0))),
  },
  assignments: {
    "a value too wide": () => build(io8, (io) => io.y.set(io.a.add(1))),
    "a value of the other sign": () => build(io8, (io) => io.y.set(wrong(io.a.asSInt()))),
    "no value at all": () => build(io8, (io) => io.y.set(wrong(undefined))),
    "an enumeration": () =>
      build(io8, (io) => {
        const state = reg("state", states("state", "idle", "run"), { reset: "idle" });
        sync(() => state.set("run"));
        io.y.set(wrong(state));
        discard("a", io.a);
      }),
    "an unknown state": () =>
      build({ y: output(bool) }, (io) => {
        const state = reg("state", states("state", "idle", "run"), { reset: "idle" });
        sync(() => state.set(wrong("stop")));
        io.y.set(state.is("run"));
      }),
    "a number for a state": () => build({ y: output(bool) }, () => reg("state", states("state", "idle", "run"), { reset: wrong(1) })),
    "a vector of another shape": () => build({ a: input(vec(2, uint(4))), y: output(vec(4, uint(2))) }, (io) => io.y.set(wrong(io.a))),
    "a vector reshaped to another width": () =>
      build({ a: input(vec(2, uint(4))), y: output(uint(8)) }, (io) => io.y.set(io.a.reshape(vec(3, uint(2))).asUInt())),
    "an element outside the vector": () => build({ a: input(vec(2, uint(4))), y: output(uint(4)) }, (io) => io.y.set(io.a.at(2))),
    "an element beyond a loop's end": () =>
      build({ a: input(vec(2, uint(4))), y: output(vec(2, uint(4))) }, (io) => repeat("lane", 2, (i) => io.y.at(i).set(io.a.at(i.plus(1))))),
    "an index much wider than the vector": () => build({ a: input(vec(3, uint(4))), i: input(uint(8)), y: output(uint(4)) }, (io) => io.y.set(io.a.at(io.i))),
    "an expression indexed by a signal": () =>
      build({ a: input(vec(2, uint(4))), i: input(uint(1)), y: output(uint(4)) }, (io) => {
        const grown = wire("grown", vec(2, uint(4)));
        grown.set(io.a);
        const pair = named("pair", cat(grown.at(0), grown.at(1)));
        discard("pair", pair);
        const array = io.a.reshape(vec(2, uint(4)));
        // Two vectors behind a constant condition make an expression.
        io.y.set(wrongVector(io.a, array).at(io.i));
      }),
    "a reset value that is a signal": () => build(io8, (io) => reg("kept", uint(8), { reset: wrong(io.a) })),
  },
};
