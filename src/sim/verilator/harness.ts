import { wordsOf } from "../engine.ts";
import { harnessBody } from "./harness-body.ts";
import type { ReportedPort } from "./ports.ts";
import type { TraceFormat } from "./runtime.ts";

/** Words at the start of the shared array: what the two sides tell each other besides the values of ports. */
export const mailbox = { cycle: 0, argument: 2, time: 4, result: 6, printed: 7, size: 8 } as const;

/** A port with its place in the shared array. */
export interface PlacedPort extends ReportedPort {
  readonly value: number;
  readonly pending: number;
}

/** Gives every port its words: pending inputs first, then all values. Wide values start at an even word. */
export const placePorts = (ports: readonly ReportedPort[]): { readonly placed: PlacedPort[]; readonly size: number } => {
  let next: number = mailbox.size;
  const take = (width: number): number => {
    const here = next;
    next += 2 * Math.ceil(wordsOf(width) / 2);
    return here;
  };
  const pending = ports.map((port) => (port.direction === "input" ? take(port.width) : -1));
  const placed = ports.map((port, index) => ({ ...port, value: take(port.width), pending: pending[index]! }));
  return { placed, size: next };
};

const hex = (value: bigint, suffix: string): string => `0x${value.toString(16)}${suffix}`;

/** Copies a pending input into the model and into its value; bits above the width never reach the model. */
const applyLine = ({ member, width, value, pending }: PlacedPort): string => {
  const words = wordsOf(width);
  if (words === 1) {
    const mask = hex((1n << BigInt(width)) - 1n, "u");
    return `  w[${value}] = w[${pending}] & ${mask}; r->${member} = w[${value}];`;
  }
  const spare = words * 32 - width;
  const mask = spare === 0 ? "" : `w[${pending + words - 1}] &= ${hex((1n << BigInt(32 - spare)) - 1n, "u")}; `;
  const bytes = words * 4;
  return `  ${mask}memcpy(w + ${value}, w + ${pending}, ${bytes}); memcpy(&r->${member}, w + ${pending}, ${bytes});`;
};

const publishLine = ({ member, width, value }: PlacedPort): string =>
  wordsOf(width) === 1 ? `  w[${value}] = r->${member};` : `  memcpy(w + ${value}, &r->${member}, ${wordsOf(width) * 4});`;

/**
 * The C++ around a model: the part that is the same for all models, and straight-line code that moves this model's
 * ports between its members and the array that JavaScript sees. `clocks` are members, the first is the one that is counted.
 */
export const harness = (ports: readonly PlacedPort[], clocks: readonly string[], trace: TraceFormat | undefined): string => {
  const data = ports.filter((port) => !clocks.includes(port.member));
  const lines = [
    ...(trace === undefined
      ? []
      : [`#include "verilated_${trace}_c.h"`, `using TraceFile = Verilated${trace === "fst" ? "Fst" : "Vcd"}C;`, "#define SYSTOLE_TRACE"]),
    "using Root = Vdut___024root;",
    "static inline void apply(Root* r, uint32_t* w) {",
    ...data.filter((port) => port.direction === "input").map(applyLine),
    "}",
    "static inline void publish(const Root* r, uint32_t* w) {",
    ...data.filter((port) => port.direction === "output").map(publishLine),
    "}",
    "static inline void recall(const Root* r, uint32_t* w) {",
    ...data.filter((port) => port.direction === "input").flatMap((port) => [publishLine(port), publishLine({ ...port, value: port.pending })]),
    "}",
    "struct Cell { unsigned char* at; uint32_t bytes; };",
    "static Cell cell(Root* r, uint32_t port) {",
    "  switch (port) {",
    ...ports.map(({ member }, index) => `    case ${index}: return {reinterpret_cast<unsigned char*>(&r->${member}), sizeof r->${member}};`),
    "  }",
    "  return {};",
    "}",
    "static inline void drive_clocks(Root* r, uint32_t mask, uint32_t level) {",
    ...clocks.map((member, index) => `  if (mask & ${hex(1n << BigInt(index), "u")}) r->${member} = level;`),
    "}",
    `static inline void drive_clock(Root* r, uint32_t level) { ${clocks[0] === undefined ? "" : `r->${clocks[0]} = level;`} }`,
    `static const int clock_count = ${clocks.length};`,
    ...Object.entries(mailbox).map(([name, word]) => `static const int at_${name} = ${word};`),
  ];
  return ['#include "Vdut.h"', '#include "Vdut___024root.h"', "#include <cstring>", ...lines, harnessBody].join("\n");
};
