import vm from "node:vm";
import type { Module } from "../../src/hdl/index.ts";
import * as hdl from "../../src/hdl/index.ts";
import type { CircuitSource } from "./source.ts";

const names = Object.keys(hdl);
const values = Object.values(hdl);

/** Runs a program in this process: what the text says is what is built. */
export const build = ({ text, top }: CircuitSource): Module => {
  const run = vm.compileFunction(`${text}\nreturn ${top};`, names) as (...given: unknown[]) => Module;
  return run(...values);
};
