import { UserError } from "../base/error.ts";
import { callerLocation } from "./location.ts";
import { type Node, operandsOf } from "./node.ts";
import { maxWidth } from "./shape.ts";

/** Most operators that one unnamed expression may print: a reader follows fewer, and all that walks expressions may recurse. */
const maxOperators = 256;

const known = new WeakMap<Node, number>();

/** Operators that an expression prints; a part used twice counts twice. Literals, signals and bits of signals are free. */
export const operatorsIn = (node: Node): number => {
  const operands = operandsOf(node);
  if (operands.length === 0) return 0;
  const found = known.get(node);
  if (found !== undefined) return found;
  const count = operands.reduce((sum, operand) => sum + operatorsIn(operand), 1);
  known.set(node, count);
  return count;
};

/** @throws UserError for an expression that is too wide, or too long to print without names inside */
export const checkSize = (node: Node): void => {
  if (node.width > maxWidth)
    throw new UserError("bad-width", `this expression would have ${node.width} bits, more than the ${maxWidth} that a value may have`, {
      where: callerLocation(),
    });
  const count = operatorsIn(node);
  if (count > maxOperators)
    throw new UserError("too-long", `this expression prints ${count} operators, more than the ${maxOperators} that one may have`, {
      where: callerLocation(),
      hint: 'name its parts: named("partialSum", value)',
    });
};
