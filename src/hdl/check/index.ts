import type { Circuit } from "../circuit.ts";
import { checkDomains } from "./domains.ts";
import { checkDrivers } from "./drivers.ts";
import { checkLatches } from "./latches.ts";
import { checkLoops } from "./loops.ts";
import { checkMemories } from "./memories.ts";
import { checkOrder } from "./order.ts";
import { checkRepeated } from "./repeated.ts";
import { checkUnread } from "./unread.ts";

/** All checks of a finished module, each a pass of its own. @throws UserError from the first that refuses. */
export const checkCircuit = (circuit: Circuit): void => {
  checkDrivers(circuit);
  checkMemories(circuit);
  checkLatches(circuit);
  checkOrder(circuit);
  checkUnread(circuit);
  checkLoops(circuit);
  checkDomains(circuit);
  checkRepeated(circuit);
};
