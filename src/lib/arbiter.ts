import { UserError } from "../base/error.ts";
import { assert, bool, input, type Module, module, mux, named, output, reg, sync, type UInt, uint, when } from "../hdl/index.ts";

const arbiterPorts = (requesters: number) => ({
  request: input(uint(requesters)),
  taken: input(bool, "the grant is used: the next one starts after it"),
  grant: output(uint(requesters), "one-hot, zero without a request"),
});

/** The lowest bit that is set, alone. */
const lowest = (value: UInt): UInt => value.and(value.not().addWrap(1));

/**
 * Round-robin arbiter: grants one requester, and after a grant that is taken gives the lowest priority to the one just served.
 * A requester that keeps asking is served after at most `requesters - 1` others.
 * @throws UserError for fewer than 2 or more than 64 requesters
 */
export const roundRobinArbiter = ({ requesters }: { readonly requesters: number }): Module<ReturnType<typeof arbiterPorts>> => {
  if (!Number.isInteger(requesters) || requesters < 2 || requesters > 64)
    throw new UserError("bad-parameter", `an arbiter has 2 to 64 requesters, not ${requesters}`);
  return module(
    `round_robin_arbiter_n${requesters}`,
    arbiterPorts(requesters),
    (io) => {
      const after = reg("after", uint(requesters), { reset: 0, doc: "requesters above the one served last" });
      const waiting = named("waiting", io.request.and(after));
      const pool = named("pool", mux(waiting.any(), waiting, io.request));

      io.grant.set(lowest(pool));

      sync(() => {
        when(io.taken.and(io.grant.any()), () => after.set(io.grant.or(io.grant.subWrap(1)).not()));
      });

      assert("grant_is_one_hot", io.grant.and(io.grant.subWrap(1)).eq(0));
      assert("grant_was_asked_for", io.grant.and(io.request.not()).eq(0));
      assert("grant_when_asked", io.grant.any().or(io.request.any().not()));
    },
    {
      doc: "Round-robin arbiter: the requester served last has the lowest priority.",
      parameters: [{ name: "requesters", value: requesters, legal: "2 to 64" }],
      latency: "none: the grant follows the requests in the same cycle.",
    },
  );
};
