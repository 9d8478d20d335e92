import type { Statement } from "../../hdl/circuit.ts";
import type { Cell, Step } from "./elaborate.ts";
import { Evaluator } from "./evaluate.ts";

type Action = (step: Step, at: Evaluator) => void;

/** All that the actions do in the steps, one action after the other, happens at once. @returns whether anything changes */
const apply = (steps: readonly Step[], actions: readonly Action[], blocking: boolean): boolean => {
  const changes = new Map<Cell, bigint>();
  for (const action of actions) for (const step of steps) action(step, new Evaluator(step.env, changes, blocking));
  const differing = [...changes].filter(([cell, value]) => cell.value !== value);
  for (const [cell, value] of differing) cell.value = value;
  return differing.length > 0;
};

/** What the wires that an item drives become. */
const drive: Action = ({ item, child, line }, at) => {
  if (item.kind === "assign") at.set(item.place, at.bits(item.value));
  else if (item.kind === "discard") at.set(item, at.bits({ op: "parity", a: item.value, width: 1, signed: false }));
  else if (item.kind === "comb") at.run(item.body);
  else if (item.kind === "delay") at.set({ signal: item.data }, line!.at(-1)!.value);
  else if (item.kind === "instance") {
    const port = (name: string): Cell => child!.cells.get(child!.circuit.portSignals.find((signal) => signal.name === name)!)!;
    for (const input of item.inputs) at.put(port(input.port.name), at.bits(input.value));
    for (const output of item.outputs) at.set(output.place, port(output.port.name).value);
  } else if (item.kind === "read" && (item.latency === 0 || item.heldAddress !== undefined)) {
    const address = item.heldAddress === undefined ? at.bits(item.address) : at.env.cells.get(item.heldAddress)!.value;
    at.set({ signal: item.data }, at.env.memories.get(item.memory)![Number(address)]!.value);
  }
};

/** What a read port and a delay line take at an edge. The writes of the same edge are among the changes already. */
const take: Action = ({ item, line }, at) => {
  if ((item.kind !== "read" && item.kind !== "delay") || (item.enable !== undefined && at.bits(item.enable) === 0n)) return;
  if (item.kind === "delay") line!.forEach((element, age) => at.put(element, age === 0 ? at.bits(item.value) : line![age - 1]!.value));
  else if (item.heldAddress !== undefined) at.set({ signal: item.heldAddress }, at.bits(item.address));
  else {
    const { name, width, garbage } = at.env.cells.get(item.data)!;
    const word = at.env.memories.get(item.memory)![Number(at.bits(item.address))]!;
    at.set({ signal: item.data }, item.collision === "undefined" && at.changes.has(word) ? garbage.bits(`${name} collision`, width) : word.value);
  }
};

const resetTargets = (body: readonly Statement[], at: Evaluator): void => {
  for (const statement of body) {
    if (statement.kind === "set" && statement.place.signal.reset !== undefined) at.set({ signal: statement.place.signal }, statement.place.signal.reset);
    else if (statement.kind === "if") resetTargets([...statement.body, ...statement.otherwise], at);
    else if (statement.kind === "case") for (const arm of statement.arms) resetTargets(arm.body, at);
  }
};

/** Whole signals that a block sets, and whole lines, as far as they have a reset. */
const reset: Action = ({ item, line }, at) => {
  if (item.kind === "sync") resetTargets(item.body, at);
  else if (item.kind === "delay" && item.reset) for (const element of line!) at.put(element, 0n);
};

/** Active resets act on the steps. */
export const resetSteps = (steps: readonly Step[]): boolean => apply(steps, [reset], false);

/** A clock edge: every step sees the values from before it; a reset wins over what else a step does. */
export const clockSteps = (steps: readonly Step[], inReset: (step: Step) => boolean): boolean =>
  apply(steps, [({ item }, at) => item.kind === "sync" && at.run(item.body), take, (step, at) => inReset(step) && reset(step, at)], false);

/** Combinational items run in order, again and again, until nothing changes. */
export const settleSteps = (steps: readonly Step[]): void => {
  while (steps.map((step) => apply([step], [drive], true)).includes(true)) continue;
};
